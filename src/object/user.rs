//! A user's object, driven by the shell.

use chat_core::effect::Answer;
use chat_core::ids::Millis;
use chat_core::protocol::codes::ErrorCode;
use chat_core::protocol::internal::UserRequest;
use chat_core::user::User;
use wasm_bindgen::prelude::*;

use super::bindings::{Out, Shell};
use super::db::ObjectDb;
use super::room::put_answer;

#[wasm_bindgen]
pub struct UserHost {
    db: ObjectDb,
    inbox: Vec<(u32, Result<UserRequest, Answer>)>,
}

#[wasm_bindgen]
impl UserHost {
    #[wasm_bindgen(constructor)]
    pub fn new(shell: &Shell) -> UserHost {
        UserHost { db: ObjectDb::new(shell.sql()), inbox: Vec::new() }
    }

    pub fn call(&mut self, ticket: u32, body: &str) {
        let request = serde_json::from_str(body);
        self.inbox.push((ticket, request.map_err(|error| ErrorCode::BadRequest.because(&error.to_string()).into())));
    }

    /// As [`super::room::RoomHost::turn`].
    ///
    /// # Errors
    /// Storage errors: the shell rolls back and drops this host.
    pub fn turn(&mut self, now: f64, out: &Out) -> Result<(), JsError> {
        for (ticket, request) in std::mem::take(&mut self.inbox) {
            let answer = match request {
                Ok(request) => User::turn(Millis(now as i64), request.call, &mut self.db)?,
                Err(answer) => answer,
            };
            put_answer(out, ticket, &answer);
        }
        out.cost(std::mem::take(&mut self.db.rows_read), std::mem::take(&mut self.db.rows_written));
        Ok(())
    }
}
