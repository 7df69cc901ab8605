import { join } from "node:path";

import { ROOT } from "./lib/places.mjs";
import { run, start } from "./lib/run.mjs";
import { main, step } from "./lib/terminal.mjs";
import { buildWorker } from "./lib/worker-build.mjs";
import { withoutCargoSettings } from "./setup/environment.mjs";
import { setUp } from "./setup/set-up.mjs";

const CRATE = join(ROOT, "bench/load");
const LOAD = ["build", "--release", "--manifest-path", join(CRATE, "Cargo.toml"), "--target-dir", join(CRATE, "target")];

/** `npm run bench -- fanout --receivers 100`: builds what is measured and what measures; `bench/run.mjs` does the rest. */
await main(async () => {
  const env = await setUp({});
  await buildWorker("worker", env);
  await step("Building the load generator", 3, () => run("cargo", LOAD, { env: withoutCargoSettings(env) }));
  const args = [join(ROOT, "bench/run.mjs"), ...process.argv.slice(2)];
  const bench = start(join(ROOT, "node_modules/.bin/node"), args, { env, stdio: ["ignore", "inherit", "inherit"] });
  return new Promise((done) => bench.once("close", (code) => done(code ?? 1)));
});
