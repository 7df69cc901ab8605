import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

import { call, type Answer } from "./http.ts";
import { scratch } from "./run.ts";
import { COMPATIBILITY_DATE, quoted, Runtime } from "./runtime.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A secret of the kind that allows development sign-in and counters on loopback. */
export const DEV_SECRET = "dev-0123456789abcdef0123456789abcdef";

export interface WorkerOptions {
  /** Variables, as in `.dev.vars`. `undefined` leaves one out that would have a default here (JWT_SECRET, ACCESS). */
  vars?: Record<string, string | undefined>;
  /** Directory that holds the objects' databases. Default: a fresh one, deleted on `stop()`. */
  data?: string;
  /** Which build is served: `build` (default) or `build-probe` (the one that panics when asked to). */
  build?: "build" | "build-probe";
  /** Default: a free one. It stays the same over `restart()`. */
  port?: number;
}

/** Figures since the process began, as `GET /dev/counters/` tells them. */
export interface ObjectCounters {
  constructed: number;
  requests: number;
  frames_in: number;
  frames_out: number;
  turns: number;
  alarms: number;
  rows_read: number;
  rows_written: number;
}

export interface Counters {
  rooms: Record<string, ObjectCounters>;
  users: Record<string, ObjectCounters>;
  backend_calls: number;
  worker_requests: number;
}

/**
 * The built Worker on the real runtime.
 *
 * ```ts
 * const worker = await startWorker({ vars: { ACCESS: "any" } });
 * await worker.evictRoom(7);            // as if it had been silent for 10 s: sockets stay open
 * await worker.kill();                  // kill -9
 * await worker.restart({ vars: {} });   // same data, same port
 * await worker.stop();
 * ```
 */
export class Worker {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  url = "";
  port = 0;
  /** What the process wrote to stdout and stderr since the first start, in lines. */
  readonly logs: string[] = [];
  readonly data: string;
  readonly vars: Record<string, string>;
  private readonly ownData: boolean;
  private buildName: "build" | "build-probe";
  private readonly runtime = new Runtime(this.logs);
  private adminPort = 0;

  constructor(options: WorkerOptions) {
    this.ownData = options.data === undefined;
    this.data = options.data ?? scratch("data");
    this.buildName = options.build ?? "build";
    this.port = options.port ?? 0;
    this.vars = merged({ JWT_SECRET: DEV_SECRET, ACCESS: "any" }, options.vars);
  }

  /** The pid of the running workerd. */
  get pid(): number {
    return this.runtime.pid;
  }

  async start(): Promise<void> {
    const bundle = await bundled(this.buildName);
    const config = join(bundle, `config-${process.pid}-${serial++}.capnp`);
    writeFileSync(config, capnp(this));
    const ports = await this.runtime.serve(config, ["chat", "admin"]);
    this.port = ports.get("chat") ?? 0;
    this.adminPort = ports.get("admin") ?? 0;
    this.url = `http://127.0.0.1:${this.port}`;
  }

  /** kill -9, and waits until the process is gone. The data stays. */
  kill(): Promise<void> {
    return this.runtime.kill();
  }

  /**
   * Ends the process if it still runs, and starts it again on the same data and port, with `vars` laid over the old
   * ones; with another build, as after a deploy.
   */
  async restart(options: Pick<WorkerOptions, "vars" | "build"> = {}): Promise<void> {
    await this.kill();
    this.buildName = options.build ?? this.buildName;
    const vars = merged(this.vars, options.vars);
    for (const name of Object.keys(this.vars)) delete this.vars[name];
    Object.assign(this.vars, vars);
    await this.start();
  }

  /** Ends the process and deletes the data, unless the directory was given. */
  async stop(): Promise<void> {
    await this.kill();
    if (this.ownData) rmSync(this.data, { recursive: true, force: true });
  }

  /** Takes a project's object out of memory at once; its sockets hibernate, as after 10 s of silence. */
  async evictRoom(project: number | string): Promise<void> {
    await this.evict("Room", String(project));
  }

  /** The same for a user's object. */
  async evictUser(user: number | string): Promise<void> {
    await this.evict("User", String(user));
  }

  private async evict(kind: "Room" | "User", name: string): Promise<void> {
    const query = new URLSearchParams({ class: kind, name });
    const answer = await call(`http://127.0.0.1:${this.adminPort}/?${query}`, { timeout: 5_000 });
    const asleep = answer.text.includes("it is not currently running");
    if (answer.status !== 200 && !asleep) throw new Error(`${kind} ${name} cannot be evicted: ${answer.text}`);
  }

  /** `GET /dev/counters/`. */
  async counters(): Promise<Counters> {
    const answer = await call(`${this.url}/dev/counters/`);
    const asleep = answer.text.includes("it is not currently running");
    if (answer.status !== 200 && !asleep) throw new Error(`No counters: ${answer.status} ${answer.text}`);
    return answer.json as Counters;
  }

  /** An HTTP call to the Worker; `path` begins with a slash. */
  call(path: string, options: Parameters<typeof call>[1] = {}): Promise<Answer> {
    return call(this.url + path, options);
  }
}

