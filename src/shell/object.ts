// A Durable Object: keeps the sockets, the inbox and the one timer, and knows nothing of the chat. What happens is
// collected, one turn of the Rust host decides and writes all of it in one transaction, and only then are its effects
// carried out. The inbox is JavaScript's: a wasm trap in any room of this isolate does not empty it.

import { DurableObject } from "cloudflare:workers";
import { RoomHost } from "../../build/index.js";
import { answerClose } from "./close";
import { countersOf, type Counters, type Kind } from "./counters";
import { Effects, type Answer } from "./effects";
import { giveAll, withoutNul, type Host, type Input, type Shell } from "./inputs";
import { instanceLost, internalError, orLost } from "./instance";
import { tellUsers } from "./tell";

export interface Environment {
  ROOMS: DurableObjectNamespace;
  USERS: DurableObjectNamespace;
  JWT_SECRET?: string;
  FRAME_MAX_BYTES?: string;
}

/** A call or an upgrade that waits for its answer. */
interface Waiting {
  resolve: (response: Response) => void;
  pair?: { client: WebSocket; server: WebSocket };
}

const REQUEST_HEADER = "x-project-chat-request";
const RECHECK_HEADER = "x-project-chat-recheck";
const PAGE_HEADER = "x-project-chat-page";

/** The rest waits for the next turn: other objects of the isolate get a chance in between. */
const INPUTS_PER_TURN = 500;
/**
 * A room in which nothing has happened for so long is quiet: some times what a turn itself takes, which is a frame for
 * each socket. With less, a busy room that is slow for its many sockets would take itself for a quiet one, and go on
 * message by message.
 */
const QUIET_MS = 3;
const QUIET_MS_PER_SOCKET = 0.1;
/** The host hears at most this often when sockets last sent a heartbeat. */
const HEARTBEATS_EVERY_MS = 25_000;
const DEFAULT_FRAME_MAX_BYTES = 65_536;
const OPEN = 1;

export class ObjectShell extends DurableObject<Environment> implements Shell {
  declare readonly env: Environment;
  #host?: Host;
  #inbox: Input[] = [];
  #turnAsked = false;
  #turnAt = 0;
  #wake?: { at: number; timer: ReturnType<typeof setTimeout> };
  #sockets = new Map<number, WebSocket>();
  #connOf = new WeakMap<WebSocket, number>();
  #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #heartbeatsAt = 0;
  readonly #counters: Counters;

  constructor(
    ctx: DurableObjectState,
    env: Environment,
    readonly kind: Kind,
    readonly openHost: (shell: Shell) => Host,
  ) {
    super(ctx, env);
    this.#counters = countersOf(kind, this.name, (env.JWT_SECRET ?? "").startsWith("dev-"));
    this.#counters.constructed += 1;
    // Answered by the runtime, without waking the object and without cost.
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    for (const socket of ctx.getWebSockets()) {
      // Sockets that are closing are listed, too (workerd, 2026-11). One that we closed has no attachment any more.
      if (socket.readyState === OPEN || socket.deserializeAttachment() !== null) this.#adopt(++this.#lastId, socket);
    }
  }

  get name(): string {
    return this.ctx.id.name ?? "";
  }

  get sql(): SqlStorage {
    return this.ctx.storage.sql;
  }

  sockets(): unknown[] {
    return [...this.#sockets].flatMap(([conn, socket]) => [conn, socket.deserializeAttachment()]);
  }

  entropy(): string {
    return crypto.randomUUID();
  }

  // ---- what happens ----

  override async fetch(request: Request): Promise<Response> {
    this.#counters.requests += 1;
    const ticket = ++this.#lastId;
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      const body = await request.text();
      return this.#answered(ticket, { kind: "call", ticket, body });
    }
    const { 0: client, 1: server } = new WebSocketPair();
    const body = request.headers.get(REQUEST_HEADER) ?? "";
    return this.#answered(ticket, { kind: "connect", ticket, conn: ticket, body }, { client, server });
  }

