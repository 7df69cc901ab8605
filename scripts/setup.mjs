import { main, Stop } from "./lib/terminal.mjs";
import { setUp, showPlan } from "./setup/set-up.mjs";

const KNOWN = ["--plan", "--tests"];

await main(async () => {
  const args = process.argv.slice(2);
  const unknown = args.find((arg) => !KNOWN.includes(arg));
  if (unknown) throw new Stop(`${unknown} is not known: npm run setup -- [--plan] [--tests]`);
  const wants = { start: true, tests: args.includes("--tests"), tell: true };
  if (args.includes("--plan")) return showPlan(wants);
  await setUp(wants);
});
