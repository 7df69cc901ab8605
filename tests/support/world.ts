import { startBackend, type Backend, type Row } from "./backend.ts";
import { call, type Answer, type CallOptions } from "./http.ts";
import { open, type ChatSocket, type Id, type OpenOptions } from "./socket.ts";
import { mint, type TokenOptions } from "./token.ts";
import { startWorker, type Worker, type WorkerOptions } from "./worker.ts";

/** A key for the server API, for worlds that set SERVER_API_KEY. */
export const SERVER_KEY = "server-key-0123456789abcdef0123456789";

/**
 * A Worker with `ACCESS=origin`, the backend it asks, and people. One per spec file:
 *
 * ```ts
 * let world: World;
 * beforeAll(async () => { world = await startWorld(); });
 * afterAll(() => world.stop());
 *
 * test("two people talk", async () => {
 *   const { alice, bob } = world.project("alice", "bob");   // a fresh project with two fresh members
 *   const [a, b] = [await alice.connects(), await bob.connects()];
 *   a.writes("hi");
 *   await b.hears("alice: hi");
 *   expect(await b.timeline()).toEqual(["alice: hi"]);
 * });
 * ```
 */
export class World {
  readonly worker: Worker;
  readonly backend: Backend;

  constructor(worker: Worker, backend: Backend) {
    this.worker = worker;
    this.backend = backend;
  }

  /** A project nobody has used yet, with these members; users' ids are fresh too. */
  project<Name extends string>(...names: Name[]): Record<Name, Person> & { project: number } {
    const project = nextId();
    this.backend.projects.set(String(project), {
      id: project,
      name: `Project ${project}`,
      created_at: "2026-01-02T03:04:05Z",
      members: new Map(),
    });
    const people = Object.fromEntries(names.map((name) => [name, this.person(name, project)])) as Record<Name, Person>;
    for (const person of Object.values<Person>(people)) {
      person.names = Object.fromEntries(names.map((name) => [name, people[name].id]));
      this.backend.admits(project, person.row());
    }
    return { ...people, project };
  }

  /** Somebody with a good token, in no project; what they do without naming a project, they do in `project`. */
  person(name: string, project: Id): Person {
    return new Person(this, name, nextId(), project);
  }

  async stop(): Promise<void> {
    await this.worker.stop();
    await this.backend.stop();
  }
}

/** A person with an id, a token and a browser. */
export class Person {
  readonly world: World;
  readonly name: string;
  readonly id: Id;
  /** Where this person acts unless told otherwise. */
  project: Id;
  /** How timelines call people. */
  names: Record<string, Id>;
  /** Everything below goes to this address; set it to a wire's to go over that. Default: the Worker's. */
  address: string | undefined;

  constructor(world: World, name: string, id: Id, project: Id) {
    this.world = world;
    this.name = name;
    this.id = id;
    this.project = project;
    this.names = { [name]: id };
  }

  /** The same person acting in another project. */
  in(project: Id): Person {
    const twin = new Person(this.world, this.name, this.id, project);
    twin.names = this.names;
    twin.address = this.address;
    return twin;
  }

  /** A fresh token. SimpleJWT puts the user id into it as a string. */
  token(options: TokenOptions = {}, claims: Record<string, unknown> = {}): string {
    return mint({ user_id: String(this.id), username: this.name, ...claims }, options);
  }

  /** As the backend's database knows this person. */
  row(): Row {
    const capital = this.name.charAt(0).toUpperCase() + this.name.slice(1);
    return { id: this.id, username: this.name, first_name: capital, last_name: "Example", profile_pic: null };
  }

  /** The socket's address. */
  socketUrl(token = this.token(), project = this.project): string {
    return `${this.base.replace("http", "ws")}/ws/chat/project/${project}/?token=${token}`;
  }

  /** Opens a socket; fails with `Refused` when it is refused. */
  async connects(options: OpenOptions & { token?: string; project?: Id } = {}): Promise<ChatSocket> {
    const socket = await open(this.socketUrl(options.token, options.project ?? this.project), options);
    socket.names = this.names;
    return socket;
  }

  /** Any call with this person's token; `path` begins with a slash. */
  calls(path: string, options: CallOptions = {}): Promise<Answer> {
    return call(this.base + path, { token: this.token(), ...options });
  }

  /** `GET api/projects/{id}/chat/messages/` with a query such as `?limit=5`. */
  history(query = ""): Promise<Answer> {
    return this.calls(`/api/projects/${this.project}/chat/messages/${query}`);
  }

  /** `POST api/projects/{id}/chat/messages/create/`. */
  posts(content: unknown, clientMessageId?: string): Promise<Answer> {
    return this.calls(`/api/projects/${this.project}/chat/messages/create/`, {
      method: "POST",
      body: { content, ...(clientMessageId === undefined ? {} : { client_message_id: clientMessageId }) },
    });
  }

  /** `POST api/projects/{id}/chat/mark-read/`. */
  marksRead(message: number): Promise<Answer> {
    return this.calls(`/api/projects/${this.project}/chat/mark-read/`, {
      method: "POST",
      body: { last_read_message_id: message },
    });
  }

  /** `GET api/chat/contacts/`, or the one entry of a project. */
  contacts(project?: Id): Promise<Answer> {
    return this.calls(project === undefined ? "/api/chat/contacts/" : `/api/chat/contacts/${project}/`);
  }

  /** `POST api/chat/contacts/{id}/mark-read/`. */
  marksContactRead(project: Id = this.project): Promise<Answer> {
    return this.calls(`/api/chat/contacts/${project}/mark-read/`, { method: "POST" });
  }

  /** `GET api/chat/inbox/`. */
  inbox(): Promise<Answer> {
    return this.calls("/api/chat/inbox/");
  }

  /** The unread count in this person's contacts entry for the project. */
  async unread(): Promise<number> {
    const answer = await this.contacts(this.project);
    return answer.json?.unread_count;
  }

  private get base(): string {
    return this.address ?? this.world.worker.url;
  }
}

let lastId = 100;
/** An id no other test of this process has. */
export function nextId(): number {
  return ++lastId;
}

export interface WorldOptions extends WorkerOptions {
  /** Whether PROJECTS_URL and PROFILE_URL are set to the backend's. Default: no. */
  asksForProjects?: boolean;
  asksForProfiles?: boolean;
}

/** Starts a backend and a Worker that asks it. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const backend = await startBackend();
  const vars = {
    ACCESS: "origin",
    ACCESS_URL: backend.accessUrl,
    ALLOWED_ORIGINS: "http://localhost:5173",
    ...(options.asksForProjects ? { PROJECTS_URL: backend.projectsUrl } : {}),
    ...(options.asksForProfiles ? { PROFILE_URL: backend.profileUrl } : {}),
    ...options.vars,
  };
  const worker = await startWorker({ ...options, vars });
  return new World(worker, backend);
}
