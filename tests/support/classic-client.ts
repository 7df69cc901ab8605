import WebSocket from "ws";

import { within } from "./deadline.ts";
import { call, type Answer } from "./http.ts";
import { LIKE_A_BROWSER, type Id, type Message } from "./socket.ts";

/** What such a client keeps of a message, from a frame or from the history. */
export interface Shown {
  id: number;
  clientMessageId: string | null;
  sender: Id;
  content: string;
  readAt: string | null;
}

export interface ClassicOptions {
  /** `ws://127.0.0.1:8000`: VITE_WS_BASE_URL. */
  wsBase: string;
  /** `http://127.0.0.1:8000/`, with the slash: VITE_API_BASE_URL. */
  apiBase: string;
  token: string;
  project: Id;
  /** The user's id as their backend gives it: compared with `===`. */
  me: Id;
}

const MAX_RECONNECT_ATTEMPTS = 5;
const CONTACTS_EVERY_MS = 30_000;

/**
 * A front end that spoke to Django Channels yesterday, written from section 1 of the design and nothing else. It
 * knows no heartbeat, no close codes and no sequence numbers, and does what such clients really do:
 *
 * - it reconnects on any close, after 1 s, 2 s, 4 s … with the token it first had, gives up after 5 failures in a
 *   row, and starts counting anew whenever a socket opens;
 * - it fetches the history once, before it connects, and not again;
 * - it drops what it has already by `id` or `client_message_id`;
 * - it sends `read` for the newest message on every render, needed or not;
 * - it shows its own messages when their echo comes, and polls its contacts every 30 s.
 */
export class ClassicClient {
  /** The list on the screen, oldest first. */
  readonly messages: Shown[] = [];
  contacts: any[] = [];
  /** Who is shown as typing. */
  readonly typing = new Set<Id>();
  /** The badge of the open conversation. */
  unread = 0;
  /** How often a socket has opened, and how often one was tried. */
  opened = 0;
  tried = 0;
  gaveUp = false;
  /** What arrived before dedupe, by message id. */
  readonly arrivals: number[] = [];
  private readonly options: ClassicOptions;
  private socket: WebSocket | undefined;
  private attempts = 0;
  private left = false;
  private retry: NodeJS.Timeout | undefined;
  private poll: NodeJS.Timeout | undefined;
  private readonly watchers = new Set<() => void>();

  constructor(options: ClassicOptions) {
    this.options = options;
  }

  /** The page is opened: contacts, history, socket. */
  async visits(): Promise<void> {
    await this.fetchContacts();
    await this.fetchHistory();
    this.connect();
    this.poll = setInterval(() => void this.fetchContacts().catch(() => {}), CONTACTS_EVERY_MS);
    await this.waits("the socket to open", () => this.opened > 0);
  }

  /** Opens the socket and nothing else. */
  connect(): void {
    const { wsBase, project, token } = this.options;
    this.tried++;
    const socket = new WebSocket(`${wsBase}/ws/chat/project/${project}/?token=${token}`, LIKE_A_BROWSER);
    this.socket = socket;
    socket.on("open", () => {
      this.opened++;
      this.attempts = 0;
      this.render();
    });
    socket.on("message", (data) => this.receive(JSON.parse(String(data))));
    socket.on("error", () => {});
    socket.on("close", () => this.reconnect());
  }

  /** Sends a message; it appears when its echo comes. */
  sends(content: string, clientMessageId = `${Date.now()}-${Math.random()}`): string {
    this.frame({ type: "send_message", content, client_message_id: clientMessageId });
    return clientMessageId;
  }

  types(isTyping: boolean): void {
    this.frame({ type: "typing", is_typing: isTyping });
  }

  /** The tab is closed. */
  leaves(): void {
    this.left = true;
    clearTimeout(this.retry);
    clearInterval(this.poll);
    this.socket?.terminate();
  }

  get isOpen(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** The texts on the screen. */
  get screen(): string[] {
    return this.messages.map((message) => message.content);
  }

  async fetchContacts(): Promise<any[]> {
    const answer = await this.get("api/chat/contacts/");
    if (answer.status !== 200) throw new Error(`contacts: ${answer.status} ${answer.text}`);
    this.contacts = answer.json;
    this.unread = this.contacts.find((contact) => contact.id === this.options.project)?.unread_count ?? this.unread;
    return this.contacts;
  }

  private async fetchHistory(): Promise<void> {
    const answer = await this.get(`api/projects/${this.options.project}/chat/messages/`);
    if (answer.status !== 200) throw new Error(`messages: ${answer.status} ${answer.text}`);
    for (const row of [...answer.json].reverse()) {
      this.add({
        id: row.id,
        clientMessageId: row.client_message_id,
        sender: row.sender,
        content: row.content,
        readAt: row.read_at,
      });
    }
  }

  private get(path: string): Promise<Answer> {
    return call(this.options.apiBase + path, { token: this.options.token });
  }

  private receive(event: any): void {
    if (event.type === "new.message") {
      const { id, client_message_id, sender, content, read_at } = event.message as Message;
      this.arrivals.push(id);
      this.typing.delete(sender.id);
      this.add({ id, clientMessageId: client_message_id, sender: sender.id, content, readAt: read_at });
      if (sender.id !== this.options.me) this.unread++;
    } else if (event.type === "typing") {
      if (event.is_typing) this.typing.add(event.user_id);
      else this.typing.delete(event.user_id);
    } else if (event.type === "read_receipt") {
      if (event.user_id === this.options.me) this.unread = 0;
      for (const message of this.messages) {
        const seen = message.id <= event.last_read_message_id && message.sender !== event.user_id;
        if (seen) message.readAt ??= event.read_at;
      }
    }
    this.render();
  }

  private add(message: Shown): void {
    const known = this.messages.some(
      ({ id, clientMessageId }) => id === message.id || (!!clientMessageId && clientMessageId === message.clientMessageId),
    );
    if (!known) this.messages.push(message);
  }

  /** Every render tells the server that the newest message has been read. */
  private render(): void {
    const newest = this.messages.at(-1);
    if (newest && this.isOpen) this.frame({ type: "read", last_read_message_id: newest.id });
    for (const watcher of [...this.watchers]) watcher();
  }

  private frame(frame: unknown): void {
    this.socket?.send(JSON.stringify(frame));
  }

  private reconnect(): void {
    if (this.left) return;
    if (this.attempts >= MAX_RECONNECT_ATTEMPTS) this.gaveUp = true;
    else this.retry = setTimeout(() => this.connect(), 1000 * 2 ** this.attempts++);
    for (const watcher of [...this.watchers]) watcher();
  }

  /** Waits until `is` holds; asked again whenever anything changes. */
  waits(what: string, is: () => boolean, ms = 10_000): Promise<void> {
    if (is()) return Promise.resolve();
    let watcher = () => {};
    const come = new Promise<void>((done) => {
      watcher = () => is() && done();
      this.watchers.add(watcher);
    });
    const told = () => `${what}. On the screen: ${this.screen.slice(-10).join(" | ")}`;
    return within(ms, told, come).finally(() => this.watchers.delete(watcher));
  }
}
