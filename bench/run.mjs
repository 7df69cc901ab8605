import { readdirSync } from "node:fs";

import { main } from "../scripts/lib/terminal.mjs";
import setUpRun from "../tests/support/run.ts";
import { commandLine } from "./lib/command-line.mjs";
import { machine } from "./lib/machine.mjs";

/*
 * Runs scenarios: each is a file of `scenarios/`, which exports
 *
 *   about      one sentence: what is measured
 *   defaults   its options, which the command line may change (`--receivers 10,100`)
 *   quick      what is different with the word `quick`
 *   run        async (options): measures, with what `lib/` offers, and prints its tables
 */
await main(async () => {
  const known = readdirSync(new URL("scenarios/", import.meta.url)).map((file) => file.replace(/\.mjs$/, ""));
  const scenarios = {};
  for (const name of known.sort()) scenarios[name] = await import(`./scenarios/${name}.mjs`);

  const chosen = commandLine(process.argv.slice(2), scenarios);
  if (!chosen) return 0;
  // Data, bundles and processes of this run, gone at its end however it ends.
  process.once("exit", setUpRun());
  console.log(machine());
  for (const [name, options] of Object.entries(chosen)) {
    console.log(`\n${name}: ${scenarios[name].about}`);
    await scenarios[name].run(options);
  }
});
