import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { costOf } from "./support/cost.ts";
import { eventually } from "./support/deadline.ts";
import { atInbox, listens } from "./support/inbox.ts";
import { open, refusal } from "./support/socket.ts";
import { joins, turnedAway, type Event, type V1Client } from "./support/v1-client.ts";
import { nextId, SERVER_KEY, startWorld, type Person, type World } from "./support/world.ts";

const SERVER = { SERVER_API_KEY: SERVER_KEY };

let world: World;
beforeAll(async () => {
  world = await startWorld({ asksForProjects: true, vars: { ...SERVER, MESSAGE_RATE: "0", SOCKETS_PER_USER: "3" } });
});
afterAll(() => world?.stop());

/** Bob, who has opened `count` projects, and in each of them somebody to talk to. */
async function bobIn(count: number): Promise<{ bob: Person; others: Person[] }> {
  const first = world.project("alice", "bob");
  const others = [first.alice];
  while (others.length < count) {
    const { alice, project } = world.project("alice");
    world.backend.admits(project, first.bob.row());
    others.push(alice);
  }
  for (const { project } of others) await first.bob.in(project).history();
  return { bob: first.bob, others };
}

/** Waits for an entry that says this. */
async function shows(inbox: V1Client, text: string, unread: number, ms?: number): Promise<any> {
  const event = await inbox.event(`"${text}", ${unread} unread`, (event) => says(event, text, unread), ms);
  return event["project"];
}

const says = (event: Event, text: string, unread: number) =>
  event.type === "inbox" && event["project"].last_message_text === text && event["project"].unread_count === unread;

/** What came after `hello`, one line each. */
const heard = (inbox: V1Client) =>
  inbox.events.slice(1).map(({ type, project, project_id }) =>
    type === "inbox" ? `${project.project_id}: ${project.last_message_text} (${project.unread_count})` : `${type} ${project_id}`,
  );

function server(method: string, who: Person, rest = "", body?: unknown) {
  const path = `/api/projects/${who.project}/chat/members/${who.id}/${rest}`;
  return world.worker.call(path, { method, token: SERVER_KEY, body });
}

