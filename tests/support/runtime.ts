import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";

import { hasEnded, mayNotOutlive } from "./run.ts";

/** Path and version of the runtime's executable. Vitest and Node differ in what an `import` of this package gives. */
const workerd = createRequire(import.meta.url)("workerd") as { default: string; version: string };

/** Which runtime it is. */
export const VERSION = workerd.version;

/** The date that is deployed. */
export const COMPATIBILITY_DATE = (() => {
  const config = readFileSync(new URL("../../wrangler.toml", import.meta.url), "utf8");
  const date = /^compatibility_date\s*=\s*"([^"]+)"/m.exec(config)?.[1];
  if (!date) throw new Error("wrangler.toml names no compatibility_date.");
  return date;
})();

/**
 * One `workerd` process of our own on loopback ports, without wrangler or Miniflare around it. So its pid is the one
 * to kill, it is not restarted behind our back, and it starts in a fraction of a second.
 */
export class Runtime {
  private readonly logs: string[];
  private process: ChildProcess | undefined;

  /** What the process writes is added to `logs`, in lines. */
  constructor(logs: string[] = []) {
    this.logs = logs;
  }

  get pid(): number {
    const pid = this.process?.pid;
    if (pid === undefined) throw new Error("workerd is not running.");
    return pid;
  }

  /** Serves a configuration (a file of Cap'n Proto text) until it is killed. Gives the port of each of its sockets. */
  async serve(config: string, sockets: readonly string[]): Promise<Map<string, number>> {
    const child = spawn(workerd.default, ["serve", config, "--experimental", "--control-fd=3"], {
      cwd: dirname(config),
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    this.process = child;
    running.add(child);
    mayNotOutlive(child.pid);
    child.once("exit", () => {
      running.delete(child);
      hasEnded(child.pid);
    });
    child.stdout?.setEncoding("utf8").on("data", (text: string) => this.logs.push(...lines(text)));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => this.logs.push(...lines(text)));
    return new Promise<Map<string, number>>((done, fail) => {
      const seen = new Map<string, number>();
      const timer = setTimeout(() => fail(new Error(`workerd does not listen:\n${this.logs.join("\n")}`)), 20_000);
      child.once("exit", (code) => {
        clearTimeout(timer);
        fail(new Error(`workerd ended with ${code}:\n${this.logs.join("\n")}`));
      });
      (child.stdio[3] as NodeJS.ReadableStream).setEncoding("utf8").on("data", (text: string) => {
        for (const line of lines(text)) {
          const event = JSON.parse(line) as { event: string; socket: string; port: number };
          if (event.event === "listen") seen.set(event.socket, event.port);
        }
        if (sockets.every((socket) => seen.has(socket))) {
          clearTimeout(timer);
          done(seen);
        }
      });
    });
  }

  /** kill -9, and waits until the process is gone. */
  async kill(): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((done) => child.once("exit", () => done()));
    child.kill("SIGKILL");
    await gone;
  }
}

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A text in Cap'n Proto's notation. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
