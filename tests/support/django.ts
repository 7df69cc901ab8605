import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Row } from "./backend.ts";
import { within } from "./deadline.ts";
import { type Line, PythonProcess } from "./python.ts";
import { simpleJwt, type SimpleJwtOptions } from "./simplejwt.ts";
import { type Id, refusal } from "./socket.ts";
import { DEV_SECRET, startWorker, type Worker } from "./worker.ts";
import { nextId, Person, type World } from "./world.ts";

export type Role = "viewer" | "member" | "moderator";

/** Names of the application's routes, as `tests/backend/application/urls.py` gives them. */
export type View =
  | "project" | "old-history" | "odd" | "me" | "my-projects" | "projects-as" | "paged" | "token" | "refresh" | "start-quote"
  | "upload" | "export" | "compressed" | "old" | "sign-in" | "front" | "echo" | "intake" | "socket" | "unknown";

/** A request that reached the application. */
export interface Call {
  view: View;
  method: string;
  /** Path and query as they arrived. */
  target: string;
  headers: [name: string, value: string][];
  /** When it arrived, in milliseconds since 1970. */
  at: number;
}

export interface Profile {
  username: string;
  first_name: string;
  last_name: string;
  profile_pic: string | null;
}

export interface DjangoOptions {
  /** Django's SECRET_KEY, which signs HS256 tokens. Default: the development secret. */
  secret?: string;
  /** For tokens that are signed with a private key instead. */
  signing?: { algorithm: string; privateKey: string; publicKey: string };
}

/**
 * A team's backend: a real Django application with REST framework and SimpleJWT, in a process of its own on a loopback
 * port. Its answers come from rows in SQLite that the test changes.
 */
export class Django {
  /** `http://127.0.0.1:<port>`, without a slash at the end; the same after a stop and a start. */
  url = "";
  /** Every other event, in order: `answered`, `received` (of a body), `socket-closed`. */
  readonly events: Line[] = [];
  private readonly calls: Call[] = [];
  private readonly data = mkdtempSync(join(tmpdir(), "chat-django-"));
  private readonly env: Record<string, string>;
  private readonly watchers = new Set<() => void>();
  private process: PythonProcess | undefined;
  private port = 0;

  constructor(options: DjangoOptions = {}) {
    const { secret = DEV_SECRET, signing } = options;
    this.env = { SECRET_KEY: secret, DATABASE: join(this.data, "db.sqlite3") };
    if (signing) {
      this.env["JWT_ALGORITHM"] = signing.algorithm;
      this.env["JWT_SIGNING_KEY"] = signing.privateKey;
      this.env["JWT_VERIFYING_KEY"] = signing.publicKey;
    }
  }

  async start(): Promise<void> {
    const env = { ...this.env, PORT: String(this.port) };
    this.process = await PythonProcess.start("serve.py", env, (event) => this.hear(event));
  }

  /** Ends the process. Its rows stay; `start()` brings it back at the same address. */
  async stop(): Promise<void> {
    await this.process?.kill();
    this.process = undefined;
  }

  /** Ends the process and deletes its rows. */
  async end(): Promise<void> {
    await this.stop();
    rmSync(this.data, { recursive: true, force: true });
  }

  get pid(): number {
    return this.process?.pid ?? 0;
  }

  get accessUrl(): string {
    return `${this.url}/api/projects/{project}/`;
  }

  get profileUrl(): string {
    return `${this.url}/api/users/me/`;
  }

  get projectsUrl(): string {
    return `${this.url}/api/projects/my-projects/`;
  }

  // Rows

  /** Adds a user, or changes one. */
  async user(id: Id, fields: Partial<Profile> & { password?: string; is_active?: boolean } = {}): Promise<void> {
    await this.order("user", { id, ...fields });
  }

  /** Adds a project with these members, or renames it. Returns when it was made, as the application writes it. */
  async project(id: Id, name: string, members: Record<string, Role> = {}): Promise<string> {
    return (await this.order("project", { id, name, members })) as string;
  }

  async deletes(project: Id): Promise<void> {
    await this.order("no_project", { id: project });
  }

  /** Takes the user in, or changes the role. */
  async admits(project: Id, user: Id, role: Role = "member"): Promise<void> {
    await this.order("member", { project, user, role });
  }

  /** Takes the user out. */
  async expels(project: Id, user: Id): Promise<void> {
    await this.order("member", { project, user, role: null });
  }

  // Behaviour

  /** Calls of this view are taken and not answered until `release`. `export.rest`: the second part of the export. */
  async hold(view: View | "export.rest"): Promise<void> {
    await this.order("hold", { name: view });
  }

  async release(view: View | "export.rest"): Promise<void> {
    await this.order("release", { name: view });
  }

  /** Calls of this view are answered with this status until `mend`. */
  async spoil(view: View, status: number): Promise<void> {
    await this.order("spoil", { name: view, status });
  }

  async mend(view: View): Promise<void> {
    await this.order("mend", { name: view });
  }

  // What the application saw

  /** Every request that has reached the application, in order. */
  async everyCall(): Promise<Call[]> {
    // Its news come in order: when it has answered, all of them are here.
    if (this.process) await this.order("settle", {});
    return [...this.calls];
  }

  /** The calls of a view so far, or only those that asked for this project. */
  async callsOf(view: View, project?: Id): Promise<Call[]> {
    return (await this.everyCall()).filter((call) => isOf(call, view, project));
  }

