import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { eventually, realTime } from "./support/deadline.ts";
import { type Call, type Citizen, startTown, type Town } from "./support/django.ts";
import { call } from "./support/http.ts";
import { refusal } from "./support/socket.ts";
import { SERVER_KEY } from "./support/world.ts";

/** `ACCESS=origin`: a real Django application decides who is in which project, and changes its mind. */

/** With the defaults, as deployed: a yes is used for 60 s without asking again. */
let town: Town;
/** A yes is asked again after a second. */
let hasty: Town;
/** Django's access call names nobody; names and projects come from calls of their own. */
let named: Town;

beforeAll(async () => {
  town = await startTown({ SERVER_API_KEY: SERVER_KEY });
  const { django } = town;
  [hasty, named] = await Promise.all([
    town.beside({ ACCESS_TTL: "1", SERVER_API_KEY: SERVER_KEY }),
    town.beside({
      ACCESS_TTL: "1",
      ACCESS_URL: `${django.url}/api/projects/{project}/old-history/?limit=1`,
      PROFILE_URL: django.profileUrl,
      PROJECTS_URL: `${django.url}/api/projects/as/member/ ${django.url}/api/projects/as/moderator/`,
    }),
  ]);
});
afterAll(() => Promise.all([hasty, named, town].map((each) => each?.stop())));

