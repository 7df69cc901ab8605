import { isDeepStrictEqual } from "node:util";

import { eventually } from "./deadline.ts";
import type { Counters, ObjectCounters } from "./worker.ts";
import type { World } from "./world.ts";

/** What something cost: which objects were woken, and the sums over them. */
export interface Cost {
  /** `room 7`, `user 3` …: every object that got a request, a frame or an alarm. */
  woken: string[];
  requests: number;
  framesIn: number;
  framesOut: number;
  rowsRead: number;
  rowsWritten: number;
  backendCalls: number;
}

const NOTHING: ObjectCounters = {
  constructed: 0,
  requests: 0,
  frames_in: 0,
  frames_out: 0,
  turns: 0,
  alarms: 0,
  rows_read: 0,
  rows_written: 0,
};

/**
 * Runs `act` and tells what it cost, from the runtime's counters: with what it set off in the background, and without
 * what was still going on before.
 */
export async function costOf(world: World, act: () => Promise<unknown>): Promise<Cost> {
  const before = await countersAtRest(world);
  await act();
  return difference(before, await countersAtRest(world));
}

/** Snapshots in a row, 50 ms apart, that must agree: an object counts a request when it comes and its rows later. */
const AGREEING = 4;

/** The counters once they no longer move. */
async function countersAtRest(world: World): Promise<Counters> {
  let last: Counters | undefined;
  let agreeing = 0;
  return eventually(10_000, "the counters to come to rest", async () => {
    const now = { ...(await world.worker.counters()), worker_requests: 0 };
    agreeing = isDeepStrictEqual(now, last) ? agreeing + 1 : 1;
    last = now;
    return agreeing >= AGREEING ? now : undefined;
  });
}

function difference(before: Counters, after: Counters): Cost {
  const cost: Cost = {
    woken: [],
    requests: 0,
    framesIn: 0,
    framesOut: 0,
    rowsRead: 0,
    rowsWritten: 0,
    backendCalls: after.backend_calls - before.backend_calls,
  };
  for (const kind of ["rooms", "users"] as const) {
    for (const [name, now] of Object.entries(after[kind])) {
      const then = before[kind][name] ?? NOTHING;
      const requests = now.requests - then.requests;
      const framesIn = now.frames_in - then.frames_in;
      if (requests + framesIn + (now.alarms - then.alarms) > 0) cost.woken.push(`${kind.slice(0, -1)} ${name}`);
      cost.requests += requests;
      cost.framesIn += framesIn;
      cost.framesOut += now.frames_out - then.frames_out;
      cost.rowsRead += now.rows_read - then.rows_read;
      cost.rowsWritten += now.rows_written - then.rows_written;
    }
  }
  return cost;
}
