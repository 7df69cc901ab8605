import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { Id } from "./socket.ts";
import { verified } from "./token.ts";

export interface Row {
  id: Id;
  username: string;
  first_name?: string;
  last_name?: string;
  profile_pic?: string | null;
  role?: "viewer" | "member" | "moderator";
}

export interface Project {
  id: Id;
  name: string;
  created_at: string;
  /** By user id. */
  members: Map<string, Row>;
}

/** How the backend behaves: answers, answers 503, takes the call and never answers, or is not there at all. */
export type Mood = "well" | "failing" | "silent" | "gone";

export interface BackendCall {
  path: string;
  /** The user whose token came with it. */
  user: string | undefined;
  headers: IncomingMessage["headers"];
  /** `Date.now()` at its arrival. */
  at: number;
}

/**
 * The customer's backend, as small as it can be: rows in memory that a test changes, behind real HTTP.
 *
 * - `GET /api/projects/{id}/`: 200 `{id, name, created_at, role, members: [...]}`, 403 to a stranger, 404 unknown.
 * - `GET /api/my-projects/`: 200 `[{id, name, created_at}]`.
 * - `GET /api/profile/`: 200, the user's own row.
 * A token that is not good answers 401 everywhere.
 */
export class Backend {
  readonly projects = new Map<string, Project>();
  readonly profiles = new Map<string, Row>();
  readonly calls: BackendCall[] = [];
  url = "";
  private mood: Mood = "well";
  private server: Server;
  private port = 0;
  private readonly held = new Set<ServerResponse>();

  constructor() {
    this.server = createServer((request, response) => this.answer(request, response));
  }

  async start(): Promise<void> {
    await new Promise<void>((done) => this.server.listen(this.port, "127.0.0.1", done));
    this.port = (this.server.address() as AddressInfo).port;
    this.url = `http://127.0.0.1:${this.port}`;
  }

  /** What ACCESS_URL is set to. */
  get accessUrl(): string {
    return `${this.url}/api/projects/{project}/`;
  }

  get projectsUrl(): string {
    return `${this.url}/api/my-projects/`;
  }

  get profileUrl(): string {
    return `${this.url}/api/profile/`;
  }

  /** Changes how it behaves from now on. `gone` refuses connections; `silent` keeps calls open until the mood changes. */
  async becomes(mood: Mood): Promise<void> {
    const was = this.mood;
    this.mood = mood;
    for (const response of this.held) response.destroy();
    this.held.clear();
    if (mood === "gone" && was !== "gone") await this.close();
    if (mood !== "gone" && was === "gone") await this.start();
  }

  /** Calls that asked for access to this project. */
  asked(project: Id): BackendCall[] {
    return this.calls.filter((call) => call.path.startsWith(`/api/projects/${project}/`));
  }

  /** Adds a row, or changes it. */
  admits(project: Id, row: Row): void {
    this.projects.get(String(project))?.members.set(String(row.id), row);
    this.profiles.set(String(row.id), row);
  }

  /** Deletes a row. */
  expels(project: Id, user: Id): void {
    this.projects.get(String(project))?.members.delete(String(user));
  }

  async stop(): Promise<void> {
    if (this.mood !== "gone") await this.close();
    this.mood = "gone";
  }

  private async close(): Promise<void> {
    const closed = new Promise<void>((done) => this.server.close(() => done()));
    this.server.closeAllConnections();
    await closed;
    this.server = createServer((request, response) => this.answer(request, response));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? "/";
    const token = request.headers.authorization?.replace(/^Bearer /, "");
    const claims = token === undefined ? undefined : verified(token);
    const user = claims && String(claims["user_id"] ?? claims["sub"]);
    this.calls.push({ path, user, headers: request.headers, at: Date.now() });
    const reply = (status: number, body: unknown) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    if (this.mood === "silent") return void this.held.add(response);
    if (this.mood === "failing") return reply(503, { detail: "Down for maintenance." });
    if (user === undefined) return reply(401, { detail: "Token is invalid or expired", code: "token_not_valid" });
    if (path.startsWith("/api/profile/")) return reply(200, this.profiles.get(user) ?? { id: user });
    if (path.startsWith("/api/my-projects/")) {
      const mine = [...this.projects.values()].filter((project) => project.members.has(user));
      return reply(200, mine.map(({ id, name, created_at }) => ({ id, name, created_at })));
    }
    const project = this.projects.get(/^\/api\/projects\/([^/?]+)\//.exec(path)?.[1] ?? "");
    if (!project) return reply(404, { detail: "No Project matches the given query." });
    const row = project.members.get(user);
    if (!row) return reply(403, { detail: "You do not have permission to perform this action." });
    const { id, name, created_at } = project;
    reply(200, { id, name, created_at, role: row.role ?? "member", members: [...project.members.values()] });
  }
}

/** Starts a backend on a free loopback port. Stop it in `afterAll`. */
export async function startBackend(): Promise<Backend> {
  const backend = new Backend();
  await backend.start();
  return backend;
}
