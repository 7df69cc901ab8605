import { CHECKS, runCheck } from "./lib/checks.mjs";
import { CommandFailed } from "./lib/run.mjs";
import { main, showTail, step } from "./lib/terminal.mjs";
import { setUp } from "./setup/set-up.mjs";

await main(async () => {
  const env = await setUp({ tests: true });
  let failed = 0;
  for (const check of CHECKS) {
    try {
      await step(check.name, check.seconds, () => runCheck(check, env));
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      showTail(error.tail);
      failed += 1;
    }
  }
  return failed > 0 ? 1 : 0;
});
