import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { startWorld, type World } from "./support/world.ts";
import { joins } from "./support/v1-client.ts";
import { leave, setScene, STATES } from "./support/v1-scene.ts";

/** Who is here, who types, who has read what, and who does not want to hear whom. */
let world: World;
beforeAll(async () => {
  world = await startWorld({ vars: { CHANGE_RATE: "0", SIGNAL_RATE: "0" } });
});
afterAll(() => world?.stop());

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/;

describe.each(STATES)("in a room that is %s", (state) => {
  const scene = () => setScene(world, state);

  describe("hello", () => {
    test("tells a client all that it needs to begin", async () => {
      const s = await scene();
      await s.a.says("one");
      await s.a.says("two", { mentions: [s.bob.id] });
      await s.nap();
      const late = await joins(s.bob);
      const { hello } = late;
      expect(Object.keys(hello ?? {}).sort()).toEqual([
        "epoch", "expires_at", "head", "limits", "members", "members_count", "messages", "more", "more_before", "present", "project",
        "reconnect_window_ms", "seq", "type", "typing", "unread", "you",
      ]);
      expect(hello).toMatchObject({
        seq: 2,
        head: 2,
        more: false,
        more_before: false,
        messages: [{ id: 1, content: "one" }, { id: 2, content: "two" }],
        you: { id: s.bob.id, username: "bob", role: "member", last_read_message_id: 0, muted_until: null, blocked: [] },
        project: { id: s.project, name: `Project ${s.project}`, frozen: false, slow_mode_s: 0, pins: [] },
        members_count: 4,
        present: 4,
        typing: [],
        unread: { count: 2, first_id: 1, mentions: 1 },
        limits: { message_chars: 10_000, frame_bytes: 65_536, page: 50, chunk: 300, message_rate: 10, message_burst: 100, seen_every: 500 },
      });
      expect(hello?.["epoch"]).toMatch(/^\S{16,}$/);
      expect(hello?.["reconnect_window_ms"]).toBeGreaterThanOrEqual(500);
      const me = hello?.["members"].find((member: any) => member.id === s.mia.id);
      expect(me).toEqual({
        ...{ id: s.mia.id, username: "mia", first_name: "Mia", last_name: "Example", profile_pic: null },
        ...{ role: "moderator", last_read_message_id: 0, status: "online", last_seen: null },
      });
      late.drops();
      leave(s);
    });

    test("brings the newest fifty, and says that there are more", async () => {
      const s = await scene();
      for (let n = 1; n <= 51; n++) s.a.writes(`m${n}`);
      await s.a.reaches(51);
      await s.nap();
      const late = await joins(s.bob);
      expect(late.hello?.["messages"].map((message: any) => message.id)).toEqual(Array.from({ length: 50 }, (_, n) => n + 2));
      expect(late.hello?.["more_before"]).toBe(true);
      late.drops();
      leave(s);
    });
  });

  describe("presence", () => {
    test("is per person: the first window comes, the last one goes", async () => {
      const s = await scene();
      s.b.drops();
      await s.a.hears("bob offline");
      await s.nap();
      const first = await joins(s.bob);
      await s.a.hears("bob online");
      await s.nap();
      const second = await joins(s.bob);
      await first.leaves();
      await s.a.settled();
      await s.nap();
      await second.leaves();
      await s.m.event("bob to be gone twice", () => s.m.lines().filter((line) => line === "bob offline").length === 2);
      const told = ["bob offline", "bob online", "bob offline"];
      expect(await s.a.timeline()).toEqual(told);
      expect(s.a.last("presence")).toEqual({ type: "presence", present: 3, users: [{ id: s.bob.id, status: "offline", last_seen: expect.stringMatching(ISO) }] });
      // Classic clients know nothing of it.
      expect(await s.c.timeline()).toEqual([]);
      leave(s);
    });

    test("knows who does not look, once no window of theirs is looked at", async () => {
      const s = await scene();
      await s.a.asks({ type: "presence", away: true });
      await s.b.hears("alice away");
      await s.nap();
      const window = await joins(s.alice);
      await s.b.hears("alice online");
      await s.nap();
      await window.asks({ type: "presence", away: true });
      await s.b.settled();
      await s.nap();
      await s.a.asks({ type: "presence", away: true }); // again: nothing
      const late = await joins(s.mia);
      expect(late.hello?.["members"].find((member: any) => member.id === s.alice.id)).toMatchObject({ status: "away", last_seen: null });
      await s.nap();
      await window.asks({ type: "presence", away: false });
      await s.b.event("alice to look again", () => s.b.lines().filter((line) => line === "alice online").length === 2);
      expect(await s.b.timeline()).toEqual(["alice away", "alice online", "alice away", "alice online"]);
      expect(await s.a.refused({ type: "presence" })).toBe("invalid_field");
      for (const client of [window, late]) client.drops();
      leave(s);
    });

    test("counts classic clients, too", async () => {
      const s = await scene();
      await s.c.leaves();
      await s.a.hears("carol offline");
      await s.nap();
      const again = await s.carol.connects();
      await s.a.hears("carol online");
      again.drops();
      leave(s);
    });
  });

  describe("typing", () => {
    test("is a list to v1 clients, and single steps to classic ones; a message ends it", async () => {
      const s = await scene();
      s.a.sends({ type: "typing", is_typing: true });
      await s.m.hears("typing: alice");
      s.b.sends({ type: "typing", is_typing: true });
      await s.m.hears("typing: alice, bob");
      const late = await joins(s.mia);
      expect(late.hello?.["typing"]).toEqual([{ id: s.alice.id, username: "alice" }, { id: s.bob.id, username: "bob" }]);
      await s.a.says("done");
      await s.m.hears("typing: bob");
      s.b.sends({ type: "typing", is_typing: false });
      await s.m.hears("typing: nobody");
      expect(await s.m.timeline()).toEqual(["typing: alice", "typing: alice, bob", "alice: done", "typing: bob", "typing: nobody"]);
      expect(await s.c.timeline()).toEqual(["alice types", "bob types", "alice: done", "bob stops typing"]);
      s.c.types(true);
      await s.a.hears("typing: carol");
      s.c.types(false);
      await s.nap();
      expect(await s.a.refused({ type: "typing" })).toBe("invalid_field");
      late.drops();
      leave(s);
    });

    test("ends when its typist goes", async () => {
      const s = await scene();
      s.a.sends({ type: "typing", is_typing: true });
      await s.b.hears("typing: alice");
      s.a.drops();
      await s.b.hears("typing: nobody");
      await s.c.hears("alice stops typing");
      leave(s);
    });
  });

  describe("reading", () => {
    test("is told in one event for all who read in a turn, and to classic clients one by one", async () => {
      const s = await scene();
      const { id } = await s.a.says("hello");
      await s.nap();
      s.b.sends({ type: "read", last_read_message_id: id });
      await s.a.hears("bob read #1");
      await s.nap();
      await s.m.asks({ type: "read", last_read_message_id: id });
      await s.a.hears("mia read #1");
      await s.nap();
      await s.m.asks({ type: "read", last_read_message_id: id }); // again: nothing
      expect(await s.a.timeline()).toEqual(["alice: hello", "bob read #1", "mia read #1"]);
      expect(await s.c.timeline()).toEqual(["alice: hello", 'bob read "hello"', 'mia read "hello"']);
      expect(s.a.events[1]).toEqual({
        type: "read_receipt",
        receipts: [{ user_id: s.bob.id, last_read_message_id: 1, read_at: expect.stringMatching(ISO) }],
      });
      // The reader's own windows learn what is unread.
      expect((await s.b.timeline()).filter((line) => line.startsWith("unread"))).toEqual(["unread 0"]);
      await s.nap();
      expect((await s.a.asks({ type: "history" }))["messages"][0].read_at).toBe(s.a.events[1]?.["receipts"][0].read_at);
      leave(s);
    });

    test("in private moves one's own mark, and nobody hears of it", async () => {
      const s = await scene();
      const { id } = await s.a.says("hello");
      await s.nap();
      await s.b.asks({ type: "read", last_read_message_id: id, private: true });
      await s.nap();
      expect((await s.b.timeline()).filter((line) => line !== "alice: hello")).toEqual(["unread 0"]);
      expect(await s.a.timeline()).toEqual(["alice: hello"]);
      expect(await s.c.timeline()).toEqual(["alice: hello"]);
      expect(await s.bob.unread()).toBe(0);
      expect((await s.alice.history()).json[0].read_at).toBeNull();
      const late = await joins(s.mia);
      expect(late.hello?.["members"].find((member: any) => member.id === s.bob.id).last_read_message_id).toBe(0);
      await s.nap();
      // Read openly after all: now it is told.
      await s.b.asks({ type: "read", last_read_message_id: id });
      await s.a.hears("bob read #1");
      late.drops();
      leave(s);
    });

    test("can be taken back for oneself: what is unread again is nobody else's business", async () => {
      const s = await scene();
      for (const content of ["one", "two", "three"]) await s.a.says(content);
      await s.b.asks({ type: "read", last_read_message_id: 3 });
      await s.a.hears("bob read #3");
      await s.nap();
      await s.b.asks({ type: "mark_unread", message_id: 2 });
      await s.b.hears("unread 2");
      await s.nap();
      expect(await s.bob.unread()).toBe(2);
      const late = await joins(s.bob);
      expect(late.hello?.["unread"]).toEqual({ count: 2, first_id: 2, mentions: 0 });
      expect(await s.a.timeline()).toEqual(["alice: one", "alice: two", "alice: three", "bob read #3"]);
      expect((await s.alice.history()).json[0].read_at).not.toBeNull();
      await s.nap();
      await s.b.asks({ type: "read", last_read_message_id: 3 });
      await late.hears("unread 0");
      expect(await s.bob.unread()).toBe(0);
      expect(await s.b.refused({ type: "mark_unread", message_id: 4 })).toBe("no_such_message");
      expect(await s.b.refused({ type: "mark_unread", message_id: 0 })).toBe("no_such_message");
      expect(await s.b.refused({ type: "mark_unread" })).toBe("invalid_field");
      late.drops();
      leave(s);
    });
  });

  describe("blocking", () => {
    test("keeps the other one's words out of the unread count and their mentions away, and does not tell them", async () => {
      const s = await scene();
      await s.a.says("before");
      await s.nap();
      await s.b.asks({ type: "block", user_id: s.alice.id, on: true });
      await s.b.hears("you");
      expect(s.b.last("you")?.["you"].blocked).toEqual([s.alice.id]);
      await s.nap();
      await s.a.says("@bob", { mentions: [s.bob.id] });
      await s.m.says("hello");
      await s.nap();
      expect(await s.bob.unread()).toBe(1);
      const late = await joins(s.bob);
      expect(late.hello?.["unread"]).toEqual({ count: 1, first_id: 3, mentions: 0 });
      expect(late.hello?.["you"].blocked).toEqual([s.alice.id]);
      // Clients fold what blocked people say; the log has it for everybody.
      expect(late.hello?.["messages"].map((message: any) => message.content)).toEqual(["before", "@bob", "hello"]);
      expect(await s.a.timeline()).toEqual(["alice: before", "alice: @bob", "mia: hello"]);
      await s.nap();
      await s.b.asks({ type: "block", user_id: s.alice.id, on: false });
      expect(await s.bob.unread()).toBe(3);
      expect(await s.b.refused({ type: "block", user_id: s.bob.id, on: true })).toBe("invalid_field");
      expect(await s.b.refused({ type: "block", user_id: 999_999, on: true })).toBe("no_such_member");
      expect(await s.b.refused({ type: "block", user_id: s.alice.id })).toBe("invalid_field");
      late.drops();
      leave(s);
    });
  });

  describe("the members", () => {
    test("come in pages, and whoever is new or changed is told to all", async () => {
      const s = await scene();
      const dave = world.person("dave", s.project);
      world.backend.admits(s.project, dave.row());
      await s.nap();
      const d = await joins(dave);
      await s.a.hears(`member ${dave.id}, member`);
      expect(await s.c.timeline()).toEqual([]);
      const { members, more } = await s.a.asks({ type: "members" });
      expect([members.map((member: any) => member.id), more]).toEqual([[s.alice, s.bob, s.mia, s.carol, dave].map(({ id }) => id), false]);
      const rest = await s.a.asks({ type: "members", after: s.mia.id });
      expect(rest["members"].map((member: any) => member.username)).toEqual(["carol", "dave"]);
      d.drops();
      leave(s);
    });
  });
});

