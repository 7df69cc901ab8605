import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { realTime } from "./support/deadline.ts";
import { SERVER_KEY, startWorld, type World } from "./support/world.ts";
import { FrameRefused, joins, turnedAway, type V1Client } from "./support/v1-client.ts";
import { leave, setScene, STATES } from "./support/v1-scene.ts";

/** What keeps a room in order. */
let world: World;
beforeAll(async () => {
  world = await startWorld({ vars: { CHANGE_RATE: "0", QUERY_RATE: "0", SERVER_API_KEY: SERVER_KEY } });
});
afterAll(() => world?.stop());

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/;
const entries = async (m: V1Client) =>
  (await m.asks({ type: "audit" }))["entries"].map((entry: any) => [entry.action, entry.actor, entry.user_id, entry.message_id, entry.detail]);
/** How a frame is refused, in full. */
const error = async (asking: Promise<unknown>): Promise<any> => {
  try {
    return await asking;
  } catch (refused) {
    if (refused instanceof FrameRefused) return refused.event;
    throw refused;
  }
};

describe.each(STATES)("in a room that is %s", (state) => {
  const scene = () => setScene(world, state);

  describe("reporting", () => {
    test("tells the moderators, once per person, until one of them has dealt with it", async () => {
      const s = await scene();
      const { id } = await s.a.says("rude");
      await s.nap();
      await s.b.asks({ type: "report", message_id: id, reason: "It is rude." });
      await s.m.hears("report");
      await s.nap();
      await s.b.asks({ type: "report", message_id: id, reason: "again" });
      expect(await s.heard()).toEqual({ a: ["alice: rude"], b: ["alice: rude"], m: ["alice: rude", "report"], c: ["alice: rude"] });
      const report = { message_id: id, reporter: s.bob.id, reason: "It is rude.", created_at: expect.stringMatching(ISO), resolved_by: null };
      expect(s.m.last("report")).toEqual({ type: "report", report });
      await s.nap();
      expect(await s.m.asks({ type: "reports" })).toMatchObject({ type: "reports", reports: [report], more_before: false });
      await s.nap();
      await s.m.asks({ type: "resolve", message_id: id });
      await s.m.asks({ type: "resolve", message_id: id }); // again: nothing
      await s.nap();
      expect((await s.m.asks({ type: "reports" }))["reports"]).toEqual([{ ...report, resolved_by: s.mia.id }]);
      expect((await s.m.asks({ type: "reports", before: id }))["reports"]).toEqual([]);
      expect(await entries(s.m)).toEqual([["resolve", s.mia.id, null, id, null]]);
      leave(s);
    });

    test("has its bounds", async () => {
      const s = await scene();
      const { id } = await s.a.says("hello");
      expect(await s.b.refused({ type: "report", message_id: 99 })).toBe("no_such_message");
      expect(await s.b.refused({ type: "report", message_id: id, reason: "x".repeat(1_001) })).toBe("invalid_field");
      expect(await s.b.refused({ type: "report", message_id: id, reason: 7 })).toBe("invalid_field");
      expect((await s.b.asks({ type: "report", message_id: id })).type).toBe("ok");
      leave(s);
    });
  });

  describe("muting", () => {
    test("stops a member from writing, in both dialects and over HTTP, and not from reading", async () => {
      const s = await scene();
      const tab = await s.alice.connects();
      const { id } = await s.a.says("before");
      s.a.sends({ type: "typing", is_typing: true });
      await s.b.hears("typing: alice");
      await s.nap();
      await s.m.asks({ type: "mute", user_id: s.alice.id, seconds: 60 });
      await s.b.hears("member alice, member");
      const you = await s.a.event("what alice may do now", (event) => event.type === "you");
      expect(Math.abs(Date.parse(you["you"].muted_until) - Date.now() - 60_000)).toBeLessThan(3_000);
      expect(s.b.last("member")?.["member"].muted_until).toBe(you["you"].muted_until);
      await s.nap();

      const refused = await error(s.a.asks({ type: "send_message", content: "may I?" }));
      expect(refused).toMatchObject({ code: "muted" });
      expect(refused.retry_after_ms).toBeGreaterThan(50_000);
      expect(await s.a.refused({ type: "edit_message", id, content: "x" })).toBe("muted");
      expect(await s.a.refused({ type: "react", message_id: id, emoji: "👍", on: true })).toBe("muted");
      expect(await s.a.refused({ type: "pin", message_id: id, on: true })).toBe("muted");
      tab.writes("may I?");
      await tab.error("muted");
      const posted = await s.alice.posts("may I?");
      expect([posted.status, posted.json.code]).toEqual([403, "muted"]);
      s.a.sends({ type: "typing", is_typing: true });
      await s.a.settled();

      await s.nap();
      await s.b.says("you may read this");
      await s.a.asks({ type: "read", last_read_message_id: 2 });
      await s.b.hears("alice read #2");
      await s.a.asks({ type: "delete_message", id }); // what one has said may be taken back
      await s.nap();
      await s.m.asks({ type: "mute", user_id: s.alice.id, seconds: 0 });
      await s.nap();
      await s.a.says("again");
      expect((await s.b.timeline()).filter((line) => /alice: |typing: alice/.test(line))).toEqual([
        "alice: before",
        "typing: alice",
        "alice: again",
      ]);
      expect(await entries(s.m)).toEqual([
        ["mute", s.mia.id, s.alice.id, null, "0 s"],
        ["mute", s.mia.id, s.alice.id, null, "60 s"],
      ]);
      tab.drops();
      leave(s);
    });

    test("ends by itself", async () => {
      const s = await scene();
      await s.m.asks({ type: "mute", user_id: s.alice.id, seconds: 1 });
      await s.nap();
      expect(await s.a.refused({ type: "send_message", content: "too soon" })).toBe("muted");
      await realTime(1_050);
      await s.nap();
      await s.a.says("now");
      leave(s);
    });

    test("without a time is for ever", async () => {
      const s = await scene();
      await s.m.asks({ type: "mute", user_id: s.alice.id });
      await s.nap();
      const refused = await error(s.a.asks({ type: "send_message", content: "may I?" }));
      expect(refused.code).toBe("muted");
      expect(refused).not.toHaveProperty("retry_after_ms");
      expect((await entries(s.m))[0].at(-1)).toBe("for ever");
      leave(s);
    });
  });

  describe("banning", () => {
    test("keeps somebody out whatever the backend says, until it is taken back", async () => {
      const s = await scene();
      await s.m.asks({ type: "ban", user_id: s.alice.id });
      expect(await s.a.closes()).toEqual({ code: 4503, reason: "removed, banned or revoked" });
      await s.b.hears("alice is no member");
      await s.nap();
      expect((await turnedAway(s.alice)).error?.["code"]).toBe("banned");
      expect((await s.alice.history()).json.code).toBe("banned");
      await s.nap();
      await s.m.asks({ type: "ban", user_id: s.alice.id, seconds: 0 });
      await s.nap();
      const again = await joins(s.alice);
      await again.says("back");
      expect(await s.c.timeline()).toEqual(["alice: back"]);
      again.drops();
      leave(s);
    });

    test("ends by itself", async () => {
      const s = await scene();
      await s.m.asks({ type: "ban", user_id: s.alice.id, seconds: 1 });
      await s.nap();
      expect((await turnedAway(s.alice)).code).toBe(4503);
      await realTime(1_050);
      (await joins(s.alice)).drops();
      leave(s);
    });
  });

  test("removal is for good: only a server key takes it back", async () => {
    const s = await scene();
    await s.m.asks({ type: "remove", user_id: s.carol.id });
    expect((await s.c.closes()).code).toBe(4503);
    await s.a.hears("carol is no member");
    await s.nap();
    expect((await turnedAway(s.carol)).error?.["code"]).toBe("removed");
    expect(await entries(s.m)).toEqual([["remove", s.mia.id, s.carol.id, null, null]]);
    await s.nap();
    await world.worker.call(`/api/projects/${s.project}/chat/members/${s.carol.id}/`, { method: "PUT", token: SERVER_KEY, body: {} });
    await s.a.hears("member carol, member");
    (await joins(s.carol)).drops();
    leave(s);
  });

  test("moderators are beyond each other's reach, and nobody acts on themselves or on nobody", async () => {
    const s = await scene();
    world.backend.admits(s.project, { ...s.bob.row(), role: "moderator" });
    await world.worker.call(`/api/projects/${s.project}/chat/members/${s.bob.id}/`, { method: "PUT", token: SERVER_KEY, body: { role: "moderator" } });
    await s.nap();
    for (const type of ["mute", "ban", "remove"]) {
      expect([type, await s.m.refused({ type, user_id: s.bob.id })]).toEqual([type, "moderator_target"]);
      expect([type, await s.m.refused({ type, user_id: s.mia.id })]).toEqual([type, "invalid_field"]);
      expect([type, await s.m.refused({ type, user_id: 999_999 })]).toEqual([type, "no_such_member"]);
      expect([type, await s.m.refused({ type })]).toEqual([type, "invalid_field"]);
    }
    for (const seconds of [-1, 1.5, "x", 1_000_000_001]) {
      expect([seconds, await s.m.refused({ type: "mute", user_id: s.alice.id, seconds })]).toEqual([seconds, "invalid_field"]);
    }
    expect(await entries(s.m)).toEqual([]);
    leave(s);
  });

  describe("slow mode", () => {
    test("lets each member write once in so many seconds, and moderators as they like", async () => {
      const s = await scene();
      await s.m.asks({ type: "configure", slow_mode_s: 60 });
      await s.a.hears("project");
      expect(s.a.last("project")).toMatchObject({ type: "project", project: { slow_mode_s: 60, frozen: false } });
      await s.nap();
      await s.a.says("one", { client_message_id: "m-1" });
      await s.nap();
      const refused = await error(s.a.asks({ type: "send_message", content: "two", client_message_id: "m-2" }));
      expect(refused).toMatchObject({ code: "slow_mode", client_message_id: "m-2" });
      expect(refused.retry_after_ms).toBeGreaterThan(50_000);
      expect(refused.retry_after_ms).toBeLessThanOrEqual(60_000);
      // What was sent before may be sent again: it is acknowledged.
      expect((await s.a.asks({ type: "send_message", content: "one", client_message_id: "m-1" })).type).toBe("ack");
      await s.nap();
      const posted = await s.alice.posts("three");
      expect([posted.status, posted.json.code, Number(posted.headers["retry-after"]) > 50]).toEqual([429, "slow_mode", true]);
      s.c.writes("a first");
      await s.a.hears("carol: a first");
      await s.nap();
      s.c.writes("a second");
      await s.c.error("slow_mode");
      for (const content of ["I", "may"]) await s.m.says(content);
      await s.a.asks({ type: "edit_message", id: 1, content: "ONE" });
      await s.nap();
      await s.m.asks({ type: "configure", slow_mode_s: 0 });
      await s.a.says("fast again");
      expect((await entries(s.m)).map((entry: unknown[]) => entry.at(-1))).toEqual(["slow_mode_s 0", "slow_mode_s 60"]);
      leave(s);
    });

    test("ends by itself", async () => {
      const s = await scene();
      await s.m.asks({ type: "configure", slow_mode_s: 1 });
      await s.a.says("one");
      await realTime(1_050);
      await s.nap();
      await s.a.says("two");
      leave(s);
    });
  });

  test("a frozen project takes no messages from members, and everything else", async () => {
    const s = await scene();
    const { id } = await s.a.says("before");
    await s.nap();
    await s.m.asks({ type: "configure", frozen: true });
    await s.m.asks({ type: "configure", frozen: true }); // again: nothing
    await s.a.hears("project");
    await s.nap();
    for (const frame of [
      { type: "send_message", content: "x" },
      { type: "edit_message", id, content: "x" },
      { type: "react", message_id: id, emoji: "👍", on: true },
      { type: "pin", message_id: id, on: true },
    ]) expect([frame.type, await s.a.refused(frame)]).toEqual([frame.type, "frozen"]);
    s.c.writes("x");
    await s.c.error("frozen");
    expect((await s.bob.posts("x")).json.code).toBe("frozen");
    s.a.sends({ type: "typing", is_typing: true });
    await s.nap();
    await s.b.asks({ type: "read", last_read_message_id: id });
    await s.a.asks({ type: "delete_message", id });
    await s.m.says("only I");
    const late = await joins(s.bob);
    expect(late.hello?.["project"].frozen).toBe(true);
    await s.nap();
    await s.m.asks({ type: "configure", frozen: false });
    await s.a.says("thawed");
    expect(await s.c.timeline()).toEqual(["alice: before", "error frozen", 'bob read "before"', "#1 deleted by alice", "mia: only I", "alice: thawed"]);
    expect((await s.b.timeline()).filter((line) => line === "project" || line.startsWith("typing"))).toEqual(["project", "project"]);
    for (const frame of [{ slow_mode_s: 86_401 }, { slow_mode_s: -1 }, { frozen: "yes" }]) {
      expect([frame, await s.m.refused({ type: "configure", ...frame })]).toEqual([frame, "invalid_field"]);
    }
    late.drops();
    leave(s);
  });

  test("the audit comes in pages, newest first", async () => {
    const s = await scene();
    for (let n = 1; n <= 51; n++) await s.m.asks({ type: "configure", slow_mode_s: n });
    await s.nap();
    const page = await s.m.asks({ type: "audit" });
    expect([page["entries"].length, page["more_before"]]).toEqual([50, true]);
    expect(page["entries"][0]).toEqual({
      ...{ id: expect.any(Number), actor: s.mia.id, action: "configure", user_id: null, message_id: null },
      ...{ detail: "slow_mode_s 51", created_at: expect.stringMatching(ISO) },
    });
    const rest = await s.m.asks({ type: "audit", before: page["entries"].at(-1).id });
    expect([rest["entries"].map((entry: any) => entry.detail), rest["more_before"]]).toEqual([["slow_mode_s 1"], false]);
    leave(s);
  });
});
