//! The shapes of the REST calls that rooms answer.

use serde::Serialize;

use crate::ids::{ProjectId, Seq, UserId};

/// A user as others see them. `username` is never empty: clients take its first letter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Person {
    pub id: UserId,
    pub username: String,
    pub first_name: String,
    pub last_name: String,
    pub profile_pic: Option<String>,
}

impl Person {
    /// First and last name, or the username where there is neither.
    pub fn full_name(&self) -> String {
        let name = format!("{} {}", self.first_name, self.last_name);
        let name = name.trim();
        if name.is_empty() { self.username.clone() } else { name.to_owned() }
    }
}

/// A message as the REST calls give it; unlike on the socket, `sender` is the bare id.
#[derive(Serialize)]
pub struct Message<'a> {
    pub id: Seq,
    pub client_message_id: Option<&'a str>,
    pub project: &'a ProjectId,
    pub sender: &'a UserId,
    pub sender_name: String,
    pub sender_info: &'a Person,
    pub content: &'a str,
    pub attachment: Option<&'a str>,
    pub created_at: String,
    pub read_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<String>,
    /// When it was deleted; `content` is empty then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<String>,
}

/// One project in a user's contacts.
#[derive(Serialize)]
pub struct Contact {
    pub id: ProjectId,
    pub project_info: ProjectCard,
    pub contact_info: ContactCard,
    pub unread_count: i64,
    pub last_message_text: String,
    pub last_message_preview: String,
    pub last_message_at: Option<String>,
    pub created_at: String,
    pub updated_at: String,
}

#[derive(Serialize)]
pub struct ProjectCard {
    pub id: ProjectId,
    pub name: String,
    pub created_at: String,
}

/// Who a contacts entry shows: a person, or the project itself when nobody else is there.
#[derive(Serialize)]
#[serde(untagged)]
pub enum ContactCard {
    Person(Person),
    Project { id: ProjectId, username: String, first_name: String, last_name: String, profile_pic: Option<String> },
}

#[derive(Serialize)]
pub struct Status {
    pub status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_count: Option<i64>,
}
