import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { MUTANTS } from "../core/tests/property/mutants.mjs";
import { ROOT } from "./lib/places.mjs";
import { propertyTest, saidOf } from "./lib/property.mjs";
import { main, seconds, showTail, Stop } from "./lib/terminal.mjs";
import { setUp } from "./setup/set-up.mjs";

/** Enough for every mutant that a test of 20,000 histories finds for certain; and without one, to see that it holds. */
const HISTORIES = 4000;
const HISTORIES_WITHOUT = 1000;
/** What the workspace's manifest asks to be there. */
const NEEDED = ["Cargo.toml", "Cargo.lock", "clippy.toml", "core", "src"];

/**
 * `npm run mutants [-- name]`: changes a copy of the core in one place at a time and demands that the property test
 * fails. Ends badly if a mutant survives, or if the test fails without one.
 */
await main(async () => {
  const wanted = process.argv.slice(2).join(" ");
  const chosen = MUTANTS.filter(({ name }) => name.includes(wanted));
  if (chosen.length === 0) throw new Stop(`No mutant is called ${JSON.stringify(wanted)}.`);
  const env = await setUp({ tests: true });
  const place = mkdtempSync(join(tmpdir(), "project-chat-mutants-"));
  try {
    for (const name of NEEDED) cpSync(join(ROOT, name), join(place, name), { recursive: true });
    const attempt = async (histories) => {
      const began = Date.now();
      const outcome = await propertyTest(env, histories, place);
      return { outcome, took: seconds(Date.now() - began) };
    };
    const clean = await attempt(HISTORIES_WITHOUT);
    if (!clean.outcome.passed) {
      showTail(clean.outcome.output);
      throw new Stop("The property test fails without a mutant.");
    }
    console.log(`without a mutant: ${HISTORIES_WITHOUT} histories hold (${clean.took})`);
    let survivors = 0;
    for (const mutant of chosen) {
      const { outcome, took } = await mutated(mutant, place, () => attempt(HISTORIES));
      const said = saidOf(outcome);
      if (!said && outcome.output.includes("could not compile")) {
        showTail(outcome.output);
        throw new Stop(`${mutant.name}: this does not compile.`);
      }
      if (!said) survivors += 1;
      const told = said ? `killed by history ${said.history}: ${said.what}` : `SURVIVES (${outcome.note})`;
      console.log(`${mutant.name.padEnd(46)} ${told} (${took})`);
      if (!said) showTail(outcome.output);
    }
    console.log(`${chosen.length - survivors} of ${chosen.length} mutants killed`);
    return survivors > 0 ? 1 : 0;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
});

/** Does the work while one file of the copy is changed. */
async function mutated({ name, file, from, to, also = [] }, place, work) {
  const path = join(place, file);
  const original = readFileSync(path, "utf8");
  let text = original;
  for (const [before, after] of [[from, to], ...also]) {
    const found = original.split(before).length - 1;
    if (found !== 1) throw new Stop(`${name}: ${JSON.stringify(before)} is in ${file} ${found} times, not once.`);
    text = text.replace(before, () => after);
  }
  writeFileSync(path, text);
  try {
    return await work();
  } finally {
    writeFileSync(path, original);
  }
}
