//! docs/PROTOCOL.md against the tables that it is about. `UPDATE_DOCS=1 cargo test -p chat-core protocol_doc` writes its
//! tables anew; `tests/protocol-doc.spec.ts` checks its examples against the running Worker.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use chat_core::features::{block, presence, project, rates, react, report, resume, search, typing};
use chat_core::limits::Limits;
use chat_core::permissions;
use chat_core::protocol::codes::{CloseCode, ErrorCode};
use chat_core::protocol::fields;
use chat_core::protocol::frames::{self, Rate, Spec};
use chat_core::protocol::internal::Role;
use chat_core::store::messages;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/PROTOCOL.md");

/// Tests run side by side, and one may be writing.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn page() -> String {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    std::fs::read_to_string(PATH).unwrap()
}

/// The document has `table` between the comments of this name.
#[track_caller]
fn holds(name: &str, table: &str) {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let (begin, end) = (format!("<!-- {name}: begin -->\n"), format!("<!-- {name}: end -->"));
    let page = std::fs::read_to_string(PATH).unwrap();
    let (before, rest) = page.split_once(&begin).expect("the comment before the table");
    let (stored, after) = rest.split_once(&end).expect("the comment after the table");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PATH, format!("{before}{begin}{table}{end}{after}")).unwrap();
    } else {
        assert_eq!(stored, table, "stale: UPDATE_DOCS=1 cargo test -p chat-core protocol_doc");
    }
}

/// What stands in the comments `<!-- kind name -->` above examples.
fn examples(kind: &str) -> BTreeSet<String> {
    let page = page();
    let begin = format!("<!-- {kind} ");
    let names = page.lines().filter_map(|line| line.strip_prefix(&begin)?.strip_suffix(" -->"));
    names.filter_map(|name| name.split(' ').next()).map(str::to_owned).collect()
}

fn names(which: impl Fn(&Spec) -> bool) -> String {
    let names: Vec<_> =
        frames::TABLE.iter().filter(|spec| which(spec)).map(|spec| format!("`{}`", spec.name)).collect();
    names.join(", ")
}

#[test]
fn every_close_code_stands_in_it() {
    let mut table = "| code | meaning | the client is to |\n|---|---|---|\n".to_owned();
    for code in CloseCode::ALL {
        writeln!(table, "| {} | {} | {} |", code.code(), code.reason(), code.client()).unwrap();
    }
    holds("close codes", &table);
}

#[test]
fn every_error_stands_in_it() {
    let mut table = "| code | status | meaning |\n|---|---|---|\n".to_owned();
    for code in ErrorCode::ALL {
        let text = code.text().replace('<', "&lt;");
        writeln!(table, "| `{}` | {} | {text} |", code.word(), code.status()).unwrap();
    }
    holds("errors", &table);
}

#[test]
fn what_each_role_may_do_stands_in_it() {
    let mut table = "| frames | viewer | member | moderator | while muted | while the project is frozen |\n".to_owned();
    table.push_str("|---|---|---|---|---|---|\n");
    for rule in permissions::TABLE {
        let frames = names(|spec| spec.action == rule.action);
        let roles = Role::ALL.iter().map(|role| *role >= rule.least);
        let cells = roles.chain([rule.while_muted, rule.while_frozen]).map(|yes| if yes { "yes" } else { "–" });
        writeln!(table, "| {frames} | {} |", cells.collect::<Vec<_>>().join(" | ")).unwrap();
    }
    holds("permissions", &table);
}

#[test]
fn how_often_frames_may_come_stands_in_it() {
    let mut table = "| frames | a second | at once | beyond that |\n|---|---|---|---|\n".to_owned();
    let refused = "refused: `rate_limited` with `retry_after_ms`";
    for (rate, beyond) in [
        (Rate::Message, refused),
        (Rate::Change, refused),
        (Rate::Query, refused),
        (Rate::Signal, "dropped in silence"),
        (Rate::Frame, "closed with 4029"),
    ] {
        let (a_second, at_once) = rates::allowed(rate, &Limits::default());
        let frames = if rate == Rate::Frame { "all together".to_owned() } else { names(|spec| spec.rate == rate) };
        writeln!(table, "| {frames} | {a_second} | {at_once} | {beyond} |").unwrap();
    }
    holds("rates", &table);
}

#[test]
fn every_frame_that_a_client_may_send_has_an_example() {
    let all: BTreeSet<_> = frames::TABLE.iter().map(|spec| spec.name.to_owned()).collect();
    assert_eq!(examples("v1_client"), all);
    let classic = frames::TABLE.iter().filter(|spec| spec.classic).map(|spec| spec.name.to_owned());
    assert_eq!(examples("client"), classic.collect());
}

