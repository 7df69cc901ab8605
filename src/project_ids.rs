//! Which texts are project ids: so that no id is a path trick, an alias (`007`) or another call of the backend's.

use chat_core::ids::ProjectId;
use js_sys::JsString;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// js-sys binds the constructor without `catch`: a pattern with a mistake would end the whole instance.
    #[derive(Clone, Debug)]
    #[wasm_bindgen(js_name = RegExp)]
    type Pattern;

    #[wasm_bindgen(constructor, catch, js_class = "RegExp")]
    fn new(source: &str) -> Result<Pattern, JsValue>;

    #[wasm_bindgen(method, js_class = "RegExp")]
    fn test(this: &Pattern, text: &JsString) -> bool;
}

#[derive(Clone, Debug)]
pub struct ProjectIds(Option<Pattern>);

impl ProjectIds {
    /// `None`: a positive integer without leading zeros, or a UUID in lower case.
    ///
    /// # Errors
    /// What is wrong with the pattern.
    pub fn new(pattern: Option<&str>) -> Result<Self, &'static str> {
        let compiled = pattern.map(|text| Pattern::new(&format!("^(?:{text})$"))).transpose();
        compiled.map(ProjectIds).map_err(|_| "must be a JavaScript regular expression.")
    }

    /// Takes a path's segment as it stands: what is percent-encoded is no id.
    pub fn parse(&self, text: &str) -> Option<ProjectId> {
        let id = ProjectId::parse(text).filter(|_| !text.contains(['%', '/', '\\']))?;
        let matches = match &self.0 {
            Some(pattern) => pattern.test(&JsString::from(text)),
            None => is_positive_integer(text) || is_uuid(text),
        };
        matches.then_some(id)
    }
}

fn is_positive_integer(text: &str) -> bool {
    !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_ids_are_ids() {
        let ids = ProjectIds::new(None).unwrap();
        for good in ["1", "7", "90071992547409931", "0b9c3b2e-8f5e-4c56-9a3e-5a1f6f1d2c3b"] {
            assert!(ids.parse(good).is_some(), "{good}");
        }
        for bad in
            ["", "0", "007", "-1", "1.0", "1e3", "%37", "my-projects", "..", "0B9C3B2E-8F5E-4C56-9A3E-5A1F6F1D2C3B"]
        {
            assert!(ids.parse(bad).is_none(), "{bad}");
        }
    }
}
