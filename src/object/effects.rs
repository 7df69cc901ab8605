//! The effects of a turn, handed to the shell.

use std::rc::Rc;

use chat_core::effect::{Answer, Effect};
use chat_core::ids::{ConnId, ProjectId};
use chat_core::protocol::internal::{UserCall, UserRequest};
use js_sys::Uint32Array;

use super::bindings::Out;

/// `project`: the room's own; a user's object tells nobody.
pub fn put(out: &Out, effects: Vec<Effect>, project: Option<&ProjectId>) {
    let mut group: Option<(Rc<[ConnId]>, Uint32Array)> = None;
    for effect in effects {
        match effect {
            Effect::Accept { ticket, conn, recheck_ms } => out.accept(ticket.0, conn.0, recheck_ms.map(as_f64)),
            Effect::Answer { ticket, answer } => put_answer(out, ticket.0, &answer),
            Effect::Send { to, frame } => {
                // Messages of one turn mostly go to the same list: it crosses to JavaScript once.
                let conns = match group.take() {
                    Some((known, conns)) if Rc::ptr_eq(&known, &to) => conns,
                    _ => Uint32Array::from(to.iter().map(|conn| conn.0).collect::<Vec<_>>().as_slice()),
                };
                out.send(&conns, &frame);
                group = Some((to, conns));
            }
            Effect::Attach { conn, attachment } => out.attach(conn.0, &attachment),
            Effect::Close { conn, code } => out.close(conn.0, code.code(), code.reason()),
            Effect::Verify { conn, token } => out.verify(conn.0, &token),
            Effect::SetAlarm(at) => out.alarm(as_f64(at.0)),
            Effect::WakeAt(at) => out.wake(as_f64(at.0)),
            Effect::Tell { user, gone, asked } => {
                let Some(project) = project.cloned() else { continue };
                let call = UserCall::Tell { project, gone, asked };
                if let Ok(body) = serde_json::to_string(&UserRequest { user: user.clone(), call }) {
                    out.tell(user.as_str(), &body);
                }
            }
            Effect::AskRoom { project, request } => {
                if let Ok(body) = serde_json::to_string(&request) {
                    out.ask_room(project.as_str(), &body);
                }
            }
        }
    }
}

/// Milliseconds as JavaScript has them.
fn as_f64(ms: i64) -> f64 {
    ms as f64
}

pub fn put_answer(out: &Out, ticket: u32, answer: &Answer) {
    let (recheck, retry) = (answer.recheck_ms.map(as_f64), answer.retry_after_ms.map(as_f64));
    out.answer(ticket, answer.status, &answer.body, recheck, answer.page.clone(), retry);
}