describe("in a large room", () => {
  /** "Large" begins above two people here. */
  let crowd: World;
  beforeAll(async () => {
    const vars = { PRESENCE_MAX_PRESENT: "2", TYPING_MAX_PRESENT: "2", RECEIPTS_TO_ALL_MAX_PRESENT: "2", ROSTER_MAX: "2" };
    crowd = await startWorld({ vars });
  });
  afterAll(() => crowd?.stop());

  test("presence is a number, typing is not passed on, and receipts go to those concerned", async () => {
    const { alice, bob, carol } = crowd.project("alice", "bob", "carol");
    const [a, b, c] = [await joins(alice), await joins(bob), await joins(carol)];
    await a.hears("3 present");
    for (const client of [a, b, c]) await client.forgets();
    b.sends({ type: "typing", is_typing: true });
    const { id } = await a.says("hello");
    await b.asks({ type: "read", last_read_message_id: id });
    await a.hears("bob read #1");
    expect(await c.timeline()).toEqual(["alice: hello"]);
    expect((await b.timeline()).sort()).toEqual(["alice: hello", "bob read #1", "unread 0"]);
    const { hello } = await joins(carol);
    expect([hello?.["members"].length, hello?.["members_count"], hello?.["present"]]).toEqual([2, 3, 3]);
    const page = await a.asks({ type: "members" });
    expect([page["members"].length, page["more"]]).toEqual([2, true]);
    const rest = await a.asks({ type: "members", after: page["members"][1].id });
    expect([rest["members"].map((member: any) => member.username), rest["more"]]).toEqual([["carol"], false]);
    for (const client of [a, b, c]) client.drops();
  });
});
