import { readFileSync } from "node:fs";
import { join } from "node:path";

import { ROOT } from "../lib/places.mjs";

/** Everything that is set up is pinned here, but npm's packages (package-lock.json) and Python's (requirements.txt). */
export const MIN_NODE = "20.0.0";
/** What `worker` 0.8.7 compiles with. */
export const MIN_RUST = "1.91.0";
export const MIN_PYTHON = "3.10.0";
export const WORKER_BUILD = "0.8.7";

/** The command line tool must be of the very version of the library, which Cargo.lock tells. */
export const WASM_BINDGEN = /name = "wasm-bindgen"\nversion = "([^"]+)"/.exec(
  readFileSync(join(ROOT, "Cargo.lock"), "utf8"),
)?.[1];

/** Tools that cargo installs: their arguments, and how long that usually takes on two cores. */
export const TOOLS = {
  "wasm-bindgen-cli": { version: WASM_BINDGEN, bin: "wasm-bindgen", args: ["--no-default-features"], seconds: 80 },
  "worker-build": { version: WORKER_BUILD, bin: "worker-build", args: [], seconds: 80 },
};

/** Debian's current Rust, which stands behind rustup's in PATH. */
export const DEBIAN_RUST = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm", "lld-22"];
export const DEBIAN_RUST_TESTS = ["rust-web-clippy", "rustfmt-web"];

/** Whether version `a` ("1.95.0", "3.11") is at least `b`. */
export function atLeast(a, b) {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  for (let i = 0; i < right.length; i++) {
    if ((left[i] ?? 0) !== right[i]) return (left[i] ?? 0) > right[i];
  }
  return true;
}
