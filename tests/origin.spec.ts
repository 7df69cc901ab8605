import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { eventually, realTime } from "./support/deadline.ts";
import { type Call, type Citizen, startTown, type Town } from "./support/django.ts";
import { refusal } from "./support/socket.ts";

/** `ACCESS=origin`: a real Django application decides who is in which project, and changes its mind. */

/** A question in the background is asked within a few seconds, so that those who came at once do not ask at once. */
const JITTER_MS = 3_500;

/** With the defaults, as deployed: a yes is used for 60 s without asking again. */
let town: Town;
/** A yes is asked again after a second. */
let hasty: Town;

beforeAll(async () => {
  town = await startTown();
  hasty = await town.beside({ ACCESS_TTL: "1" });
});
afterAll(() => Promise.all([hasty, town].map((each) => each?.stop())));

describe("at the door", () => {
  test("a member is let in after one question, asked with nothing but their own token", async () => {
    const { alice, project } = await town.project("alice");
    const socket = await alice.connects({ headers: { cookie: "session=1", "x-project-chat-request": "{}" } });
    socket.drops();

    const [question, ...more] = await town.django.callsOf("project", project);

    expect(more).toEqual([]);
    expect(question).toMatchObject({ method: "GET", target: `/api/projects/${project}/` });
    expect(sent(question)).toMatchObject({ authorization: `Bearer ${alice.token()}` });
    expect(Object.keys(sent(question)).filter((name) => /cookie|x-project-chat/.test(name))).toEqual([]);
  });

  test("a stranger is refused with 403, over a socket and over HTTP", async () => {
    const { project } = await town.project("alice");
    const stranger = await town.person("stranger", project);

    expect(await stranger.refused()).toEqual([403, "no_access"]);
    for (const answer of [await stranger.history(), await stranger.posts("let me in"), await stranger.marksRead(1)]) {
      expect([answer.status, answer.json.code]).toEqual([403, "no_access"]);
    }
    const entry = await stranger.contacts(project);
    expect([entry.status, entry.json.code]).toEqual([404, "no_such_project"]);
  });

  test("an unknown project is a 404", async () => {
    const alice = await town.person("alice", 987_654_321);
    expect(await alice.refused()).toEqual([404, "no_such_project"]);
    expect((await alice.history()).status).toBe(404);
  });

  test("someone whom the backend no longer signs in is a 401", async () => {
    const { alice } = await town.project("alice");
    await town.django.user(alice.id, { ...alice.profile, is_active: false });
    const refused = await refusal(alice.connects());
    expect([refused.status, refused.code]).toEqual([401, "token_refused"]);
  });

  test("a stranger who is refused leaves nothing behind", async () => {
    const { project } = await town.project("alice");
    const stranger = await town.person("stranger", project);
    await refusal(stranger.connects());
    expect((await town.worker.counters()).rooms[project]?.rows_written ?? 0).toBe(0);
  });

  test("the application's roles hold: a viewer reads and cannot write", async () => {
    const { alice, bob, project } = await town.project("alice", "bob");
    await town.django.admits(project, bob.id, "viewer");
    const [a, b] = [await alice.connects(), await bob.connects()];

    b.writes("may I?");
    await b.error("read_only");
    expect((await bob.posts("or so?")).json.code).toBe("read_only");
    await a.says("no");

    expect(await b.timeline()).toEqual(["error read_only", "alice: no"]);
    for (const socket of [a, b]) socket.drops();
  });

  const ways: [string, string, number, string | undefined][] = [
    ["a 2xx without a body", "empty", 200, undefined],
    ["a 2xx with a page", "page", 200, undefined],
    ["the project's id as text, and nonsense beside it", "text", 200, undefined],
    ["no id", "none", 200, undefined],
    ["another project's id", "other", 403, "no_access"],
    ["a redirect to a page that everybody gets", "redirect", 503, "backend_unavailable"],
  ];
  test.each(ways)("%s from the backend: %s, %i", async (_what, way, status, code) => {
    const odd = await town.beside({ ACCESS_URL: `${town.django.url}/api/odd/${way}/{project}/` });
    const alice = await odd.person("alice", 77);
    const answer = await alice.history();
    await odd.stop();
    expect([answer.status, answer.json.code]).toEqual([status, code]);
  });

  test("the user's role alone, without a list of members, holds as well", async () => {
    const odd = await town.beside({ ACCESS_URL: `${town.django.url}/api/odd/viewer/{project}/` });
    const alice = await odd.person("alice", 79);
    const [page, posted] = [await alice.history(), await alice.posts("may I?")];
    await odd.stop();
    expect([page.status, posted.status, posted.json.code]).toEqual([200, 403, "read_only"]);
  });

  test("ACCESS_URL may name the user", async () => {
    const other = await town.beside({ ACCESS_URL: `${town.django.url}/api/odd/empty/{project}/?who={user}` });
    const alice = await other.person("alice", 78);
    await alice.history();
    await other.stop();
    expect((await town.django.callsOf("odd")).map(({ target }) => target)).toContain(`/api/odd/empty/78/?who=${alice.id}`);
  });
});

