//! Whole runs against a room that can be told to go wrong.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use chat_load::check::Fault;
use chat_load::failure::Failure;
use chat_load::options::{Dialect, Options, V1};
use chat_load::report::Report;
use chat_load::run;
use serde_json::{Value, json};
use tungstenite::handshake::server::{Request, Response};
use tungstenite::http::HeaderValue;
use tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};
use tungstenite::{Error, Message, WebSocket, accept_hdr};

const RECEIVERS: usize = 3;
const SENDER: usize = RECEIVERS / 2;
/// Under load there is no silence as long as this, and the generator watches the line for longer.
const QUIET: Duration = Duration::from_millis(40);

/// What goes wrong with message 5.
#[derive(Clone, Copy, PartialEq)]
enum Wrong {
    Nothing,
    /// One receiver does not get it, nor anything after it.
    LostAtTheEnd,
    /// One receiver does not get it.
    Lost,
    /// One receiver gets it twice.
    Doubled,
    /// One receiver gets the very last message once more when all is quiet.
    DoubledAtTheEnd,
    Closed,
}

fn measured(dialect: Dialect, wrong: Wrong) -> Result<Report, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || serve(&listener, dialect, wrong));
    let options = Options {
        url: format!("ws://127.0.0.1:{port}/?token={{token}}"),
        dialect,
        receivers: RECEIVERS,
        window: 4,
        seconds: 0.2,
        warm_up_s: 0.1,
        patience_s: 1.0,
        ..Options::default()
    };
    run(&options, &["token".into()])
}

/// A room for three, one thread, until the sender goes.
fn serve(listener: &TcpListener, dialect: Dialect, wrong: Wrong) {
    let mut sockets: Vec<_> = (0..RECEIVERS).map(|_| join(listener.accept().unwrap().0, dialect)).collect();
    sockets[SENDER].get_ref().set_read_timeout(Some(QUIET)).unwrap();
    let mut id = 0;
    let mut last = None;
    loop {
        let message = match sockets[SENDER].read() {
            Ok(message) => message,
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                if let (Wrong::DoubledAtTheEnd, Some(last)) = (wrong, last.take()) {
                    sockets[0].send(last).unwrap();
                }
                continue;
            }
            Err(_) => return,
        };
        let Ok(frame) = serde_json::from_str::<Value>(message.to_text().unwrap_or_default()) else { continue };
        if frame["type"] != "send_message" {
            continue;
        }
        id += 1;
        for (receiver, socket) in sockets.iter_mut().enumerate() {
            let first = receiver == 0;
            match wrong {
                Wrong::Lost if first && id == 5 => continue,
                Wrong::LostAtTheEnd if first && id >= 5 => continue,
                Wrong::Closed if first && id == 5 => {
                    let frame = CloseFrame { code: CloseCode::from(4008), reason: "too slow".into() };
                    socket.close(Some(frame)).unwrap();
                }
                _ => {}
            }
            if socket.can_write() {
                let times = if wrong == Wrong::Doubled && first && id == 5 { 2 } else { 1 };
                (0..times).for_each(|_| socket.send(new_message(dialect, id, &frame)).unwrap());
            }
        }
        last = Some(new_message(dialect, id, &frame));
    }
}

fn join(stream: TcpStream, dialect: Dialect) -> WebSocket<TcpStream> {
    stream.set_nodelay(true).unwrap();
    #[allow(clippy::result_large_err)]
    let choose = |_: &Request, mut response: Response| {
        if dialect == Dialect::V1 {
            response.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(V1));
        }
        Ok(response)
    };
    let mut socket = accept_hdr(stream, choose).unwrap();
    if dialect == Dialect::V1 {
        socket.send(Message::text(r#"[{"type":"hello","seq":0}]"#)).unwrap();
    }
    socket
}

fn new_message(dialect: Dialect, id: u64, frame: &Value) -> Message {
    let message = json!({ "id": id, "client_message_id": frame["client_message_id"], "content": frame["content"] });
    Message::text(match dialect {
        Dialect::Classic => json!({ "type": "new.message", "message": message }).to_string(),
        Dialect::V1 => json!([{ "type": "new.message", "seq": id, "message": message }]).to_string(),
    })
}

#[test]
fn a_good_server_is_measured() {
    for dialect in [Dialect::Classic, Dialect::V1] {
        let report = measured(dialect, Wrong::Nothing).unwrap();
        assert!(report.messages > 0 && report.deliveries >= 2 * report.messages, "{report:?}");
        assert!(report.latency_ms.is_some());
    }
}

#[test]
fn a_lost_message_ends_the_run() {
    let failure = measured(Dialect::V1, Wrong::Lost).unwrap_err();
    assert!(
        matches!(failure, Failure::Fault { receiver: 0, fault: Fault::OutOfOrder { due: 4, came: 5 } }),
        "{failure}"
    );
}

#[test]
fn a_receiver_that_lacks_the_last_messages_ends_the_run() {
    let failure = measured(Dialect::Classic, Wrong::LostAtTheEnd).unwrap_err();
    assert!(matches!(failure, Failure::Incomplete { receiver: 0, has: 4, others: 0, .. }), "{failure}");
}

#[test]
fn a_message_that_comes_twice_ends_the_run() {
    let failure = measured(Dialect::Classic, Wrong::Doubled).unwrap_err();
    assert!(matches!(failure, Failure::Fault { receiver: 0, fault: Fault::Twice { index: 4 } }), "{failure}");
}

#[test]
fn the_last_message_that_comes_twice_ends_the_run() {
    let failure = measured(Dialect::Classic, Wrong::DoubledAtTheEnd).unwrap_err();
    assert!(matches!(failure, Failure::Fault { receiver: 0, fault: Fault::Twice { .. } }), "{failure}");
}

#[test]
fn a_socket_that_the_server_closes_ends_the_run() {
    let failure = measured(Dialect::V1, Wrong::Closed).unwrap_err();
    assert_eq!(failure.to_string(), "Receiver 0 was cut off: closed with 4008 \"too slow\".");
}

#[test]
fn a_refusal_is_told_with_its_status() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nno access").unwrap();
    });
    let failure = run(&Options { url, ..Options::default() }, &[]).unwrap_err();
    assert!(failure.to_string().starts_with("Receiver 0 was not let in: 403 Forbidden"), "{failure}");
}
