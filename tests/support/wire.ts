import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

/**
 * A wire between a client and the Worker that can be cut: a TCP proxy on a loopback port.
 *
 * ```ts
 * const wire = await startWire(worker.port);
 * await wire.cut();    // open connections die without a close frame; new ones are refused
 * await wire.mend();
 * ```
 */
export class Wire {
  port = 0;
  private server: Server | undefined;
  private readonly ends = new Set<Socket>();
  private readonly target: number;

  constructor(target: number) {
    this.target = target;
  }

  /** `http://127.0.0.1:<port>` of the near end. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async mend(): Promise<void> {
    const server = createServer((near) => this.join(near, connect(this.target, "127.0.0.1")));
    this.server = server;
    await new Promise<void>((done) => server.listen(this.port, "127.0.0.1", done));
    this.port = (server.address() as AddressInfo).port;
  }

  async cut(): Promise<void> {
    const closed = new Promise<void>((done) => this.server?.close(() => done()) ?? done());
    for (const end of this.ends) end.resetAndDestroy();
    await closed;
  }

  private join(near: Socket, far: Socket): void {
    for (const end of [near, far]) {
      end.setNoDelay(true);
      this.ends.add(end);
      end.on("error", () => {});
      end.once("close", () => {
        this.ends.delete(end);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  }
}

export async function startWire(target: number): Promise<Wire> {
  const wire = new Wire(target);
  await wire.mend();
  return wire;
}
