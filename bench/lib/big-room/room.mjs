import { mint } from "../../../tests/support/token.ts";
import { startWorker } from "../../../tests/support/worker.ts";
import { connect } from "../client.mjs";
import { costSince, spent } from "../cost.mjs";
import { fill } from "./fill.mjs";
import { READER, SPEAKERS } from "./log.mjs";

const PROJECT = 1;
const SERVER_KEY = "bench-server-key-0123456789abcdef";
const VARS = { ACCESS: "any", MESSAGE_RATE: "0", SOCKETS_PER_USER: "0", SERVER_API_KEY: SERVER_KEY };
const LIFETIME_S = 12 * 3600;
const PRUNING_MS = 300_000;

/** Has blocked everybody who ever spoke. */
export const HERMIT = 101;
export const speakers = Array.from({ length: SPEAKERS }, (_, n) => n + 1);

/** The Worker with one project in it that has a long past. */
export class BigRoom {
  #tokens = new Map();

  constructor(worker, log) {
    this.worker = worker;
    this.log = log;
  }

  /** Starts an empty one. */
  static async start(log) {
    return new BigRoom(await startWorker({ vars: VARS }), log);
  }

  /** Everybody enters once, which makes the database; then the process ends, and the log is put under it. */
  async make() {
    for (const user of [...speakers, READER, HERMIT]) await (await this.enter(user)).close();
    await this.worker.kill();
    const bytes = fill(this.worker.data, this.log);
    await this.worker.restart();
    return bytes;
  }

  /** `since`: `{ since, epoch }` of one who was here before. */
  enter(user, since) {
    return connect(this.worker, PROJECT, this.#token(user), since);
  }

  /** `{ read, cpu }` so far. */
  spent() {
    return spent(this.worker, PROJECT);
  }

  costSince(before, times) {
    return costSince(before, this.worker, PROJECT, times);
  }

  contact(user) {
    return this.#called(`/api/chat/contacts/${PROJECT}/`, { token: this.#token(user) });
  }

  /** A frame of a user who has no socket. */
  frame(user, body) {
    return this.#called(`/api/projects/${PROJECT}/chat/frames/`, { method: "POST", token: this.#token(user), body });
  }

  prune(up_to) {
    const options = { method: "POST", token: SERVER_KEY, body: { up_to }, timeout: PRUNING_MS };
    return this.#called(`/api/projects/${PROJECT}/chat/prune/`, options);
  }

  /** The JSON that came, and after how many milliseconds. */
  async #called(path, options) {
    const began = performance.now();
    const { status, json, text } = await this.worker.call(path, options);
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
    return { json, ms: performance.now() - began };
  }

  #token(user) {
    const known = this.#tokens.get(user) ?? mint({ user_id: user, username: `user${user}` }, { lifetime: LIFETIME_S });
    this.#tokens.set(user, known);
    return known;
  }
}
