// What happens to an object, and how it is given to the Rust half.

import type { Effects } from "./effects";
import type { Environment } from "./object";

/** What Rust sees of the shell; `src/object/bindings.rs` is the other side. */
export interface Shell {
  readonly name: string;
  readonly env: Environment;
  readonly sql: SqlStorage;
  sockets(): unknown[];
  entropy(): string;
}

/** The Rust half: `RoomHost` or `UserHost`; neither takes all of this. */
export interface Host {
  call(ticket: number, body: string): void;
  connect?(ticket: number, conn: number, request: string): void;
  /** Frames in their order, separated by NUL, which no JSON text holds; the socket of each. */
  frames?(conns: Uint32Array, texts: string): void;
  badFrame?(conn: number, binary: boolean): void;
  closed?(conn: number): void;
  alarm?(): void;
  tick?(): void;
  tellFailed?(user: string): void;
  verified?(conn: number, outcome: string): void;
  asked?(project: string, status: number, body: string): void;
  heartbeats?(conns: Uint32Array, times: Float64Array): void;
  turn(now: number, effects: Effects): void;
}

/** Something that happened. Kept until its turn is committed, so that it can be tried again. */
export type Input =
  | { kind: "call"; ticket: number; body: string }
  | { kind: "connect"; ticket: number; conn: number; body: string }
  | { kind: "frame"; conn: number; text: string }
  | { kind: "badFrame"; conn: number; binary: boolean }
  | { kind: "closed"; conn: number }
  | { kind: "alarm"; done: () => void; failed: (error: unknown) => void }
  | { kind: "tick" }
  | { kind: "tellFailed"; user: string }
  | { kind: "verified"; conn: number; outcome: string }
  | { kind: "asked"; project: string; status: number; body: string };

/** Another control character makes it as bad JSON as NUL would. */
export function withoutNul(text: string): string {
  return text.includes("\0") ? text.replaceAll("\0", "\x01") : text;
}

/** Frames that follow each other cross to Rust together: each call costs, and most inputs are frames. */
export function giveAll(host: Host, inputs: Input[]): void {
  let conns: number[] = [];
  let texts: string[] = [];
  const giveFrames = (): void => {
    if (conns.length > 0) host.frames?.(Uint32Array.from(conns), texts.join("\0"));
    [conns, texts] = [[], []];
  };
  for (const input of inputs) {
    if (input.kind === "frame") {
      conns.push(input.conn);
      texts.push(input.text);
    } else {
      giveFrames();
      give(host, input);
    }
  }
  giveFrames();
}

function give(host: Host, input: Exclude<Input, { kind: "frame" }>): void {
  switch (input.kind) {
    case "call":
      return host.call(input.ticket, input.body);
    case "connect":
      return host.connect?.(input.ticket, input.conn, input.body);
    case "badFrame":
      return host.badFrame?.(input.conn, input.binary);
    case "closed":
      return host.closed?.(input.conn);
    case "alarm":
      return host.alarm?.();
    case "tick":
      return host.tick?.();
    case "tellFailed":
      return host.tellFailed?.(input.user);
    case "verified":
      return host.verified?.(input.conn, input.outcome);
    case "asked":
      return host.asked?.(input.project, input.status, input.body);
  }
}
