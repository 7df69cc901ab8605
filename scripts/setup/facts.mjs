import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

import { CACHE, fingerprint, ROOT } from "../lib/places.mjs";
import { answer } from "../lib/run.mjs";
import { chooseRust } from "./plan.mjs";
import { atLeast, MIN_PYTHON, TOOLS } from "./versions.mjs";

/** What this machine has of what we need. Changes nothing. */
export async function gatherFacts(wants) {
  const [own, debian, python] = await Promise.all([
    ownRust(),
    debianRust(),
    wants.tests ? findPython() : undefined,
  ]);
  const facts = {
    node: process.versions.node,
    npmPackages: npmPackages(),
    root: process.getuid?.() === 0,
    apt: onPath("apt-get") !== undefined,
    linker: ["cc", "gcc", "clang"].some(onPath),
    openssl: process.platform !== "linux" || (await answer("pkg-config", ["--exists", "openssl"])) !== undefined,
    rust: own,
    debianRust: debian,
    tools: Object.fromEntries(Object.keys(TOOLS).map((name) => [name, existsSync(toolPath(name))])),
    devVars: existsSync(join(ROOT, ".dev.vars")),
    python,
    venv: wants.tests && existsSync(join(venvPath(), "ready")),
    chromium: wants.tests ? findChromium() : undefined,
  };
  // Asked over the network, so only where the answer matters.
  const asks = own?.rustup && chooseRust({ ...facts, rustupDownloads: true }, wants).step?.id === "rustup";
  return { ...facts, rustupDownloads: asks ? await rustupDownloads() : undefined };
}

/** The executable of a tool that cargo installed for us. */
export function toolPath(name) {
  const { version, bin } = TOOLS[name];
  return join(CACHE, "tools", `${name}-${version}`, "bin", bin);
}

/** The Python environment of the tests: another one for other requirements. */
export function venvPath() {
  return join(CACHE, `python-${fingerprint(readFileSync(join(ROOT, "tests/backend/requirements.txt")))}`);
}

/** Where browsers are put that no package manager installed. */
export const BROWSERS = join(CACHE, "browsers");

/** Whether node_modules is what package-lock.json says, by the lock file that npm leaves in node_modules at the end. */
function npmPackages() {
  const hidden = join(ROOT, "node_modules/.package-lock.json");
  if (!existsSync(hidden) || !existsSync(join(ROOT, "node_modules/node/bin/node"))) return "missing";
  const wanted = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")).packages;
  const there = JSON.parse(readFileSync(hidden, "utf8")).packages;
  const differs = (path) => {
    if (!wanted[path]) return true;
    return there[path] ? there[path].version !== wanted[path].version : !wanted[path].optional;
  };
  const paths = new Set([...Object.keys(wanted), ...Object.keys(there)]);
  paths.delete("");
  return [...paths].some(differs) ? "stale" : "fresh";
}

/** The Rust that comes first in PATH, or `undefined`. */
async function ownRust() {
  const rust = await inspectRust("rustc");
  if (!rust) return undefined;
  const managed = await answer("rustup", ["which", "rustc"]);
  return { ...rust, rustup: managed === join(rust.sysroot, "bin/rustc") };
}

/** Debian's Rust, if installed: rustup's proxies can stand in /usr/bin too. */
async function debianRust() {
  if (process.platform !== "linux" || !existsSync("/usr/bin/rustc")) return undefined;
  const rust = await inspectRust("/usr/bin/rustc");
  if (rust?.sysroot !== "/usr" || !existsSync("/usr/bin/cargo")) return undefined;
  const libraries = `/usr/lib/rustlib/${rust.host}/lib`;
  const key = existsSync(libraries) ? fingerprint(rust.verbose, ...readdirSync(libraries).sort()) : "none";
  const prepared = join(CACHE, `rust-${rust.version}-${key}`);
  return {
    ...rust,
    prepared,
    has: {
      ...rust.has,
      source: existsSync("/usr/lib/rustlib/src/rust/library/std"),
      lld: existsSync("/usr/bin/rust-lld"),
      wasm32: existsSync(prepared),
    },
  };
}

async function inspectRust(rustc) {
  const verbose = await answer(rustc, ["-vV"]);
  const sysroot = await answer(rustc, ["--print", "sysroot"]);
  if (!verbose || !sysroot) return undefined;
  const line = (name) => new RegExp(`^${name}: (\\S+)`, "m").exec(verbose)?.[1] ?? "";
  const host = line("host");
  return {
    version: line("release"),
    host,
    sysroot,
    verbose,
    has: {
      wasm32: existsSync(join(sysroot, "lib/rustlib/wasm32-unknown-unknown/lib")),
      clippy: existsSync(join(sysroot, "bin/cargo-clippy")),
      rustfmt: existsSync(join(sysroot, "bin/cargo-fmt")),
      "llvm-tools": existsSync(join(sysroot, "lib/rustlib", host, "bin/llvm-cov")),
    },
  };
}

/** Whether rustup reaches its server; "there are updates" (100) is a yes. */
async function rustupDownloads() {
  return (await answer("rustup", ["check", "--no-self-update"], { accept: [0, 100] })) !== undefined;
}

/** A Python that is new enough and can make virtual environments, or the newest there is. */
async function findPython() {
  const names = ["python3", "/usr/bin/python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];
  let best;
  for (const command of names) {
    const version = await answer(command, ["-c", "import platform; print(platform.python_version())"]);
    if (!version) continue;
    const venv = (await answer(command, ["-c", "import venv, ensurepip"])) !== undefined;
    const found = { command, version, venv };
    if (venv && atLeast(version, MIN_PYTHON)) return found;
    best ??= found;
  }
  return best;
}

function findChromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const name of ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]) {
    const path = onPath(name);
    // Ubuntu's is a note that a snap is meant.
    if (path && !readFileSync(path).subarray(0, 4096).includes("snap")) return path;
  }
  return downloadedChromium();
}

/** What Playwright put into our cache: `chromium-1234/chrome-linux64/chrome` or the like. */
function downloadedChromium() {
  if (!existsSync(BROWSERS)) return undefined;
  const names = new Set(["chrome", "Chromium", "Google Chrome for Testing", "headless_shell", "chrome-headless-shell"]);
  const files = readdirSync(BROWSERS, { recursive: true, withFileTypes: true });
  const found = files.find((file) => file.isFile() && names.has(file.name));
  return found && join(found.parentPath ?? found.path, found.name);
}

function onPath(name) {
  for (const directory of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(directory, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here: the next one.
    }
  }
  return undefined;
}
