/** Prints a table: the first column to the left, the others to the right. */
export function printTable(title, head, rows) {
  const all = [["", ...head.map(String)], ...rows.map((row) => row.map(String))];
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const line = (row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  ");
  console.log(`\n${title}\n${all.map((row) => `  ${line(row)}`.trimEnd()).join("\n")}`);
}

/** 1234567 → "1,230,000": three digits mean something, the rest is noise. */
export function rounded(number) {
  if (!Number.isFinite(number)) return "–";
  const shown = Number(number.toPrecision(3));
  return shown.toLocaleString("en-US", { maximumFractionDigits: 3 });
}

/** "950,000 ±3 %". */
export function withSpread({ median, spread }) {
  return `${rounded(median)} ±${Math.round(spread * 100)} %`;
}

/** "0.95", and when something is expected of it whether it is met: "0.95 ✓", "0.85 ✗". */
export function ratio(value, { least, most } = {}) {
  if (!Number.isFinite(value)) return "–";
  const met = (least === undefined || value >= least) && (most === undefined || value <= most);
  const mark = least === undefined && most === undefined ? "" : met ? " ✓" : " ✗";
  return value.toFixed(2) + mark;
}
