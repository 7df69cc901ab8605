import { afterAll, beforeAll, expect, test } from "vitest";

import { startWorld, type World } from "./support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());

test("everybody hears that a message has been read, the reader included", async () => {
  const { alice, bob, carol } = world.project("alice", "bob", "carol");
  const [a, b, c] = [await alice.connects(), await bob.connects(), await carol.connects()];
  const message = await a.says("hello");
  b.reads(message);
  const told = ["alice: hello", 'bob read "hello"'];
  await Promise.all([a, b, c].map((socket) => socket.hears('bob read "hello"')));
  expect(await a.timeline()).toEqual(told);
  expect(await b.timeline()).toEqual(told);
  expect(await c.timeline()).toEqual(told);
});

test("a receipt has exactly the fields of the contract, the older name included", async () => {
  const { alice, bob } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  const message = await a.says("hello");
  b.reads(message);
  await a.hears('bob read "hello"');
  const receipt = a.events[1];
  expect(receipt).toEqual({
    type: "read_receipt",
    user_id: bob.id,
    last_read_message_id: message.id,
    message_id: message.id,
    read_at: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|\+00:00)$/),
  });
});

test("reading the same again, or something older, tells nobody", async () => {
  const { alice, bob } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  const one = await a.says("one");
  const two = await a.says("two");
  b.reads(two);
  b.reads(two);
  b.reads(one);
  b.reads(two);
  await b.settled();
  expect(await a.timeline()).toEqual(["alice: one", "alice: two", 'bob read "two"']);
});

test("read_at is set once another member has read the message, and stays at the time of that step", async () => {
  const { alice, bob, carol } = world.project("alice", "bob", "carol");
  const [a, b, c] = [await alice.connects(), await bob.connects(), await carol.connects()];
  const one = await a.says("one");
  const two = await a.says("two");
  a.reads(two);
  await a.settled();
  expect(await readTimes(alice)).toEqual({ one: null, two: null });

  b.reads(one);
  await a.hears('bob read "one"');
  const afterBob = await readTimes(alice);
  expect(afterBob).toEqual({ one: expect.any(String), two: null });
  expect((a.events.at(-1) as { read_at: string }).read_at).toBe(afterBob["one"]);

  c.reads(two);
  await a.hears('carol read "two"');
  const afterCarol = await readTimes(alice);
  expect(afterCarol["one"]).toBe(afterBob["one"]);
  expect(Date.parse(afterCarol["two"] ?? "")).toBeGreaterThanOrEqual(Date.parse(afterBob["one"] ?? ""));
});

test("one's own reading of one's own message is no reading", async () => {
  const { alice, bob } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  await a.says("from alice");
  const fromBob = await b.says("from bob");
  b.reads(fromBob);
  await b.settled();
  const times = await readTimes(bob);
  expect(times["from bob"]).toBeNull();
});

test("whoever answers has read what was there before", async () => {
  const { alice, bob } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  await a.says("question");
  expect(await bob.unread()).toBe(1);
  await b.says("answer");
  expect(await bob.unread()).toBe(0);
  expect(await alice.unread()).toBe(1);
  expect((await readTimes(alice))["question"]).toEqual(expect.any(String));
});

test("a mark beyond the newest message reaches no further than it", async () => {
  const { alice, bob } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  const one = await a.says("one");
  b.reads(9_007_199_254_740_991);
  await a.hears('bob read "one"');
  await a.says("two");
  expect(await readTimes(alice)).toEqual({ one: expect.any(String), two: null });
  await bob.marksRead(one.id + 1_000);
  await a.says("three");
  expect(await readTimes(alice)).toEqual({ one: expect.any(String), two: expect.any(String), three: null });
  expect(await bob.unread()).toBe(1);
});

test("a mark outlives the object's memory", async () => {
  const { alice, bob, project } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  const one = await a.says("one");
  b.reads(one);
  await a.hears('bob read "one"');
  const before = await readTimes(alice);
  await world.worker.evictRoom(project);
  expect(await readTimes(alice)).toEqual(before);
  expect(await bob.unread()).toBe(0);
});

async function readTimes(person: { history(): Promise<{ json: any }> }): Promise<Record<string, string | null>> {
  const { json } = await person.history();
  return Object.fromEntries(json.map((row: { content: string; read_at: string | null }) => [row.content, row.read_at]));
}
