//! Validates the variables. Pure: they come through a lookup, so that tests need no runtime.

use std::ops::RangeInclusive;
use std::rc::Rc;

use chat_core::limits::Limits;
use worker::Url;

use super::access::absolute;
use super::{
    ALLOWED_ORIGINS, Access, Backend, CLASSIC_REPLAY, EPOCH_SALT, KeyConfig, Kind, ORIGIN_URL, PROJECT_ID_PATTERN,
    Variable,
};
use crate::auth::claims::ClaimRules;
use crate::project_ids::ProjectIds;

/// All of the configuration, or the sentence that says what is wrong with it. The two halves stand apart, so that a
/// mistake in the chat's variables takes only the chat's addresses down, not the application behind it.
#[derive(Debug)]
pub struct Setup {
    pub edge: Result<Rc<Edge>, String>,
    pub chat: Result<Rc<Chat>, String>,
}

/// What every request needs, ours or not.
#[derive(Debug)]
pub struct Edge {
    pub origin: Option<Url>,
    pub allowed_origins: AllowedOrigins,
    pub project_ids: ProjectIds,
}

/// What the chat's own addresses need.
#[derive(Debug)]
pub struct Chat {
    pub keys: KeyConfig,
    pub claims: ClaimRules,
    pub access: Access,
    pub backend: Backend,
    pub limits: Limits,
}

impl Setup {
    pub(super) fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Self {
        let reader = Reader::new(lookup);
        Setup { edge: Edge::read(&reader).map(Rc::new), chat: Chat::read(&reader).map(Rc::new) }
    }
}

impl Edge {
    fn read(reader: &Reader<'_>) -> Result<Self, String> {
        Ok(Edge {
            origin: reader.url(ORIGIN_URL)?,
            allowed_origins: AllowedOrigins::read(reader)?,
            project_ids: ProjectIds::new(reader.text(PROJECT_ID_PATTERN).as_deref())
                .map_err(|reason| format!("PROJECT_ID_PATTERN {reason}"))?,
        })
    }
}

impl Chat {
    fn read(reader: &Reader<'_>) -> Result<Self, String> {
        let keys = KeyConfig::read(reader)?;
        // Used by the rooms; here it is only checked, as all that is wrong is told at one place.
        if !matches!(reader.text(CLASSIC_REPLAY).as_deref(), Some("on" | "off")) {
            return Err("CLASSIC_REPLAY must be on or off.".to_owned());
        }
        if reader.text(EPOCH_SALT).is_some_and(|salt| salt.len() > 64) {
            return Err("EPOCH_SALT has at most 64 bytes.".to_owned());
        }
        let access = Access::read(reader, keys.development.is_some())?;
        Ok(Chat {
            claims: ClaimRules::read(reader)?,
            backend: Backend::read(reader, &access)?,
            limits: Limits::read(|name| (reader.lookup)(name).filter(|text| !text.trim().is_empty()))?,
            keys,
            access,
        })
    }
}

/// The pages that may call the chat.
#[derive(Debug)]
pub struct AllowedOrigins {
    any: bool,
    list: Vec<String>,
}

impl AllowedOrigins {
    pub fn admit(&self, origin: &str) -> bool {
        self.any || self.list.iter().any(|known| known == origin)
    }

    fn read(reader: &Reader<'_>) -> Result<Self, String> {
        let text = reader.text(ALLOWED_ORIGINS).unwrap_or_default();
        let words = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
        let mut allowed = AllowedOrigins { any: false, list: Vec::new() };
        for word in words {
            if word == "*" {
                allowed.any = true;
                continue;
            }
            let origin = absolute(ALLOWED_ORIGINS, word)?.origin().ascii_serialization();
            if !word.trim_end_matches('/').eq_ignore_ascii_case(&origin) {
                return Err(format!("ALLOWED_ORIGINS must name origins like {origin}, not {word}."));
            }
            allowed.list.push(origin);
        }
        Ok(allowed)
    }
}

/// Reads variables of the table, and no others.
pub struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> Reader<'a> {
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Reader { lookup }
    }

    /// The trimmed text of a variable, or its default.
    pub fn text(&self, variable: Variable) -> Option<String> {
        let set = (self.lookup)(variable.name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        set.or(match variable.kind {
            Kind::Default(text) => Some(text.to_owned()),
            Kind::Required | Kind::Optional | Kind::Secret => None,
        })
    }

    pub fn url(&self, variable: Variable) -> Result<Option<Url>, String> {
        self.text(variable).map(|text| absolute(variable, &text)).transpose()
    }

    pub fn whole_number(&self, variable: Variable, range: RangeInclusive<i64>) -> Result<i64, String> {
        let number = self.text(variable).and_then(|text| text.parse().ok()).filter(|number| range.contains(number));
        number.ok_or_else(|| {
            format!("{} must be a whole number from {} to {}.", variable.name, range.start(), range.end())
        })
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
