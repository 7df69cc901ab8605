import WebSocket from "ws";

import { within } from "./deadline.ts";
import { LIKE_A_BROWSER, type Closed, type Id, type Message } from "./socket.ts";
import type { Person } from "./world.ts";

/** The subprotocol by which a client says that it speaks v1. */
export const V1 = "project-chat.v1";

/** An event of the v1 dialect; which fields it has depends on its type. */
export interface Event {
  type: string;
  seq?: number;
  ref?: string;
  [field: string]: any;
}

export interface JoinOptions {
  token?: string;
  /** Where the client left off. */
  since?: number | undefined;
  epoch?: string | undefined;
  /** Offered beside `project-chat.v1`. */
  protocols?: string[];
  /** Pull the rest by itself when the server has more of the log, or a hole shows. Default: yes. */
  pulls?: boolean;
  /** Confirm what was received (`seen`) as often as the server asks for it. Default: yes. */
  confirms?: boolean;
}

/** An `error` that answered a frame. */
export class FrameRefused extends Error {
  readonly event: Event;

  constructor(event: Event) {
    super(`${event["code"]}: ${event["detail"]}`);
    this.event = event;
  }
}

const PATIENCE_MS = 5_000;

/**
 * A client of the v1 protocol, complete and small: it keeps the log it has been given and its place in it, over as many
 * connections as it takes.
 *
 * ```ts
 * const [a, b] = [await joins(alice), await joins(bob)];
 * await a.says("hello");
 * await b.hears("alice: hello");
 * expect(await b.asks({ type: "search", query: "hell" })).toMatchObject({ messages: [{ content: "hello" }] });
 * b.drops();
 * await b.comesBack();                       // ?since=&epoch=
 * expect([b.holes, b.repeats]).toEqual([0, 0]);
 * ```
 */
export class V1Client {
  readonly person: Person;
  /** The latest `hello`. */
  hello: Event | undefined;
  epoch: string | undefined;
  /** The newest position of the log that this client has. */
  seq = 0;
  /** Events of the log, in the order of their positions. */
  readonly log: Event[] = [];
  /** Every event as it arrived, those inside of a `hello` or `resume` excepted. */
  readonly events: Event[] = [];
  /** How often an event of the log came whose predecessor was missing; and how often one that was there already. */
  holes = 0;
  repeats = 0;
  /** Chunks of the log that were pulled. */
  pulled = 0;
  closed: Closed | undefined;
  /** Frames that are no JSON array of events (there should never be any). */
  readonly strays: string[] = [];
  /** Frames in all. */
  frames = 0;
  private readonly options: JoinOptions;
  private socket: WebSocket | undefined;
  private pulling = false;
  private confirmed = 0;
  private refs = 0;
  private taken = new Set<Event>();
  private readonly watchers = new Set<() => void>();

  constructor(person: Person, options: JoinOptions = {}) {
    this.person = person;
    this.options = options;
  }

  // What a client does

  /** Opens a socket where the client left off, if it was here before. Resolves when the upgrade is done. */
  async opens(options: JoinOptions = this.options): Promise<void> {
    const { token = this.person.token(), since, epoch, protocols = [] } = options;
    const query = new URLSearchParams(token === "" ? {} : { token });
    if (since !== undefined) query.set("since", String(since));
    if (epoch !== undefined) query.set("epoch", epoch);
    const base = this.person.socketUrl("").split("?")[0];
    const socket = new WebSocket(`${base}?${query}`, [V1, ...protocols], LIKE_A_BROWSER);
    this.socket = socket;
    [this.closed, this.hello, this.pulling] = [undefined, undefined, false];
    socket.on("message", (data) => this.receive(String(data)));
    socket.on("close", (code, reason) => {
      if (this.socket !== socket) return;
      this.closed = { code, reason: reason.toString() };
      this.wake();
    });
    const opened = new Promise<void>((done, fail) => {
      socket.once("open", done);
      socket.once("error", fail);
    });
    socket.on("error", () => {});
    await within(10_000, "a v1 socket", opened);
  }

  /** Connects again and waits until it has all that was missed. */
  async comesBack(options: JoinOptions = {}): Promise<this> {
    await this.opens({ since: this.seq, epoch: this.epoch, ...options });
    await this.isLive();
    return this;
  }

  /** Sends a frame of any shape as JSON. */
  sends(frame: Record<string, unknown>): void {
    this.socket?.send(JSON.stringify(frame));
  }

  /** Sends a text (or bytes: a binary frame) as it is. */
  sendsRaw(data: string | Uint8Array): void {
    this.socket?.send(data);
  }

