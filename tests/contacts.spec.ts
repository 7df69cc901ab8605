import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { costOf } from "./support/cost.ts";
import { eventually } from "./support/deadline.ts";
import { startWorld, type Person, type World } from "./support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ asksForProjects: true });
});
afterAll(() => world?.stop());

describe("contacts", () => {
  test("have exactly the fields of the contract", async () => {
    const { alice, bob, project } = world.project("alice", "bob");
    await bob.posts("hello");
    const { status, json } = await alice.contacts();
    expect(status).toBe(200);
    const moment = expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}/);
    expect(json).toEqual([
      {
        id: project,
        project_info: { id: project, name: `Project ${project}`, created_at: moment },
        contact_info: { id: bob.id, username: "bob", first_name: "Bob", last_name: "Example", profile_pic: null },
        unread_count: 1,
        last_message_text: "hello",
        last_message_preview: "hello",
        last_message_at: moment,
        created_at: moment,
        updated_at: moment,
      },
    ]);
    expect((await alice.contacts(project)).json).toEqual(json[0]);
  });

  test("show a project in which nobody has spoken", async () => {
    const { alice, project } = world.project("alice", "bob");
    const [entry] = (await alice.contacts()).json;
    expect(entry).toMatchObject({
      id: project,
      unread_count: 0,
      last_message_preview: "No messages yet",
      project_info: { id: project, name: `Project ${project}` },
    });
    expect(entry.last_message_at ?? null).toBeNull();
    expect(typeof entry.contact_info.username).toBe("string");
    expect(entry.contact_info.username).not.toBe("");
  });

  test("never have a username that is null, even where nobody else is in the project", async () => {
    const { alice, project } = world.project("alice");
    await alice.posts("alone");
    const [entry] = (await alice.contacts()).json;
    expect(entry.id).toBe(project);
    expect(entry.contact_info.username).toMatch(/\S/);
  });

  test("show the other member, and in a larger room the one who spoke last", async () => {
    const { alice, bob, carol } = world.project("alice", "bob", "carol");
    await bob.posts("one");
    await carol.posts("two");
    await alice.posts("three");
    expect((await alice.contacts()).json[0].contact_info.username).toBe("carol");
    expect((await carol.contacts()).json[0].contact_info.username).toBe("alice");
  });

  test("cut the last message at 255 characters, its preview at 50, and no character in two", async () => {
    const { alice, bob } = world.project("alice", "bob");
    await bob.posts("😀".repeat(300));
    const [entry] = (await alice.contacts()).json;
    expect([...entry.last_message_text].length).toBeLessThanOrEqual(255);
    expect([...entry.last_message_text].length).toBeGreaterThan(250);
    expect([...entry.last_message_preview].length).toBeLessThanOrEqual(53);
    expect([...entry.last_message_preview].length).toBeGreaterThanOrEqual(50);
    expect(entry.last_message_text.isWellFormed()).toBe(true);
  });

  test("come with the newest activity first", async () => {
    const { alice, people } = await inProjects(3);
    for (const n of [1, 0, 2, 1]) await (people[n] as Person).posts("hello");
    const projects = people.map((person) => person.project);
    expect((await alice.contacts()).json.map((entry: { id: number }) => entry.id)).toEqual([
      projects[1],
      projects[2],
      projects[0],
    ]);
  });

  test("are read at once: unread 0, and the room is told", async () => {
    const { alice, bob, project } = world.project("alice", "bob");
    const b = await bob.connects();
    await b.says("one");
    await b.says("two");
    const answer = await alice.marksContactRead();
    expect([answer.status, answer.json]).toEqual([200, { status: "ok", unread_count: 0 }]);
    await b.hears('alice read "two"');
    expect((await alice.contacts(project)).json.unread_count).toBe(0);
    expect((await alice.contacts()).json[0].unread_count).toBe(0);
  });

  test("of a project that is not theirs are 404, to read and to mark", async () => {
    const { bob, project } = world.project("bob");
    await bob.posts("private");
    const eve = world.person("eve", project);
    expect((await eve.contacts(project)).status).toBe(404);
    expect((await eve.marksContactRead()).status).toBe(404);
    expect((await eve.contacts()).json).toEqual([]);
  });

  test("show a first message to somebody who has never opened that chat", async () => {
    const { alice, bob, project } = world.project("alice", "bob");
    await alice.posts("can you see me?");
    expect((await bob.contacts()).json).toMatchObject([{ id: project, unread_count: 1, last_message_text: "can you see me?" }]);
  });

  test("show nothing of a project that the backend took out of the list", async () => {
    const short = await startWorld({ asksForProjects: true, vars: { ACCESS_TTL: "1" } });
    try {
      const { alice, bob, project } = short.project("alice", "bob");
      await bob.posts("before");
      expect((await alice.contacts()).json).toHaveLength(1);
      short.backend.expels(project, alice.id);
      await eventually(5_000, "the list without the project", async () => {
        const { json } = await alice.contacts();
        return json.length === 0 ? json : undefined;
      });
      await bob.posts("secret");
      expect((await alice.contacts()).json).toEqual([]);
      expect((await alice.contacts(project)).status).toBe(404);
      expect((await alice.inbox()).json).toEqual([]);
    } finally {
      await short.stop();
    }
  });
});

