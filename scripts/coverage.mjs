import { coverage, LEAST_COVERAGE, nativeTests } from "./lib/native-tests.mjs";
import { main, step } from "./lib/terminal.mjs";
import { setUp } from "./setup/set-up.mjs";

await main(async () => {
  const env = await setUp({ tests: true });
  await step("Core tests, lines counted", 90, () => nativeTests("chat-core", env));
  const { percent, files } = await coverage(env);
  for (const file of files.sort((a, b) => a.percent - b.percent)) {
    console.log(`${file.percent.toFixed(1).padStart(6)} %  of ${String(file.lines).padStart(5)} lines  ${file.name}`);
  }
  const enough = percent >= LEAST_COVERAGE;
  console.log(`${percent.toFixed(1)} % of core's lines run in its tests; ${LEAST_COVERAGE} % are asked for.`);
  return enough ? 0 : 1;
});
