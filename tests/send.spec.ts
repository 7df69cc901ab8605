import { afterAll, beforeAll, expect, test } from "vitest";

import { startWorld, type World } from "./support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());

test("a message reaches everybody in the room, its sender included, in the order of sending", async () => {
  const { alice, bob, carol } = world.project("alice", "bob", "carol");
  const [a, b, c] = await Promise.all([alice.connects(), bob.connects(), carol.connects()]);
  await a.says("one");
  await b.says("two");
  await c.says("three");
  const told = ["alice: one", "bob: two", "carol: three"];
  expect(await a.timeline()).toEqual(told);
  expect(await b.timeline()).toEqual(told);
  expect(await c.timeline()).toEqual(told);
});

test("a message has exactly the fields of the contract", async () => {
  const { alice, project } = world.project("alice", "bob");
  const a = await alice.connects();
  const before = Date.now();
  const message = await a.says("hello", "1718000000000");
  expect(a.events[0]).toEqual({
    type: "new.message",
    message: {
      id: message.id,
      client_message_id: "1718000000000",
      project,
      sender: { id: alice.id, username: "alice", first_name: "Alice", last_name: "Example", profile_pic: null },
      content: "hello",
      attachment: null,
      created_at: message.created_at,
      read_at: null,
    },
  });
  expect(message.created_at).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|\+00:00)$/);
  expect(Math.abs(Date.parse(message.created_at) - before)).toBeLessThan(5_000);
});

test("numeric ids are JSON numbers, whether the token carries the user's as a number or as a string", async () => {
  const { alice, bob, project } = world.project("alice", "bob");
  const a = await alice.connects({ token: alice.token({}, { user_id: String(alice.id) }) });
  const b = await bob.connects({ token: bob.token({}, { user_id: Number(bob.id) }) });
  await a.says("from a string");
  await b.says("from a number");
  await a.message("from a number");
  for (const text of a.texts) {
    const { message } = JSON.parse(text);
    expect(typeof message.id).toBe("number");
    expect(message.project).toBe(project);
    expect([alice.id, bob.id]).toContain(message.sender.id);
  }
});

test("ids that are no decimal integer are strings", async () => {
  const project = crypto.randomUUID();
  const { alice } = world.project("alice");
  world.backend.projects.set(project, {
    id: project,
    name: "By UUID",
    created_at: "2026-01-02T03:04:05Z",
    members: new Map([["anna@example.org", { ...alice.row(), id: "anna@example.org" }]]),
  });
  const a = await alice.connects({ project, token: alice.token({}, { user_id: "anna@example.org" }) });
  const message = await a.says("hello");
  expect(message.project).toBe(project);
  expect(message.sender.id).toBe("anna@example.org");
  expect(typeof message.id).toBe("number");
});

test("an id too large for JavaScript to hold exactly is a string", async () => {
  const { alice, project } = world.project("alice");
  const id = "9007199254740993";
  world.backend.admits(project, { ...alice.row(), id });
  const a = await alice.connects({ token: alice.token({}, { user_id: id }) });
  expect((await a.says("hello")).sender.id).toBe(id);
});

test("a message sent again is answered with the stored one, to the resender alone", async () => {
  const { alice, bob } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  const first = await a.says("once", "m-1");
  a.writes("once", "m-1");
  await a.says("after", "m-2");
  expect(await a.timeline()).toEqual(["alice: once", "alice: once", "alice: after"]);
  expect(a.events[1]).toEqual({ type: "new.message", message: first });
  expect(await b.timeline()).toEqual(["alice: once", "alice: after"]);
});

test("a message sent again after a reconnect is answered with the stored one", async () => {
  const { alice } = world.project("alice");
  const before = await alice.connects();
  const first = await before.says("once", "m-1");
  before.drops();
  const a = await alice.connects();
  expect(await a.says("once", "m-1")).toEqual(first);
  expect((await alice.history()).json).toHaveLength(1);
});

