import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { realTime } from "./support/deadline.ts";
import type { ChatSocket } from "./support/socket.ts";
import { startWorld, type Person, type World } from "./support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());

const room = async (project: number) => {
  const counters = (await world.worker.counters()).rooms[project];
  if (!counters) throw new Error(`Nothing is known of room ${project}.`);
  return counters;
};

test("after ten seconds of silence the object is gone, and nobody notices", async () => {
  const { alice, bob, project } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  b.reads(await a.says("read"));
  await a.hears('bob read "read"');
  await a.says("unread");
  const before = { room: await room(project), history: (await alice.history()).json, unread: await bob.unread() };
  expect(before.room.constructed).toBe(1);
  const quiet = await room(project);

  for (let second = 0; second < 14; second++) {
    await realTime(1_000);
    await Promise.all([a.pings(), b.pings()]);
  }
  expect(await room(project)).toEqual(quiet);
  expect([a.isOpen, b.isOpen]).toEqual([true, true]);

  await b.says("after the silence");
  await a.message("after the silence");
  expect((await room(project)).constructed).toBe(2);
  const heard = ["alice: read", 'bob read "read"', "alice: unread", "bob: after the silence"];
  expect(await a.timeline()).toEqual(heard);
  expect(await b.timeline()).toEqual(heard);
  const [newest, ...older] = (await alice.history()).json;
  expect(newest.sender).toBe(bob.id);
  expect(older[1].read_at).toBe(before.history[1].read_at);
  expect(older[0].read_at).toEqual(expect.any(String));
  expect(before.unread).toBe(1);
  expect(await alice.unread()).toBe(1);
}, 40_000);

test("a sleeping room is not woken by a refused token, a preflight or the heartbeat", async () => {
  const { alice, project } = world.project("alice");
  const a = await alice.connects();
  await a.settled();
  await world.worker.evictRoom(project);
  await a.pings();
  await alice.calls(`/api/projects/${project}/chat/messages/`, { token: alice.token({ lifetime: -9 }) });
  await alice.calls(`/api/projects/${project}/chat/messages/`, { method: "OPTIONS", headers: { origin: "http://localhost:5173" } });
  expect((await room(project)).constructed).toBe(1);
  await a.says("now");
  expect((await room(project)).constructed).toBe(2);
});

interface Cast {
  alice: Person;
  bob: Person;
  carol: Person;
  a: ChatSocket;
  b: ChatSocket;
  c: ChatSocket;
}

/** A conversation in steps; each waits for what it sets off. */
const SCRIPT: [string, (cast: Cast) => Promise<unknown>][] = [
  ["alice connects", async (cast) => (cast.a = await cast.alice.connects())],
  ["bob connects", async (cast) => (cast.b = await cast.bob.connects())],
  ["alice speaks", ({ a }) => a.says("one", "m-1")],
  ["bob types", async ({ a, b }) => (b.types(true), a.hears("bob types"))],
  ["bob reads", async ({ a, b }) => (b.reads(await b.message("one")), a.hears('bob read "one"'))],
  ["bob stops typing", async ({ a, b }) => (b.types(false), a.hears("bob stops typing"))],
  ["bob speaks", ({ b }) => b.says("two", "m-2")],
  ["alice sends again", async ({ a }) => (a.writes("one", "m-1"), a.settled())],
  ["alice speaks over REST", async ({ alice, a }) => (await alice.posts("three", "m-3"), a.message("three"))],
  ["carol connects", async (cast) => (cast.c = await cast.carol.connects())],
  ["alice hears the replay of nobody", ({ a }) => a.settled()],
  ["carol is sent what she has not read", async ({ c }) => (await c.settled(), c.message("three"))],
  ["carol speaks with alice's id", ({ c }) => c.says("four", "m-1")],
  ["bob sends something bad", async ({ b }) => (b.sendsRaw("{"), b.error("invalid_json"))],
  ["bob reads over REST", async ({ bob, a }) => (await bob.marksRead((await a.message("four")).id), a.hears('bob read "four"'))],
  ["bob repeats his reading", async ({ b }) => (b.reads(await b.message("four")), b.settled())],
  ["bob leaves", ({ b }) => b.leaves(1000)],
  ["alice speaks to who is left", async ({ a, c }) => (await a.says("five"), c.message("five"))],
  ["bob comes back", async (cast) => (cast.b = await cast.bob.connects())],
  ["bob is sent what he missed", async ({ b }) => (await b.settled(), b.message("five"))],
  ["alice reads", async ({ a, c }) => (a.reads(await a.message("five")), c.hears('alice read "five"'))],
  ["carol leaves without a word", async ({ a, c }) => (c.drops(), a.settled())],
  ["the last word", async ({ a, b }) => (await a.says("six"), b.message("six"))],
];

describe("a conversation is the same", () => {
  const plays = async (interrupt: (project: number) => Promise<void>) => {
    const people = world.project("alice", "bob", "carol");
    const cast = { ...people } as unknown as Cast;
    for (const [name, step] of SCRIPT) {
      await interrupt(people.project);
      try {
        await step(cast);
      } catch (error) {
        throw new Error(`${name}: ${(error as Error).message}`);
      }
    }
    await interrupt(people.project);
    const { json } = await people.alice.history();
    return {
      alice: await cast.a.timeline(),
      bob: await cast.b.timeline(),
      carol: cast.c.lines(),
      history: json.map((row: any) => [
        row.sender_info.username,
        row.content,
        row.client_message_id?.startsWith("m-") ? row.client_message_id : typeof row.client_message_id,
        row.read_at !== null,
      ]),
      unread: [await people.alice.unread(), await people.bob.unread(), await people.carol.unread()],
    };
  };

  test("when the room is put to sleep before every step", async () => {
    const awake = await plays(async () => {});
    const asleep = await plays((project) => world.worker.evictRoom(project));
    expect(asleep).toEqual(awake);
    expect(awake.history.map(([, content]: [string, string]) => content)).toEqual(["six", "five", "four", "three", "two", "one"]);
    expect(awake.unread).toEqual([0, 2, 2]);
  }, 60_000);
});

test("a room put to sleep in the middle of many messages loses none", async () => {
  const { alice, bob, project } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  const wanted: string[] = [];
  for (let round = 0; round < 5; round++) {
    for (let n = 0; n < 15; n++) {
      a.writes(`${round}.${n}`);
      wanted.push(`alice: ${round}.${n}`);
    }
    await world.worker.evictRoom(project);
  }
  await b.message("4.14");
  expect(await b.timeline()).toEqual(wanted);
});

test.each(["hangs up", "is cut off"])("whoever read, then slept with the room, and then %s, has read", async (how) => {
  const { alice, bob, project } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  b.reads(await a.says("read by bob"));
  await a.hears('bob read "read by bob"');
  await world.worker.evictRoom(project);
  // The close is what wakes the object: only the closing socket's attachment knows the mark.
  if (how === "hangs up") await b.leaves();
  else b.drops();
  await a.settled();
  expect(await bob.unread()).toBe(0);
  expect((await alice.history()).json[0].read_at).toEqual(expect.any(String));
});
