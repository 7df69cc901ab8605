// What objects cost, for development: rows and requests as the runtime counts them. Kept beside the objects, so that
// it outlives their eviction.

export type Kind = "rooms" | "users";

export interface Counters {
  constructed: number;
  requests: number;
  frames_in: number;
  frames_out: number;
  turns: number;
  alarms: number;
  rows_read: number;
  rows_written: number;
}

const all: Record<Kind, Record<string, Counters>> = { rooms: Object.create(null), users: Object.create(null) };

const none = (): Counters => ({
  constructed: 0,
  requests: 0,
  frames_in: 0,
  frames_out: 0,
  turns: 0,
  alarms: 0,
  rows_read: 0,
  rows_written: 0,
});

/** The counters of one object; outside development they are counted for nobody, as the table would only grow. */
export function countersOf(kind: Kind, name: string, development: boolean): Counters {
  return development ? (all[kind][name] ??= none()) : none();
}

/** Read from Rust: `GET /dev/counters/`. */
Object.assign(globalThis, { projectChatCounters: () => JSON.stringify(all) });
