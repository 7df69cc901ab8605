import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { join } from "node:path";

import { scratch } from "../../tests/support/run.ts";
import { VERSION } from "../../tests/support/runtime.ts";
import { summary } from "./compare.mjs";
import { rounded } from "./table.mjs";

const WRITES = 50;

/** Where and when: figures mean nothing without it. */
export function machine() {
  const date = new Date().toISOString().slice(0, 16).replace("T", " ");
  const cpu = cpus()[0]?.model.trim() ?? "CPU";
  const load = loadavg()[0].toFixed(1);
  return `${date} UTC, ${availableParallelism()} × ${cpu}, workerd ${VERSION}, load average ${load}, ${disk()}`;
}

/** A commit waits for the disk; a slow or busy one is what a run would measure then. */
function disk() {
  const file = openSync(join(scratch("disk"), "file"), "w");
  const writes = Array.from({ length: WRITES }, () => {
    const began = performance.now();
    writeSync(file, Buffer.alloc(4096));
    fdatasyncSync(file);
    return performance.now() - began;
  });
  closeSync(file);
  return `a disk write ${rounded(summary(writes, (ms) => ms).median)} ms`;
}
