//! A user's object, driven by the shell.

use chat_core::effect::Answer;
use chat_core::ids::{ConnId, Millis, ProjectId, Ticket, UserId};
use chat_core::limits::Limits;
use chat_core::protocol::codes::ErrorCode;
use chat_core::protocol::internal::UserRequest;
use chat_core::user::{Input, Settings, User};
use wasm_bindgen::prelude::*;

use super::bindings::{Out, Shell};
use super::db::ObjectDb;
use super::{effects, shell_env, verify};

#[wasm_bindgen]
pub struct UserHost {
    user: User,
    db: ObjectDb,
    inbox: Vec<Input>,
    /// Calls that could not be read: answered with the turn.
    unreadable: Vec<(u32, Answer)>,
}

#[wasm_bindgen]
impl UserHost {
    /// Opens the object with the inbox sockets that the shell has, each with its attachment.
    ///
    /// # Errors
    /// A configuration that the Worker would not have served with.
    #[wasm_bindgen(constructor)]
    pub fn new(shell: &Shell) -> Result<UserHost, JsError> {
        let env = shell.env();
        let user = UserId::parse(&shell.name()).ok_or_else(|| JsError::new("not a user id"))?;
        let limits = Limits::read(|name| shell_env::variable(&env, name)).map_err(|error| JsError::new(&error))?;
        let user = User::open(Settings { user, limits }, shell_env::sockets(shell));
        Ok(UserHost { user, db: ObjectDb::new(shell.sql()), inbox: Vec::new(), unreadable: Vec::new() })
    }

    pub fn call(&mut self, ticket: u32, body: &str) {
        match serde_json::from_str::<UserRequest>(body) {
            Ok(request) => self.inbox.push(Input::Call { ticket: Ticket(ticket), call: request.call }),
            Err(error) => self.refuse(ticket, &error),
        }
    }

    pub fn connect(&mut self, ticket: u32, conn: u32, request: &str) {
        match serde_json::from_str(request) {
            Ok(request) => {
                let (ticket, conn) = (Ticket(ticket), ConnId(conn));
                self.inbox.push(Input::Connect { ticket, conn, request: Box::new(request) });
            }
            Err(error) => self.refuse(ticket, &error),
        }
    }

    /// `texts`: a frame for each of `conns`, separated by NUL.
    pub fn frames(&mut self, conns: &[u32], texts: &str) {
        let frame = |(conn, text): (&u32, &str)| Input::Frame { conn: ConnId(*conn), text: text.to_owned() };
        self.inbox.extend(conns.iter().zip(texts.split('\0')).map(frame));
    }

    /// Is answered as a frame that is no JSON.
    #[wasm_bindgen(js_name = badFrame)]
    pub fn bad_frame(&mut self, conn: u32, _binary: bool) {
        self.inbox.push(Input::Frame { conn: ConnId(conn), text: String::new() });
    }

    pub fn closed(&mut self, conn: u32) {
        self.inbox.push(Input::Closed { conn: ConnId(conn) });
    }

    pub fn tick(&mut self) {
        self.inbox.push(Input::Tick);
    }

    /// As [`super::room::RoomHost::verified`].
    pub fn verified(&mut self, conn: u32, outcome: &str) {
        self.inbox.push(Input::Verified { conn: ConnId(conn), outcome: verify::read(outcome) });
    }

    /// What a room answered; `status` 0: nothing.
    pub fn asked(&mut self, project: &str, status: u16, body: String) {
        if let Some(project) = ProjectId::parse(project) {
            self.inbox.push(Input::Asked { project, status, body });
        }
    }

    /// As [`super::room::RoomHost::turn`].
    ///
    /// # Errors
    /// Storage errors: the shell rolls back and drops this host.
    pub fn turn(&mut self, now: f64, out: &Out) -> Result<(), JsError> {
        let inputs = std::mem::take(&mut self.inbox);
        let effects = self.user.turn(Millis(now as i64), inputs, &mut self.db)?;
        for (ticket, answer) in std::mem::take(&mut self.unreadable) {
            effects::put_answer(out, ticket, &answer);
        }
        effects::put(out, effects, None);
        out.cost(std::mem::take(&mut self.db.rows_read), std::mem::take(&mut self.db.rows_written));
        Ok(())
    }
}

impl UserHost {
    fn refuse(&mut self, ticket: u32, error: &serde_json::Error) {
        self.unreadable.push((ticket, ErrorCode::BadRequest.because(&error.to_string()).into()));
    }
}
