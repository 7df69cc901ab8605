import { existsSync, renameSync, rmSync } from "node:fs";

const all = new Set();
process.once("exit", () => all.forEach(remove));

/** Where something is made before it is put into its place; gone when we end. */
export function unfinished(place) {
  const path = `${place}.${process.pid}`;
  remove(path);
  all.add(path);
  return path;
}

/** Puts it into its place at once; where another process was faster, that one's stays. */
export function finish(path, place) {
  if (!existsSync(place)) renameSync(path, place);
  remove(path);
}

export function remove(path) {
  rmSync(path, { recursive: true, force: true });
  all.delete(path);
}