  /** Sends a frame and waits for the event that answers it; fails with {@link FrameRefused}. */
  async asks(frame: Record<string, unknown>, ms?: number): Promise<Event> {
    const ref = `r${++this.refs}`;
    this.sends({ ...frame, ref });
    const answer = await this.event(`an answer to ${frame["type"]}`, (event) => event.ref === ref, ms);
    if (answer.type === "error") throw new FrameRefused(answer);
    return answer;
  }

  /** The code word by which a frame is refused. */
  async refused(frame: Record<string, unknown>): Promise<string> {
    try {
      const { type } = await this.asks(frame);
      return `not refused, but answered with ${type}`;
    } catch (error) {
      if (error instanceof FrameRefused) return error.event["code"];
      throw error;
    }
  }

  /** Sends a message without waiting. Returns the client_message_id that it went out with. */
  writes(content: string, more: Record<string, unknown> = {}): string {
    const client_message_id = (more["client_message_id"] as string) ?? crypto.randomUUID();
    this.sends({ type: "send_message", content, client_message_id, ...more });
    return client_message_id;
  }

  /** Sends a message and waits for it to come back. */
  async says(content: string, more: Record<string, unknown> = {}): Promise<Message & Record<string, any>> {
    const id = this.writes(content, more);
    const about = (event: Event) => event["message"]?.client_message_id === id || event["client_message_id"] === id;
    const event = await this.event(`${JSON.stringify(content)} to come back`, about);
    if (event.type === "error") throw new FrameRefused(event);
    return event["message"];
  }

  /** Sends the heartbeat and waits for its answer. */
  async pings(): Promise<void> {
    const before = this.strays.length;
    this.sendsRaw("ping");
    await this.until("pong", () => (this.strays.length > before ? true : undefined));
    this.strays.splice(before, 1);
  }

  /** Closes and waits until the close has been answered. */
  leaves(): Promise<Closed> {
    this.socket?.close();
    return this.closes();
  }

  /** Cuts the connection without a close frame. */
  drops(): void {
    const socket = this.socket;
    this.socket = undefined;
    socket?.terminate();
  }

