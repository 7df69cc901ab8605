//! How access is decided, and where the backend is asked.

use chat_core::ids::{ProjectId, UserId};
use worker::Url;

use super::read::Reader;
use super::{ACCESS, ACCESS_TIMEOUT_MS, ACCESS_URL, PROFILE_URL, PROJECTS_URL, Variable};

#[derive(Clone, Debug)]
pub enum Access {
    /// The backend is asked at this address.
    Origin(Template),
    Claims,
    Members,
    Any,
}

#[derive(Clone, Debug)]
pub struct Backend {
    pub timeout_ms: u32,
    pub profile: Option<Template>,
    /// Empty: the backend has no list of a user's projects. Only with [`Access::Origin`].
    pub projects: Vec<Template>,
}

/// An address with `{project}` and `{user}` left open.
#[derive(Clone, Debug)]
pub struct Template(String);

impl Template {
    pub fn fill(&self, project: Option<&ProjectId>, user: &UserId) -> String {
        let project = project.map(|id| escape(id.as_str())).unwrap_or_default();
        self.0.replace("{project}", &project).replace("{user}", &escape(user.as_str()))
    }

    fn read(variable: Variable, text: &str) -> Result<Self, String> {
        let filled = text.replace("{project}", "1").replace("{user}", "1");
        absolute(variable, &filled)?;
        if filled.contains(['{', '}']) {
            return Err(format!("{} may leave open {{project}} and {{user}}, nothing else.", variable.name));
        }
        Ok(Template(text.to_owned()))
    }
}

impl Access {
    pub(super) fn read(reader: &Reader<'_>, development: bool) -> Result<Self, String> {
        match reader.text(ACCESS).as_deref() {
            Some("origin") => {
                let text = reader.text(ACCESS_URL).unwrap_or_default();
                if !text.contains("{project}") {
                    return Err("ACCESS_URL must be set with ACCESS=origin, and contain {project}.".to_owned());
                }
                Ok(Access::Origin(Template::read(ACCESS_URL, &text)?))
            }
            Some("claims") => Ok(Access::Claims),
            Some("members") => Ok(Access::Members),
            Some("any") if development => Ok(Access::Any),
            Some("any") => Err("ACCESS=any lets everybody in: it needs a JWT_SECRET that begins with dev-.".to_owned()),
            _ => Err("ACCESS must be origin, claims, members or any.".to_owned()),
        }
    }
}

impl Backend {
    pub(super) fn read(reader: &Reader<'_>, access: &Access) -> Result<Self, String> {
        let profile = reader.text(PROFILE_URL).map(|text| Template::read(PROFILE_URL, &text)).transpose()?;
        let projects = reader.text(PROJECTS_URL).unwrap_or_default();
        let projects: Vec<Template> =
            projects.split_whitespace().map(|word| Template::read(PROJECTS_URL, word)).collect::<Result<_, _>>()?;
        if !projects.is_empty() && !matches!(access, Access::Origin(_)) {
            return Err("PROJECTS_URL needs ACCESS=origin.".to_owned());
        }
        let timeout_ms = reader.whole_number(ACCESS_TIMEOUT_MS, 100..=20_000)?;
        Ok(Backend { timeout_ms: u32::try_from(timeout_ms).unwrap_or(u32::MAX), profile, projects })
    }
}

/// Checks that `text` is an absolute http(s) address without a user or a fragment in it.
pub(super) fn absolute(variable: Variable, text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
    });
    url.ok_or_else(|| format!("{} must be an absolute http(s) address.", variable.name))
}

/// Percent-encodes all but RFC 3986's unreserved characters, so that an id stays one segment.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_one_segment() {
        let template = Template::read(ACCESS_URL, "https://api.example.com/p/{project}/u/{user}/").unwrap();
        let filled = template.fill(ProjectId::parse("7").as_ref(), &UserId::parse("a/../b?c é").unwrap());
        assert_eq!(filled, "https://api.example.com/p/7/u/a%2F..%2Fb%3Fc%20%C3%A9/");
    }

    #[test]
    fn addresses_are_absolute_and_leave_nothing_else_open() {
        for wrong in
            ["/api/{project}/", "ftp://a/{project}", "https://u:p@a/{project}", "https://a/{projct}", "https://a/#x"]
        {
            assert!(Template::read(ACCESS_URL, wrong).unwrap_err().starts_with("ACCESS_URL "), "{wrong}");
        }
    }
}
