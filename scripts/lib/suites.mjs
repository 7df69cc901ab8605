import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { CHECKS, runCheck } from "./checks.mjs";
import { coverage, LEAST_COVERAGE, nativeTests } from "./native-tests.mjs";
import { ROOT } from "./places.mjs";
import { countsOf, HISTORIES, propertyTest } from "./property.mjs";
import { CommandFailed, run } from "./run.mjs";
import { BUILDS, buildWorker } from "./worker-build.mjs";
import { deployDry } from "./wrangler.mjs";

/**
 * Everything `npm test` runs, in order: a suite gives `{ passed, failed, note?, details?, output? }`, or throws what
 * counts as one failure. `seconds` is what it usually takes on two cores.
 */
export const SUITES = [
  { name: "set-up", seconds: 1, run: (env) => nodeTests(["plan", "files"], env) },
  ...CHECKS.map((check) => ({ ...check, run: (env) => once(() => runCheck(check, env)) })),
  { name: "core", seconds: 60, run: (env) => cargoTests("chat-core", env) },
  { name: `core's lines, at least ${LEAST_COVERAGE} %`, seconds: 2, run: enoughCoverage },
  { name: `core, ${HISTORIES.toLocaleString("en")} random histories`, seconds: 90, run: histories },
  { name: "Worker, native parts", seconds: 60, run: (env) => cargoTests("project-chat", env) },
  { name: "load generator", seconds: 20, run: (env) => cargoTests("chat-load", env) },
  { ...BUILDS.worker, name: "build", run: (env) => once(() => build("worker", env)) },
  { ...BUILDS.probe, name: "build that panics", run: (env) => once(() => build("probe", env)) },
  { name: "deploy --dry-run", seconds: 3, run: (env) => once(() => deployDry(env)) },
  { name: "npm start", seconds: 10, run: (env) => nodeTests(["start"], env) },
  { name: "on the runtime", seconds: 240, run: vitest },
];

/** Vitest on the tests against the real runtime. */
export function vitestCommand(args) {
  const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
  return [join(ROOT, "node_modules/.bin/node"), vitest, "run", "--config", "tests/vitest.config.ts", ...args];
}

async function build(name, env) {
  const { size } = await buildWorker(name, env, (_what, _seconds, work) => work());
  return { note: size };
}

async function once(work) {
  return { passed: 1, failed: 0, note: (await work())?.note };
}

/** Ends well or badly, a command's output is counted; what fails without a failed test counts as one. */
async function counted(work, count) {
  let output;
  let died;
  try {
    ({ output } = await work());
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    ({ tail: output } = error);
    died = error;
  }
  const { passed, failed } = count(output);
  const dead = died !== undefined || passed + failed === 0;
  return { passed, failed: failed === 0 && dead ? 1 : failed, output: died && output, note: died?.message };
}

function nodeTests(names, env) {
  const node = join(ROOT, "node_modules/.bin/node");
  const count = (output) => ({ passed: sum(output, /^# pass (\d+)$/gm), failed: sum(output, /^# (?:fail|cancelled) (\d+)$/gm) });
  const files = names.map((name) => `tests/setup/${name}.test.mjs`);
  return counted(() => run(node, ["--test", "--test-reporter=tap", ...files], { env }), count);
}

function cargoTests(crate, env) {
  const count = (output) => ({ passed: sum(output, /(\d+) passed;/g), failed: sum(output, /passed; (\d+) failed;/g) });
  return counted(() => nativeTests(crate, env), count);
}

async function histories(env) {
  const { passed, output, note } = await propertyTest(env, HISTORIES);
  return { passed: Number(passed), failed: Number(!passed), details: countsOf(output), output: !passed && output, note };
}

async function enoughCoverage(env) {
  const { percent } = await coverage(env);
  const enough = percent >= LEAST_COVERAGE;
  return { passed: Number(enough), failed: Number(!enough), note: `${percent.toFixed(1)} %` };
}

function vitest(env) {
  const report = join(ROOT, "target/vitest.json");
  mkdirSync(join(ROOT, "target"), { recursive: true });
  rmSync(report, { force: true });
  const [program, ...args] = vitestCommand(["--reporter=default", "--reporter=json", `--outputFile.json=${report}`]);
  const count = () => {
    if (!existsSync(report)) return { passed: 0, failed: 0 };
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, "utf8"));
    // A file that fails outside its tests: in its imports, or in a hook.
    const files = testResults.filter(({ status, assertionResults }) => {
      return status === "failed" && !assertionResults.some((result) => result.status === "failed");
    });
    return { passed: numPassedTests, failed: numFailedTests + files.length };
  };
  return counted(() => run(program, args, { env }), count);
}

function sum(text, pattern) {
  return [...text.matchAll(pattern)].reduce((all, [, number]) => all + Number(number), 0);
}