describe("an open inbox", () => {
  test("begins with every project, as the call for the inbox has them", async () => {
    const { bob, others } = await bobIn(3);
    for (const n of [1, 0, 2]) await (others[n] as Person).posts(`from ${n}`);
    const inbox = await listens(bob);
    expect(inbox.hello).toEqual({ type: "hello", you: { id: bob.id }, projects: (await bob.inbox()).json });
    expect(inbox.hello?.["projects"].map((entry: any) => entry.last_message_text)).toEqual(["from 2", "from 0", "from 1"]);
  });

  test("shows what is said in any project within about a second, and how much is unread", async () => {
    const { bob, others } = await bobIn(3);
    const inbox = await listens(bob);
    for (const round of [1, 2]) {
      const begun = Date.now();
      await Promise.all(others.map((other, n) => other.posts(`${round} in ${n}`)));
      const entries = await Promise.all(others.map((_, n) => shows(inbox, `${round} in ${n}`, round)));
      expect(Date.now() - begun).toBeLessThan(2_000);
      const { json } = await bob.inbox();
      for (const entry of entries) expect(json).toContainEqual(entry);
    }
  });

  test("shows what another window has read, and a message that was taken back", async () => {
    const { bob, others } = await bobIn(1);
    const [alice] = others as [Person];
    const a = await joins(alice);
    await a.says("stays");
    const { id } = await a.says("goes");
    const inbox = await listens(bob);
    await a.asks({ type: "delete_message", id });
    await shows(inbox, "stays", 1);
    await bob.marksContactRead();
    await shows(inbox, "stays", 0);
  });

  test("asks a busy project now and then, not once per message", async () => {
    const { bob, others } = await bobIn(1);
    const [alice] = others as [Person];
    const a = await alice.connects();
    const inbox = await listens(bob);
    let [sent, took] = [0, 0];
    const { requests } = await costOf(world, async () => {
      const begun = Date.now();
      while (took < 1_000) {
        for (let n = 0; n < 20; n++) a.writes(`m${++sent}`);
        await a.message(`m${sent}`);
        took = Date.now() - begun;
      }
      await shows(inbox, `m${sent}`, Math.min(sent, 999));
    });
    expect(sent).toBeGreaterThan(100);
    // A word and a question for each 300 ms, and for what came after the last of them.
    expect(requests).toBeLessThanOrEqual(2 * (Math.ceil(took / 300) + 1));
    expect(heard(inbox).length).toBeGreaterThan(1);
  });

  test("costs no row but the message's own", async () => {
    const { bob, others } = await bobIn(1);
    const [alice] = others as [Person];
    const a = await alice.connects();
    const inbox = await listens(bob);
    const say = async (text: string, unread: number) => {
      a.sends({ type: "send_message", content: text });
      await shows(inbox, text, unread);
    };
    await say("first", 1);
    const cost = await costOf(world, async () => {
      for (let n = 2; n <= 6; n++) await say(`m${n}`, n);
    });
    expect(cost).toMatchObject({ rowsWritten: 5, backendCalls: 0 });
  });

  test("leaves the contacts right, while it is open and afterwards", async () => {
    const { bob, others } = await bobIn(2);
    const [alice, carol] = others as [Person, Person];
    const inbox = await listens(bob);
    const unread = async () => (await bob.contacts()).json.map((entry: any) => `${entry.last_message_text} (${entry.unread_count})`);
    await alice.posts("one");
    await shows(inbox, "one", 1);
    expect(await unread()).toEqual(["one (1)", " (0)"]);
    await carol.posts("two");
    await shows(inbox, "two", 1);
    await alice.posts("three");
    await shows(inbox, "three", 2);
    await inbox.leaves();
    expect(await unread()).toEqual(["three (2)", "two (1)"]);
    await carol.posts("four");
    await eventually(5_000, "the contacts to show it", async () => ((await unread())[0] === "four (2)" ? true : undefined));
    expect((await listens(bob)).hello?.["projects"]).toEqual((await bob.inbox()).json);
  });

  test("outlives the sleep of the user's object and of the rooms", async () => {
    const { bob, others } = await bobIn(2);
    const [alice, carol] = others as [Person, Person];
    const inbox = await listens(bob);
    await world.worker.evictUser(bob.id);
    await alice.posts("one");
    await shows(inbox, "one", 1);
    await Promise.all([world.worker.evictUser(bob.id), world.worker.evictRoom(carol.project)]);
    await carol.posts("two");
    await shows(inbox, "two", 1);
    await alice.posts("three");
    await shows(inbox, "three", 2);
    expect(heard(inbox)).toHaveLength(3);
  });

  test("takes auth and nothing else", async () => {
    const { bob } = await bobIn(1);
    const inbox = await listens(bob);
    expect(await inbox.refused({ type: "send_message", content: "hello" })).toBe("unknown_type");
    expect(await inbox.refused({ type: "auth" })).toBe("invalid_field");
    for (const odd of ["nonsense", "[]", new Uint8Array([1])]) inbox.sendsRaw(odd);
    expect(await inbox.refused({ type: "hello" })).toBe("unknown_type");
    const codes = inbox.events.slice(1).map((event) => event["code"]);
    expect(codes).toEqual(["unknown_type", "invalid_field", "invalid_json", "invalid_json", "invalid_json", "unknown_type"]);
    await inbox.pings();
  });
});

