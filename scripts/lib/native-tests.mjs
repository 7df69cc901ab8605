import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { ROOT } from "./places.mjs";
import { run } from "./run.mjs";

/** The least share of core's lines that its own tests must run, in percent. */
export const LEAST_COVERAGE = 90;

const PROFILES = join(ROOT, "target/profiles");

/** How cargo finds a crate: the load generator stands apart from the Worker's workspace. */
const WHERE = {
  "chat-core": ["-p", "chat-core"],
  "project-chat": ["-p", "project-chat"],
  "chat-load": ["--manifest-path", join(ROOT, "bench/load/Cargo.toml")],
};

/**
 * Runs native tests: core's own, with its lines counted, the Worker's pure parts', or the load generator's.
 * Gives what cargo wrote; throws `CommandFailed` unless all pass.
 */
export async function nativeTests(crate, env) {
  if (crate !== "chat-core") return run("cargo", ["test", ...WHERE[crate], "--no-fail-fast"], { env });
  rmSync(PROFILES, { recursive: true, force: true });
  mkdirSync(PROFILES, { recursive: true });
  return run("cargo", ["test", ...WHERE[crate], "--no-fail-fast"], { env: counting(env) });
}

function counting(env) {
  return {
    ...env,
    RUSTC_WORKSPACE_WRAPPER: join(ROOT, "scripts/lib/instrument.sh"),
    LLVM_PROFILE_FILE: join(PROFILES, "%m-%p.profraw"),
  };
}

/** How much of core/src the last `nativeTests("chat-core")` ran: in all and file by file. */
export async function coverage(env) {
  const tools = join(await output("rustc", ["--print", "target-libdir"], env), "../bin");
  const merged = join(PROFILES, "all.profdata");
  const raw = readdirSync(PROFILES).filter((file) => file.endsWith(".profraw"));
  await run(join(tools, "llvm-profdata"), ["merge", "-sparse", ...raw, "-o", merged], { cwd: PROFILES, env });

  const built = await output("cargo", ["test", "-p", "chat-core", "--no-run", "--message-format=json"], counting(env));
  const programs = built.split("\n").flatMap((line) => {
    const message = line.startsWith("{") ? JSON.parse(line) : {};
    return message.profile?.test && message.executable ? [message.executable] : [];
  });
  const objects = programs.flatMap((program) => ["-object", program]).slice(1);
  const args = ["export", "-summary-only", "-instr-profile", merged, ...objects, join(ROOT, "core/src")];
  const { data } = JSON.parse(await output(join(tools, "llvm-cov"), args, env));
  return {
    percent: data[0].totals.lines.percent,
    files: data[0].files.map(({ filename, summary }) => ({
      name: filename.slice(ROOT.length),
      percent: summary.lines.percent,
      lines: summary.lines.count,
    })),
  };
}

async function output(command, args, env) {
  return (await run(command, args, { env })).stdout.trim();
}
