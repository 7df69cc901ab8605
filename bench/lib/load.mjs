import { fileURLToPath } from "node:url";

import { start } from "../../scripts/lib/run.mjs";
import { showTail, Stop } from "../../scripts/lib/terminal.mjs";
import { TARGETS } from "./targets.mjs";

const PROGRAM = fileURLToPath(new URL("../load/target/release/chat-load", import.meta.url));

/** The generator's options that a scenario may set; `bench/load/src/options.rs` says what they mean. */
const OPTIONS = ["receivers", "window", "seconds", "warm-up", "size", "pause-ms"];

/**
 * Starts a target afresh, lets `receivers` sockets in, of `users` users (default: each of its own), puts it under load
 * once and ends it. Gives the generator's report; a message lost, doubled, out of order or altered ends the whole run.
 */
export async function measure(name, options) {
  const target = TARGETS[name];
  if (!target) throw new Stop(`There is no target ${name}: ${Object.keys(TARGETS).join(", ")}.`);
  const server = await target.start();
  try {
    return await load(server, target, options);
  } catch (error) {
    if (server.logs.length > 0) showTail(server.logs.join("\n"));
    throw new Stop(`${name}, ${options.receivers} receivers, window ${options.window}: ${error.message}`);
  } finally {
    await server.stop();
  }
}

function load({ pid, port }, { dialect, token }, options) {
  const url = `ws://127.0.0.1:${port}/ws/chat/project/1/?token={token}`;
  const chosen = OPTIONS.filter((option) => options[option] !== undefined);
  const args = chosen.flatMap((option) => [`--${option}`, String(options[option])]);
  const child = start(PROGRAM, ["--url", url, "--dialect", dialect, "--server-pid", String(pid), ...args], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const { receivers, users = receivers } = options;
  const tokens = Array.from({ length: Math.min(users, receivers) }, (_, index) => token(index + 1));
  child.stdin.on("error", () => {}); // it ended before it read: its exit code tells
  child.stdin.end(tokens.join("\n"));
  let out = "";
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (said += text));
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("close", (code) => (code === 0 ? done(JSON.parse(out)) : fail(new Error(said.trim()))));
  });
}
