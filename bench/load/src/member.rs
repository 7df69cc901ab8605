//! One receiver: its socket and how far it has come.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use tungstenite::client::{ClientRequestBuilder, client_with_config};
use tungstenite::http::Uri;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Error, HandshakeError, Message, WebSocket};

use crate::check::{Checker, Fault, Position};
use crate::options::{Dialect, V1};

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(20);

/// A v1 client confirms every so many durable events, so that a stalled one is known.
const SEEN_EVERY: u64 = 500;

/// Measured: with 1,000 sockets, buffers of 64 KiB fall out of the CPU's cache and double the cost of a byte.
const READ_BUFFER_BYTES: usize = 16 * 1024;

pub struct Member {
    socket: WebSocket<TcpStream>,
    pub position: Position,
    /// The `seq` that was confirmed last.
    seen: u64,
    /// Frames wait for a socket that took no more.
    unflushed: bool,
}

/// What one reading brought.
#[derive(Clone, Copy, Debug, Default)]
pub struct Read {
    pub messages: u64,
    pub frames: u64,
}

/// Why a member can go on no longer.
#[derive(Debug)]
pub enum Trouble {
    Fault(Fault),
    Lost(String),
}

impl Member {
    /// Connects, and waits until the upgrade is answered. An error is a sentence.
    pub fn join(url: &str, dialect: Dialect, start: Position) -> Result<Member, String> {
        let uri: Uri = url.parse().map_err(|error| format!("{url}: {error}"))?;
        let address = match (uri.scheme_str(), uri.host(), uri.port_u16()) {
            (Some("ws"), Some(host), port) => (host.to_owned(), port.unwrap_or(80)),
            _ => return Err("the address must begin with ws:// and name a host".into()),
        };
        let stream = TcpStream::connect(address).map_err(|error| error.to_string())?;
        let prepare = |stream: &TcpStream| {
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(HANDSHAKE_TIMEOUT))
        };
        prepare(&stream).map_err(|error| error.to_string())?;

        let mut request = ClientRequestBuilder::new(uri);
        if dialect == Dialect::V1 {
            request = request.with_sub_protocol(V1);
        }
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES).max_message_size(None);
        let (socket, _) = client_with_config(request, stream, Some(config)).map_err(|error| match error {
            HandshakeError::Interrupted(_) => "the upgrade was not answered".to_owned(),
            HandshakeError::Failure(Error::Http(response)) => {
                let body = response.body().as_deref().map(String::from_utf8_lossy).unwrap_or_default();
                format!("{} {body}", response.status())
            }
            HandshakeError::Failure(error) => error.to_string(),
        })?;
        socket.get_ref().set_nonblocking(true).map_err(|error| error.to_string())?;
        Ok(Member { socket, position: start, seen: 0, unflushed: false })
    }

    pub fn fd(&self) -> RawFd {
        self.socket.get_ref().as_raw_fd()
    }

    /// Puts a frame into the queue; `flush` sends.
    pub fn queue(&mut self, frame: String) -> Result<(), Trouble> {
        blocked(self.socket.write(Message::text(frame)))?;
        self.unflushed = true;
        Ok(())
    }

    /// Sends what is in the queue, as far as the socket takes it.
    pub fn flush(&mut self) -> Result<(), Trouble> {
        if self.unflushed {
            self.unflushed = blocked(self.socket.flush())?;
        }
        Ok(())
    }

    /// Reads and checks all that has arrived, and sends what waits.
    pub fn read(&mut self, checker: &mut Checker) -> Result<Read, Trouble> {
        let mut read = Read::default();
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    let to = checker.frame(self.position, &text).map_err(Trouble::Fault)?;
                    read.messages += to.next - self.position.next;
                    read.frames += 1;
                    self.position = to;
                }
                Ok(Message::Close(frame)) => {
                    let why = frame.map_or("closed without a code".to_owned(), |frame| {
                        format!("closed with {} {:?}", u16::from(frame.code), frame.reason.as_str())
                    });
                    return Err(Trouble::Lost(why));
                }
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(Trouble::Lost(error.to_string())),
            }
        }
        self.confirm()?;
        self.flush()?;
        Ok(read)
    }

    fn confirm(&mut self) -> Result<(), Trouble> {
        match self.position.seq {
            Some(seq) if seq >= self.seen + SEEN_EVERY => {
                self.seen = seq;
                self.queue(format!(r#"{{"type":"seen","seq":{seq}}}"#))
            }
            _ => Ok(()),
        }
    }
}

/// Whether a write could not be finished now: the rest stays in the queue.
fn blocked(written: Result<(), Error>) -> Result<bool, Trouble> {
    match written {
        Ok(()) => Ok(false),
        Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => Ok(true),
        Err(error) => Err(Trouble::Lost(error.to_string())),
    }
}