  override webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): void {
    const conn = this.#connOf.get(socket);
    // Of a socket that we have closed nothing is heard any more, whatever its client does.
    if (conn === undefined || !this.#sockets.has(conn)) return;
    this.#counters.frames_in += 1;
    // Too large is refused before it is copied into wasm memory, which never shrinks. Rust counts the exact bytes.
    const max = Number(this.env.FRAME_MAX_BYTES) || DEFAULT_FRAME_MAX_BYTES;
    if (typeof data === "string" && data.length <= max) this.#put({ kind: "frame", conn, text: withoutNul(data) });
    else this.#put({ kind: "badFrame", conn, binary: typeof data !== "string" });
  }

  override webSocketClose(socket: WebSocket, code: number, reason: string): void {
    answerClose(socket, code, reason);
    this.#gone(socket);
  }

  override webSocketError(socket: WebSocket): void {
    this.#gone(socket);
  }

  override alarm(): Promise<void> {
    this.#counters.alarms += 1;
    // The runtime tries an alarm again that failed.
    return new Promise((done, failed) => this.#put({ kind: "alarm", done, failed }));
  }

  #gone(socket: WebSocket): void {
    const conn = this.#connOf.get(socket);
    // It stays listed until the room has heard of it: a host that is opened first must find its attachment, which may
    // know a read mark that nobody else does.
    if (conn !== undefined && this.#sockets.has(conn)) this.#put({ kind: "closed", conn });
  }

  #answered(ticket: number, input: Input, pair?: Waiting["pair"]): Promise<Response> {
    return new Promise((resolve) => {
      this.#waiting.set(ticket, { resolve, pair });
      this.#put(input);
    });
  }

  /**
   * In a quiet room the turn is taken at once. In a lively one the first input asks for a turn at the next round of the
   * loop, and those that come until then share it: that is what many receivers live on. (A timer of 0 ms takes 0.03 to
   * 1.3 ms, by version of workerd: too long for a lone message.)
   */
  #put(input: Input): void {
    this.#inbox.push(input);
    if (this.#turnAsked) return;
    this.#turnAsked = true;
    const quiet = QUIET_MS + this.#sockets.size * QUIET_MS_PER_SOCKET;
    if (Date.now() - this.#turnAt >= quiet) this.#nextTurn();
    else setTimeout(() => this.#nextTurn(), 0);
  }

  // ---- the turn ----

  #nextTurn(): void {
    const inputs = this.#inbox.splice(0, INPUTS_PER_TURN);
    try {
      this.#turn(inputs);
    } catch (error) {
      this.#recover(inputs, error);
    } finally {
      this.#turnAt = Date.now();
      // What this very turn put in (a socket that could not be accepted) waits for the next, too.
      this.#turnAsked = this.#inbox.length > 0;
      if (this.#turnAsked) setTimeout(() => this.#nextTurn(), 0);
    }
  }

  #turn(inputs: Input[]): void {
    const effects = new Effects();
    this.ctx.storage.transactionSync(() => {
      const host = (this.#host ??= this.openHost(this));
      giveAll(host, inputs);
      this.#giveHeartbeats(host);
      host.turn(Date.now(), effects);
    });
    this.#counters.turns += 1;
    // Committed: from here on nothing may have the inputs tried again.
    for (const input of inputs) {
      if (input.kind === "alarm") input.done();
      if (input.kind === "closed") this.#sockets.delete(input.conn);
    }
    this.#carryOut(effects);
  }

  /** The runtime answers heartbeats without waking the object, but remembers when. */
  #giveHeartbeats(host: Host): void {
    const now = Date.now();
    if (now - this.#heartbeatsAt < HEARTBEATS_EVERY_MS || !host.heartbeats) return;
    this.#heartbeatsAt = now;
    const heard = [...this.#sockets].flatMap(([conn, socket]) => {
      const at = this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime();
      return at === undefined ? [] : [{ conn, at }];
    });
    if (heard.length === 0) return;
    host.heartbeats(Uint32Array.from(heard, ({ conn }) => conn), Float64Array.from(heard, ({ at }) => at));
  }

  /**
   * The turn failed and was rolled back. The host's memory may be wrong, so it is opened anew from storage and
   * attachments; the inputs are tried one by one, and the one that fails again is refused. After a trap the sockets
   * are closed too: their clients come back to a room that certainly agrees with them.
   */
  #recover(inputs: Input[], error: unknown): void {
    console.error(`turn failed: ${error instanceof Error ? error.message : String(error)}`);
    this.#host = undefined;
    let trapped = error instanceof WebAssembly.RuntimeError;
    for (const input of inputs) {
      try {
        if (inputs.length === 1) throw error;
        this.#turn([input]);
      } catch (again) {
        this.#host = undefined;
        trapped ||= again instanceof WebAssembly.RuntimeError;
        this.#refuse(input, again);
      }
    }
    if (!trapped) return;
    for (const [conn, socket] of this.#sockets) {
      quietly(() => socket.close(1011, "internal error"));
      this.#put({ kind: "closed", conn });
    }
    instanceLost();
  }

  #refuse(input: Input, error: unknown): void {
    if (input.kind === "call" || input.kind === "connect") {
      this.#waiting.get(input.ticket)?.resolve(internalError());
      this.#waiting.delete(input.ticket);
    } else if (input.kind === "alarm") {
      input.failed(error);
    } else if (input.kind === "frame") {
      const event = { type: "error", code: "internal", detail: "This could not be stored; please send it again." };
      const socket = this.#sockets.get(input.conn);
      quietly(() => socket?.send(JSON.stringify(this.#takesArrays(socket) ? [event] : event)));
    }
  }

  /** A client of the v1 protocol. There is no host to ask: only the session's attachment can tell. */
  #takesArrays(socket: WebSocket): boolean {
    const session: unknown = JSON.parse(String(socket.deserializeAttachment()));
    return typeof session === "object" && session !== null && (session as { dialect?: string }).dialect !== "classic";
  }

  // ---- effects ----

  #carryOut(effects: Effects): void {
    this.#counters.rows_read += effects.rowsRead;
    this.#counters.rows_written += effects.rowsWritten;
    for (const { ticket, conn, recheckMs } of effects.accepted) this.#accept(ticket, conn, recheckMs);
    for (const [conn, attachment] of effects.attachments) {
      quietly(() => this.#sockets.get(conn)?.serializeAttachment(attachment));
    }
    for (const { conns, frames } of effects.sends) this.#send(conns, frames);
    for (const { conn, code, reason } of effects.closes) {
      const socket = this.#sockets.get(conn);
      this.#sockets.delete(conn);
      quietly(() => socket?.serializeAttachment(null));
      quietly(() => socket?.close(code, reason));
    }
    for (const { ticket, answer } of effects.answers) {
      this.#waiting.get(ticket)?.resolve(response(answer));
      this.#waiting.delete(ticket);
    }
    if (effects.alarmAt !== undefined) {
      this.#counters.rows_written += 1; // billed as a row, though no cursor counts it
      void this.ctx.storage.setAlarm(effects.alarmAt);
    }
    if (effects.wakeAt !== undefined) this.#wakeAt(effects.wakeAt);
    for (const { project, body } of effects.questions) this.ctx.waitUntil(this.#askRoom(project, body));
    for (const { conn, token } of effects.verifications) void this.#verify(conn, token);
    if (effects.tells.length > 0) {
      const failed = (user: string): void => this.#put({ kind: "tellFailed", user });
      this.ctx.waitUntil(tellUsers(this.env.USERS, effects.tells, failed));
    }
  }

  /** A signature may take a question to the key server: the outcome comes in as an input of a later turn. */
  async #verify(conn: number, token: string): Promise<void> {
    let outcome = "";
    try {
      outcome = (await orLost(RoomHost.verifyToken(this.env, token, this.kind === "rooms" ? this.name : undefined))) ?? "";
    } catch {
      // said by the empty outcome
    }
    this.#put({ kind: "verified", conn, outcome });
  }

  /** Whatever comes of it is an input of a later turn. */
  async #askRoom(project: string, body: string): Promise<void> {
    let answer = { status: 0, body: "" };
    try {
      const response = await this.env.ROOMS.getByName(project).fetch("https://room/", { method: "POST", body });
      answer = { status: response.status, body: await response.text() };
    } catch {
      // said by the status
    }
    this.#put({ kind: "asked", project, ...answer });
  }

  #accept(ticket: number, conn: number, recheckMs?: number): void {
    const waiting = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    if (!waiting?.pair) return;
    try {
      this.ctx.acceptWebSocket(waiting.pair.server);
    } catch {
      waiting.resolve(internalError()); // the runtime takes no more sockets
      this.#put({ kind: "closed", conn });
      return;
    }
    this.#adopt(conn, waiting.pair.server);
    const headers = new Headers(recheckMs === undefined ? {} : { [RECHECK_HEADER]: String(recheckMs) });
    waiting.resolve(new Response(null, { status: 101, webSocket: waiting.pair.client, headers }));
  }

  #adopt(conn: number, socket: WebSocket): void {
    this.#sockets.set(conn, socket);
    this.#connOf.set(socket, conn);
  }

  /** Socket by socket, so that the frames of one leave in one write. */
  #send(conns: Uint32Array, frames: string[]): void {
    for (const conn of conns) {
      const socket = this.#sockets.get(conn);
      if (socket?.readyState !== OPEN) continue;
      this.#counters.frames_out += frames.length;
      quietly(() => {
        for (const frame of frames) socket.send(frame);
      });
    }
  }

  /** One timer, for the earliest moment asked for; it exists only while something is due within seconds. */
  #wakeAt(at: number): void {
    if (this.#wake && this.#wake.at <= at) return;
    if (this.#wake) clearTimeout(this.#wake.timer);
    const tick = (): void => {
      this.#wake = undefined;
      this.#put({ kind: "tick" });
    };
    this.#wake = { at, timer: setTimeout(tick, Math.max(0, at - Date.now())) };
  }
}

function response(answer: Answer): Response {
  const headers = new Headers({ "content-type": "application/json" });
  if (answer.recheckMs !== undefined) headers.set(RECHECK_HEADER, String(answer.recheckMs));
  if (answer.page !== undefined) headers.set(PAGE_HEADER, answer.page);
  if (answer.retryAfterMs !== undefined) headers.set("retry-after", String(Math.ceil(answer.retryAfterMs / 1000)));
  return new Response(answer.body, { status: answer.status, headers });
}

/** A socket may break between two lines; what is sent to it then goes nowhere, which its closing tells soon enough. */
function quietly(action: () => void): void {
  try {
    action();
  } catch {
    // closed meanwhile
  }
}