describe("a kept yes", () => {
  test("is used for ACCESS_TTL without asking again, by sockets and calls alike", async () => {
    const { alice, project } = await town.project("alice");
    for (let tab = 0; tab < 5; tab++) (await alice.connects()).drops();
    for (let poll = 0; poll < 5; poll++) expect((await alice.history()).status).toBe(200);
    await town.worker.evictRoom(project);
    await alice.history();
    await realTime(JITTER_MS); // questions in the background come by then
    expect(await town.django.callsOf("project", project)).toHaveLength(1);
  });

  test("is asked again after ACCESS_TTL, once, behind the back of who comes in", async () => {
    const { alice, project } = await hasty.project("alice");
    await alice.history();
    await realTime(1_100);
    await hasty.django.hold("project");

    const sockets = [await alice.connects(), await alice.connects(), await alice.connects()];
    expect((await sockets[0]?.says("in"))?.content).toBe("in");
    await hasty.django.callNumber(2, "project", project);
    await hasty.django.release("project");
    await realTime(JITTER_MS);

    expect(await hasty.django.callsOf("project", project)).toHaveLength(2);
    for (const socket of sockets) socket.drops();
  });

  test("does not let a storm through: at most ACCESS_RECHECK_RATE questions a second", { timeout: 40_000 }, async () => {
    const rate = 2;
    const people = 8;
    const storm = await hasty.beside({ ACCESS_TTL: "1", ACCESS_RECHECK_RATE: String(rate) });
    const { project, ...members } = await storm.project(...Array.from({ length: people }, (_, number) => `m${number}`));
    const everybody = Object.values(members) as unknown as Citizen[];
    for (const socket of await Promise.all(everybody.map((member) => member.connects()))) socket.drops();
    await realTime(1_100);

    const sockets = await Promise.all(everybody.map((member) => member.connects()));
    await storm.django.callNumber(2 * people, "project", project, 15_000);
    const moments = (await storm.django.callsOf("project", project)).slice(people).map(({ at }) => at);

    const widths = moments.slice(rate).map((at, first) => at - (moments[first] ?? 0));
    expect(Math.min(...widths)).toBeGreaterThan(800);
    expect(sockets.filter((socket) => socket.closed)).toEqual([]);
    for (const socket of sockets) socket.drops();
    await storm.stop();
  });
});

describe("someone who is taken out while connected", () => {
  /** Alice and bob talk; then bob's row is deleted, and his page goes on polling until the room has heard of it. */
  async function bobIsTakenOut(): Promise<{ alice: Citizen; bob: Citizen; project: number; heard: string[] }> {
    const { alice, bob, project } = await hasty.project("alice", "bob");
    const [a, b] = [await alice.connects(), await bob.connects()];
    await a.says("bob may hear this");
    await b.hears("alice: bob may hear this");
    await hasty.django.expels(project, bob.id);
    await hasty.worker.evictRoom(project); // his socket sleeps when the no comes
    const closed = await eventually(15_000, "the end of bob's socket", async () => {
      await bob.history();
      return b.closed;
    });
    expect(closed).toEqual({ code: 4507, reason: "no access to this project" });
    await a.says("bob may not hear this");
    const heard = b.lines();
    a.drops();
    return { alice, bob, project, heard };
  }

  test("is closed with 4507, hears nothing more and cannot come back, with a good token or an expired one", async () => {
    const { bob, heard } = await bobIsTakenOut();
    expect(heard).toEqual(["alice: bob may hear this"]);
    expect(await bob.refused()).toEqual([403, "no_access"]);
    expect((await bob.history()).status).toBe(403);
    await bob.signsIn({ lifetime: -1 });
    expect(await bob.refused()).toEqual([401, "token_expired"]);
  }, 30_000);

  test("and is back as soon as the application takes them back", async () => {
    const { bob, project } = await bobIsTakenOut();
    await hasty.django.admits(project, bob.id);
    const socket = await bob.connects();
    expect((await socket.says("back")).content).toBe("back");
    socket.drops();
  }, 30_000);

  test("is closed in the same way when the application no longer signs them in at all", async () => {
    const { alice } = await hasty.project("alice");
    const socket = await alice.connects();
    await hasty.django.user(alice.id, { ...alice.profile, is_active: false });
    const closed = await eventually(15_000, "the end of the socket", async () => {
      await alice.history();
      return socket.closed;
    });
    expect(closed.code).toBe(4507);
    expect(await alice.refused()).toEqual([401, "token_refused"]);
  }, 30_000);

  test("or is made a viewer, and from then on writes no more on the socket they have", async () => {
    const { bob, project } = await hasty.project("bob");
    const socket = await bob.connects();
    await socket.says("as a member");
    await hasty.django.admits(project, bob.id, "viewer");
    await eventually(15_000, "the end of writing", async () => {
      await bob.history();
      socket.writes("as a viewer?");
      await socket.settled();
      return socket.lines().includes("error read_only") || undefined;
    });
    expect((await bob.posts("or so?")).json.code).toBe("read_only");
    socket.drops();
  }, 30_000);

  test("leaves a project that was deleted in the same way", async () => {
    const { alice, project } = await hasty.project("alice");
    const socket = await alice.connects();
    await hasty.django.deletes(project);
    const closed = await eventually(15_000, "the end of the socket", async () => {
      await alice.history();
      return socket.closed;
    });
    expect(closed.code).toBe(4507);
    expect(await alice.refused()).toEqual([404, "no_such_project"]);
  }, 30_000);
});

