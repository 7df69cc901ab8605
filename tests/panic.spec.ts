import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { startWorld, type World } from "./support/world.ts";

/** A build that panics when it is asked to: `cargo` feature `panic-probe`, in build-probe/. */
describe("a panic in one room", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ build: "build-probe" });
  });
  afterAll(() => world?.stop());

  const panics = (project: number) => world.worker.call("/dev/probe/", { method: "POST", body: { project, probe: "panic" } });

  test("is a 500, closes that room's sockets, and leaves the other rooms' open", async () => {
    const here = world.project("alice", "bob");
    const there = world.project("carol", "dave");
    const [a, b] = [await here.alice.connects(), await here.bob.connects()];
    const [c, d] = [await there.carol.connects(), await there.dave.connects()];
    await a.says("before");
    await c.says("before");

    const answer = await panics(here.project);
    expect(answer.status).toBe(500);
    expect(answer.json).toEqual({ detail: expect.stringMatching(/^\S.*\.$/), code: "internal" });
    expect(answer.text).not.toMatch(/panic|\.rs\b|wasm/);
    await Promise.all([a.closes(), b.closes()]);

    await d.says("untouched");
    await c.message("untouched");
    const again = [await here.alice.connects(), await here.bob.connects()] as const;
    await again[0].says("after");
    await again[1].message("after");
    const contents = (await here.alice.history()).json.map((row: { content: string }) => row.content);
    expect(contents).toEqual(["after", "before"]);
    expect([c.isOpen, d.isOpen]).toEqual([true, true]);
  });

  test("loses no message that was under way in another room at that moment", async () => {
    const here = world.project("alice");
    const there = world.project("carol", "dave");
    await here.alice.connects();
    const [c, d] = [await there.carol.connects(), await there.dave.connects()];
    await c.says("warm");
    for (let round = 0; round < 5; round++) {
      const under = Array.from({ length: 15 }, (_, n) => `${round}.${n}`);
      const panic = panics(here.project);
      for (const content of under) c.writes(content);
      const posted = there.dave.posts(`${round}.rest`, `rest-${round}`);
      expect((await panic).status).toBe(500);
      await d.message(under.at(-1) as string);
      // A call over HTTP that runs in the same instance may be lost with it: then it is told so, and can be repeated.
      if ((await posted).status === 500) expect([200, 201]).toContain((await there.dave.posts(`${round}.rest`, `rest-${round}`)).status);
      else expect((await posted).status).toBe(201);
      await d.message(`${round}.rest`);
      await here.alice.history();
    }
    const told = await d.timeline();
    expect(told.filter((line) => line.startsWith("dave"))).toEqual([0, 1, 2, 3, 4].map((round) => `dave: ${round}.rest`));
    const heard = told.filter((line) => line.startsWith("carol"));
    const wanted = Array.from({ length: 5 }, (_, round) => Array.from({ length: 15 }, (_, n) => `carol: ${round}.${n}`)).flat();
    expect(heard).toEqual(["carol: warm", ...wanted]);
    expect([c.isOpen, d.isOpen]).toEqual([true, true]);
  });

  test("leaves no call of the same room without an answer, and none that was answered well without its message", async () => {
    const { alice, bob, project } = world.project("alice", "bob");
    await alice.history();
    await bob.history();
    const posts = (person: typeof alice) => Array.from({ length: 8 }, (_, n) => person.posts(`${person.name} ${n}`, `id-${n}`));
    const [before, panic, after] = [posts(alice), panics(project), posts(bob)];
    expect((await panic).status).toBe(500);
    for (const answer of await Promise.all([...before, ...after])) {
      expect([201, 500]).toContain(answer.status);
      if (answer.status === 500) expect(answer.json?.code).toBe("internal");
    }
    await Promise.all([...posts(alice), ...posts(bob)]);
    const contents: string[] = (await alice.history()).json.map((row: { content: string }) => row.content);
    const wanted = ["alice", "bob"].flatMap((name) => Array.from({ length: 8 }, (_, n) => `${name} ${n}`));
    expect(contents.sort()).toEqual(wanted);
  });

  test("does not stop the room from sleeping afterwards", async () => {
    const { alice, project } = world.project("alice");
    await alice.posts("before");
    await panics(project);
    const a = await alice.connects();
    await a.says("after");
    await world.worker.evictRoom(project);
    await a.says("and awake again");
  });

  test("keeps read marks that were told", async () => {
    const { alice, bob, project } = world.project("alice", "bob");
    const a = await alice.connects();
    const message = await a.says("hello");
    await bob.marksRead(message.id);
    await panics(project);
    expect(await bob.unread()).toBe(0);
  });
});

test("an ordinary build knows no way to panic", async () => {
  const world = await startWorld();
  try {
    const answer = await world.worker.call("/dev/probe/", { method: "POST", body: { project: 7 } });
    expect([answer.status, answer.json.code]).toEqual([404, "not_found"]);
  } finally {
    await world.stop();
  }
});
