import { join } from "node:path";

import { ROOT } from "./places.mjs";
import { run } from "./run.mjs";

const WASM = ["--target", "wasm32-unknown-unknown"];
const STRICT = ["--", "-D", "warnings"];
const LOAD = ["--manifest-path", join(ROOT, "bench/load/Cargo.toml")];
const tsc = (project) => [process.execPath, join(ROOT, "node_modules/typescript/bin/tsc"), "-p", project];

/** What is looked at without running it; each is a command that must end well. */
export const CHECKS = [
  { name: "cargo fmt", seconds: 1, command: ["cargo", "fmt", "--all", "--check"] },
  { name: "clippy, core", seconds: 40, command: ["cargo", "clippy", "-p", "chat-core", "--all-targets", ...STRICT] },
  { name: "clippy, Worker", seconds: 40, command: ["cargo", "clippy", "-p", "project-chat", ...WASM, ...STRICT] },
  {
    name: "clippy, panicking Worker",
    seconds: 10,
    command: ["cargo", "clippy", "-p", "project-chat", "--features", "panic-probe", ...WASM, ...STRICT],
  },
  { name: "cargo fmt, load generator", seconds: 1, command: ["cargo", "fmt", ...LOAD, "--check"] },
  { name: "clippy, load generator", seconds: 15, command: ["cargo", "clippy", ...LOAD, "--all-targets", ...STRICT] },
  { name: "tsc, shell", seconds: 5, command: tsc("src/shell") },
  { name: "tsc, tests", seconds: 8, command: tsc("tests") },
];

export function runCheck({ command: [program, ...args] }, env) {
  // As worker-build does, so that both compile the same.
  return run(program, args, { env: { ...env, WASM_BINDGEN_USE_JS_SYS: "1" } });
}
