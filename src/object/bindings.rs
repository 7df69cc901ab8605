//! What the shell offers to a host. The other side is `src/shell/object.ts` and `src/shell/effects.ts`.

use js_sys::{Array, JsString, Uint32Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The object as the shell sees it.
    pub type Shell;

    /// The object's name: the id of its project or user.
    #[wasm_bindgen(method, getter)]
    pub fn name(this: &Shell) -> String;

    /// The Worker's variables.
    #[wasm_bindgen(method, getter)]
    pub fn env(this: &Shell) -> JsValue;

    #[wasm_bindgen(method, getter)]
    pub fn sql(this: &Shell) -> SqlStorage;

    /// The open sockets as `[conn, attachment, conn, attachment, …]`.
    #[wasm_bindgen(method)]
    pub fn sockets(this: &Shell) -> Array;

    /// Random text, made anew each time.
    #[wasm_bindgen(method)]
    pub fn entropy(this: &Shell) -> String;

    /// Collects a turn's effects. Nothing is carried out before the turn is committed.
    pub type Out;

    #[wasm_bindgen(method)]
    pub fn accept(this: &Out, ticket: u32, conn: u32, recheck_ms: Option<f64>);

    #[wasm_bindgen(method)]
    pub fn answer(
        this: &Out,
        ticket: u32,
        status: u16,
        body: &str,
        recheck_ms: Option<f64>,
        page: Option<String>,
        retry_after_ms: Option<f64>,
    );

    /// The same array of sockets, by identity, is one group to the shell.
    #[wasm_bindgen(method)]
    pub fn send(this: &Out, conns: &Uint32Array, frame: &str);

    #[wasm_bindgen(method)]
    pub fn attach(this: &Out, conn: u32, attachment: &str);

    #[wasm_bindgen(method)]
    pub fn close(this: &Out, conn: u32, code: u16, reason: &str);

    /// The token is to be given to `verifyToken`, and what comes of it to the host.
    #[wasm_bindgen(method)]
    pub fn verify(this: &Out, conn: u32, token: &str);

    #[wasm_bindgen(method)]
    pub fn alarm(this: &Out, at: f64);

    #[wasm_bindgen(method)]
    pub fn wake(this: &Out, at: f64);

    #[wasm_bindgen(method)]
    pub fn tell(this: &Out, user: &str, body: &str);

    /// A room is to be asked; what it answers is given to the host (`asked`).
    #[wasm_bindgen(method, js_name = askRoom)]
    pub fn ask_room(this: &Out, project: &str, body: &str);

    /// Rows read and written by the turn's statements, as the runtime counts them.
    #[wasm_bindgen(method)]
    pub fn cost(this: &Out, rows_read: f64, rows_written: f64);

    /// The object's SQLite. workers-rs binds the cursor without `catch`, so that a JavaScript exception there is an
    /// abort of the whole instance (workers-rs 0.8.7, worker-sys/src/types/durable_object/sql_storage.rs); this does.
    pub type SqlStorage;

    #[wasm_bindgen(method, catch, variadic)]
    pub fn exec(this: &SqlStorage, sql: &JsString, params: &Array) -> Result<Cursor, JsValue>;

    #[wasm_bindgen(method, getter, js_name = databaseSize)]
    pub fn database_size(this: &SqlStorage) -> f64;

    pub type Cursor;

    #[wasm_bindgen(method, catch)]
    pub fn raw(this: &Cursor) -> Result<Rows, JsValue>;

    #[wasm_bindgen(method, getter, js_name = rowsRead)]
    pub fn rows_read(this: &Cursor) -> f64;

    #[wasm_bindgen(method, getter, js_name = rowsWritten)]
    pub fn rows_written(this: &Cursor) -> f64;

    pub type Rows;

    /// All rows, each an array of its columns. Runs the statement to its end, so that it can be used again.
    #[wasm_bindgen(method, catch, js_name = toArray)]
    pub fn to_array(this: &Rows) -> Result<Array, JsValue>;

    /// `JSON.stringify` of the shell's counters (`src/shell/counters.ts`).
    #[wasm_bindgen(js_namespace = globalThis, js_name = projectChatCounters)]
    pub fn counters() -> String;
}
