import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { eventually, realTime } from "./support/deadline.ts";
import { startTown, type Town } from "./support/django.ts";

/** What else a Django application is asked: how its users are called, and which projects are theirs. */

/** With the defaults, as deployed, and nothing but ACCESS_URL. */
let town: Town;
/** The same; a yes is asked again after a second. */
let hasty: Town;
/** Django's access call names nobody; names and projects come from calls of their own. */
let named: Town;

beforeAll(async () => {
  town = await startTown();
  const { django } = town;
  [hasty, named] = await Promise.all([
    town.beside({ ACCESS_TTL: "1" }),
    town.beside({
      ACCESS_TTL: "1",
      ACCESS_URL: `${django.url}/api/projects/{project}/old-history/?limit=1`,
      PROFILE_URL: django.profileUrl,
      PROJECTS_URL: `${django.url}/api/projects/as/member/ ${django.url}/api/projects/as/moderator/`,
    }),
  ]);
});
afterAll(() => Promise.all([hasty, named, town].map((each) => each?.stop())));

describe("names", () => {
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
});

describe("projects", () => {
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
      expect(await outside.refused()).toEqual([404, "no_such_project"]);
      await outside.signsIn({ lifetime: -1 });
      expect(await outside.refused()).toEqual([401, "token_expired"]);
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