/** Starts the built Worker. Stop it in `afterAll`. */
export async function startWorker(options: WorkerOptions = {}): Promise<Worker> {
  const worker = new Worker(options);
  await worker.start();
  return worker;
}

/** Whether this build has been made. */
function isBuilt(name: "build" | "build-probe"): boolean {
  return existsSync(join(ROOT, name, "index_bg.wasm"));
}

let serial = 0;
const bundles = new Map<string, Promise<string>>();

/** The shell and the Rust build as one module, made once per test process. Returns its directory. */
function bundled(name: "build" | "build-probe"): Promise<string> {
  const known = bundles.get(name);
  if (known) return known;
  const made = (async () => {
    if (!isBuilt(name)) throw new Error(`${name}/ is missing: build the Worker first.`);
    const directory = scratch("bundle");
    process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
    await build({
      entryPoints: [join(ROOT, "src/shell/entry.ts")],
      outfile: join(directory, "worker.js"),
      bundle: true,
      format: "esm",
      target: "es2024",
      logLevel: "error",
      external: ["cloudflare:*", "node:*"],
      plugins: [
        {
          name: "rust-build",
          setup(on) {
            on.onResolve({ filter: /\/build\/index\.js$/ }, () => ({ path: join(ROOT, name, "index.js") }));
            on.onResolve({ filter: /\.wasm$/ }, () => ({ path: "./index_bg.wasm", external: true }));
          },
        },
      ],
    });
    writeFileSync(join(directory, "index_bg.wasm"), readFileSync(join(ROOT, name, "index_bg.wasm")));
    writeFileSync(join(directory, "assets.js"), ASSETS);
    writeFileSync(join(directory, "admin.js"), ADMIN);
    return directory;
  })();
  bundles.set(name, made);
  return made;
}

/** Stands in for the platform's static assets. */
const ASSETS = `
const types = { html: "text/html; charset=utf-8", js: "text/javascript", css: "text/css", svg: "image/svg+xml" };
export default {
  async fetch(request, env) {
    let { pathname } = new URL(request.url);
    if (pathname.endsWith("/")) pathname += "index.html";
    const file = await env.DISK.fetch("http://disk" + pathname);
    if (!file.ok) return new Response("Not found", { status: 404 });
    return new Response(file.body, { headers: { "content-type": types[pathname.split(".").pop()] ?? "application/octet-stream" } });
  },
};`;

/** The runtime's own means to evict an object, behind a port of its own. */
const ADMIN = `
import unsafe from "workerd:unsafe";
export default {
  async fetch(request, env) {
    const query = new URL(request.url).searchParams;
    const objects = env[query.get("class")];
    try {
      await unsafe.evict(objects.get(objects.idFromName(query.get("name"))), { webSockets: "hibernate" });
      return new Response("evicted");
    } catch (error) {
      return new Response(String(error), { status: 500 });
    }
  },
};`;

function capnp(worker: Worker): string {
  const texts = Object.entries(worker.vars).map(([name, value]) => `(name = ${quoted(name)}, text = ${quoted(value)})`);
  mkdirSync(worker.data, { recursive: true });
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "chat", worker = .chat),
    (name = "assets", worker = .assets),
    (name = "admin", worker = .admin),
    (name = "web", disk = (path = ${quoted(join(ROOT, "web"))})),
    (name = "data", disk = (path = ${quoted(resolve(worker.data))}, writable = true)),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [
    (name = "chat", address = "127.0.0.1:${worker.port}", http = (), service = "chat"),
    (name = "admin", address = "127.0.0.1:0", http = (), service = "admin"),
  ],
);
const chat :Workerd.Worker = (
  modules = [
    (name = "worker.js", esModule = embed "worker.js"),
    (name = "index_bg.wasm", wasm = embed "index_bg.wasm"),
  ],
  compatibilityDate = ${quoted(COMPATIBILITY_DATE)},
  durableObjectNamespaces = [
    (className = "Room", uniqueKey = "project-chat-Room", enableSql = true),
    (className = "User", uniqueKey = "project-chat-User", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "data"),
  bindings = [
    (name = "ROOMS", durableObjectNamespace = "Room"),
    (name = "USERS", durableObjectNamespace = "User"),
    (name = "ASSETS", service = "assets"),
    ${texts.join(",\n    ")}
  ],
);
const assets :Workerd.Worker = (
  modules = [(name = "assets.js", esModule = embed "assets.js")],
  compatibilityDate = ${quoted(COMPATIBILITY_DATE)},
  bindings = [(name = "DISK", service = "web")],
);
const admin :Workerd.Worker = (
  modules = [(name = "admin.js", esModule = embed "admin.js")],
  compatibilityDate = ${quoted(COMPATIBILITY_DATE)},
  compatibilityFlags = ["unsafe_module"],
  bindings = [
    (name = "Room", durableObjectNamespace = (className = "Room", serviceName = "chat")),
    (name = "User", durableObjectNamespace = (className = "User", serviceName = "chat")),
  ],
);
`;
}

function merged(
  base: Record<string, string | undefined>,
  over: Record<string, string | undefined> = {},
): Record<string, string> {
  const all = Object.entries({ ...base, ...over });
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