const refusedWith = async (opening: ReturnType<Citizen["connects"]>) => {
  const refused = await refusal(opening);
  return [refused.status, refused.code];
};

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

    expect(await refusedWith(stranger.connects())).toEqual([403, "no_access"]);
    for (const answer of [await stranger.history(), await stranger.posts("let me in"), await stranger.marksRead(1)]) {
      expect([answer.status, answer.json.code]).toEqual([403, "no_access"]);
    }
    const entry = await stranger.contacts(project);
    expect([entry.status, entry.json.code]).toEqual([404, "no_such_project"]);
  });

  test("an unknown project is a 404", async () => {
    const alice = await town.person("alice", 987_654_321);
    expect(await refusedWith(alice.connects())).toEqual([404, "no_such_project"]);
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
    expect(await refusedWith(bob.connects())).toEqual([403, "no_access"]);
    expect((await bob.history()).status).toBe(403);
    await bob.signsIn({ lifetime: -1 });
    expect(await refusedWith(bob.connects())).toEqual([401, "token_expired"]);
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
    expect(await refusedWith(alice.connects())).toEqual([401, "token_refused"]);
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
    expect(await refusedWith(alice.connects())).toEqual([404, "no_such_project"]);
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
      expect(await refusedWith(carol.connects())).toEqual([503, "backend_unavailable"]);
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
      const refused = refusedWith(carol.connects());
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
      expect(await refusedWith(carol.connects())).toEqual([503, "backend_unavailable"]);
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

describe("a token that is good but for its expiry", () => {
  test("lets a member back to a classic socket who was admitted before, and asks nobody", async () => {
    const { alice, bob, project } = await hasty.project("alice", "bob");
    (await alice.connects()).drops();
    const b = await bob.connects();
    await realTime(1_100); // the yes is old as well
    await alice.signsIn({ lifetime: -1, claims: { iat: Math.floor(Date.now() / 1000) - 301 } });
    const before = (await hasty.django.callsOf("project", project)).length;

    const socket = await alice.connects();
    await socket.says("my token is old");
    await b.hears("alice: my token is old");

    expect(await hasty.django.callsOf("project", project)).toHaveLength(before);
    for (const each of [socket, b]) each.drops();
  });

  test("opens nothing over HTTP", async () => {
    const { alice } = await town.project("alice");
    (await alice.connects()).drops();
    await alice.signsIn({ lifetime: -1 });
    for (const answer of [await alice.history(), await alice.posts("hello"), await alice.contacts()]) {
      expect([answer.status, answer.json.code]).toEqual([401, "token_expired"]);
    }
  });

  test("does not let in a member who was never here, nor a stranger, and asks nobody", async () => {
    const { alice, project } = await town.project("alice");
    const stranger = await town.person("stranger", project);
    for (const person of [alice, stranger]) {
      await person.signsIn({ lifetime: -1 });
      expect(await refusedWith(person.connects())).toEqual([401, "token_expired"]);
    }
    expect(await town.django.callsOf("project", project)).toEqual([]);
  });

  test("is good for this only as long as a session lasts", async () => {
    const { alice } = await town.project("alice");
    (await alice.connects()).drops();
    await alice.signsIn({ lifetime: -12 * 3600 - 60, claims: { iat: 1 } });
    expect(await refusedWith(alice.connects())).toEqual([401, "token_expired"]);
  });

  test("does not let back who was removed or whose sessions were ended", async () => {
    const { alice, bob } = await town.project("alice", "bob");
    for (const person of [alice, bob]) (await person.connects()).drops();
    await server("DELETE", `${alice.project}/chat/members/${alice.id}/`);
    await server("POST", `${bob.project}/chat/members/${bob.id}/revoke/`);
    for (const person of [alice, bob]) await person.signsIn({ lifetime: -1, claims: { iat: 1 } });

    expect(await refusedWith(alice.connects())).toEqual([403, "removed"]);
    expect(await refusedWith(bob.connects())).toEqual([403, "revoked"]);
  });
});

describe("removal and revocation outweigh the backend's yes", () => {
  test("a removed member's socket is closed with 4503, and the backend's yes does not bring them back", async () => {
    const { alice, bob, project } = await town.project("alice", "bob");
    const [a, b] = [await alice.connects(), await bob.connects()];

    expect((await server("DELETE", `${project}/chat/members/${bob.id}/`)).status).toBeLessThan(300);
    expect(await b.closes()).toEqual({ code: 4503, reason: "removed, banned or revoked" });
    expect(await refusedWith(bob.connects())).toEqual([403, "removed"]);
    await town.worker.evictRoom(project);
    expect((await bob.history()).json.code).toBe("removed");

    expect((await server("PUT", `${project}/chat/members/${bob.id}/`, {})).status).toBeLessThan(300);
    const again = await bob.connects();
    await again.says("taken back");
    await a.hears("bob: taken back");
    for (const socket of [a, again]) socket.drops();
  });

  test("revocation ends every session of a user in every project, and a new sign-in works", async () => {
    const { alice, project } = await town.project("alice");
    const { project: second } = await town.project();
    const { project: third } = await town.project();
    for (const each of [second, third]) await town.django.admits(each, alice.id);
    await alice.signsIn({ claims: { iat: Math.floor(Date.now() / 1000) - 60 } });
    const sockets = [await alice.connects(), await alice.in(second).connects()];

    expect((await server("POST", `${project}/chat/members/${alice.id}/revoke/`)).status).toBeLessThan(300);
    for (const socket of sockets) expect((await socket.closes()).code).toBe(4503);
    for (const where of [project, second, third]) {
      expect(await refusedWith(alice.in(where).connects())).toEqual([403, "revoked"]);
    }

    await realTime(1_100); // tokens tell their time in whole seconds
    await alice.signsIn();
    for (const where of [project, second, third]) (await alice.in(where).connects()).drops();
  });

  test("revocation ends a session that began in the same second", async () => {
    const { alice, project } = await town.project("alice");
    const socket = await alice.connects();
    await server("POST", `${project}/chat/members/${alice.id}/revoke/`);
    expect((await socket.closes()).code).toBe(4503);
    expect(await refusedWith(alice.connects())).toEqual([403, "revoked"]);
  });

  test("without a server key nobody removes or revokes", async () => {
    const { alice, bob, project } = await town.project("alice", "bob");
    await bob.history();
    for (const token of [alice.token(), `${SERVER_KEY}x`, ""]) {
      const address = `${town.worker.url}/api/projects/${project}/chat/members/${bob.id}/`;
      for (const [method, url] of [["DELETE", address], ["POST", `${address}revoke/`], ["PUT", address]] as const) {
        const answer = await call(url, { method, token, body: {} });
        expect([answer.status, answer.json.code]).toEqual([403, "bad_server_key"]);
      }
    }
    expect((await bob.history()).status).toBe(200);
  });
});

describe("names and projects", () => {
  test("the access call's members give everybody's names, also of those who were never here", async () => {
    const { alice, bob } = await town.project("alice", "bob");
    const sent = await (await alice.connects()).says("hello");
    expect(sent.sender).toEqual({ id: alice.id, ...alice.profile });
    expect((await alice.contacts()).json[0].contact_info).toEqual({ id: bob.id, ...bob.profile });
    expect((await bob.contacts()).json[0].contact_info).toEqual({ id: alice.id, ...alice.profile });
  });

  test("the profile call gives names where the access call gives none", async () => {
    const { alice, bob } = await named.project("alice", "bob");
    const portrait = "https://cdn.example.com/alice.png";
    await named.django.user(alice.id, { ...alice.profile, profile_pic: portrait });
    const [a, b] = [await alice.connects(), await bob.connects()];
    await a.says("hello");
    const { sender } = await b.message("hello");
    expect(sender).toEqual({ id: alice.id, ...alice.profile, profile_pic: portrait });
    const [inHistory] = (await bob.history()).json;
    expect(inHistory).toMatchObject({ sender: alice.id, sender_info: sender });
    for (const socket of [a, b]) socket.drops();
  });

  test("a new name in the application is the name here, after ACCESS_TTL", async () => {
    const { alice } = await named.project("alice");
    await alice.posts("hello");
    await named.django.user(alice.id, { ...alice.profile, first_name: "Alicia" });
    await eventually(15_000, "the new name", async () => {
      await realTime(300);
      const [newest] = (await alice.history()).json;
      return newest.sender_info.first_name === "Alicia" || undefined;
    });
  }, 20_000);

  test.each(["fails", "is slow"])("a profile call that %s keeps nobody out: they are User and the id", async (way) => {
    const { alice } = await named.project("alice");
    await (way === "fails" ? named.django.spoil("me", 500) : named.django.hold("me"));
    try {
      const socket = await alice.connects();
      expect((await socket.says("hello")).sender.username).toBe(`User ${alice.id}`);
      socket.drops();
    } finally {
      await named.django.mend("me");
      await named.django.release("me");
    }
  });

  test("the projects calls give contacts of projects that nobody ever opened", async () => {
    const { alice, project: first } = await named.project("alice");
    const { project: second } = await named.project();
    const made = await named.django.project(second, "Kitchen", {});
    await named.django.admits(second, alice.id, "moderator");

    const contacts = (await alice.contacts()).json;

    expect(contacts.map(({ id }: { id: number }) => id).sort()).toEqual([first, second].sort());
    const kitchen = contacts.find(({ id }: { id: number }) => id === second);
    expect(kitchen).toMatchObject({
      project_info: { id: second, name: "Kitchen" },
      contact_info: { id: second, username: "Kitchen" },
      unread_count: 0,
      last_message_preview: "No messages yet",
    });
    expect(Date.parse(kitchen.project_info.created_at)).toBe(Math.floor(Date.parse(made)));
    expect((await alice.inbox()).json.map(({ project_id }: { project_id: number }) => project_id).sort()).toEqual([first, second].sort());
  });

  test("being on the list opens a contacts entry, not the door", async () => {
    const listed = await town.beside({ PROJECTS_URL: town.django.projectsUrl });
    const barred = await town.beside({ PROJECTS_URL: town.django.projectsUrl, ACCESS_URL: `${town.django.url}/nowhere/{project}/` });
    try {
      const { alice, vic, project } = await listed.project("alice", "vic");
      await town.django.admits(project, vic.id, "viewer");
      expect((await vic.contacts()).json).toHaveLength(1);
      expect((await vic.posts("may I?")).json.code).toBe("read_only");

      const outside = alice.in(project);
      outside.address = barred.worker.url;
      expect((await outside.contacts()).status).toBe(200);
      expect(await refusedWith(outside.connects())).toEqual([404, "no_such_project"]);
      await outside.signsIn({ lifetime: -1 });
      expect(await refusedWith(outside.connects())).toEqual([401, "token_expired"]);
    } finally {
      await Promise.all([listed.stop(), barred.stop()]);
    }
  });

  test("a list in pages is read to its end", async () => {
    const paged = await town.beside({ PROJECTS_URL: `${town.django.url}/api/projects/paged/` });
    const { alice, project: first } = await paged.project("alice");
    const projects = [first];
    for (let number = 0; number < 4; number++) {
      const { project } = await paged.project();
      await town.django.admits(project, alice.id);
      projects.push(project);
    }
    const contacts = (await alice.contacts()).json;
    await paged.stop();
    expect(contacts.map(({ id }: { id: number }) => id).sort()).toEqual(projects.sort());
  });

  test("a list that cannot be had is a 503 for a first-timer, not an empty list", async () => {
    const { alice } = await named.project("alice");
    await named.django.spoil("projects-as", 500);
    try {
      for (const answer of [await alice.contacts(), await alice.inbox()]) {
        expect([answer.status, answer.json.code]).toEqual([503, "backend_unavailable"]);
      }
    } finally {
      await named.django.mend("projects-as");
    }
    expect((await alice.contacts()).json).toHaveLength(1);
  });

  test("a first message reaches the contacts of someone who never opened that chat", async () => {
    for (const where of [named, hasty]) {
      const { alice, bob, project } = await where.project("alice", "bob");
      if (where === named) expect((await bob.contacts()).json).toHaveLength(1);
      await alice.posts("are you there, bob?");
      const entry = await eventually(5_000, "the message in bob's contacts", async () => {
        const [found] = (await bob.contacts()).json;
        return found?.unread_count === 1 ? found : undefined;
      });
      expect(entry).toMatchObject({ id: project, last_message_text: "are you there, bob?" });
      expect((await bob.inbox()).json).toMatchObject([{ project_id: project, unread_count: 1 }]);
    }
  });

  test("nobody sees a preview of a project they were taken from", { timeout: 30_000 }, async () => {
    for (const where of [named, hasty]) {
      const { alice, bob, project } = await where.project("alice", "bob");
      await alice.posts("bob may read this");
      await eventually(5_000, "the preview", async () => (await bob.contacts()).json[0]?.unread_count || undefined);
      await where.django.expels(project, bob.id);
      await eventually(10_000, "the entry to go", async () => (await bob.contacts()).json.length === 0 || undefined);

      await alice.posts("bob may not read this");

      expect((await bob.contacts()).json).toEqual([]);
      expect((await bob.inbox()).json).toEqual([]);
      expect((await bob.contacts(project)).status).toBe(404);
      expect((await bob.marksContactRead(project)).status).toBe(404);
      await where.worker.evictUser(bob.id);
      expect((await bob.contacts()).json).toEqual([]);
    }
  });

  test("the list is kept while the backend is down", async () => {
    const { alice, project } = await named.project("alice");
    await alice.posts("hello");
    await eventually(5_000, "the entry", async () => (await alice.contacts()).json[0]?.last_message_text || undefined);
    await named.django.stop();
    try {
      await realTime(1_100);
      const answer = await alice.contacts();
      expect([answer.status, answer.json.map(({ id }: { id: number }) => id)]).toEqual([200, [project]]);
    } finally {
      await named.django.start();
    }
  });

  test("a poll within ACCESS_TTL asks no backend, wakes no room and writes no row", async () => {
    const patient = await town.beside({ PROJECTS_URL: town.django.projectsUrl });
    const { alice, project } = await patient.project("alice");
    await alice.posts("hello");
    await eventually(5_000, "the entry", async () => (await alice.contacts()).json[0]?.last_message_text || undefined);
    const [calls, before] = [(await town.django.everyCall()).length, await patient.worker.counters()];

    for (let poll = 0; poll < 5; poll++) expect((await alice.contacts()).json[0].last_message_text).toBe("hello");

    const after = await patient.worker.counters();
    expect((await town.django.everyCall()).length).toBe(calls);
    expect(after.rooms[project]).toEqual(before.rooms[project]);
    expect(after.users[alice.id]?.rows_written).toBe(before.users[alice.id]?.rows_written);
    expect((after.users[alice.id]?.requests ?? 0) - (before.users[alice.id]?.requests ?? 0)).toBe(5);
    await patient.stop();
  });
});

function server(method: string, path: string, body?: unknown) {
  return call(`${town.worker.url}/api/projects/${path}`, { method, token: SERVER_KEY, body });
}

function sent(question: Call | undefined): Record<string, string> {
  return Object.fromEntries(question?.headers ?? []);
}
