import { SUITES } from "./lib/suites.mjs";
import { CommandFailed, isEnding } from "./lib/run.mjs";
import { main, seconds, showTail, usually } from "./lib/terminal.mjs";
import { setUp } from "./setup/set-up.mjs";

/** Sets up, then every suite; the last line is the sum of all. */
await main(async () => {
  const total = { passed: 0, failed: 0 };
  try {
    const env = { ...(await setUp({ tests: true })), NO_COLOR: "1" };
    for (const suite of SUITES) {
      const { passed, failed } = await runSuite(suite, env);
      total.passed += passed;
      total.failed += failed;
    }
  } catch (error) {
    if (isEnding()) throw error;
    total.failed += 1;
    if (error instanceof CommandFailed) showTail(error.tail);
    console.error(error.message);
  }
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed > 0 ? 1 : 0;
});

/** One line as it begins and ends; what a failed one wrote stands below it. */
async function runSuite({ name, seconds: usual, run }, env) {
  process.stdout.write(`${name} (usually ${usually(usual)}) … `);
  const began = Date.now();
  let result;
  try {
    result = await run(env);
  } catch (error) {
    if (isEnding()) throw error;
    const said = error instanceof CommandFailed ? error.tail : String(error.stack);
    result = { passed: 0, failed: 1, note: error.message, output: said };
  }
  const { passed, failed, note, details, output } = result;
  const counts = `${passed} passed, ${failed} failed, ${seconds(Date.now() - began)}`;
  console.log(note ? `${counts} (${note})` : counts);
  details?.forEach((line) => console.log(`  ${line}`));
  if (failed > 0 && output) showTail(output, 200);
  return result;
}
