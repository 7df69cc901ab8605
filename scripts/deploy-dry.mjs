import { deployDry } from "./lib/wrangler.mjs";
import { main, step } from "./lib/terminal.mjs";
import { buildWorker } from "./lib/worker-build.mjs";
import { setUp } from "./setup/set-up.mjs";

await main(async () => {
  const env = await setUp({});
  const { size } = await buildWorker("worker", env);
  await step("Bundling as for a deployment", 5, () => deployDry(env));
  console.log(size);
});
