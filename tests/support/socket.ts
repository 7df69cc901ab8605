import type { IncomingMessage } from "node:http";
import WebSocket from "ws";

import { within } from "./deadline.ts";
import type { Answer } from "./http.ts";

export type Id = number | string;

export interface Sender {
  id: Id;
  username: string;
  first_name: string;
  last_name: string;
  profile_pic: string | null;
}

export interface Message {
  id: number;
  client_message_id: string | null;
  project: Id;
  sender: Sender;
  content: string;
  attachment: null;
  created_at: string;
  read_at: string | null;
}

export type Event =
  | { type: "new.message"; message: Message }
  | { type: "typing"; user_id: Id; username: string; is_typing: boolean }
  | { type: "read_receipt"; user_id: Id; last_read_message_id: number; message_id: number; read_at: string }
  | { type: "message.updated"; message: Message & { edited_at: string } }
  | { type: "message.deleted"; id: number; message_id: number; deleted_by: Id; deleted_at: string }
  | { type: "error"; code: string; detail: string; client_message_id?: string; retry_after_ms?: number };

export interface Closed {
  code: number;
  reason: string;
}

/** The socket was refused before it opened. */
export class Refused extends Error {
  readonly status: number;
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`The socket was refused with ${answer.status}: ${answer.text}`);
    this.status = answer.status;
    this.answer = answer;
  }

  /** The envelope's machine word. */
  get code(): string | undefined {
    return this.answer.json?.code;
  }
}

const PATIENCE_MS = 5_000;
/** An empty message is answered to its sender alone, in order: so it tells when everything before it has arrived. */
const FENCE = "tests.fence";

/** One open WebSocket of a classic client. Nothing is sent that the test does not send. */
export class ChatSocket {
  /** Every frame received but fences and pongs, in order. */
  readonly events: Event[] = [];
  /** Every text received, as it came. */
  readonly texts: string[] = [];
  /** Set once the socket has closed. */
  closed: Closed | undefined;
  /** Frames that are no JSON object (there should never be any). */
  readonly strays: string[] = [];
  private readonly socket: WebSocket;
  private readonly watchers = new Set<() => void>();
  private fences = 0;
  private pongs = 0;
  private taken = 0;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data, isBinary) => this.receive(String(data), isBinary));
    socket.on("close", (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.wake();
    });
    socket.on("error", () => {});
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  // What a client does

  /** Sends a frame of any shape as JSON. */
  sends(frame: unknown): void {
    this.socket.send(JSON.stringify(frame));
  }

  /** Sends a text (or bytes: a binary frame) as it is. */
  sendsRaw(data: string | Uint8Array): void {
    this.socket.send(data);
  }

  /** Sends a message without waiting. Returns the client_message_id it went out with. */
  writes(content: string, clientMessageId: string = crypto.randomUUID()): string {
    this.sends({ type: "send_message", content, client_message_id: clientMessageId });
    return clientMessageId;
  }

  /** Sends a message and waits for its own echo. */
  async says(content: string, clientMessageId?: string): Promise<Message> {
    const id = this.writes(content, clientMessageId);
    return this.message((message) => message.client_message_id === id && message.content === content);
  }

  types(isTyping = true): void {
    this.sends({ type: "typing", is_typing: isTyping });
  }

  reads(message: { id: number } | number): void {
    this.sends({ type: "read", last_read_message_id: typeof message === "number" ? message : message.id });
  }

  /** Sends the heartbeat and waits for its answer. */
  async pings(): Promise<void> {
    const wanted = this.pongs + 1;
    this.sendsRaw("ping");
    await this.until("pong", () => this.pongs >= wanted || undefined);
  }

  /** Closes and waits until the close has been answered. */
  async leaves(code?: number, reason?: string): Promise<Closed> {
    this.socket.close(code, reason);
    return this.closes();
  }

  /** Cuts the connection without a close frame. */
  drops(): void {
    this.socket.terminate();
  }

  // What a client hears

  /** The first event for which `is` holds, already received or still to come. */
  event<E extends Event>(what: string, is: (event: Event) => event is E, ms?: number): Promise<E>;
  event(what: string, is: (event: Event) => boolean, ms?: number): Promise<Event>;
  event(what: string, is: (event: Event) => boolean, ms = PATIENCE_MS): Promise<Event> {
    return this.until(what, () => this.events.find(is), ms);
  }

  /** The first message for which `is` holds (or with this content). */
  async message(is: string | ((message: Message) => boolean), ms?: number): Promise<Message> {
    const fits = typeof is === "string" ? (message: Message) => message.content === is : is;
    const found = await this.event(
      typeof is === "string" ? `message ${JSON.stringify(is)}` : "a certain message",
      (event) => event.type === "new.message" && fits(event.message),
      ms,
    );
    return (found as { message: Message }).message;
  }

  /** Waits for the `error` event with this code word. Each call takes the next one of that word. */
  async error(code: string, ms?: number): Promise<Extract<Event, { type: "error" }>> {
    return this.until(`error ${code}`, () => {
      const index = this.events.findIndex((event, at) => at >= this.taken && event.type === "error" && event.code === code);
      if (index < 0) return undefined;
      this.taken = index + 1;
      return this.events[index] as Extract<Event, { type: "error" }>;
    }, ms);
  }

  /** Waits until this line is in the timeline. */
  async hears(line: string, ms?: number): Promise<void> {
    await this.until(JSON.stringify(line), () => this.lines().includes(line) || undefined, ms);
  }

  /** Waits until the socket has closed. */
  closes(ms = PATIENCE_MS): Promise<Closed> {
    return this.until("the close", () => this.closed, ms);
  }

  /** Waits until everything that the room did before this call has arrived. */
  async settled(): Promise<void> {
    const wanted = this.fences + 1;
    this.sends({ type: "send_message", content: "", client_message_id: FENCE });
    await this.until("the fence's answer", () => this.fences >= wanted || undefined);
  }

  /**
   * What this socket has heard, one line each, once everything has arrived:
   * `bob: hello`, `bob types`, `bob stops typing`, `bob read "hello"`, `error content_empty`.
   */
  async timeline(): Promise<string[]> {
    await this.settled();
    return this.lines();
  }

  /** As `timeline()`, without waiting. */
  lines(): string[] {
    const name = (id: Id) => Object.entries(this.names).find(([, known]) => String(known) === String(id))?.[0] ?? String(id);
    const contents = new Map<number, string>();
    return this.events.map((event) => {
      switch (event.type) {
        case "new.message":
          contents.set(event.message.id, event.message.content);
          return `${name(event.message.sender.id)}: ${event.message.content}`;
        case "typing":
          return `${name(event.user_id)} ${event.is_typing ? "types" : "stops typing"}`;
        case "read_receipt": {
          const content = contents.get(event.last_read_message_id);
          return `${name(event.user_id)} read ${content === undefined ? `#${event.last_read_message_id}` : JSON.stringify(content)}`;
        }
        case "message.updated":
          return `#${event.message.id} says ${JSON.stringify(event.message.content)}`;
        case "message.deleted":
          return `#${event.id} deleted by ${name(event.deleted_by)}`;
        case "error":
          return `error ${event.code}`;
        default:
          return `unknown ${JSON.stringify(event)}`;
      }
    });
  }

  /** Names for the ids in `hears` and `timeline`; set by `Person.connects`. */
  names: Record<string, Id> = {};

  private receive(text: string, isBinary: boolean): void {
    if (text === "pong") {
      this.pongs++;
    } else {
      this.texts.push(text);
      const event = isBinary ? undefined : parsed(text);
      if (event === undefined) this.strays.push(text);
      else if (event.type === "error" && event.client_message_id === FENCE) this.fences++;
      else this.events.push(event);
    }
    this.wake();
  }

  private wake(): void {
    for (const watcher of [...this.watchers]) watcher();
  }

  /** Resolves as soon as `found` answers something; fails when it is too late or the socket closes without it. */
  private until<T>(what: string, found: () => T | undefined, ms = PATIENCE_MS): Promise<T> {
    const now = found();
    if (now !== undefined) return Promise.resolve(now);
    let watcher = () => {};
    const come = new Promise<T>((done, fail) => {
      watcher = () => {
        const value = found();
        if (value !== undefined) {
          this.watchers.delete(watcher); // before the next frame of the same packet: `found` may take what it finds
          done(value);
        } else if (this.closed) fail(new Error(`Closed with ${this.closed.code} before ${what} came. ${this.told()}`));
      };
      this.watchers.add(watcher);
      if (this.closed) watcher();
    });
    return within(ms, () => `${what}. ${this.told()}`, come).finally(() => this.watchers.delete(watcher));
  }

  private told(): string {
    const lines = this.lines();
    return `Heard so far (${lines.length}): ${lines.slice(-20).join(" | ") || "nothing"}`;
  }
}

