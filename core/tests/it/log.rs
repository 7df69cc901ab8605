//! What no v1 window may ever see: a hole in the log, an event of it twice, or one while it still pulls.
//! Every story checks it by the way.

use serde_json::Value;

/// Where a v1 window is in the log.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// Its first event must be `hello`, perhaps after `resync`.
    Fresh,
    Live(i64),
    Behind(i64),
}

impl Place {
    pub fn after(self, event: &Value) -> Place {
        let seq = event["seq"].as_i64();
        match event["type"].as_str().unwrap() {
            "hello" | "resume" => {
                let seq = seq.unwrap();
                dense(event, self, seq);
                if event["more"] == true {
                    Place::Behind(seq)
                } else {
                    assert_eq!(event["head"], seq, "at the head");
                    Place::Live(seq)
                }
            }
            "new.message" | "message.updated" | "message.deleted" | "reaction" | "pin" => match self {
                Place::Live(at) => {
                    assert_eq!(seq, Some(at + 1), "after {at} comes {event}");
                    Place::Live(at + 1)
                }
                other => panic!("{other:?} was sent {event}"),
            },
            "resync" => self,
            _ => {
                assert_ne!(self, Place::Fresh, "before hello: {event}");
                self
            }
        }
    }
}

fn dense(event: &Value, before: Place, last: i64) {
    let Some(events) = event.get("events").and_then(Value::as_array) else { return };
    let seqs: Vec<_> = events.iter().map(|event| event["seq"].as_i64().unwrap()).collect();
    assert!(seqs.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{seqs:?}");
    if let (Some(first), Place::Live(at) | Place::Behind(at)) = (seqs.first(), before) {
        assert!(*first <= at + 1, "after {at} comes {first}");
    }
    assert!(seqs.last().is_none_or(|seq| *seq == last), "{seqs:?} up to {last}");
}