#[test]
fn every_event_that_the_core_can_make_has_an_example() {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let of = |which: &dyn Fn(&str) -> bool| -> BTreeSet<String> {
        sources.iter().filter(|(path, _)| which(path)).flat_map(|(_, text)| event_types(text)).collect()
    };
    let classic = of(&|path| path.ends_with("protocol/classic.rs"));
    let inbox = of(&|path| path.contains("/user/"));
    let v1 = of(&|path| !path.ends_with("protocol/classic.rs") && !path.contains("/user/"));
    assert!(classic.contains("new.message") && inbox.contains("inbox") && v1.contains("hello"), "nothing was found");
    assert_eq!(examples("server"), classic);
    assert_eq!(examples("inbox_event"), inbox);
    assert_eq!(examples("v1_event"), v1);
}

/// The types of events that a source file makes: variants of enums with the tag `type`, and literal types.
fn event_types(source: &str) -> Vec<String> {
    let quoted = |rest: &str| rest.split('"').next().unwrap_or_default().to_owned();
    let after = |mark: &str| source.split(mark).skip(1).map(quoted).collect::<Vec<_>>();
    let mut found = Vec::new();
    for body in source.split("#[serde(tag = \"type\")]").skip(1) {
        let body = body.split("\n}").next().unwrap_or_default();
        found.extend(body.split("#[serde(rename = \"").skip(1).map(quoted));
    }
    for mark in ["kind: \"", "r#type: \"", "\"type\": \"", "\"type\":\""] {
        found.extend(after(mark));
    }
    found
}

/// All Rust sources below a folder, with their paths.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let (folders, files): (Vec<_>, Vec<_>) = entries.into_iter().partition(|path| path.is_dir());
    let own = files.iter().map(|path| (path.display().to_string(), std::fs::read_to_string(path).unwrap()));
    own.chain(folders.iter().flat_map(|folder| sources(folder))).collect()
}

#[test]
fn the_numbers_in_its_sentences_are_the_defaults() {
    let limits = Limits::default();
    let text = page().split_whitespace().collect::<Vec<_>>().join(" ");
    let seconds = |ms: i64| ms / 1000;
    let sentences = [
        // classic
        format!("any text of at most {} characters", limits.client_message_id_max_chars),
        format!("A frame may have {} KiB", limits.frame_max_bytes / 1024),
        format!("(the newest {} at most)", limits.classic_replay_max),
        format!("nothing more for {} s", seconds(typing::TYPING_MS)),
        format!("above {} people present only to the reader", limits.receipts_to_all_max_present),
        format!("`?limit=` ({}, at most {})", limits.history_page, limits.history_page_max),
        format!("exact up to {}.", limits.unread_max),
        // v1
        format!("falls silent for {} s may be closed with 4008", seconds(limits.silence_max_ms)),
        format!("`members`: the {} most recently active", limits.roster_max),
        format!("(text, at most {} bytes)", fields::REFERENCE_MAX_BYTES),
        format!("`mentions` (at most {} users", fields::MENTIONS_MAX),
        format!("at most {} KB of JSON", fields::DATA_MAX_BYTES / 1024),
        format!(
            "at most {} bytes; a message has at most {} different ones",
            react::EMOJI_MAX_BYTES,
            limits.reactions_max
        ),
        format!("A project has at most {} pins", limits.pins_max),
        format!("(above {} people present, only the reader", limits.receipts_to_all_max_present),
        format!("named again within {} s has stopped", seconds(typing::TYPING_MS)),
        format!("Off above {} people present", limits.typing_max_present),
        format!(
            "above {} people present only the number comes, at most every {} s",
            limits.presence_max_present,
            seconds(presence::COUNT_EVERY_MS)
        ),
        format!("`limit` is {}, at most {}", limits.v1_page, limits.history_page_max),
        format!(
            "`query` (at most {} characters; its first {} words count)",
            search::QUERY_MAX_CHARS,
            messages::SEARCH_WORDS
        ),
        format!("{} at a time", limits.roster_max),
        format!("at most {} events", limits.resume_chunk),
        format!("every {} events of the log (`limits.seen_every`)", resume::SEEN_EVERY),
        format!("more than {} events behind", limits.seen_lag_max),
        format!("(at most {} users)", block::BLOCKED_MAX),
        format!("`reason` (at most {} characters)", report::REASON_MAX_CHARS),
        format!("(at most {}: a day)", project::SLOW_MODE_MAX_S),
        format!("(`SOCKETS_PER_USER`, {})", limits.sockets_per_user),
    ];
    for sentence in sentences {
        assert!(text.contains(&sentence), "docs/PROTOCOL.md does not say: {sentence}");
    }
    let hello = [
        ("message_chars", limits.message_max_chars),
        ("frame_bytes", limits.frame_max_bytes),
        ("page", limits.v1_page),
        ("chunk", limits.resume_chunk),
        ("message_rate", limits.message_rate),
        ("message_burst", limits.message_burst),
        ("seen_every", resume::SEEN_EVERY),
        ("reconnect_window_ms", *resume::WINDOW_MS.start()),
    ];
    for (name, value) in hello {
        assert!(text.contains(&format!("\"{name}\": {value}")), "docs/PROTOCOL.md shows another {name}");
    }
}
