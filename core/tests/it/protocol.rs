use std::collections::HashSet;

use chat_core::protocol::codes::{CloseCode, ErrorCode, Refusal};
use chat_core::protocol::internal::RoomRequest;

#[test]
fn every_error_has_a_word_of_its_own_a_status_and_a_sentence() {
    let words: HashSet<_> = ErrorCode::ALL.iter().map(|code| code.word()).collect();
    assert_eq!(words.len(), ErrorCode::ALL.len());
    for code in ErrorCode::ALL {
        assert!((400..600).contains(&code.status()), "{}", code.word());
        assert!(code.text().ends_with('.') && code.text().len() > 10, "{}", code.word());
        assert!(code.word().chars().all(|c| c.is_ascii_lowercase() || c == '_'));
    }
}

#[test]
fn every_close_code_says_by_its_range_whether_to_come_back() {
    let codes: HashSet<_> = CloseCode::ALL.iter().map(|code| code.code()).collect();
    assert_eq!(codes.len(), CloseCode::ALL.len());
    for code in CloseCode::ALL {
        assert!(code.reason().len() <= 123, "a close frame's reason has at most 123 bytes");
        assert_eq!(code.client() == "stop", code.is_terminal(), "{}", code.code());
        assert!(code.status() == 0 || (400..600).contains(&code.status()));
    }
}

#[test]
fn a_refusal_is_an_envelope() {
    let refusal = Refusal::from(ErrorCode::RateLimited).after(1500);
    assert_eq!(refusal.envelope()["code"], "rate_limited");
    let answer = chat_core::effect::Answer::from(refusal);
    assert_eq!((answer.status, answer.retry_after_ms), (429, Some(1500)));
}

#[test]
fn what_the_next_version_adds_to_a_call_does_not_break_this_one() {
    let text = r#"{"project": 5, "identity": {"user": "7", "expires_at": 1, "tier": "gold"},
        "admission": {"granted": {"colour": "red"}}, "call": {"name": "summary", "deep": true}, "more": []}"#;
    assert!(serde_json::from_str::<RoomRequest>(text).is_ok());
}
