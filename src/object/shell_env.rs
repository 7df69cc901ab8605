//! What the shell hands a host when it is opened: variables, and the sockets with their attachments.

use chat_core::ids::ConnId;
use js_sys::Reflect;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;

use super::bindings::Shell;

/// A variable's text; numbers in `wrangler.toml` are taken as their text.
pub fn variable(env: &JsValue, name: &str) -> Option<String> {
    let value = Reflect::get(env, &JsValue::from_str(name)).ok()?;
    value.as_string().or_else(|| value.as_f64().map(|number| number.to_string())).filter(|text| !text.is_empty())
}

/// Sockets whose attachment cannot be read (of another version, long ago) are left out: their frames are ignored.
pub fn sockets<Session: DeserializeOwned>(shell: &Shell) -> Vec<(ConnId, Session)> {
    let list = shell.sockets();
    let mut found = Vec::new();
    let mut items = list.iter();
    while let (Some(conn), Some(attachment)) = (items.next(), items.next()) {
        let session = attachment.as_string().and_then(|text| serde_json::from_str(&text).ok());
        if let (Some(conn), Some(session)) = (conn.as_f64(), session) {
            found.push((ConnId(conn as u32), session));
        }
    }
    found
}
