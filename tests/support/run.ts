import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/*
 * What a run of the tests leaves behind, and its removal: directories and processes are noted in one directory of the
 * run, and gone when the run is over, also where a test process was ended before its own clean-up.
 */

const VARIABLE = "CHAT_TEST_RUN";

/** A fresh directory for this run's files, whose name begins with `name`. */
export function scratch(name: string): string {
  return mkdtempSync(join(process.env[VARIABLE] ?? tmpdir(), `chat-${name}-`));
}

/** Notes a process that must not outlive the run. */
export function mayNotOutlive(pid: number | undefined): void {
  const run = process.env[VARIABLE];
  if (run !== undefined && pid !== undefined) writeFileSync(join(run, "pids", String(pid)), "");
}

/** It ended by itself or was ended: its number may be another's soon. */
export function hasEnded(pid: number | undefined): void {
  const run = process.env[VARIABLE];
  if (run !== undefined && pid !== undefined) rmSync(join(run, "pids", String(pid)), { force: true });
}

/** Vitest calls this once before all files; what it returns, once after. */
export default function setup(): () => void {
  const run = mkdtempSync(join(tmpdir(), "chat-tests-"));
  mkdirSync(join(run, "pids"));
  process.env[VARIABLE] = run;
  return () => {
    for (const pid of readdirSync(join(run, "pids"))) {
      try {
        process.kill(Number(pid), "SIGKILL");
      } catch {
        // ended meanwhile
      }
    }
    rmSync(run, { recursive: true, force: true });
  };
}
