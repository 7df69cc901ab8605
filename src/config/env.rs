//! The configuration of this isolate, read once.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Reflect;
use wasm_bindgen::JsValue;
use worker::Env;

use super::Setup;

thread_local! {
    /// The `env` objects that the configuration was read from: the Worker's, and those of the objects in its isolate.
    /// An isolate runs one version of the Worker with one set of variables, so the same object means the same values.
    static READ: RefCell<Vec<(JsValue, Rc<Setup>)>> = const { RefCell::new(Vec::new()) };
}

/// Read again beyond that.
const KEPT_MAX: usize = 8;

pub fn of(env: &Env) -> Rc<Setup> {
    let raw: &JsValue = env.as_ref();
    let known = READ.with_borrow(|read| read.iter().find(|(from, _)| from == raw).map(|(_, setup)| setup.clone()));
    known.unwrap_or_else(|| {
        let setup = Rc::new(Setup::read(&|name| variable(raw, name)));
        READ.with_borrow_mut(|read| {
            if read.len() >= KEPT_MAX {
                read.clear();
            }
            read.push((raw.clone(), setup.clone()));
        });
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
