//! The configuration of this isolate, read once.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Reflect;
use wasm_bindgen::JsValue;
use worker::Env;

use super::Setup;

thread_local! {
    /// The `env` object that the configuration was read from. An isolate runs one version of the Worker with one set
    /// of variables, so the same object means the same values.
    static READ: RefCell<Option<(JsValue, Rc<Setup>)>> = const { RefCell::new(None) };
}

pub fn of(env: &Env) -> Rc<Setup> {
    let raw: &JsValue = env.as_ref();
    let known = READ.with_borrow(|read| read.as_ref().filter(|(from, _)| from == raw).map(|(_, setup)| setup.clone()));
    known.unwrap_or_else(|| {
        let setup = Rc::new(Setup::read(&|name| variable(raw, name)));
        READ.with_borrow_mut(|read| *read = Some((raw.clone(), setup.clone())));
        setup
    })
}

/// `[vars]` may hold numbers and Booleans as well as text.
fn variable(env: &JsValue, name: &str) -> Option<String> {
    let value = Reflect::get(env, &JsValue::from_str(name)).ok()?;
    value
        .as_string()
        .or_else(|| value.as_f64().map(|number| number.to_string()))
        .or_else(|| value.as_bool().map(|on| if on { "on" } else { "off" }.to_owned()))
}
