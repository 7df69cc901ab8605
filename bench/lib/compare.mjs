import { step } from "../../scripts/lib/terminal.mjs";
import { measure } from "./load.mjs";

/** Seconds that a measurement takes beside warm-up and measuring: start and end, and joining and draining. */
const AROUND_S = 0.7;
const PER_RECEIVER_S = 0.005;

/**
 * Measures each case on each target, `rounds` times. The targets take turns, forwards and backwards (A B C, C B A …),
 * so that a machine that grows slower or faster favours none. Gives, for each case, its reports by target.
 */
export async function compare({ cases, targets, rounds, label, ...shared }) {
  const results = [];
  for (const options of cases) {
    const all = { ...shared, ...options };
    const each = AROUND_S + all.receivers * PER_RECEIVER_S + all.seconds + all["warm-up"];
    const reports = Object.fromEntries(targets.map((target) => [target, []]));
    await step(label(options), rounds * targets.length * each, async () => {
      for (let round = 0; round < rounds; round++) {
        const order = round % 2 === 0 ? targets : targets.toReversed();
        for (const target of order) reports[target].push(await measure(target, all));
      }
    });
    results.push({ ...options, reports });
  }
  return results;
}

/** The median of some figure over the rounds, and how far the rounds lie apart, as a share of it. */
export function summary(reports, figure) {
  const all = reports.map(figure).sort((a, b) => a - b);
  const middle = all.length >> 1;
  const median = all.length % 2 === 1 ? all[middle] : (all[middle - 1] + all[middle]) / 2;
  return { median, spread: (all.at(-1) - all[0]) / 2 / median };
}
