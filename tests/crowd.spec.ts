import { afterAll, beforeAll, expect, test } from "vitest";

import type { ChatSocket } from "./support/socket.ts";
import { startWorld, type World } from "./support/world.ts";

/** What changes in a large room, shown in a small one: "large" begins above three people here. */
let world: World;
beforeAll(async () => {
  world = await startWorld({ vars: { TYPING_MAX_PRESENT: "3", RECEIPTS_TO_ALL_MAX_PRESENT: "3" } });
});
afterAll(() => world?.stop());

test("in a large room typing is not passed on", async () => {
  const people = world.project("alice", "bob", "carol", "dave");
  const [a, b, c] = [await people.alice.connects(), await people.bob.connects(), await people.carol.connects()];
  a.types(true);
  await b.hears("alice types");
  const d = await people.dave.connects();
  a.types(false);
  a.types(true);
  await a.says("hello");
  for (const socket of [b, c, d]) await socket.message("hello");
  expect(await b.timeline()).toEqual(["alice types", "alice: hello"]);
  expect(await d.timeline()).toEqual(["alice: hello"]);
});

test("in a large room a receipt goes to the reader and to the authors of what was read, all their windows", async () => {
  const people = world.project("alice", "bob", "carol", "dave");
  const a: ChatSocket = await people.alice.connects();
  const tab = await people.alice.connects();
  const b = await people.bob.connects();
  const c = await people.carol.connects();
  const d = await people.dave.connects();
  const message = await a.says("hello");
  b.reads(message);
  for (const socket of [a, tab, b]) await socket.hears('bob read "hello"');
  expect(await c.timeline()).toEqual(["alice: hello"]);
  expect(await d.timeline()).toEqual(["alice: hello"]);
});

test("several windows of one person do not make a room large", async () => {
  const { alice, bob } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  for (let n = 0; n < 3; n++) await alice.connects();
  b.types(true);
  await a.hears("bob types");
});
