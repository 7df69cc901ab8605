import { readFileSync } from "node:fs";
import { join } from "node:path";

import { ROOT } from "../lib/places.mjs";

/** What the project's own files pin: versions that must agree are read, not repeated. */
const text = (file) => readFileSync(join(ROOT, file), "utf8");
const lock = text("Cargo.lock");
const locked = (crate) => new RegExp(`name = "${crate}"\nversion = "([^"]+)"`).exec(lock)?.[1];

export const MIN_NODE = /\d+/.exec(JSON.parse(text("package.json")).engines.node)[0];
export const MIN_RUST = /^rust-version = "([^"]+)"/m.exec(text("Cargo.toml"))[1];
export const MIN_PYTHON = "3.10";

/**
 * Tools that cargo installs: each must be of the very version of its library.
 * `seconds` is how long that usually takes on two cores.
 */
export const TOOLS = {
  "wasm-bindgen-cli": { version: locked("wasm-bindgen"), bin: "wasm-bindgen", args: ["--no-default-features"], seconds: 80 },
  "worker-build": { version: locked("worker"), bin: "worker-build", args: [], seconds: 80 },
};

/** Debian's current Rust, which stands behind rustup's in PATH. */
export const DEBIAN_RUST = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm", "lld-22"];
export const DEBIAN_RUST_TESTS = ["rust-web-clippy", "rustfmt-web"];

/** Whether version `a` ("1.95.0", "3.11") is at least `b`. */
export function atLeast(a, b) {
  const [left, right] = [a, b].map((version) => version.split(".").map((part) => Number.parseInt(part)));
  for (let i = 0; i < right.length; i++) {
    if ((left[i] ?? 0) !== right[i]) return (left[i] ?? 0) > right[i];
  }
  return true;
}