  get isOpen(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  // What a client hears

  /** The first event for which `is` holds, already received or still to come. */
  event(what: string, is: (event: Event) => boolean, ms?: number): Promise<Event> {
    let looked = 0;
    return this.until(what, () => {
      while (looked < this.events.length) {
        const event = this.events[looked++] as Event;
        if (is(event)) return event;
      }
      return undefined;
    }, ms);
  }

  /** The next event of this type; each call takes another one. */
  async next(type: string, ms?: number): Promise<Event> {
    const found = await this.event(type, (event) => event.type === type && !this.taken.has(event), ms);
    this.taken.add(found);
    return found;
  }

  /** The newest event of this type, of those that have come already. */
  last(type: string): Event | undefined {
    return this.events.findLast((event) => event.type === type);
  }

  /** Waits for `hello` and for everything that was missed. */
  async isLive(ms = 60_000): Promise<void> {
    await this.until("the log's end", () => (this.hello && !this.pulling ? true : undefined), ms);
  }

  /** Waits until this client has the log up to a position. */
  async reaches(seq: number, ms = 20_000): Promise<void> {
    await this.until(`position ${seq}, beyond ${this.seq}`, () => (this.seq >= seq ? true : undefined), ms);
  }

  /** Waits until this line is in the timeline. */
  async hears(line: string, ms?: number): Promise<void> {
    let looked = 0;
    await this.until(JSON.stringify(line), () => {
      while (looked < this.events.length) {
        if (this.line(this.events[looked++] as Event) === line) return true;
      }
      return undefined;
    }, ms);
  }

  closes(ms = PATIENCE_MS): Promise<Closed> {
    return this.until("the close", () => this.closed, ms);
  }

  /** Waits until everything that the room did before this call has arrived. */
  async settled(): Promise<void> {
    await this.asks({ type: "seen", seq: this.seq });
  }

  /** As `settled()`, and forgets all of it: timelines and waiting begin here. */
  async forgets(): Promise<void> {
    await this.settled();
    this.events.length = 0;
  }

  /** What this client has heard, one line each, once everything has arrived. */
  async timeline(): Promise<string[]> {
    await this.settled();
    return this.lines();
  }

  /** As `timeline()`, without waiting. Answers to the client's own questions are left out. */
  lines(from = 0): string[] {
    return this.events.slice(from).filter((event) => event.type !== "hello" && !event.ref).map((event) => this.line(event));
  }

  private line(event: Event): string {
    const name = (id: Id) => Object.entries(this.person.names).find(([, known]) => String(known) === String(id))?.[0] ?? String(id);
    const names = (people: { id: Id }[]) => people.map(({ id }) => name(id)).join(", ");
    switch (event.type) {
      case "new.message":
        return `${name(event["message"].sender.id)}: ${event["message"].content}`;
      case "message.updated":
        return `#${event["id"]} says ${JSON.stringify(event["content"])}`;
      case "message.deleted":
        return `#${event["id"]} deleted by ${name(event["deleted_by"])}`;
      case "reaction":
        return `${name(event["user_id"])} ${event["on"] ? "+" : "-"}${event["emoji"]} #${event["message_id"]}: ${event["count"]}`;
      case "pin":
        return `${name(event["user_id"])} ${event["on"] ? "pins" : "unpins"} #${event["message_id"]}`;
      case "typing":
        return `typing: ${names(event["users"]) || "nobody"}`;
      case "read_receipt":
        return event["receipts"].map((each: any) => `${name(each.user_id)} read #${each.last_read_message_id}`).join(", ");
      case "presence":
        return event["users"] ? event["users"].map((user: any) => `${name(user.id)} ${user.status}`).join(", ") : `${event["present"]} present`;
      case "member":
        return `member ${name(event["member"].id)}, ${event["member"].role}`;
      case "member.left":
        return `${name(event["user_id"])} is no member`;
      case "unread":
        return `unread ${event["unread"].count}`;
      case "error":
        return `error ${event["code"]}`;
      case "resync":
        return `resync: ${event["reason"]}`;
      default:
        return event.type;
    }
  }

  // The log

  private receive(text: string): void {
    this.frames++;
    const events = parsed(text);
    if (events === undefined) this.strays.push(text);
    for (const event of events ?? []) this.take(event);
    this.wake(); // once per frame: what belongs together is seen together
  }

  private take(event: Event): void {
    if (event.type === "hello") {
      this.hello = event;
      this.epoch = event["epoch"];
      if (event["events"]) this.apply(event["events"]);
      this.arrive(event);
    } else if (event.type === "resume") {
      this.pulled++;
      this.apply(event["events"]);
      this.arrive(event);
    } else if (event.type === "resync") {
      [this.seq, this.confirmed] = [0, 0];
      this.log.length = 0;
    } else if (typeof event.seq === "number" && event.type !== "ack") {
      if (event.seq > this.seq + 1) {
        this.holes++;
        this.pull();
      } else {
        this.apply([event]);
      }
    }
    this.events.push(event);
    const every = this.hello?.["limits"]?.seen_every ?? 500;
    if (this.options.confirms !== false && this.seq - this.confirmed >= every) {
      this.confirmed = this.seq;
      this.sends({ type: "seen", seq: this.seq });
    }
  }

  private apply(events: Event[]): void {
    for (const event of events) {
      const seq = event.seq ?? 0;
      if (seq <= this.seq) {
        this.repeats++;
      } else {
        this.log.push(event);
        this.seq = seq;
      }
    }
  }

  /** Here the server says up to where its answer brings us: never below what we have. */
  private arrive({ seq = 0, more }: Event): void {
    this.seq = Math.max(this.seq, seq);
    this.pulling = false;
    if (more) this.pull();
  }

  private pull(): void {
    if (this.pulling || this.options.pulls === false) return;
    this.pulling = true;
    this.sends({ type: "resume", after: this.seq });
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
          this.watchers.delete(watcher);
          done(value);
        } else if (this.closed) fail(new Error(`Closed with ${this.closed.code} before ${what} came. ${this.told()}`));
      };
      this.watchers.add(watcher);
      if (this.closed) watcher();
    });
    return within(ms, () => `${what}. ${this.told()}`, come).finally(() => this.watchers.delete(watcher));
  }

  private told(): string {
    return `Heard so far (${this.events.length}): ${this.lines(Math.max(0, this.events.length - 20)).join(" | ") || "nothing"}`;
  }
}

/** Opens a v1 socket and waits for `hello` and for all that was missed. */
export async function joins(person: Person, options: JoinOptions = {}): Promise<V1Client> {
  const client = new V1Client(person, options);
  client.seq = options.since ?? 0;
  await client.opens();
  if (options.pulls === false) await client.next("hello");
  else await client.isLive();
  return client;
}

/** Opens a v1 socket that is to be refused: what it is told, and how it is closed. */
export async function turnedAway(person: Person, options: JoinOptions = {}): Promise<{ error: Event | undefined } & Closed> {
  const client = new V1Client(person, options);
  await client.opens();
  const closed = await client.closes();
  return { error: client.events.find((event) => event.type === "error"), ...closed };
}

function parsed(text: string): Event[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? (value as Event[]) : undefined;
  } catch {
    return undefined;
  }
}
