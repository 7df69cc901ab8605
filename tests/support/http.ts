import { request as httpRequest, type IncomingHttpHeaders } from "node:http";

export interface CallOptions {
  method?: string;
  /** Goes out as `Authorization: Bearer`. */
  token?: string | undefined;
  /** Goes out as JSON, unless it is a string or bytes. */
  body?: unknown;
  /** Any header, `host` and `origin` included. */
  headers?: Record<string, string>;
  /** Milliseconds until the call fails. Default 10,000. */
  timeout?: number;
  /** Sent as it is in the request line, instead of the URL's own path. */
  rawPath?: string;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** `undefined` when the body is not JSON. */
  json: any;
}

/** One HTTP call on a connection of its own; fails when it takes longer than its timeout. Follows no redirects. */
export function call(url: string, options: CallOptions = {}): Promise<Answer> {
  const { method = "GET", token, body, headers = {}, timeout = 10_000 } = options;
  const target = new URL(url);
  const isBytes = typeof body === "string" || body instanceof Uint8Array;
  const payload = body === undefined ? undefined : isBytes ? body : JSON.stringify(body);
  return new Promise((done, fail) => {
    const request = httpRequest({
      host: target.hostname,
      port: target.port,
      path: options.rawPath ?? target.pathname + target.search,
      method,
      agent: false,
      headers: {
        ...(payload === undefined ? {} : { "content-length": String(Buffer.byteLength(payload)) }),
        ...(payload === undefined || isBytes ? {} : { "content-type": "application/json" }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      signal: AbortSignal.timeout(timeout),
    });
    request.once("error", (error) => {
      const late = error.name === "AbortError" || error.name === "TimeoutError";
      fail(late ? new Error(`${method} ${url.split("?")[0]} got no answer in ${timeout} ms.`) : error);
    });
    request.once("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", fail);
      response.once("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        done({ status: response.statusCode ?? 0, headers: response.headers, text, json: parsed(text) });
      });
    });
    request.end(payload);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