/**
 * Options of the sockets that stand for a browser's. Once both close frames have gone, a browser waits for the
 * connection to end, but not long: workerd keeps it until the object sleeps when the server closed a socket that had
 * never sent anything (workerd 1.20261023).
 */
export const LIKE_A_BROWSER = { perMessageDeflate: false, followRedirects: false, closeTimeout: 1_000 };

export interface OpenOptions {
  protocols?: string[];
  headers?: Record<string, string>;
  timeout?: number;
}

/** Opens a WebSocket at a `ws://` address. Fails with {@link Refused} when the answer is an HTTP status. */
export function open(url: string, options: OpenOptions = {}): Promise<ChatSocket> {
  const { protocols = [], headers = {}, timeout = 10_000 } = options;
  const socket = new WebSocket(url, protocols, { headers, ...LIKE_A_BROWSER });
  const chat = new ChatSocket(socket);
  const opened = new Promise<ChatSocket>((done, fail) => {
    socket.once("open", () => done(chat));
    socket.once("error", fail);
    socket.once("unexpected-response", (_request, response) => {
      read(response).then((answer) => {
        fail(new Refused(answer));
        socket.terminate();
      }, fail);
    });
  });
  opened.catch(() => socket.terminate());
  return within(timeout, `a socket at ${url.split("?")[0]}`, opened);
}

/** Expects the opening of a socket to be refused and returns the refusal. */
export async function refusal(opening: Promise<ChatSocket>): Promise<Refused> {
  try {
    const socket = await opening;
    socket.drops();
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
  throw new Error("The socket opened, but should have been refused.");
}

async function read(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return { status: response.statusCode ?? 0, headers: response.headers, text, json: parsed(text) };
}

function parsed(text: string): any {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
