import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const HOME = fileURLToPath(new URL("../backend/", import.meta.url));

export type Line = Record<string, unknown>;

/**
 * A Python process that speaks JSON lines: orders go in, answers and events come out. It ends with the test process,
 * because its standard input ends then.
 */
export class PythonProcess {
  /** Resolves when the process has ended. */
  readonly exited: Promise<unknown>;
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly onEvent: (event: Line) => void;
  private readonly waiting = new Map<number, { done: (result: unknown) => void; fail: (error: Error) => void }>();
  private orders = 0;
  private errors = "";

  private constructor(child: ChildProcessWithoutNullStreams, onEvent: (event: Line) => void) {
    this.child = child;
    this.onEvent = onEvent;
    createInterface({ input: child.stdout }).on("line", (line) => this.hear(JSON.parse(line)));
    child.stderr.on("data", (text) => (this.errors += text));
    child.stdin.on("error", () => {}); // it has ended: `exited` tells those who wait
    this.exited = once(child, "exit").then(() => {
      for (const { fail } of this.waiting.values()) fail(this.ended());
      this.waiting.clear();
    });
  }

  /** Starts `tests/backend/<script>` and waits until it listens. `onEvent` hears every line that answers no order. */
  static async start(
    script: string,
    env: Record<string, string>,
    onEvent: (event: Line) => void = () => {},
  ): Promise<PythonProcess> {
    const python = process.env["PROJECT_CHAT_PYTHON"];
    if (!python) throw new Error("PROJECT_CHAT_PYTHON is not set: `npm test` makes the Python environment and sets it.");
    const child = spawn(python, ["-u", script], {
      cwd: HOME,
      env: { PATH: process.env["PATH"], PYTHONDONTWRITEBYTECODE: "1", ...env },
    });
    let begun = () => {};
    const listening = new Promise<void>((done) => (begun = done));
    const it = new PythonProcess(child, (event) => {
      onEvent(event);
      if (event["event"] === "listening") begun();
    });
    const failed = it.exited.then(() => Promise.reject(it.ended()));
    failed.catch(() => {});
    await Promise.race([listening, failed]);
    return it;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Lets the test process end although this one still runs. */
  unref(): this {
    this.child.unref();
    for (const stream of [this.child.stdin, this.child.stdout, this.child.stderr]) {
      (stream as unknown as { unref(): void }).unref();
    }
    return this;
  }

  /** Resolves with the order's result; fails with what Python says when it cannot be carried out. */
  order(given: Line): Promise<unknown> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return Promise.reject(this.ended());
    const number = ++this.orders;
    const answered = new Promise((done, fail) => this.waiting.set(number, { done, fail }));
    this.child.stdin.write(`${JSON.stringify({ ...given, number })}\n`);
    return answered;
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }

  private ended(): Error {
    return new Error(`The Python process has ended. ${this.errors}`);
  }

  private hear(line: Line): void {
    const waiting = this.waiting.get(line["number"] as number);
    if (!waiting) return this.onEvent(line);
    this.waiting.delete(line["number"] as number);
    if ("error" in line) waiting.fail(new Error(String(line["error"])));
    else waiting.done(line["result"]);
  }
}
