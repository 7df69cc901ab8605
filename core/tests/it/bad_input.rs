use chat_core::input::BadFrame;
use chat_core::protocol::internal::RoomCall;

use crate::world::World;

#[test]
fn each_bad_frame_gets_an_error_and_the_room_goes_on() {
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let nested = format!("{{\"type\":\"send_message\",\"content\":{}1{}}}", "[".repeat(5000), "]".repeat(5000));
    let message = |content: &str| format!("{{\"type\":\"send_message\",\"content\":\"{content}\"}}");
    let long_id =
        format!("{{\"type\":\"send_message\",\"content\":\"x\",\"client_message_id\":\"{}\"}}", "i".repeat(65));
    for (text, code) in [
        ("", "invalid_json"),
        ("hello", "invalid_json"),
        ("{", "invalid_json"),
        (&deep, "too_large"),
        (&nested, "invalid_json"),
        ("[]", "invalid_field"),
        ("[\"send_message\",\"hi\"]", "invalid_field"),
        ("null", "invalid_field"),
        ("7", "invalid_field"),
        ("{}", "invalid_field"),
        ("{\"type\":7}", "invalid_field"),
        ("{\"type\":\"dance\"}", "unknown_type"),
        ("{\"type\":\"send_message\"}", "invalid_field"),
        ("{\"type\":\"send_message\",\"content\":7}", "invalid_field"),
        ("{\"type\":\"send_message\",\"content\":{\"a\":1}}", "invalid_field"),
        ("{\"type\":\"send_message\",\"content\":\"x\",\"client_message_id\":[]}", "invalid_field"),
        ("{\"type\":\"send_message\",\"content\":\"x\",\"client_message_id\":\"\\u0000\"}", "invalid_field"),
        (&long_id, "invalid_field"),
        (&message(""), "content_empty"),
        (&message(" \\n\\t"), "content_empty"),
        (&message("a\\u0000b"), "invalid_field"),
        (&message("\\ud800"), "invalid_json"),
        (&message(&"x".repeat(10_001)), "content_too_long"),
        (&message(&"x".repeat(66_000)), "too_large"),
        ("{\"type\":\"typing\"}", "invalid_field"),
        ("{\"type\":\"typing\",\"is_typing\":\"yes\"}", "invalid_field"),
        ("{\"type\":\"read\"}", "invalid_field"),
        ("{\"type\":\"read\",\"last_read_message_id\":-1}", "invalid_field"),
        ("{\"type\":\"read\",\"last_read_message_id\":1.5}", "invalid_field"),
        ("{\"type\":\"read\",\"last_read_message_id\":\"abc\"}", "invalid_field"),
        ("{\"type\":\"read\",\"last_read_message_id\":123456789012345678901234567890}", "invalid_field"),
        ("{\"type\":\"read\",\"last_read_message_id\":9007199254740993}", "invalid_field"),
    ] {
        let mut world = World::new();
        let (eve, bob) = (world.joins("eve"), world.joins("bob"));
        world.says(eve, text);
        let start: String = text.chars().take(60).collect();
        let shown: Vec<_> = world.frames(eve).iter().map(|frame| frame["code"].clone()).collect();
        assert_eq!(shown, [code], "{start}");
        world.sends(eve, "still here");
        world.shows(bob, &["1 eve: still here"]);
    }
}

#[test]
fn what_the_driver_did_not_take_in_gets_an_error_too() {
    let mut world = World::new();
    let ann = world.joins("ann");
    world.says_badly(ann, BadFrame::Binary);
    world.says_badly(ann, BadFrame::TooLarge);
    world.shows(ann, &["error binary_frame", "error too_large"]);
}

#[test]
fn unknown_fields_are_ignored() {
    let mut world = World::new();
    let ann = world.joins("ann");
    world.says(ann, "{\"type\":\"send_message\",\"content\":\"hi\",\"colour\":\"red\",\"nested\":{\"deep\":[1,2]}}");
    world.shows(ann, &["1 ann: hi"]);
}

#[test]
fn the_longest_message_counts_characters_and_text_comes_back_as_it_went_in() {
    let mut world = World::new();
    let ann = world.joins("ann");
    let text = "漢".repeat(10_000);
    world.sends(ann, &text);
    assert_eq!(world.frames(ann)[0]["message"]["content"], text);
    for text in ["\u{1F469}\u{200D}\u{1F680}", "a\u{202E}b", "<script>", "'; DROP TABLE messages; --", "line\r\nbreak"]
    {
        world.sends(ann, text);
        assert_eq!(world.frames(ann).last().unwrap()["message"]["content"], text);
    }
}

#[test]
fn a_bad_call_gets_the_envelope() {
    let mut world = World::new();
    let answer = world.calls("ann", RoomCall::Send { content: String::new(), client_message_id: None });
    assert_eq!(answer.status, 400);
    let expected = serde_json::json!({ "detail": "A message needs some content.", "code": "content_empty" });
    assert_eq!(World::body(&answer), expected);
}

#[test]
fn a_flood_of_refused_frames_is_dropped_in_silence_in_the_end() {
    let mut world = World::with(chat_core::limits::Limits { message_rate: 1, message_burst: 2, ..Default::default() });
    let (eve, bob) = (world.joins("eve"), world.joins("bob"));
    for _ in 0..30 {
        world.says(eve, "{");
        world.says_badly(eve, BadFrame::Binary);
    }
    assert_eq!(world.frames(eve).len(), 20);
    world.sends(bob, "unharmed");
    world.shows(bob, &["1 bob: unharmed"]);
}
