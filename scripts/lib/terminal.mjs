import { CommandFailed, isEnding } from "./run.mjs";

/** 95 s → "1 min 35 s". */
export function seconds(ms) {
  const all = Math.round(ms / 1000);
  return all < 60 ? `${all} s` : `${Math.floor(all / 60)} min ${all % 60} s`;
}

/** How long something usually takes, for a human: 80 → "about 1 min 20 s", 2 → "a moment". */
export function usually(inSeconds) {
  return inSeconds < 5 ? "a moment" : `about ${seconds(inSeconds * 1000)}`;
}

/** Says what is being done and how long it usually takes, does it, and says how long it took. */
export async function step(what, usualSeconds, work) {
  const began = Date.now();
  process.stdout.write(`${what} (usually ${usually(usualSeconds)}) … `);
  try {
    const result = await work();
    process.stdout.write(`${seconds(Date.now() - began)}\n`);
    return result;
  } catch (error) {
    process.stdout.write(isEnding() ? "ended\n" : "failed\n");
    throw error;
  }
}

/** Prints the end of what a failed command wrote. */
export function showTail(text, most = 40) {
  const lines = text.trimEnd().split("\n").slice(-most);
  console.error(lines.map((line) => `  | ${line}`).join("\n"));
}

/** A reason to stop that needs no stack: printed as it is. */
export class Stop extends Error {}

/** Runs a script's main function; a failure is told in a few lines, and the exit code says it. */
export async function main(work) {
  try {
    process.exitCode = (await work()) ?? 0;
  } catch (error) {
    if (isEnding()) return;
    if (error instanceof CommandFailed) {
      showTail(error.tail);
      console.error(`${error.message}.`);
    } else if (error instanceof Stop) {
      console.error(error.message);
    } else {
      console.error(error);
    }
    process.exitCode = 1;
  }
}