describe("a backend that does not answer", () => {
  /** Alice and bob have been in; carol is a member who was never here. */
  async function people() {
    const { alice, bob, carol, project } = await hasty.project("alice", "bob", "carol");
    const sockets = [await alice.connects(), await bob.connects()] as const;
    return { alice, bob, carol, project, sockets };
  }

  test("because it is stopped: 503 for a first-timer, while members stay and come back", async () => {
    const { alice, bob, carol, sockets } = await people();
    const [a, b] = sockets;
    await hasty.django.stop();
    try {
      expect(await carol.refused()).toEqual([503, "backend_unavailable"]);
      const answer = await carol.history();
      expect([answer.status, answer.json.code]).toEqual([503, "backend_unavailable"]);

      await realTime(1_100); // the yes is old now
      await a.says("are you still there?");
      await b.hears("alice: are you still there?");
      b.drops();
      await hasty.worker.evictRoom(alice.project);
      const again = await bob.connects();
      await again.says("I am");
      await a.hears("bob: I am");
      expect((await alice.history()).json.map(({ content }: { content: string }) => content)).toEqual(["I am", "are you still there?"]);
      again.drops();
    } finally {
      await hasty.django.start();
    }
    expect(a.closed).toBeUndefined();
    const c = await carol.connects();
    await c.says("at last");
    await a.hears("carol: at last");
    for (const socket of [a, c]) socket.drops();
  });

  test("because it takes longer than 3 s: 503 for a first-timer in little more, while members come in at once", async () => {
    const { bob, carol, sockets } = await people();
    await hasty.django.hold("project");
    try {
      const began = Date.now();
      const refused = carol.refused();
      const again = await bob.connects();
      const entered = Date.now();
      expect(await refused).toEqual([503, "backend_unavailable"]);
      const took = Date.now() - began;
      expect(entered - began).toBeLessThan(1_500);
      expect(took).toBeGreaterThanOrEqual(2_900);
      expect(took).toBeLessThan(5_000);
      again.drops();
    } finally {
      await hasty.django.release("project");
    }
    (await carol.connects()).drops();
    for (const socket of sockets) socket.drops();
  });

  test.each([500, 502, 503, 429])("because it answers %i: 503 for a first-timer, and members keep their sockets", async (status) => {
    const { bob, carol, project, sockets } = await people();
    await hasty.django.spoil("project", status);
    try {
      expect(await carol.refused()).toEqual([503, "backend_unavailable"]);
      await realTime(1_100);
      const before = (await hasty.django.callsOf("project", project)).length;
      (await bob.connects()).drops();
      await hasty.django.callNumber(before + 1, "project", project, 10_000);
      await bob.history();
      expect((await sockets[1].says("still here")).content).toBe("still here");
      expect(sockets.map((socket) => socket.closed)).toEqual([undefined, undefined]);
    } finally {
      await hasty.django.mend("project");
    }
    for (const socket of sockets) socket.drops();
  });
});

function sent(question: Call | undefined): Record<string, string> {
  return Object.fromEntries(question?.headers ?? []);
}
