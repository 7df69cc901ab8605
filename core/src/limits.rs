//! Every limit with its default, once. Each can be set by the variable of its name.

macro_rules! limits {
    ($($field:ident: $variable:literal = $default:literal, $min:literal..=$max:literal, $doc:literal;)*) => {
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Limits { $(#[doc = $doc] pub $field: i64,)* }

        impl Default for Limits {
            fn default() -> Self {
                Limits { $($field: $default,)* }
            }
        }

        /// One row of the table: the variable's name, default, least and greatest value, and what it means.
        #[derive(Clone, Copy, Debug)]
        pub struct Limit {
            pub variable: &'static str,
            pub default: i64,
            pub min: i64,
            pub max: i64,
            pub doc: &'static str,
        }

        impl Limits {
            pub const TABLE: &'static [Limit] = &[$(Limit {
                variable: $variable, default: $default, min: $min, max: $max, doc: $doc,
            },)*];

            /// Reads each limit from `lookup(variable)`.
            ///
            /// # Errors
            /// A sentence that names the variable which is not a whole number within its range.
            pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
                let read = |variable: &str, default: i64, min: i64, max: i64| match lookup(variable) {
                    None => Ok(default),
                    Some(text) => match text.trim().parse::<i64>() {
                        Ok(value) if (min..=max).contains(&value) => Ok(value),
                        _ => Err(format!("{variable} must be a whole number from {min} to {max}, not {text:?}.")),
                    },
                };
                Ok(Limits { $($field: read($variable, $default, $min, $max)?,)* })
            }
        }
    };
}

limits! {
    message_max_chars: "MESSAGE_MAX_CHARS" = 10000, 1..=100000, "Longest message, in characters.";
    frame_max_bytes: "FRAME_MAX_BYTES" = 65536, 1024..=1048576, "Largest frame from a client, in bytes of UTF-8.";
    client_message_id_max_chars: "CLIENT_MESSAGE_ID_MAX_CHARS" = 64, 16..=256, "Longest client_message_id, in characters.";
    history_page: "HISTORY_PAGE" = 30, 1..=100, "Messages in a page of history when the caller names no limit.";
    history_page_max: "HISTORY_PAGE_MAX" = 100, 1..=1000, "Most messages in a page of history.";
    classic_replay_max: "CLASSIC_REPLAY_MAX" = 100, 0..=1000, "Most unread messages that a classic socket is sent again after it opens.";
    classic_replay_delay_ms: "CLASSIC_REPLAY_DELAY_MS" = 1000, 0..=10000, "Milliseconds after which a classic socket is sent what its member has not read: the page's own history request must win.";
    v1_page: "V1_PAGE" = 50, 1..=100, "Messages in a page of a v1 client's when it names no limit, and in `hello`.";
    resume_chunk: "RESUME_CHUNK" = 300, 1..=1000, "Most events of the log that a client is given at once.";
    resume_chunk_bytes: "RESUME_CHUNK_BYTES" = 524288, 65536..=8388608, "About the most bytes of a chunk of the log, or of a page.";
    search_scan: "SEARCH_SCAN" = 20000, 100..=1000000, "Positions of the log that one search looks at before it answers with what it has found.";
    roster_max: "ROSTER_MAX" = 200, 1..=1000, "Members in `hello` and in a page of members.";
    reactions_max: "REACTIONS_MAX" = 50, 1..=500, "Different reactions to one message.";
    pins_max: "PINS_MAX" = 50, 1..=500, "Pinned messages of a project.";
    change_rate: "CHANGE_RATE" = 5, 0..=100000, "Edits, deletions, reactions and the like a second, per user and project; a burst is ten times that. 0: no limit.";
    query_rate: "QUERY_RATE" = 10, 0..=100000, "Pages and searches a second, per user and project; a burst is ten times that. 0: no limit.";
    signal_rate: "SIGNAL_RATE" = 10, 0..=100000, "Typing, read marks and presence a second, per user and project; a burst is ten times that, more is dropped in silence. 0: no limit.";
    seen_lag_max: "SEEN_LAG_MAX" = 10000, 1000..=10000000, "Events that a v1 client may be behind in confirming (`seen`) before it is closed as too slow.";
    silence_max_ms: "SILENCE_MAX_MS" = 75000, 30000..=3600000, "Milliseconds after which a v1 socket that has sent heartbeats and sends none is closed, when the room is awake.";
    presence_max_present: "PRESENCE_MAX_PRESENT" = 200, 0..=32000, "Above this many users present, presence is told as a number.";
    message_rate: "MESSAGE_RATE" = 10, 0..=100000, "Frames a second per user and project; 0: no limit (for load tests).";
    message_burst: "MESSAGE_BURST" = 100, 1..=1000000, "Frames a user may send at once before MESSAGE_RATE holds.";
    storage_max_bytes: "STORAGE_MAX_BYTES" = 10000000000, 100000..=10000000000, "What a project's database may hold, in bytes; the platform's wall is 10 GB. At 95 % of it nothing is written any more (507); deleting stays possible.";
    sockets_per_user: "SOCKETS_PER_USER" = 10, 0..=1000, "Sockets per user and project; one more closes the oldest. 0: no limit.";
    sockets_per_project: "SOCKETS_PER_PROJECT" = 32000, 1..=32000, "Sockets per project; one more is refused with 429.";
    typing_max_present: "TYPING_MAX_PRESENT" = 100, 0..=32000, "Typing is not passed on above this many users present.";
    receipts_to_all_max_present: "RECEIPTS_TO_ALL_MAX_PRESENT" = 100, 0..=32000, "Above this many users present a read receipt goes to its reader and to the authors concerned only.";
    marks_flush_ms: "MARKS_FLUSH_MS" = 30000, 0..=300000, "Read marks are stored at most once in this many milliseconds while they move.";
    marks_alarm_ms: "MARKS_ALARM_MS" = 300000, 1000..=3600000, "Read marks that stopped moving are stored within this many milliseconds.";
    unread_max: "UNREAD_MAX" = 999, 1..=9999, "Unread counts are exact up to this number.";
    access_ttl_s: "ACCESS_TTL" = 60, 1..=86400, "Seconds for which a yes of the backend is used without asking again.";
    session_max_s: "SESSION_MAX" = 43200, 60..=2592000, "Seconds for which a yes is kept while the backend does not contradict it, and for which an expired token readmits a classic socket.";
    access_recheck_rate: "ACCESS_RECHECK_RATE" = 20, 1..=1000, "Background questions to the backend a second, per project.";
}
