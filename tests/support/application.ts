import { once } from "node:events";
import WebSocket from "ws";

import { within } from "./deadline.ts";
import { call } from "./http.ts";
import { Refused } from "./socket.ts";
import type { Worker } from "./worker.ts";

/** What a request was when it reached the application. */
export interface Echo {
  method: string;
  /** Path and query as they stood in the request line. */
  target: string;
  headers: Record<string, string>;
  /** The address that the application takes its own page `/here/` to have. */
  absolute: string;
  body: string;
}

/** Calls one of the application's echoing addresses (below `/echo/`) through the Worker. */
export async function echoed(worker: Worker, path: string, options: Parameters<typeof call>[1] = {}): Promise<Echo> {
  const { json } = await worker.call(path, options);
  return { ...json, headers: Object.fromEntries(json.headers) };
}

/** A socket of the application's: it says first with what it was asked for, then echoes. */
export class ApplicationSocket {
  readonly ws: WebSocket;
  readonly closed: Promise<{ code: number; reason: string }>;
  private readonly frames: (string | Buffer)[] = [];
  private arrived = () => {};

  constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on("message", (data: Buffer, isBinary) => {
      this.frames.push(isBinary ? data : data.toString());
      this.arrived();
    });
    ws.on("error", () => {});
    this.closed = once(ws, "close").then(([code, reason]) => ({ code, reason: String(reason) }));
  }

  /** The next frame that was not taken yet: text as a string, binary as bytes. */
  async next(): Promise<string | Buffer | undefined> {
    if (this.frames.length === 0) {
      await within(5_000, "a frame", new Promise<void>((done) => (this.arrived = done)));
    }
    return this.frames.shift();
  }

  /** Its first frame. */
  async asked(): Promise<{ target: string; headers: [string, string][] }> {
    return JSON.parse(String(await this.next()));
  }
}

/** Opens one at an `http://` address; fails with `Refused`. */
export async function openApplicationSocket(
  url: string,
  options: { protocols?: string[]; headers?: Record<string, string> } = {},
): Promise<ApplicationSocket> {
  const { protocols = [], headers = {} } = options;
  const ws = new WebSocket(url.replace("http", "ws"), protocols, { headers });
  const socket = new ApplicationSocket(ws);
  const opened = new Promise<void>((done, fail) => {
    ws.once("open", done);
    ws.once("unexpected-response", (_request, { statusCode = 0, headers }) => {
      fail(new Refused({ status: statusCode, headers, text: "", json: undefined }));
      ws.terminate();
    });
  });
  await within(5_000, `a socket at ${url.split("?")[0]}`, opened);
  return socket;
}