  /** Waits until there are `count` calls of this view (for this project), and answers the last of them. */
  async callNumber(count: number, view: View, project?: Id, ms?: number): Promise<Call> {
    const found = () => this.calls.filter((call) => isOf(call, view, project))[count - 1];
    return this.until(`call ${count} of ${view}`, found, ms);
  }

  /** The first event for which `is` holds, already told or still to come. */
  async event(what: string, is: (event: Line) => boolean, ms?: number): Promise<Line> {
    return this.until(what, () => this.events.find(is), ms);
  }

  private async until<T>(what: string, found: () => T | undefined, ms = 5_000): Promise<T> {
    let watcher = () => {};
    const come = new Promise<T>((done) => {
      watcher = () => {
        const value = found();
        if (value !== undefined) done(value);
      };
      this.watchers.add(watcher);
      watcher();
    });
    const told = () => `${what}. Calls: ${this.calls.slice(-20).map((call) => `${call.method} ${call.target}`).join(", ")}`;
    return within(ms, told, come).finally(() => this.watchers.delete(watcher));
  }

  private order(order: string, given: Line): Promise<unknown> {
    if (!this.process) return Promise.reject(new Error("Django is not running."));
    return this.process.order({ order, ...given });
  }

  private hear({ event, ...rest }: Line): void {
    if (event === "listening") {
      this.port = rest["port"] as number;
      this.url = `http://127.0.0.1:${this.port}`;
    } else if (event === "call") {
      this.calls.push(rest as unknown as Call);
    } else {
      this.events.push({ event, ...rest });
    }
    for (const watcher of [...this.watchers]) watcher();
  }
}

function isOf(call: Call, view: View, project?: Id): boolean {
  return call.view === view && (project === undefined || call.target.includes(`/${project}/`));
}

export async function startDjango(options: DjangoOptions = {}): Promise<Django> {
  const django = new Django(options);
  await django.start();
  return django;
}

/** A person whose tokens are SimpleJWT's, and whom Django knows. */
export class Citizen extends Person {
  jwt = "";

  /** The current token; `signsIn` gets another. */
  override token(): string {
    return this.jwt;
  }

  /** Gets a new token, of any kind that SimpleJWT can be made to give out. */
  async signsIn(options: SimpleJwtOptions = {}): Promise<this> {
    this.jwt = await simpleJwt(this.id, options);
    return this;
  }

  /** Tries to open a socket, and answers the status and the code word with which it is refused. */
  async refused(): Promise<[status: number, code: string | undefined]> {
    const { status, code } = await refusal(this.connects());
    return [status, code];
  }

  override in(project: Id): Citizen {
    const twin = new Citizen(this.world, this.name, this.id, project);
    twin.names = this.names;
    twin.address = this.address;
    twin.jwt = this.jwt;
    return twin;
  }

  /** Django wants usernames to be unique. */
  override row(): Row {
    return { ...super.row(), username: `${this.name}-${this.id}` };
  }

  get profile(): Profile {
    const { username, first_name = "", last_name = "", profile_pic = null } = this.row();
    return { username, first_name, last_name, profile_pic };
  }
}

type Vars = Record<string, string | undefined>;

/** A Worker with `ACCESS=origin` in front of Django, and people whom Django knows. */
export class Town {
  readonly worker: Worker;
  readonly django: Django;
  private readonly ownsDjango: boolean;
  private readonly neighbours: Town[] = [];

  constructor(worker: Worker, django: Django, ownsDjango = true) {
    this.worker = worker;
    this.django = django;
    this.ownsDjango = ownsDjango;
  }

  /** A project nobody has used yet, with these members; users' ids are fresh too. */
  async project<Name extends string>(...names: Name[]): Promise<Record<Name, Citizen> & { project: number }> {
    const project = nextId();
    const people = {} as Record<Name, Citizen>;
    for (const name of names) people[name] = await this.person(name, project);
    const everybody = Object.values<Citizen>(people);
    await this.django.project(project, `Project ${project}`, Object.fromEntries(everybody.map(({ id }) => [id, "member"])));
    for (const person of everybody) person.names = Object.fromEntries(everybody.map(({ name, id }) => [name, id]));
    return { ...people, project };
  }

  /** Somebody whom Django knows, with a good token, in no project yet; `project` is where they try to act. */
  async person(name: string, project: Id): Promise<Citizen> {
    const person = new Citizen(this as unknown as World, name, nextId(), project);
    await this.django.user(person.id, person.profile);
    return person.signsIn();
  }

  /** Another Worker in front of the same Django; what is not given is as in a town of its own. */
  async beside(vars: Vars): Promise<Town> {
    const worker = await startWorker({ vars: { ACCESS: "origin", ACCESS_URL: this.django.accessUrl, ...vars } });
    const town = new Town(worker, this.django, false);
    this.neighbours.push(town);
    return town;
  }

  /** Ends the Worker and those beside it, and Django with the town that started it. */
  async stop(): Promise<void> {
    await Promise.all([this.worker.stop(), ...this.neighbours.map((town) => town.stop())]);
    if (this.ownsDjango) await this.django.end();
  }
}

/** Starts Django and a Worker that asks it. */
export async function startTown(vars: Vars | ((django: Django) => Vars) = {}, options: DjangoOptions = {}): Promise<Town> {
  const django = await startDjango(options);
  try {
    const own = typeof vars === "function" ? vars(django) : vars;
    const worker = await startWorker({ vars: { ACCESS: "origin", ACCESS_URL: django.accessUrl, ...own } });
    return new Town(worker, django);
  } catch (error) {
    await django.end();
    throw error;
  }
}
