import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

/** What the Worker puts on a request that it passes on. */
const HOP_HEADER = "x-project-chat-hop";

/**
 * Stands in for the platform where the Worker is on routes of the application's own host: one address, at which paths
 * that a route's pattern covers go to the Worker and all others to the application. As on the platform, what the
 * Worker itself passes on to that address goes to the application.
 */
export class Edge {
  /** The application's public address. */
  url = "";
  /** Ports of the Worker and of the application; set before the first request. */
  worker = 0;
  application = 0;
  private readonly patterns: string[];
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  /** `patterns` end in `*`, as the platform's do. */
  constructor(patterns: string[]) {
    this.patterns = patterns;
    this.server = createServer((request, response) => {
      const onward = httpRequest(this.onward(request), (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(response);
      });
      onward.once("error", () => response.destroy());
      request.pipe(onward);
    });
    this.server.on("connection", (socket) => this.keep(socket));
    this.server.on("upgrade", (request: IncomingMessage, near: Socket, head: Buffer) => {
      const far = this.keep(connect(this.portFor(request), "127.0.0.1"));
      far.write(`${request.method} ${request.url} HTTP/1.1\r\n${headLines(request.rawHeaders)}\r\n`);
      far.write(head);
      for (const [from, to] of [[near, far], [far, near]] as const) {
        from.on("error", () => to.destroy());
        from.pipe(to);
      }
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = new Promise((done) => this.server.close(done));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private onward(request: IncomingMessage) {
    const { method, url: path, rawHeaders: headers } = request;
    return { host: "127.0.0.1", port: this.portFor(request), method, path, headers, agent: false } as const;
  }

  private portFor(request: IncomingMessage): number {
    const covered = this.patterns.some((pattern) => request.url?.startsWith(pattern.slice(0, -1)));
    return covered && request.headers[HOP_HEADER] === undefined ? this.worker : this.application;
  }

  private keep(socket: Socket): Socket {
    this.sockets.add(socket);
    return socket.once("close", () => this.sockets.delete(socket)).on("error", () => {});
  }
}

function headLines(raw: string[]): string {
  return raw.map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join("");
}
