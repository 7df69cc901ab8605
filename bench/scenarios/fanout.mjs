import { compare, summary } from "../lib/compare.mjs";
import { printTable, ratio, rounded, withSpread } from "../lib/table.mjs";

export const about = "one sender keeps its window full; deliveries a second are messages × receivers.";

export const defaults = {
  receivers: [1, 10, 100, 1000],
  window: [8, 128],
  // A room tells every user once, at its first message: of a thousand, that alone would fill the measured seconds.
  users: 100,
  targets: ["v1", "classic", "minimal", "turns"],
  rounds: 3,
  seconds: 3,
  "warm-up": 1,
  size: 64,
};

export const quick = { receivers: [1, 100], window: [128], rounds: 1, seconds: 1 };

/** Which targets are set against each other, and what is expected under saturation. */
const RATIOS = [
  { of: "v1", to: "turns", expected: ({ window }) => (window >= 128 ? { least: 0.9 } : {}) },
  { of: "v1", to: "minimal", expected: () => ({}) },
  { of: "classic", to: "minimal", expected: ({ receivers, window }) => (receivers >= 10 && window >= 128 ? { least: 2 } : {}) },
];

export async function run({ receivers, window: windows, targets, ...options }) {
  for (const window of windows) {
    const cases = receivers.map((receivers) => ({ receivers, window }));
    const label = ({ receivers }) => `  window ${window}, receivers ${receivers}`;
    show(window, targets, await compare({ ...options, cases, targets, label }));
  }
}

function show(window, targets, results) {
  const head = results.map(({ receivers }) => rounded(receivers));
  const rows = (cell) => targets.map((target) => [target, ...results.map(({ reports }) => cell(reports[target]))]);
  const speed = (reports) => summary(reports, (report) => report.deliveries_per_s);
  const median = (reports, figure) => rounded(summary(reports, figure).median);

  printTable(`deliveries a second, window ${window}, by receivers`, head, rows((all) => withSpread(speed(all))));
  const ratios = RATIOS.filter(({ of, to }) => targets.includes(of) && targets.includes(to));
  const compared = ({ of, to, expected }) => [
    `${of} / ${to}`,
    ...results.map((result) => ratio(speed(result.reports[of]).median / speed(result.reports[to]).median, expected(result))),
  ];
  if (ratios.length > 0) printTable("ratios", head, ratios.map(compared));
  const latency = (all) => `${median(all, ({ latency_ms }) => latency_ms?.p50)} / ${median(all, ({ latency_ms }) => latency_ms?.p99)}`;
  printTable("milliseconds until the sender has its own message, p50 / p99", head, rows(latency));
  printTable("CPU of the server per delivery, µs", head, rows((all) => median(all, (report) => report.server_us_per_delivery)));
  printTable("CPU of the generator, cores", head, rows((all) => median(all, (report) => report.load_cpu)));
}