describe("the inbox", () => {
  test("has exactly the fields of the contract", async () => {
    const { alice, bob, project } = world.project("alice", "bob");
    await bob.posts("hello");
    const answer = await alice.inbox();
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual([
      {
        id: project,
        project_id: project,
        project_name: `Project ${project}`,
        last_message_at: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T/),
        last_message_text: "hello",
        other_participant: { id: bob.id, username: "bob", first_name: "Bob", last_name: "Example", profile_pic: null },
        unread_count: 1,
      },
    ]);
  });
});

describe("a poll of the contacts", () => {
  test("with nothing new wakes the user's object alone, writes nothing and asks no backend", async () => {
    const { alice, people } = await inProjects(3);
    for (const person of people) await person.posts("hello");
    await alice.contacts();
    await alice.contacts();
    const cost = await costOf(world, () => alice.contacts());
    expect(cost).toMatchObject({ woken: [`user ${alice.id}`], rowsWritten: 0, backendCalls: 0 });
  });

  test("with nothing new in the inbox costs the same", async () => {
    const { alice, people } = await inProjects(2);
    for (const person of people) await person.posts("hello");
    await alice.inbox();
    const cost = await costOf(world, () => alice.inbox());
    expect(cost).toMatchObject({ woken: [`user ${alice.id}`], rowsWritten: 0, backendCalls: 0 });
  });

  test.each([1, 2, 4])("after %d of 5 projects changed wakes at most one object more for each", async (changed) => {
    const { alice, people } = await inProjects(5);
    for (const person of people) await person.posts("hello");
    await alice.contacts();
    for (const person of people.slice(0, changed)) for (let n = 0; n < 3; n++) await person.posts(`more ${n}`);
    let entries: { id: number; unread_count: number; last_message_text: string }[] = [];
    const cost = await costOf(world, async () => {
      entries = (await alice.contacts()).json;
    });
    expect(cost.woken).toContain(`user ${alice.id}`);
    expect(cost.woken.length).toBeLessThanOrEqual(1 + changed);
    expect(cost.backendCalls).toBe(0);
    for (const [n, person] of people.entries()) {
      const entry = entries.find(({ id }) => id === person.project);
      expect(entry).toMatchObject(
        n < changed ? { unread_count: 4, last_message_text: "more 2" } : { unread_count: 1, last_message_text: "hello" },
      );
    }
    const next = await costOf(world, () => alice.contacts());
    expect(next).toMatchObject({ woken: [`user ${alice.id}`], rowsWritten: 0, backendCalls: 0 });
  });

  test("is right at once when a message has just been read, over the socket or over REST", async () => {
    const { alice, bob, project } = world.project("alice", "bob");
    const [a, b] = [await alice.connects(), await bob.connects()];
    const one = await b.says("one");
    expect((await alice.contacts()).json[0].unread_count).toBe(1);
    a.reads(one);
    await b.hears('alice read "one"');
    expect((await alice.contacts()).json[0].unread_count).toBe(0);
    const two = await b.says("two");
    expect((await alice.contacts()).json[0].unread_count).toBe(1);
    await alice.in(project).marksRead(two.id);
    expect((await alice.contacts()).json[0].unread_count).toBe(0);
  });

  test("costs a room with many messages nothing per message: its members are told once that something is unread", async () => {
    const { alice, bob } = world.project("alice", "bob");
    await alice.contacts();
    const b = await bob.connects();
    await b.says("first");
    const cost = await costOf(world, async () => {
      for (let n = 0; n < 50; n++) b.writes(`m${n}`);
      await b.message("m49");
    });
    expect(cost.woken).toEqual([`room ${bob.project}`]);
  });
});

/** alice in `count` projects, each with another member. */
async function inProjects(count: number) {
  const first = world.project("alice", "other");
  const people: Person[] = [first.other];
  for (let n = 1; n < count; n++) {
    const next = world.project("other");
    world.backend.admits(next.project, first.alice.row());
    people.push(next.other);
  }
  return { alice: first.alice, people };
}
