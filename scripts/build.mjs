import { buildWorker } from "./lib/worker-build.mjs";
import { main, Stop } from "./lib/terminal.mjs";
import { setUp } from "./setup/set-up.mjs";

await main(async () => {
  const args = process.argv.slice(2);
  const unknown = args.find((arg) => arg !== "--probe");
  if (unknown) throw new Stop(`${unknown} is not known: npm run build -- [--probe]`);
  const env = await setUp({});
  const { built, size } = await buildWorker(args.includes("--probe") ? "probe" : "worker", env);
  console.log(built ? size : `Nothing has changed. ${size}`);
});
