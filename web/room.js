// One room over the classic protocol: its socket, its messages, who has read them. It knows no page.

const RECONNECTS = 5;
const TYPING_EVERY_MS = 2000;
const TYPING_RESTS_MS = 5000;
const TYPING_EXPIRES_MS = 7000;
const READ_EVERY_MS = 1000;

/** An id as it is on the wire: a number where it is a decimal integer, text otherwise. */
export const toId = (text) => (/^(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : text);

/** How users are shown, by id; filled by whatever names them. */
export const people = new Map();
export const nameOf = (id) => people.get(id)?.name ?? `User ${id}`;
export function meet({ id, username, first_name, last_name, profile_pic }) {
  people.set(id, { name: [first_name, last_name].filter(Boolean).join(" ") || username, picture: profile_pic });
}

/** Why something cannot be done. `final`: trying again changes nothing. */
export class Problem extends Error {
  constructor(text, { final = false, code } = {}) {
    super(text);
    Object.assign(this, { final, code });
  }
}

/** A call with the session's token. Gives the answer, and whether `Link` names another page. */
export async function call({ server, token }, path, body) {
  const request = token
    ? { headers: { Authorization: `Bearer ${token}` } }
    : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(new URL(path, server), request).catch(() => undefined);
  if (!response) throw await silence(server);
  const answer = await response.json().catch(() => undefined);
  if (!response.ok || answer === undefined) throw refusal(server, response.status, answer);
  return { answer, more: /rel="next"/.test(response.headers.get("Link") ?? "") };
}

/** No answer that this page may read: because nobody is there, or because it may not. */
async function silence(server) {
  const { origin } = new URL(server);
  const elsewhere = origin !== location.origin;
  const there = elsewhere && (await fetch(server, { mode: "no-cors" }).then(() => true, () => false));
  if (!there) return new Problem(`${origin} does not answer.`);
  const text = `CORS: ${origin} is there, but lets no page of ${location.origin} read its answers (ALLOWED_ORIGINS).`;
  return new Problem(text, { final: true });
}

function refusal(server, status, envelope) {
  if (!envelope?.code) {
    const text = `Wrong URL: something else answers at ${new URL(server).origin} (status ${status}).`;
    return new Problem(text, { final: status < 500 });
  }
  const { code, detail } = envelope;
  const what = { 401: "Token refused: ", 403: "No access: ", 404: "Not found: " }[status] ?? "";
  const hint = { token_expired: " Sign in again.", not_found: " Is the project's id right?" }[code] ?? "";
  const final = [400, 401, 403, 404].includes(status);
  return new Problem(`${what}${detail}${hint} (${status} ${code})`, { final, code });
}

/** One project's conversation: its history, its socket, and what has still to be sent. */
export class Room {
  /** Oldest first; what has no `id` yet has not been confirmed, and stands last. */
  items = [];
  hasOlder = false;
  loaded = false;
  /** `state`: connecting, open, waiting, stopped (after too many tries, or by the server) or refused (never let in). */
  status = { state: "connecting", text: "Connecting…" };
  /** User id → the newest message they are known to have read. */
  marks = new Map();
  /** User id → the timer that ends it. */
  typists = new Map();
  /** Somebody new is here: the contacts may look different, and name who has only read so far. */
  hasStranger = false;

  #tries = 0;
  #everOpen = false;
  #newestBefore;
  #toldRead = 0;
  #typing = { on: false, at: 0 };

  constructor(project, session, changed) {
    Object.assign(this, { project, session, changed });
    this.connect();
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  get newest() {
    return this.items.findLast((item) => item.id);
  }

  connect() {
    clearTimeout(this.retry);
    this.#says("connecting", "Connecting…");
    const url = new URL(`ws/chat/project/${encodeURIComponent(this.project)}/`, this.session.server);
    url.protocol = url.protocol.replace("http", "ws");
    url.searchParams.set("token", this.session.token);
    const socket = (this.socket = new WebSocket(url));
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.#opened();
    };
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = ({ code, reason }) => this.#closed(opened, code, reason);
  }

  /** As asked for by a person: with all its tries again. */
  reconnect() {
    this.#tries = 0;
    this.connect();
  }

  leave() {
    this.left = true;
    const timers = [this.retry, this.readTimer, this.restTimer, this.typesTimer, ...this.typists.values()];
    for (const timer of timers) clearTimeout(timer);
    if (!this.socket) return;
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
  }

  send(content) {
    const clientId = `${Date.now()}-${Math.random().toString(36).slice(2, 10)}`;
    const item = { key: `mine ${clientId}`, clientId, content, mine: true, sender: this.session.id, at: new Date() };
    this.items.push(item);
    // A message ends its sender's typing; a frame is not needed for that.
    this.#typing.on = false;
    this.#rests();
    this.transmit(item);
  }

  /** The same again, after it was refused: the server knows it by its `client_message_id`. */
  transmit(item) {
    item.problem = undefined;
    if (this.isOpen) this.#frame({ type: "send_message", content: item.content, client_message_id: item.clientId });
    this.changed();
  }

  discard(item) {
    this.items = this.items.filter((other) => other !== item);
    this.changed();
  }

  /** Something was typed; `text` is all that stands there now. */
  types(text) {
    if (!text.trim()) return this.#rests();
    clearTimeout(this.restTimer);
    this.restTimer = setTimeout(() => this.#rests(), TYPING_RESTS_MS);
    const wait = this.#typing.at + TYPING_EVERY_MS - Date.now();
    if (wait <= 0) this.#typesNow();
    else if (!this.#typing.on) this.typesTimer ??= setTimeout(() => this.#typesNow(), wait);
  }

  /** The newest message has been seen. */
  read() {
    const { id } = this.newest ?? {};
    if (!id || id <= this.#toldRead || !this.isOpen || this.readTimer) return;
    this.#toldRead = id;
    this.#frame({ type: "read", last_read_message_id: id });
    this.readTimer = setTimeout(() => {
      this.readTimer = undefined;
      this.changed();
    }, READ_EVERY_MS);
  }

  async loadOlder() {
    const oldest = this.items.find((item) => item.id)?.id;
    const { answer, more } = await this.#page(`?before_id=${oldest}`);
    this.hasOlder = more;
    this.#merge(answer);
    this.changed();
  }

  /** The newest page. When it does not reach what is here, what is here goes: a hole would look like silence. */
  async #load() {
    const { answer, more } = await this.#page("");
    const reaches = !more || answer.some((row) => row.id <= this.#newestBefore);
    if (!reaches) this.items = this.items.filter((item) => !item.id || item.id >= answer.at(-1).id);
    if (!reaches || !this.loaded) this.hasOlder = more;
    this.loaded = true;
    this.#merge(answer);
    this.changed();
  }

  #page(query) {
    return call(this.session, `api/projects/${encodeURIComponent(this.project)}/chat/messages/${query}`);
  }

  #opened() {
    this.#everOpen = true;
    this.#tries = 0;
    this.#toldRead = 0;
    this.#says("open", "Connected");
    for (const item of this.items) if (!item.id && !item.problem) this.transmit(item);
    this.#load().catch((problem) => this.#says("open", `Connected, but without the history. ${problem.message}`));
  }

  async #closed(opened, code, reason) {
    this.socket = undefined;
    this.#newestBefore = this.newest?.id;
    for (const user of [...this.typists.keys()]) this.#typed(user, false);
    // 4500 to 4999: not to be tried again.
    if (code >= 4500 && code < 5000) return this.#says("stopped", `Ended by the server: ${reason} (${code}).`);

    const goesOn = this.#tries < RECONNECTS;
    const wait = 1000 * 2 ** this.#tries++;
    if (goesOn) this.retry = setTimeout(() => this.connect(), wait);
    const plan = goesOn ? `Trying again in ${wait / 1000} s (${this.#tries} of ${RECONNECTS}).` : "No more tries.";
    const says = (why) => this.#says(goesOn ? "waiting" : "stopped", `${why} ${plan}`);
    says("Not connected.");
    if (opened) return;

    // A script is not told why its socket was refused. The same question over HTTP is answered in words.
    const beganAs = this.status;
    const problem = await this.#load().catch((problem) => problem);
    if (this.left || this.status !== beganAs) return;
    if (problem?.final && !this.#everOpen) {
      clearTimeout(this.retry);
      return this.#says("refused", problem.message);
    }
    says(problem?.message ?? "Calls are answered, but WebSockets are refused: too many, or a proxy in between.");
  }

  #says(state, text) {
    this.status = { state, text };
    this.changed();
  }

  #frame(frame) {
    this.socket.send(JSON.stringify(frame));
  }

  #receive(event) {
    if (event.type === "new.message") {
      this.#typed(event.message.sender.id, false);
      this.#merge([event.message]);
    } else if (event.type === "typing") {
      if (!people.has(event.user_id)) meet({ id: event.user_id, username: event.username });
      this.#typed(event.user_id, event.is_typing);
    } else if (event.type === "read_receipt") {
      this.#marked(event.user_id, event.last_read_message_id, event.read_at);
    } else if (event.type === "error") {
      this.#refused(event);
    }
    this.changed();
  }

  /** Messages of a frame or a page, which name their sender differently. What is here already is brought up to date. */
  #merge(rows) {
    for (const row of rows) {
      const who = row.sender_info ?? row.sender;
      this.hasStranger ||= !people.has(who.id);
      meet(who);
      const mine = who.id === this.session.id;
      const clientId = row.client_message_id;
      const isIt = (item) => item.id === row.id || (mine && item.mine && clientId && item.clientId === clientId);
      let item = this.items.find(isIt);
      if (!item) this.items.push((item = { key: mine && clientId ? `mine ${clientId}` : row.id }));
      const readAt = item.readAt ?? row.read_at;
      const told = { id: row.id, clientId, content: row.content, sender: who.id, at: new Date(row.created_at) };
      Object.assign(item, told, { mine, readAt, problem: undefined });
    }
    const place = (item) => item.id ?? Number.MAX_SAFE_INTEGER;
    this.items.sort((a, b) => place(a) - place(b));
  }

  #marked(user, upTo, readAt) {
    this.hasStranger ||= !people.has(user);
    this.marks.set(user, Math.max(upTo, this.marks.get(user) ?? 0));
    for (const item of this.items) if (item.id <= upTo && item.sender !== user) item.readAt ??= readAt;
  }

  #typed(user, isTyping) {
    clearTimeout(this.typists.get(user));
    this.typists.delete(user);
    const expires = () => (this.#typed(user, false), this.changed());
    if (isTyping) this.typists.set(user, setTimeout(expires, TYPING_EXPIRES_MS));
  }

  #typesNow() {
    this.typesTimer = clearTimeout(this.typesTimer);
    if (!this.isOpen) return;
    this.#typing = { on: true, at: Date.now() };
    this.#frame({ type: "typing", is_typing: true });
  }

  #rests() {
    clearTimeout(this.restTimer);
    this.typesTimer = clearTimeout(this.typesTimer);
    if (this.#typing.on && this.isOpen) this.#frame({ type: "typing", is_typing: false });
    this.#typing.on = false;
  }

  /** About the message it names; a frame that could not be read was that of the newest one. */
  #refused({ detail, client_message_id, retry_after_ms }) {
    const isIt = ({ id, clientId }) => !id && clientId === (client_message_id ?? clientId);
    const item = this.items.findLast(isIt);
    if (!item) return;
    item.problem = detail;
    if (retry_after_ms) setTimeout(() => item.problem && !this.left && this.transmit(item), retry_after_ms);
  }
}
