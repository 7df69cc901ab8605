import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { startWorld, type World } from "./support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ vars: { MESSAGE_RATE: "0" } });
});
afterAll(() => world?.stop());

describe("a classic socket that opens", () => {
  test("is sent what its member has not read, in order, each once, and nothing else", async () => {
    const { alice, bob } = world.project("alice", "bob");
    const [a, b] = [await alice.connects(), await bob.connects()];
    b.reads(await a.says("read"));
    await a.hears('bob read "read"');
    await b.leaves(1000);
    for (let n = 1; n <= 5; n++) await a.says(`unread ${n}`);
    const again = await bob.connects();
    await again.message("unread 5");
    expect(await again.timeline()).toEqual([1, 2, 3, 4, 5].map((n) => `alice: unread ${n}`));
    expect((await a.timeline()).filter((line) => line.startsWith("alice: unread"))).toHaveLength(5);
  });

  test("lets the page's own history request win: nothing is sent again for about a second", async () => {
    const { alice, bob } = world.project("alice", "bob");
    await (await alice.connects()).says("unread");
    const opened = Date.now();
    const b = await bob.connects();
    await b.message("unread");
    expect(Date.now() - opened).toBeGreaterThan(800);
  });

  test("is sent nothing again that it has read in the meantime", async () => {
    const { alice, bob } = world.project("alice", "bob");
    const a = await alice.connects();
    const message = await a.says("unread");
    const b = await bob.connects();
    b.reads(message);
    await a.hears('bob read "unread"');
    await a.says("next");
    await b.message("next");
    expect((await b.timeline()).filter((line) => line.startsWith("alice"))).toEqual(["alice: next"]);
  });

  test("is sent what it missed before a message that comes in that second, so that order holds", async () => {
    const { alice, bob } = world.project("alice", "bob");
    const a = await alice.connects();
    for (const content of ["one", "two"]) await a.says(content);
    const b = await bob.connects();
    await a.says("three");
    await b.message("three");
    expect(await b.timeline()).toEqual(["alice: one", "alice: two", "alice: three"]);
  });

  test("is sent at most the newest hundred", async () => {
    const { alice, bob } = world.project("alice", "bob");
    const a = await alice.connects();
    for (let n = 1; n <= 130; n++) a.writes(`m${n}`);
    await a.message("m130");
    const b = await bob.connects();
    await b.message("m130");
    expect(await b.timeline()).toEqual(Array.from({ length: 100 }, (_, n) => `alice: m${n + 31}`));
  });

  test("is sent messages in the form of new ones, with what has become of them", async () => {
    const { alice, bob, carol } = world.project("alice", "bob", "carol");
    const [a, c] = [await alice.connects(), await carol.connects()];
    const message = await a.says("hello", "m-1");
    c.reads(message);
    await a.hears('carol read "hello"');
    const b = await bob.connects();
    await b.message("hello");
    expect(b.events).toEqual([{ type: "new.message", message: { ...message, read_at: expect.any(String) } }]);
  });

  test("is sent nothing of an hour ago that another window of the same member has shown", async () => {
    const { alice, bob } = world.project("alice", "bob");
    const [a, first] = [await alice.connects(), await bob.connects()];
    first.reads(await a.says("seen in the first window"));
    await a.hears('bob read "seen in the first window"');
    const second = await bob.connects();
    await a.says("now");
    await second.message("now");
    expect(await second.timeline()).toEqual(["alice: now"]);
  });
});

test("with CLASSIC_REPLAY=off nothing is sent again", async () => {
  const off = await startWorld({ vars: { CLASSIC_REPLAY: "off", CLASSIC_REPLAY_DELAY_MS: "0" } });
  try {
    const { alice, bob } = off.project("alice", "bob");
    const a = await alice.connects();
    await a.says("missed");
    const b = await bob.connects();
    await a.says("heard");
    await b.message("heard");
    expect(await b.timeline()).toEqual(["alice: heard"]);
  } finally {
    await off.stop();
  }
});