describe("who sees what", () => {
  test("nothing of a project comes to somebody who is not in it", async () => {
    const { bob, others } = await bobIn(1);
    const [alice] = others as [Person];
    const { eve } = world.project("eve");
    await eve.history();
    const [stranger, inbox] = [await listens(eve), await listens(bob)];
    expect(stranger.hello?.["projects"].map((entry: any) => entry.id)).toEqual([eve.project]);
    await eve.in(alice.project).history();
    await alice.posts("private");
    await shows(inbox, "private", 1);
    await eve.posts("hers");
    await shows(stranger, "hers", 0);
    expect(heard(stranger)).toEqual([`${eve.project}: hers (0)`]);
  });

  test("a removal is told, and nothing after it", async () => {
    const { bob, others } = await bobIn(2);
    const [alice, carol] = others as [Person, Person];
    const inbox = await listens(bob);
    await server("DELETE", bob);
    expect((await inbox.next("inbox.left"))["project_id"]).toBe(alice.project);
    await alice.posts("secret");
    await carol.posts("still here");
    await shows(inbox, "still here", 1);
    expect(heard(inbox)).toEqual([`inbox.left ${alice.project}`, `${carol.project}: still here (1)`]);
    expect((await listens(bob)).hello?.["projects"]).toHaveLength(1);
    await server("PUT", bob, "", {});
    await alice.posts("welcome back");
    await eventually(5_000, "the project to be there again", async () => ((await bob.inbox()).json.length === 2 ? true : undefined));
  });

  test("a ban by a moderator is told too", async () => {
    const { bob, others } = await bobIn(1);
    const { project } = others[0] as Person;
    const mia = world.person("mia", project);
    world.backend.admits(project, { ...mia.row(), role: "moderator" });
    const m = await joins(mia);
    const inbox = await listens(bob);
    await m.asks({ type: "ban", user_id: bob.id });
    expect((await inbox.next("inbox.left"))["project_id"]).toBe(project);
  });

  test("a no of the backend is told as soon as any call of the user's hears it", async () => {
    const short = await startWorld({ asksForProjects: true, vars: { ACCESS_TTL: "1" } });
    try {
      const { alice, bob, project } = short.project("alice", "bob");
      await bob.history();
      const inbox = await listens(bob);
      short.backend.expels(project, bob.id);
      await eventually(15_000, "the word that it is gone", async () => {
        await bob.history();
        return inbox.events.find(({ type }) => type === "inbox.left");
      });
      await alice.posts("secret");
      expect((await bob.inbox()).json).toEqual([]);
      expect(heard(inbox)).toEqual([`inbox.left ${project}`]);
    } finally {
      await short.stop();
    }
  });

  test("a project that the user never opened asks for a call of theirs, and is live after it", async () => {
    const { bob } = await bobIn(1);
    const inbox = await listens(bob);
    const { carol, project } = world.project("carol");
    world.backend.admits(project, bob.row());
    await carol.posts("hello");
    expect((await inbox.next("inbox.changed"))["project_id"]).toBe(project);
    expect((await bob.inbox()).json).toMatchObject([{ id: project, unread_count: 1, last_message_text: "hello" }, {}]);
    await carol.posts("again");
    await shows(inbox, "again", 2);
  });

  test("with claims, an inbox shows what its token names and nothing else", async () => {
    const claims = await startWorld({ vars: { ACCESS: "claims", ACCESS_URL: undefined } });
    try {
      const bob = claims.person("bob", nextId());
      const [one, two] = [nextId(), nextId()];
      const token = (...projects: number[]) => bob.token({}, { projects });
      const alice = claims.person("alice", one);
      const post = (project: number, content: string) =>
        alice.calls(`/api/projects/${project}/chat/messages/`, {
          method: "POST", body: { content }, token: alice.token({}, { projects: [one, two] }),
        });
      for (const project of [one, two]) await bob.calls(`/api/projects/${project}/chat/messages/`, { token: token(one, two) });
      const [both, second] = [await listens(bob, { token: token(one, two) }), await listens(bob, { token: token(two) })];
      expect(both.hello?.["projects"]).toHaveLength(2);
      expect(second.hello?.["projects"].map((entry: any) => entry.id)).toEqual([two]);
      await post(one, "in one");
      await shows(both, "in one", 1);
      await post(two, "in two");
      await shows(both, "in two", 1);
      await shows(second, "in two", 1);
      expect(heard(second)).toEqual([`${two}: in two (1)`]);
    } finally {
      await claims.stop();
    }
  });
});

