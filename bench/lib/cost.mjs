import { readdirSync, readFileSync } from "node:fs";

/** Rows that a project's room has read, and milliseconds of CPU that the server has used, since it began. */
export async function spent(worker, project) {
  const counters = await worker.counters();
  return { read: counters.rooms[project]?.rows_read ?? 0, cpu: cpuMs(worker.pid) };
}

/** What one of `times` has cost since then. */
export async function costSince(before, worker, project, times = 1) {
  const now = await spent(worker, project);
  return { read: (now.read - before.read) / times, cpu: (now.cpu - before.cpu) / times };
}

/** Of all its threads; `NaN` where the system does not tell. */
function cpuMs(pid) {
  try {
    const threads = readdirSync(`/proc/${pid}/task`).map((task) => readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8"));
    return threads.reduce((sum, line) => sum + Number(line.split(" ")[0]) / 1e6, 0);
  } catch {
    return NaN;
  }
}
