use chat_core::ids::{MAX_SAFE_INTEGER, Millis, ProjectId, UserId};

fn wire(text: &str) -> String {
    serde_json::to_string(&UserId::parse(text).unwrap()).unwrap()
}

#[test]
fn a_canonical_decimal_integer_is_a_number_on_the_wire_anything_else_a_string() {
    assert_eq!(wire("7"), "7");
    assert_eq!(wire("0"), "0");
    assert_eq!(wire("9007199254740991"), "9007199254740991");
    for text in ["9007199254740992", "007", "-7", "+7", "7.0", "1e3", " 7", "a7", "99999999999999999999"] {
        assert_eq!(wire(text), format!("\"{text}\""));
    }
}

#[test]
fn both_spellings_are_one_user() {
    let read = |json: &str| serde_json::from_str::<UserId>(json).unwrap();
    assert_eq!(read("7"), read("\"7\""));
    assert_eq!(read("\"a-b\"").as_str(), "a-b");
    assert_eq!(MAX_SAFE_INTEGER, (1 << 53) - 1);
}

#[test]
fn what_is_no_id_is_refused() {
    for json in ["\"\"", "\".\"", "\"..\"", "null", "true", "1.5", "[]", "{}", "\"a\\nb\"", "\"\\u0000\""] {
        assert!(serde_json::from_str::<UserId>(json).is_err(), "{json}");
    }
    assert!(ProjectId::parse(&"x".repeat(129)).is_none());
    assert_eq!(serde_json::from_str::<UserId>("-7").unwrap().as_str(), "-7");
}

#[test]
fn times_are_written_as_iso_8601_in_utc() {
    for (ms, text) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_399_999, "2000-02-28T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (1_709_251_199_001, "2024-02-29T23:59:59.001Z"),
        (1_795_348_800_000, "2026-11-22T12:00:00.000Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ] {
        assert_eq!(Millis(ms).iso(), text);
    }
}
