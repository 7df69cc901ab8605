//! A project's room, driven by the shell.

use chat_core::effect::Answer;
use chat_core::ids::{ConnId, Millis, ProjectId, Ticket, UserId};
use chat_core::input::{BadFrame, Input};
use chat_core::limits::Limits;
use chat_core::protocol::codes::ErrorCode;
use chat_core::protocol::internal::RoomRequest;
use chat_core::room::{Room, Settings};
use wasm_bindgen::prelude::*;

use super::bindings::{Out, Shell};
use super::db::ObjectDb;
use super::{effects, shell_env};

#[wasm_bindgen]
pub struct RoomHost {
    room: Room,
    project: ProjectId,
    db: ObjectDb,
    inbox: Vec<Input>,
    /// Calls that could not be read: answered with the turn.
    unreadable: Vec<(u32, Answer)>,
    #[cfg(feature = "panic-probe")]
    probe: super::probe::Probe,
}

#[wasm_bindgen]
impl RoomHost {
    /// Opens the room with the sockets that the shell has, each with its attachment.
    ///
    /// # Errors
    /// A configuration that the Worker would not have served with.
    #[wasm_bindgen(constructor)]
    pub fn new(shell: &Shell) -> Result<RoomHost, JsError> {
        let env = shell.env();
        let project = ProjectId::parse(&shell.name()).ok_or_else(|| JsError::new("not a project id"))?;
        let limits = Limits::read(|name| shell_env::variable(&env, name)).map_err(|error| JsError::new(&error))?;
        let settings = Settings {
            project: project.clone(),
            limits,
            classic_replay: shell_env::variable(&env, "CLASSIC_REPLAY").as_deref() != Some("off"),
            epoch_salt: shell_env::variable(&env, "EPOCH_SALT").unwrap_or_default(),
            entropy: shell.entropy(),
        };
        Ok(RoomHost {
            room: Room::open(settings, shell_env::sockets(shell)),
            project,
            db: ObjectDb::new(shell.sql()),
            inbox: Vec::new(),
            unreadable: Vec::new(),
            #[cfg(feature = "panic-probe")]
            probe: super::probe::Probe::default(),
        })
    }

    /// `texts`: a frame for each of `conns`, separated by NUL.
    pub fn frames(&mut self, conns: &[u32], texts: &str) {
        let frame = |(conn, text): (&u32, &str)| Input::Frame { conn: ConnId(*conn), text: text.to_owned() };
        self.inbox.extend(conns.iter().zip(texts.split('\0')).map(frame));
    }

    #[wasm_bindgen(js_name = badFrame)]
    pub fn bad_frame(&mut self, conn: u32, binary: bool) {
        let why = if binary { BadFrame::Binary } else { BadFrame::TooLarge };
        self.inbox.push(Input::BadFrame { conn: ConnId(conn), why });
    }

    pub fn connect(&mut self, ticket: u32, conn: u32, request: &str) {
        match read(request) {
            Ok(request) => {
                let (ticket, conn) = (Ticket(ticket), ConnId(conn));
                self.inbox.push(Input::Connect { ticket, conn, request });
            }
            Err(answer) => self.unreadable.push((ticket, answer)),
        }
    }

    pub fn call(&mut self, ticket: u32, body: &str) {
        #[cfg(feature = "panic-probe")]
        if let Some(answer) = self.probe.take(body, &mut self.db) {
            self.unreadable.push((ticket, answer));
            return;
        }
        match read(body) {
            Ok(request) => self.inbox.push(Input::Call { ticket: Ticket(ticket), request }),
            Err(answer) => self.unreadable.push((ticket, answer)),
        }
    }

    pub fn closed(&mut self, conn: u32) {
        self.inbox.push(Input::Closed { conn: ConnId(conn) });
    }

    pub fn alarm(&mut self) {
        self.inbox.push(Input::Alarm);
    }

    pub fn tick(&mut self) {
        self.inbox.push(Input::Tick);
    }

    /// `outcome`: what `verifyToken` made of the token.
    pub fn verified(&mut self, conn: u32, outcome: &str) {
        self.inbox.push(Input::Verified { conn: ConnId(conn), outcome: super::verify::read(outcome) });
    }

    /// When the runtime last answered the heartbeats of these sockets (milliseconds since 1970).
    pub fn heartbeats(&mut self, conns: &[u32], times: &[f64]) {
        let heard = conns.iter().zip(times).map(|(conn, at)| (ConnId(*conn), Millis(*at as i64)));
        self.inbox.push(Input::Heartbeats(heard.collect()));
    }

    #[wasm_bindgen(js_name = tellFailed)]
    pub fn tell_failed(&mut self, user: &str) {
        if let Some(user) = UserId::parse(user) {
            self.inbox.push(Input::TellFailed { user });
        }
    }

    /// Runs a turn with what was put in since the last one. The shell calls it inside its transaction.
    ///
    /// # Errors
    /// Storage errors: the shell rolls back and drops this host.
    pub fn turn(&mut self, now: f64, out: &Out) -> Result<(), JsError> {
        let inputs = std::mem::take(&mut self.inbox);
        let effects = self.room.turn(Millis(now as i64), inputs, &mut self.db)?;
        #[cfg(feature = "panic-probe")]
        self.probe.panic_if_asked();
        for (ticket, answer) in std::mem::take(&mut self.unreadable) {
            effects::put_answer(out, ticket, &answer);
        }
        effects::put(out, effects, Some(&self.project));
        out.cost(std::mem::take(&mut self.db.rows_read), std::mem::take(&mut self.db.rows_written));
        Ok(())
    }
}

fn read(text: &str) -> Result<Box<RoomRequest>, Answer> {
    serde_json::from_str(text).map(Box::new).map_err(|error| ErrorCode::BadRequest.because(&error.to_string()).into())
}
