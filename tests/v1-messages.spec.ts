import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { startWorld, type World } from "./support/world.ts";
import { joins } from "./support/v1-client.ts";
import { leave, setScene, STATES } from "./support/v1-scene.ts";

/** What is done to messages: each story in a room that stays awake, and in one that sleeps between any two steps. */
let world: World;
beforeAll(async () => {
  world = await startWorld({ vars: { CHANGE_RATE: "0", QUERY_RATE: "0", REACTIONS_MAX: "3", PINS_MAX: "2" }, asksForProjects: true });
});
afterAll(() => world?.stop());

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/;

describe.each(STATES)("in a room that is %s", (state) => {
  const scene = () => setScene(world, state);

  describe("sending", () => {
    test("reaches everybody, each in their own dialect, with what each may see", async () => {
      const s = await scene();
      const data = { kind: "quote", lines: [1, 2] };
      const sent = await s.a.says("hello", { client_message_id: "m-1", data });
      await s.b.hears("alice: hello");
      expect(s.b.log[0]).toEqual({
        type: "new.message",
        seq: 1,
        message: {
          id: 1,
          client_message_id: "m-1",
          project: s.project,
          sender: { id: s.alice.id, username: "alice", first_name: "Alice", last_name: "Example", profile_pic: null },
          content: "hello",
          attachment: null,
          created_at: expect.stringMatching(ISO),
          read_at: null,
          data,
        },
      });
      const { data: _, ...classic } = sent;
      expect(await s.c.message("hello")).toEqual(classic);
      leave(s);
    });

    test("the same again is acknowledged to the resender alone; other content under the same id is refused", async () => {
      const s = await scene();
      await s.a.says("once", { client_message_id: "m-1" });
      await s.nap();
      expect(await s.a.asks({ type: "send_message", content: "once", client_message_id: "m-1" })).toMatchObject({
        type: "ack",
        client_message_id: "m-1",
        id: 1,
        seq: 1,
      });
      await s.nap();
      s.a.sends({ type: "send_message", content: "other", client_message_id: "m-1", ref: "r" });
      expect(await s.a.next("error")).toMatchObject({ code: "client_message_id_reused", client_message_id: "m-1", ref: "r" });
      expect(await s.heard()).toEqual({
        a: ["alice: once"],
        b: ["alice: once"],
        m: ["alice: once"],
        c: ["alice: once"],
      });
      leave(s);
    });

    test.each<[string, Record<string, unknown>, string]>([
      ["nothing", { content: "" }, "content_empty"],
      ["white space", { content: " \n" }, "content_empty"],
      ["too much", { content: "x".repeat(10_001) }, "content_too_long"],
      ["a number", { content: 7 }, "invalid_field"],
      ["data that is no object", { content: "x", data: [1] }, "invalid_field"],
      ["data beyond 4 KB", { content: "x", data: { text: "x".repeat(4_090) } }, "invalid_field"],
      ["a client_message_id beyond 64 characters", { content: "x", client_message_id: "x".repeat(65) }, "invalid_field"],
      ["an answer to nothing", { content: "x", reply_to: 99 }, "no_such_message"],
      ["more than 50 mentions", { content: "x", mentions: Array(51).fill(1) }, "invalid_field"],
      ["mentions that are no ids", { content: "x", mentions: [{}] }, "invalid_field"],
    ])("%s is refused", async (_what, fields, word) => {
      const { alice } = world.project("alice");
      const a = await joins(alice);
      expect(await a.refused({ type: "send_message", ...fields })).toBe(word);
      expect(await a.timeline()).not.toContain("alice: x");
      a.drops();
    });
  });

  describe("editing", () => {
    test("changes what everybody sees, and keeps what was said for its author and moderators", async () => {
      const s = await scene();
      const { id } = await s.a.says("one", { client_message_id: "m-1" });
      await s.nap();
      expect((await s.a.asks({ type: "edit_message", id, content: "two" })).type).toBe("ok");
      await s.nap();
      await s.a.asks({ type: "edit_message", id, content: "three" });
      await s.nap();

      const told = ["alice: one", '#1 says "two"', '#1 says "three"'];
      expect(await s.heard()).toEqual({ a: told, b: told, m: told, c: told });
      expect(s.b.log.at(-1)).toEqual({
        type: "message.updated",
        seq: 3,
        id,
        content: "three",
        mentions: [],
        edited_at: expect.stringMatching(ISO),
      });
      const edited_at = s.b.log.at(-1)?.["edited_at"];
      expect(s.c.events.at(-1)).toMatchObject({ type: "message.updated", message: { id, content: "three", edited_at } });
      const [shown] = (await s.b.asks({ type: "history" }))["messages"];
      expect(shown).toMatchObject({ id, content: "three", edited_at });
      expect((await s.carol.history()).json[0]).toMatchObject({ id, content: "three", edited_at });
      expect((await s.carol.contacts(s.project)).json.last_message_text).toBe("three");

      for (const client of [s.a, s.m]) {
        await s.nap();
        const { versions } = await client.asks({ type: "edits", id });
        expect(versions.map((version: any) => version.content)).toEqual(["two", "one"]);
        for (const version of versions) expect(version.replaced_at).toMatch(ISO);
      }
      expect(await s.b.refused({ type: "edits", id })).toBe("moderators_only");
      // The first words, sent again, are still the same message.
      await s.nap();
      expect((await s.a.asks({ type: "send_message", content: "one", client_message_id: "m-1" })).type).toBe("ack");
      leave(s);
    });

    test("is refused to others, of what is not there, and to nothing; the same again changes nothing", async () => {
      const s = await scene();
      const { id } = await s.a.says("one");
      await s.nap();
      expect(await s.b.refused({ type: "edit_message", id, content: "mine" })).toBe("not_yours");
      expect(await s.m.refused({ type: "edit_message", id, content: "mine" })).toBe("not_yours");
      expect(await s.a.refused({ type: "edit_message", id: 99, content: "x" })).toBe("no_such_message");
      expect(await s.a.refused({ type: "edit_message", id, content: " " })).toBe("content_empty");
      expect(await s.a.refused({ type: "edit_message", id, content: "x".repeat(10_001) })).toBe("content_too_long");
      expect(await s.a.refused({ type: "edit_message", id: "one", content: "x" })).toBe("invalid_field");
      expect((await s.a.asks({ type: "edit_message", id, content: "one" })).type).toBe("ok");
      expect((await s.heard()).b).toEqual(["alice: one"]);
      leave(s);
    });
  });

  describe("deleting", () => {
    test("takes the words back everywhere, and leaves the place", async () => {
      const s = await scene();
      await s.b.says("stays");
      const { id } = await s.a.says("a secret", { client_message_id: "m-1", mentions: [s.bob.id], data: { secret: 1 } });
      await s.a.asks({ type: "edit_message", id, content: "the secret" });
      await s.b.asks({ type: "react", message_id: id, emoji: "👍", on: true });
      await s.b.asks({ type: "pin", message_id: id, on: true });
      await s.nap();
      await s.a.asks({ type: "delete_message", id });
      await s.nap();

      expect((await s.heard()).b.slice(2)).toEqual([
        '#2 says "the secret"',
        "bob +👍 #2: 1",
        "bob pins #2",
        "alice unpins #2",
        "#2 deleted by alice",
      ]);
      expect((await s.c.timeline()).slice(1)).toEqual(["alice: a secret", '#2 says "the secret"', "#2 deleted by alice"]);
      expect(s.b.log.at(-1)).toEqual({ type: "message.deleted", seq: 7, id, deleted_by: s.alice.id, deleted_at: expect.stringMatching(ISO) });
      const { deleted_at } = s.b.log.at(-1) as any;
      const shown = (await s.b.asks({ type: "history" }))["messages"][1];
      expect(shown).toMatchObject({ id, content: "", deleted_at, deleted_by: s.alice.id });
      for (const field of ["data", "mentions", "reactions", "pinned"]) expect(shown).not.toHaveProperty(field);
      expect((await s.carol.history()).json[0]).toMatchObject({ id, content: "", deleted_at });
      await s.nap();
      expect((await s.a.asks({ type: "edits", id }))["versions"]).toEqual([]);
      expect((await s.b.asks({ type: "search", query: "secret" }))["messages"]).toEqual([]);
      expect((await s.b.asks({ type: "mentions" }))["messages"]).toEqual([]);
      expect((await s.b.asks({ type: "pins" }))["messages"]).toEqual([]);
      // No words are left anywhere in the log, either.
      const late = await joins(s.carol, { since: 0 });
      expect(JSON.stringify(late.log)).not.toContain("secret");
      expect(late.log).toHaveLength(7);

      expect((await s.a.asks({ type: "delete_message", id })).type).toBe("ok");
      expect((await s.a.asks({ type: "send_message", content: "a secret", client_message_id: "m-1" })).type).toBe("ack");
      expect(await s.a.refused({ type: "edit_message", id, content: "again" })).toBe("message_deleted");
      expect(await s.a.refused({ type: "react", message_id: id, emoji: "👍", on: true })).toBe("message_deleted");
      expect(await s.a.refused({ type: "pin", message_id: id, on: true })).toBe("message_deleted");
      expect((await s.a.asks({ type: "pins" }))["messages"]).toEqual([]);
      late.drops();
      leave(s);
    });

    test("of others' messages is for moderators, and noted", async () => {
      const s = await scene();
      const { id } = await s.a.says("rude");
      await s.nap();
      expect(await s.b.refused({ type: "delete_message", id })).toBe("not_yours");
      expect(await s.b.refused({ type: "delete_message", id: 99 })).toBe("no_such_message");
      await s.nap();
      await s.m.asks({ type: "delete_message", id });
      await s.b.hears("#1 deleted by mia");
      await s.nap();
      expect((await s.m.asks({ type: "audit" }))["entries"]).toMatchObject([
        { actor: s.mia.id, action: "delete_message", user_id: s.alice.id, message_id: id },
      ]);
      leave(s);
    });
  });

  describe("reacting", () => {
    test("is counted per emoji, once per person, and shown to each as theirs", async () => {
      const s = await scene();
      const { id } = await s.a.says("party?");
      const react = async (client: typeof s.a, emoji: string, on = true) => {
        await s.nap();
        return client.asks({ type: "react", message_id: id, emoji, on });
      };
      await react(s.a, "🎉");
      await react(s.b, "🎉");
      await react(s.b, "👩‍👩‍👧‍👦");
      await react(s.b, "🎉"); // again: nothing
      await react(s.a, "🎉", false);
      await react(s.a, "🎉", false); // again: nothing
      await s.nap();
      const told = ["alice: party?", "alice +🎉 #1: 1", "bob +🎉 #1: 2", "bob +👩‍👩‍👧‍👦 #1: 1", "alice -🎉 #1: 1"];
      expect(await s.heard()).toEqual({ a: told, b: told, m: told, c: ["alice: party?"] });
      const shown = async (client: typeof s.a) => (await client.asks({ type: "history" }))["messages"][0].reactions;
      expect(await shown(s.a)).toEqual([{ emoji: "🎉", count: 1, mine: false }, { emoji: "👩‍👩‍👧‍👦", count: 1, mine: false }]);
      expect(await shown(s.b)).toEqual([{ emoji: "🎉", count: 1, mine: true }, { emoji: "👩‍👩‍👧‍👦", count: 1, mine: true }]);
      leave(s);
    });

    test("has its bounds", async () => {
      const s = await scene();
      const { id } = await s.a.says("hello");
      for (const emoji of ["", " ", "a b", "x".repeat(65), 7]) {
        expect([emoji, await s.a.refused({ type: "react", message_id: id, emoji, on: true })]).toEqual([emoji, "invalid_field"]);
      }
      expect(await s.a.refused({ type: "react", message_id: id, emoji: "👍" })).toBe("invalid_field");
      expect(await s.a.refused({ type: "react", message_id: 99, emoji: "👍", on: true })).toBe("no_such_message");
      for (const emoji of ["1", "2", ":three:"]) await s.a.asks({ type: "react", message_id: id, emoji, on: true });
      await s.nap();
      expect(await s.b.refused({ type: "react", message_id: id, emoji: "4", on: true })).toBe("too_many_reactions");
      expect((await s.b.asks({ type: "react", message_id: id, emoji: "1", on: true })).type).toBe("ok");
      leave(s);
    });
  });

  describe("replying", () => {
    test("makes a thread with a length and pages of its own", async () => {
      const s = await scene();
      const root = await s.a.says("who comes?");
      await s.nap();
      const first = await s.b.says("me", { reply_to: root.id });
      await s.a.says("something else");
      await s.nap();
      const second = await s.a.says("me too", { reply_to: first.id });
      expect([first, second].map(({ reply_to, thread }) => [reply_to, thread])).toEqual([[1, 1], [2, 1]]);
      await s.nap();

      const [shown, reply] = (await s.b.asks({ type: "history" }))["messages"];
      expect([shown.replies, reply.replies]).toEqual([{ count: 2, last_id: 4 }, undefined]);
      await s.nap();
      for (const id of [root.id, second.id]) {
        const thread = await s.b.asks({ type: "thread", id });
        expect(thread).toMatchObject({ type: "thread", root: { id: 1, content: "who comes?" }, more_before: false });
        expect(thread["messages"].map((message: any) => message.content)).toEqual(["me", "me too"]);
      }
      const page = await s.b.asks({ type: "thread", id: root.id, limit: 1 });
      expect([page["messages"].map((message: any) => message.id), page["more_before"]]).toEqual([[4], true]);
      const before = await s.b.asks({ type: "thread", id: root.id, limit: 1, before: 4 });
      expect([before["messages"].map((message: any) => message.id), before["more_before"]]).toEqual([[2], false]);
      expect(await s.b.refused({ type: "thread", id: 99 })).toBe("no_such_message");
      // A classic client sees plain messages.
      expect(await s.c.timeline()).toEqual(["alice: who comes?", "bob: me", "alice: something else", "alice: me too"]);
      expect(await s.c.message("me")).not.toHaveProperty("thread");
      leave(s);
    });
  });

  describe("mentioning", () => {
    test("calls members who are not oneself, and can be taken back by an edit", async () => {
      const s = await scene();
      const mentions = [s.bob.id, String(s.mia.id), s.alice.id, 999_999, s.bob.id];
      const { id, ...sent } = await s.a.says("@bob @mia", { mentions });
      expect(sent["mentions"]).toEqual([s.bob.id, s.mia.id]);
      await s.nap();
      const called = async (client: typeof s.a) => (await client.asks({ type: "mentions" }))["messages"].map((message: any) => message.id);
      expect([await called(s.b), await called(s.m), await called(s.a)]).toEqual([[id], [id], []]);
      const late = await joins(s.bob);
      expect(late.hello?.["unread"]).toEqual({ count: 1, first_id: 1, mentions: 1 });

      await s.nap();
      await s.a.asks({ type: "edit_message", id, content: "@carol", mentions: [s.carol.id] });
      expect(s.a.log.at(-1)).toMatchObject({ type: "message.updated", mentions: [s.carol.id] });
      await s.nap();
      expect([await called(s.b), await called(s.m)]).toEqual([[], []]);
      expect((await s.carol.calls(`/api/projects/${s.project}/chat/frames/`, { method: "POST", body: { type: "mentions" } })).json).toMatchObject([
        { type: "mentions", messages: [{ id }], more_before: false },
      ]);
      late.drops();
      leave(s);
    });

    test("comes in pages, newest first", async () => {
      const s = await scene();
      for (const content of ["one", "two", "three"]) await s.a.says(content, { mentions: [s.bob.id] });
      await s.nap();
      const page = await s.b.asks({ type: "mentions", limit: 2 });
      expect([page["messages"].map((message: any) => message.content), page["more_before"]]).toEqual([["three", "two"], true]);
      const rest = await s.b.asks({ type: "mentions", limit: 2, before: page["messages"][1].id });
      expect([rest["messages"].map((message: any) => message.content), rest["more_before"]]).toEqual([["one"], false]);
      leave(s);
    });
  });

  describe("pinning", () => {
    test("is for everyone, in the project's pins, and told once", async () => {
      const s = await scene();
      for (const content of ["one", "two", "three"]) await s.a.says(content);
      await s.nap();
      await s.b.asks({ type: "pin", message_id: 2, on: true });
      await s.b.asks({ type: "pin", message_id: 2, on: true }); // again: nothing
      await s.nap();
      await s.a.asks({ type: "pin", message_id: 1, on: true });
      await s.nap();
      expect((await s.heard()).m.slice(3)).toEqual(["bob pins #2", "alice pins #1"]);
      expect(await s.c.timeline()).toEqual(["alice: one", "alice: two", "alice: three"]);
      const late = await joins(s.bob);
      expect(late.hello?.["project"].pins).toEqual([2, 1]);
      expect(late.hello?.["messages"].map((message: any) => message.pinned ?? false)).toEqual([true, true, false]);
      expect((await s.b.asks({ type: "pins" }))["messages"].map((message: any) => message.content)).toEqual(["one", "two"]);
      expect(await s.b.refused({ type: "pin", message_id: 3, on: true })).toBe("too_many_pins");
      expect(await s.b.refused({ type: "pin", message_id: 99, on: true })).toBe("no_such_message");
      await s.nap();
      await s.b.asks({ type: "pin", message_id: 1, on: false });
      await s.m.hears("bob unpins #1");
      await s.nap();
      expect((await s.b.asks({ type: "pins" }))["messages"].map((message: any) => message.id)).toEqual([2]);
      late.drops();
      leave(s);
    });
  });

  test("whoever was away arrives at the same state as whoever was there", async () => {
    const s = await scene();
    await s.a.says("one");
    s.b.drops();
    await s.nap();
    await s.a.says("two");
    await s.a.asks({ type: "edit_message", id: 1, content: "ONE" });
    await s.m.asks({ type: "react", message_id: 1, emoji: "👍", on: true });
    await s.m.asks({ type: "react", message_id: 1, emoji: "👍", on: false });
    await s.m.asks({ type: "pin", message_id: 2, on: true });
    await s.a.says("three");
    await s.m.asks({ type: "delete_message", id: 7 });
    await s.nap();
    await s.b.comesBack();
    await s.m.reaches(8);
    const seqs = s.b.log.map((event) => [event.seq, event.type]);
    expect(seqs).toEqual(s.m.log.map((event) => [event.seq, event.type]));
    expect(seqs).toHaveLength(8);
    // Each event says how things are now: a message that was deleted since has no words any more.
    expect(s.b.log.find((event) => event.seq === 7)?.["message"].content).toBe("");
    expect(s.b.log.find((event) => event.seq === 4)).toMatchObject({ type: "reaction", on: true, count: 0 });
    expect([s.b.holes, s.b.repeats]).toEqual([0, 0]);
    leave(s);
  });
});
