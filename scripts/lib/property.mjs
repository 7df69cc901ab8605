import { join } from "node:path";

import { ROOT } from "./places.mjs";
import { CommandFailed, run } from "./run.mjs";

/** How many histories `npm test` runs. */
export const HISTORIES = 20_000;

/**
 * The property test (core/tests/property), optimised, of the sources at `place`. All copies share one build directory
 * (and not that of the project itself), so that only the core is compiled again.
 */
export async function propertyTest(env, histories, place = ROOT) {
  const target = join(env.CARGO_TARGET_DIR || join(ROOT, "target"), place === ROOT ? "" : "mutants");
  const args = ["test", "-p", "chat-core", "--profile", "property", "--test", "property", "--", "--nocapture"];
  const own = { ...env, HISTORIES: String(histories), CARGO_TARGET_DIR: target, RUST_BACKTRACE: "0" };
  try {
    const { output } = await run("cargo", args, { cwd: place, env: own });
    return { passed: true, output };
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    return { passed: false, output: error.tail, note: error.message };
  }
}

/** Of a failed run: after how many histories, and which assertion; nothing when it failed for another reason. */
export function saidOf({ passed, output }) {
  const failure = /^seed (\d+) failed, history (\d+):\n(?:panicked at (?:.*\/)?(\S+?):\d+:\d+:\n)?(.*)$/m.exec(output);
  if (passed || !failure) return undefined;
  const [, , history, where, what] = failure;
  return { history, what: `${what} [${where}]` };
}

/** What was tried, as the test tells it. */
export function countsOf(output) {
  const from = output.indexOf(" histories, ");
  const lines = output.slice(output.lastIndexOf("\n", from) + 1).split("\n");
  return lines.filter((line, index) => index < 2 || line.startsWith("  ")).filter((line) => !line.startsWith("test "));
}
