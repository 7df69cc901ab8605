import type { ChatSocket } from "./socket.ts";
import { joins, type V1Client } from "./v1-client.ts";
import type { Person, World } from "./world.ts";

/** What the room does between any two steps of a story: nothing, or it goes to sleep and is woken by the next one. */
export const STATES = ["awake", "put to sleep between any two steps"] as const;
export type State = (typeof STATES)[number];

/** A room in which alice and bob talk by v1, mia moderates, and carol listens with a classic client. */
export interface Scene {
  alice: Person;
  bob: Person;
  mia: Person;
  carol: Person;
  a: V1Client;
  b: V1Client;
  m: V1Client;
  c: ChatSocket;
  project: number;
  /** Between two steps. */
  nap(): Promise<void>;
  /** Everything that anybody has heard since the scene began, by name. */
  heard(): Promise<Record<"a" | "b" | "m" | "c", string[]>>;
}

export async function setScene(world: World, state: State = "awake"): Promise<Scene> {
  const people = world.project("alice", "bob", "mia", "carol");
  const { alice, bob, mia, carol, project } = people;
  world.backend.admits(project, { ...mia.row(), role: "moderator" });
  const [a, b, m] = [await joins(alice), await joins(bob), await joins(mia)];
  const c = await carol.connects();
  for (const client of [a, b, m]) await client.forgets();
  return {
    ...people,
    ...{ a, b, m, c },
    nap: async () => {
      if (state !== "awake") await world.worker.evictRoom(project);
    },
    heard: async () => {
      const [alices, bobs, mias, carols] = [await a.timeline(), await b.timeline(), await m.timeline(), await c.timeline()];
      return { a: alices, b: bobs, m: mias, c: carols };
    },
  };
}

/** Everybody goes. */
export function leave({ a, b, m, c }: Scene): void {
  for (const client of [a, b, m, c]) client.drops();
}
