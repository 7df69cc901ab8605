import { afterAll, beforeAll, expect, test } from "vitest";

import { startWorld, type World } from "./support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());

test("typing reaches the others, and not the one who types", async () => {
  const { alice, bob, carol } = world.project("alice", "bob", "carol");
  const [a, b, c] = [await alice.connects(), await bob.connects(), await carol.connects()];
  a.types(true);
  a.types(false);
  await a.settled();
  expect(await b.timeline()).toEqual(["alice types", "alice stops typing"]);
  expect(await c.timeline()).toEqual(["alice types", "alice stops typing"]);
  expect(await a.timeline()).toEqual([]);
});

test("a typing event has exactly the fields of the contract", async () => {
  const { alice, bob } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  a.types(true);
  await b.hears("alice types");
  expect(b.events).toEqual([{ type: "typing", user_id: alice.id, username: "alice", is_typing: true }]);
});

test("nobody hears their own typing in their other tab", async () => {
  const { alice, bob } = world.project("alice", "bob");
  const [a, tab, b] = [await alice.connects(), await alice.connects(), await bob.connects()];
  a.types(true);
  await b.hears("alice types");
  expect(await tab.timeline()).toEqual([]);
});

test("typing is not kept: who connects later hears nothing of it", async () => {
  const { alice, bob } = world.project("alice", "bob");
  const a = await alice.connects();
  a.types(true);
  await a.settled();
  const b = await bob.connects();
  expect(await b.timeline()).toEqual([]);
});

test("too much typing is dropped without an error", async () => {
  const { alice, bob } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  for (let n = 0; n < 300; n++) a.types(n % 2 === 0);
  await a.says("still here");
  expect(a.lines()).toEqual(["alice: still here"]);
  await b.message("still here");
  expect(b.lines().length).toBeLessThan(300);
  expect(b.lines().slice(0, 2)).toEqual(["alice types", "alice stops typing"]);
});

test("typing does not use up what messages may", async () => {
  const { alice } = world.project("alice");
  const a = await alice.connects();
  for (let n = 0; n < 100; n++) a.types(n % 2 === 0);
  for (let n = 0; n < 90; n++) a.writes(`m${n}`);
  await a.message("m89");
  expect(a.lines()).toHaveLength(90);
});

test("whoever leaves while typing stops typing", async () => {
  const { alice, bob } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  a.types(true);
  await b.hears("alice types");
  a.drops();
  await b.hears("alice stops typing");
});
