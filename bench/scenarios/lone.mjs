import { compare, summary } from "../lib/compare.mjs";
import { printTable, ratio, rounded, withSpread } from "../lib/table.mjs";

export const about = "one message at a time, with silence before each: how long until its sender has it back.";

export const defaults = {
  receivers: [1, 10],
  targets: ["v1", "classic", "minimal", "turns"],
  rounds: 5,
  seconds: 3,
  "warm-up": 1,
  "pause-ms": 5,
  size: 64,
};

export const quick = { rounds: 1, seconds: 1 };

const COMPARED_WITH = "minimal";
const EXPECTED = { most: 1.1 };

export async function run({ receivers, targets, ...options }) {
  const cases = receivers.map((receivers) => ({ receivers, window: 1 }));
  const label = ({ receivers }) => `  receivers ${receivers}`;
  const results = await compare({ ...options, cases, targets, label });

  const head = results.map(({ receivers }) => rounded(receivers));
  const of = (percentile) => (reports) => summary(reports, ({ latency_ms }) => latency_ms?.[percentile]);
  const rows = (cell) => targets.map((target) => [target, ...results.map(({ reports }) => cell(reports[target]))]);
  for (const percentile of ["p50", "p99"]) {
    printTable(`milliseconds, ${percentile}, by receivers`, head, rows((all) => withSpread(of(percentile)(all))));
  }
  if (!targets.includes(COMPARED_WITH)) return;
  const compared = ["v1", "classic"].filter((target) => targets.includes(target));
  const p50 = of("p50");
  const share = (target) => ({ reports }) => ratio(p50(reports[target]).median / p50(reports[COMPARED_WITH]).median, EXPECTED);
  const ratios = compared.map((target) => [`${target} / ${COMPARED_WITH}`, ...results.map(share(target))]);
  printTable("p50, ratios", head, ratios);
}
