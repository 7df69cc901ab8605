import { spawn } from "node:child_process";

import { ROOT } from "./places.mjs";

/** A command that ended badly; `tail` is the last it said. */
export class CommandFailed extends Error {
  constructor(command, ending, tail) {
    super(`${command} ${ending}`);
    this.tail = tail;
  }
}

const KEPT_LINES = 4000;
const groups = new Set();

/**
 * Starts a command in a process group of its own, which ends with us: Ctrl-C in the terminal reaches only this
 * process, and `endAll` takes down the command with everything it started.
 */
export function start(command, args, options = {}) {
  const child = spawn(command, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], ...options, detached: true });
  if (child.pid !== undefined) groups.add(child.pid);
  child.once("close", () => groups.delete(child.pid));
  return child;
}

/** Runs a command to its end, silently, and gives what it wrote; throws `CommandFailed` unless it ends with 0. */
export function run(command, args, options = {}) {
  const { accept = [0], ...rest } = options;
  return new Promise((done, fail) => {
    const child = start(command, args, rest);
    const out = [];
    const all = [];
    child.stdout.setEncoding("utf8").on("data", (text) => (out.push(text), keep(all, text)));
    child.stderr.setEncoding("utf8").on("data", (text) => keep(all, text));
    const line = [command.split("/").pop(), ...args.slice(0, 3)].join(" ").replaceAll(ROOT, "");
    child.once("error", (error) => fail(new CommandFailed(line, `cannot be run: ${error.message}`, "")));
    child.once("close", (code, signal) => {
      const output = all.join("");
      if (accept.includes(code)) done({ code, stdout: out.join(""), output });
      else fail(new CommandFailed(line, signal ? `was ended by ${signal}` : `ended with ${code}`, output));
    });
  });
}

function keep(lines, text) {
  lines.push(text);
  if (lines.length > KEPT_LINES) lines.splice(0, lines.length - KEPT_LINES);
}

/** What a command writes, or `undefined` when it is not there or fails. For asking, not for doing. */
export async function answer(command, args, options = {}) {
  try {
    return (await run(command, args, { timeout: 30_000, ...options })).stdout.trim();
  } catch {
    return undefined;
  }
}

/** Ends every running command, with its children. */
export function endAll(signal = "SIGTERM") {
  for (const group of groups) {
    try {
      process.kill(-group, signal);
    } catch {
      groups.delete(group);
    }
  }
}

const HOW_LONG_TO_END_MS = 5_000;
let ending = false;

/** Ctrl-C, SIGTERM or a closed terminal end the commands first, the stubborn ones by force, and then us. */
for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]]) {
  process.on(signal, () => {
    if (ending) return;
    ending = true;
    endAll();
    const deadline = Date.now() + HOW_LONG_TO_END_MS;
    const timer = setInterval(() => {
      if (groups.size > 0 && Date.now() < deadline) return;
      clearInterval(timer);
      process.exit(code);
    }, 20);
  });
}
process.once("exit", () => endAll("SIGKILL"));

/** Whether a signal has told us to end. */
export const isEnding = () => ending;