test("a message sent again long after is still the same one", async () => {
  const { alice } = world.project("alice");
  const a = await alice.connects();
  const first = await a.says("once", "m-1");
  for (let n = 0; n < 60; n++) a.writes(`filler ${n}`);
  await a.message("filler 59");
  await world.worker.evictRoom(alice.project);
  a.writes("once", "m-1");
  await a.settled();
  const answers = a.events.filter((event) => event.type === "new.message" && event.message.client_message_id === "m-1");
  expect(answers).toEqual([
    { type: "new.message", message: first },
    { type: "new.message", message: first },
  ]);
});

test("a resent message tells meanwhile that it has been read", async () => {
  const { alice, bob } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  const first = await a.says("once", "m-1");
  b.reads(await b.message("once"));
  await a.hears('bob read "once"');
  a.writes("once", "m-1");
  await a.settled();
  const [, , again] = a.events;
  expect(again).toMatchObject({ type: "new.message", message: { id: first.id, read_at: expect.any(String) } });
});

test("the same id with other content is another message, stored without an id", async () => {
  const { alice, bob } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  const first = await a.says("one", "m-1");
  a.writes("two", "m-1");
  const second = await b.message("two");
  expect(second.id).toBeGreaterThan(first.id);
  expect(second.client_message_id).toBeNull();
  expect(await b.timeline()).toEqual(["alice: one", "alice: two"]);
});

test("the same id from another sender is another message", async () => {
  const { alice, bob } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  await a.says("same", "m-1");
  await b.says("same", "m-1");
  expect(await a.timeline()).toEqual(["alice: same", "bob: same"]);
});

test("without an id, or with an empty one, there is nothing to dedupe by", async () => {
  const { alice, bob } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  a.sends({ type: "send_message", content: "again" });
  a.sends({ type: "send_message", content: "again" });
  a.sends({ type: "send_message", content: "again", client_message_id: "" });
  a.sends({ type: "send_message", content: "again", client_message_id: "" });
  a.sends({ type: "send_message", content: "again", client_message_id: null });
  await a.settled();
  expect(await b.timeline()).toEqual(Array(5).fill("alice: again"));
});

test("a client_message_id may be 64 characters long, and not 65", async () => {
  const { alice } = world.project("alice");
  const a = await alice.connects();
  const longest = "x".repeat(64);
  expect((await a.says("fits", longest)).client_message_id).toBe(longest);
  a.writes("does not", "x".repeat(65));
  await a.error("invalid_field");
  expect((await alice.history()).json).toHaveLength(1);
});

test("a client_message_id that is a number is taken for its text", async () => {
  const { alice } = world.project("alice");
  const a = await alice.connects();
  a.sends({ type: "send_message", content: "timestamp", client_message_id: 1718000000000 });
  expect((await a.message("timestamp")).client_message_id).toBe("1718000000000");
});

test("content comes back as it went in", async () => {
  const { alice, bob } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  const contents = ["<b>&amp;</b>", 'quote " and \\ backslash', "line\nbreak\ttab", "👩‍👩‍👧‍👦 日本語 العربية", "a\u2028b\u2029c", "  spaces around  "];
  for (const content of contents) await a.says(content);
  await b.settled();
  const heard = b.events.map((event) => event.type === "new.message" && event.message.content);
  expect(heard).toEqual(contents);
});

test("a message of 10,000 characters is accepted, of more than one byte each too", async () => {
  const { alice } = world.project("alice");
  const a = await alice.connects();
  expect((await a.says("x".repeat(10_000))).content).toHaveLength(10_000);
  const wide = "漢".repeat(10_000);
  expect((await a.says(wide)).content).toBe(wide);
});

test("whoever sends too fast is told when to go on, and loses nothing that was taken", async () => {
  const { alice, bob } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  for (let n = 1; n <= 130; n++) a.writes(`m${n}`, `id-${n}`);
  const error = await a.error("rate_limited");
  expect(error.retry_after_ms).toBeGreaterThan(0);
  expect(error.client_message_id).toMatch(/^id-/);
  const refused = Number(error.client_message_id?.slice(3));
  expect(refused).toBeGreaterThan(100);
  await b.message(`m${refused - 1}`);
  expect(b.lines().slice(0, 100)).toEqual(Array.from({ length: 100 }, (_, n) => `alice: m${n + 1}`));
  expect(a.isOpen).toBe(true);
});
