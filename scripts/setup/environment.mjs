import { delimiter, join } from "node:path";

import { ROOT } from "../lib/places.mjs";
import { toolPath, venvPath } from "./facts.mjs";

/**
 * What our commands run with: the Rust that was chosen and the packages' own Node come first in PATH, and
 * worker-build finds its helpers, which it would otherwise download.
 */
export function environment(facts, rust) {
  const bin = join(ROOT, "node_modules/.bin");
  const debian = rust === "debian" && facts.debianRust ? facts.debianRust.prepared : undefined;
  return {
    ...process.env,
    PATH: [...(debian ? [join(debian, "bin")] : []), bin, process.env.PATH].join(delimiter),
    // Clippy asks no rustc for its standard library.
    ...(debian ? { SYSROOT: join(debian, "sysroot") } : {}),
    WASM_BINDGEN_BIN: toolPath("wasm-bindgen-cli"),
    WASM_OPT_BIN: join(bin, "wasm-opt"),
    ESBUILD_BIN: join(bin, "esbuild"),
    WRANGLER_SEND_METRICS: "false",
    // For the tests.
    ...(facts.venv ? { PROJECT_CHAT_PYTHON: join(venvPath(), "bin/python") } : {}),
    ...(facts.chromium ? { CHROMIUM: facts.chromium } : {}),
  };
}

/** The user's flags are meant for the user's programs. */
export function withoutCargoSettings(env) {
  const { RUSTFLAGS, CARGO_ENCODED_RUSTFLAGS, CARGO_BUILD_TARGET, CARGO_BUILD_RUSTFLAGS, ...rest } = env;
  return rest;
}
