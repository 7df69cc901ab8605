import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

import { CACHE, ROOT } from "../lib/places.mjs";
import { CommandFailed, run } from "../lib/run.mjs";
import { finish, remove, unfinished } from "../lib/unfinished.mjs";
import { withoutCargoSettings } from "./environment.mjs";
import { BROWSERS, toolPath, venvPath } from "./facts.mjs";
import { TOOLS } from "./versions.mjs";
import { buildWasmStd } from "./wasm-std.mjs";

/** How each step of a plan is done; `facts` are those of the moment before it. */
export const STEPS = {
  async npm() {
    // npm must not run on the Node of the very folder that it replaces.
    const path = process.env.PATH.split(delimiter).filter((part) => !part.startsWith(join(ROOT, "node_modules")));
    await run("npm", ["ci"], { env: { ...process.env, PATH: path.join(delimiter) } });
  },

  async packages(step) {
    await aptInstall(step.packages);
  },

  async rustup(step) {
    for (const command of step.commands) {
      const [program, ...args] = command.split(" ");
      await run(program, args, { timeout: 300_000 });
    }
  },

  async std(_step, facts) {
    await buildWasmStd(facts.debianRust);
  },

  async tool(step, _facts, env) {
    const { version, bin, args } = TOOLS[step.name];
    const place = join(toolPath(step.name), "../..");
    const made = unfinished(place);
    toolsTarget ??= unfinished(join(CACHE, "tools-target"));
    mkdirSync(CACHE, { recursive: true });
    // Not --locked: a version that a lock file names may have been taken back. Both tools share what they compile.
    const all = ["install", step.name, "--version", `=${version}`, "--bin", bin, "--debug", "--root", made, ...args];
    await run("cargo", all, {
      cwd: CACHE,
      env: { ...withoutCargoSettings(env), CARGO_TARGET_DIR: toolsTarget, CARGO_PROFILE_DEV_DEBUG: "0" },
    });
    finish(made, place);
  },

  "dev-vars"() {
    const secret = `dev-${randomBytes(32).toString("base64url")}`;
    const example = readFileSync(join(ROOT, ".dev.vars.example"), "utf8");
    const text = example.replace(/^JWT_SECRET=.*$/m, `JWT_SECRET="${secret}"`);
    writeFileSync(join(ROOT, ".dev.vars"), text, { mode: 0o600, flag: "wx" });
  },

  async venv(_step, facts) {
    const place = venvPath();
    // An environment cannot be moved: it is made in place, and `ready` is written last.
    rmSync(place, { recursive: true, force: true });
    await run(facts.python.command, ["-m", "venv", place]);
    const requirements = join(ROOT, "tests/backend/requirements.txt");
    await run(join(place, "bin/python"), ["-m", "pip", "install", "--no-input", "--requirement", requirements]);
    writeFileSync(join(place, "ready"), "");
  },

  async chromium(step) {
    if (step.by === "apt") {
      await aptInstall(["chromium"]);
      if (existsSync("/usr/bin/chromium")) return;
    }
    const playwright = join(ROOT, "node_modules/playwright-core/cli.js");
    try {
      await run(process.execPath, [playwright, "install", "--no-shell", "chromium"], {
        env: { ...process.env, PLAYWRIGHT_BROWSERS_PATH: BROWSERS },
      });
    } catch (error) {
      if (error instanceof CommandFailed) error.message += ". Install Chromium or Chrome, or name one in CHROMIUM";
      throw error;
    }
  },
};

/** What the tools share while they are compiled. */
let toolsTarget;

/** Removes what only the building of tools needed. */
export function cleanUp() {
  if (toolsTarget) remove(toolsTarget);
  toolsTarget = undefined;
}

/** A fresh machine's lists are empty, an old one's stale: then they are fetched, and it is tried again. */
async function aptInstall(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const install = () => run("apt-get", ["install", "--yes", "--no-install-recommends", ...packages], { env });
  try {
    await install();
  } catch {
    await run("apt-get", ["update"], { env });
    await install();
  }
}
