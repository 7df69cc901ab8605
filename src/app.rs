//! What a handler works with besides its request.

use std::future::Future;
use std::rc::Rc;

use worker::{Context, Env};

use crate::config::{Chat, Edge};

#[derive(Clone)]
pub struct App {
    pub env: Env,
    pub edge: Rc<Edge>,
    pub chat: Rc<Chat>,
    context: Rc<Context>,
}

impl App {
    pub fn new(env: Env, edge: Rc<Edge>, chat: Rc<Chat>, context: Context) -> Self {
        App { env, edge, chat, context: Rc::new(context) }
    }

    /// Goes on with `work` after the answer. The runtime allows it about 30 seconds.
    pub fn later(&self, work: impl Future<Output = ()> + 'static) {
        self.context.wait_until(work);
    }
}
