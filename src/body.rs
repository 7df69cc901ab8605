//! Reads a body, but not more of it than is wanted.

use futures_util::StreamExt;
use web_sys::ReadableStream;
use worker::ByteStream;

/// `None` when there is more than `max_bytes`. What is left unread is cancelled.
pub async fn read(stream: ReadableStream, max_bytes: usize) -> worker::Result<Option<Vec<u8>>> {
    let mut stream = ByteStream::from(stream);
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        bytes.extend(chunk?);
        if bytes.len() > max_bytes {
            return Ok(None);
        }
    }
    Ok(Some(bytes))
}
