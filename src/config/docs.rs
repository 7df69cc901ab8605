//! Renders docs/CONFIG.md.

use std::fmt::Write as _;

use chat_core::limits::Limits;

use super::{Kind, TABLE};

const HEAD: &str = "\
# Configuration

Every variable of the Worker. Generated from the tables in `src/config.rs` and `core/src/limits.rs`; a test fails when
it is stale (`UPDATE_DOCS=1 cargo test --lib config` writes it anew).

Variables stand in `wrangler.toml` under `[vars]`, secrets are set with `npx wrangler secret put NAME`, and both come
from `.dev.vars` in development. A wrong value is never guessed around: the chat's addresses then answer 503
`misconfigured` with a sentence that names the variable. At least one of `JWT_SECRET`, `JWT_PUBLIC_KEY` and `JWKS_URL`
must be set.

";

fn render() -> String {
    let mut page = String::from(HEAD);
    page.push_str("| variable | default | meaning |\n|---|---|---|\n");
    for variable in TABLE {
        let default = match variable.kind {
            Kind::Required => "required".to_owned(),
            Kind::Optional => String::new(),
            Kind::Secret => "secret".to_owned(),
            Kind::Default(text) => format!("`{text}`"),
        };
        let _ = writeln!(page, "| `{}` | {default} | {} |", variable.name, variable.doc.replace('|', "\\|"));
    }
    page.push_str("\n## Limits\n\n| variable | default | range | meaning |\n|---|---|---|---|\n");
    for limit in Limits::TABLE {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} to {} | {} |",
            limit.variable, limit.default, limit.min, limit.max, limit.doc
        );
    }
    page
}

#[test]
fn the_page_of_variables_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/CONFIG.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, render()).unwrap();
    }
    let stored = std::fs::read_to_string(path).unwrap_or_default();
    assert!(stored == render(), "docs/CONFIG.md is stale: UPDATE_DOCS=1 cargo test --lib config");
}
