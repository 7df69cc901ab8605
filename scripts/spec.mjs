import { main } from "./lib/terminal.mjs";
import { start } from "./lib/run.mjs";
import { vitestCommand } from "./lib/suites.mjs";
import { buildWorker } from "./lib/worker-build.mjs";
import { setUp } from "./setup/set-up.mjs";

/** `npm run spec -- typing`: some of the tests on the real runtime, with vitest's own arguments. */
await main(async () => {
  const env = await setUp({ tests: true });
  await buildWorker("worker", env);
  await buildWorker("probe", env);
  const [program, ...args] = vitestCommand(process.argv.slice(2));
  const vitest = start(program, args, { env, stdio: ["ignore", "inherit", "inherit"] });
  return new Promise((done) => vitest.once("close", (code) => done(code ?? 1)));
});
