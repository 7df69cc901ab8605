import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { toolPath } from "../setup/facts.mjs";
import { fingerprint, ROOT } from "./places.mjs";
import { answer, run } from "./run.mjs";
import { step } from "./terminal.mjs";

/** The Worker, and the one whose rooms panic on purpose, for the test of what a panic does. */
export const BUILDS = {
  worker: { out: "build", what: "Building the Worker", args: [], seconds: 90 },
  probe: { out: "build-probe", what: "Building the panicking Worker", args: ["--no-opt", "--features", "panic-probe"], seconds: 30 },
};

/**
 * Compiles the Worker to WebAssembly into its folder, unless what is there was made of the same sources.
 * `announced` does the work and tells of it.
 */
export async function buildWorker(name, env, announced = step) {
  const { out, what, args, seconds } = BUILDS[name];
  const stamp = join(ROOT, out, ".made-of");
  const sources = await madeOf(env, args);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === sources) return { built: false, size: sizes(out) };

  rmSync(stamp, { force: true });
  const all = ["--release", "--out-dir", out, ...args];
  await announced(what, seconds, () => run(toolPath("worker-build"), all, { env }));
  writeFileSync(stamp, sources);
  return { built: true, size: sizes(out) };
}

/** One line on the size, which is part of the time that the platform needs to start us. */
function sizes(out) {
  const wasm = readFileSync(join(ROOT, out, "index_bg.wasm"));
  const kib = (bytes) => `${Math.round(bytes / 1024)} KiB`;
  return `${out}/index_bg.wasm: ${kib(wasm.length)}, ${kib(gzipSync(wasm).length)} with gzip`;
}

/** A fingerprint of everything that decides what the compiler makes. */
async function madeOf(env, args) {
  const files = ["Cargo.toml", "Cargo.lock", "core/Cargo.toml", ...filesIn("core/src"), ...filesIn("src")].sort();
  const contents = files.flatMap((file) => [file, readFileSync(join(ROOT, file))]);
  const compiler = (await answer("rustc", ["-vV"], { env })) ?? "";
  return fingerprint(compiler, toolPath("worker-build"), toolPath("wasm-bindgen-cli"), ...args, ...contents);
}

/** The files of a folder; TypeScript is bundled later, by wrangler. */
function filesIn(folder) {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && !file.name.endsWith(".ts"))
    .map((file) => join(file.parentPath ?? file.path, file.name).slice(ROOT.length));
}