describe("the door", () => {
  test("is shut to a client that does not speak v1, and to a call that is no upgrade", async () => {
    const { bob } = await bobIn(1);
    const refused = await refusal(open(atInbox(bob).socketUrl()));
    expect([refused.status, refused.code]).toEqual([400, "bad_request"]);
    expect((await bob.calls("/ws/chat/inbox/")).status).toBe(426);
  });

  test("tells by its close code what is wrong with a token", async () => {
    const { bob } = await bobIn(1);
    const inbox = atInbox(bob);
    expect(await turnedAway(inbox, { token: "" })).toMatchObject({ code: 4500, error: { code: "token_missing" } });
    const forged = bob.token({ secret: "another-secret-0123456789abcdef01234567" });
    expect(await turnedAway(inbox, { token: forged })).toMatchObject({ code: 4500, error: { code: "token_bad_signature" } });
    const late = bob.token({ lifetime: -30 });
    expect(await turnedAway(inbox, { token: late })).toMatchObject({ code: 4001, error: { code: "token_expired" } });
  });

  test("sends away for a while whom a silent backend knows nothing of", async () => {
    const { bob } = world.project("bob");
    await world.backend.becomes("failing");
    try {
      expect(await turnedAway(atInbox(bob))).toMatchObject({ code: 1013, error: { code: "backend_unavailable" } });
    } finally {
      await world.backend.becomes("well");
    }
    await listens(bob);
  });

  test("makes room for the newest of a user's sockets", async () => {
    const { bob, others } = await bobIn(1);
    const inboxes: V1Client[] = [];
    for (let n = 0; n < 4; n++) inboxes.push(await listens(bob));
    expect((await inboxes[0]?.closes())?.code).toBe(4506);
    await others[0]?.posts("hello");
    for (const inbox of inboxes.slice(1)) await shows(inbox, "hello", 1);
    expect(heard(inboxes[0] as V1Client)).toEqual([]);
  });

  test("a token's end is the socket's, unless another of the same user came in time", async () => {
    const { bob, others } = await bobIn(1);
    const [alice] = others as [Person];
    const [short, renewed] = [await listens(bob, { token: bob.token({ lifetime: 2 }) }), await listens(bob, { token: bob.token({ lifetime: 2 }) })];
    renewed.sends({ type: "auth", token: alice.token() });
    expect((await renewed.next("error"))["code"]).toBe("token_other_user");
    renewed.sends({ type: "auth", token: bob.token() });
    expect(Date.parse((await renewed.next("auth.ok"))["expires_at"])).toBeGreaterThan(Date.now() + 200_000);
    let said = 0;
    await eventually(10_000, "the end of the token", async () => {
      await alice.posts(`m${++said}`);
      await shows(renewed, `m${said}`, said);
      return short.closed;
    });
    expect(short.closed?.code).toBe(4001);
  });

  test("a revocation closes it, and what was issued before does not open it again", async () => {
    const { bob } = await bobIn(1);
    const old = bob.token({ age: 60 });
    const [before, after] = [await listens(bob, { token: old }), await listens(bob)];
    await server("POST", bob, "revoke/", { before: Math.floor(Date.now() / 1000) - 30 });
    expect((await before.closes()).code).toBe(4503);
    expect(await turnedAway(atInbox(bob), { token: old })).toMatchObject({ code: 4503, error: { code: "revoked" } });
    after.sends({ type: "auth", token: old });
    expect((await after.closes()).code).toBe(4503);
    await listens(bob);
  });
});
