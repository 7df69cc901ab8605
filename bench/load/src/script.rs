//! What the sender says: message after message, each different from all others.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

const FILLER: &str = "The new plans are in; shall we go through them at ten, or after the roofer has been? ";

pub struct Script {
    /// Tells this run's messages from any other's.
    run: String,
    /// Length of a message in characters.
    size: usize,
}

impl Script {
    pub fn new(size: usize) -> Script {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Script { run: format!("{:x}", now.as_nanos()), size }
    }

    /// The `client_message_id` of the message with this index.
    pub fn id(&self, index: u64) -> String {
        format!("{}-{index}", self.run)
    }

    /// Which message a `client_message_id` names; `None` when it is not one of this run's.
    pub fn index_of(&self, id: &str) -> Option<u64> {
        id.strip_prefix(self.run.as_str())?.strip_prefix('-')?.parse().ok()
    }

    /// Begins with the index and goes on at another place of the filler each time, so that no part is like the last
    /// message's.
    pub fn content(&self, index: u64) -> String {
        let from = usize::try_from(index).unwrap_or_default() % FILLER.len();
        let mut content = format!("{index} ");
        content.extend(FILLER.chars().cycle().skip(from).take(self.size.saturating_sub(content.len())));
        content
    }

    /// The frame that sends it.
    pub fn frame(&self, index: u64) -> String {
        json!({ "type": "send_message", "content": self.content(index), "client_message_id": self.id(index) })
            .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_the_size_asked_for_and_differ() {
        let script = Script::new(64);
        assert_eq!(script.content(0).len(), 64);
        assert_eq!(script.content(123_456).len(), 64);
        assert_ne!(script.content(7).get(4..), script.content(8).get(4..));
    }

    #[test]
    fn an_id_leads_back_to_its_message() {
        let script = Script::new(64);
        assert_eq!(script.index_of(&script.id(42)), Some(42));
        assert_eq!(script.index_of("1718000000000"), None);
    }
}
