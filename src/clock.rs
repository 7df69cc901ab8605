//! The time, from the runtime: the standard library's clock panics here.

use chat_core::ids::Millis;

pub fn now() -> Millis {
    Millis(i64::try_from(worker::Date::now().as_millis()).unwrap_or(i64::MAX))
}
