import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { ClassicClient } from "./support/classic-client.ts";
import { eventually, realTime } from "./support/deadline.ts";
import { startWire, type Wire } from "./support/wire.ts";
import { startWorld, type Person, type World } from "./support/world.ts";

/** How long the wire stays cut: the fifth attempt comes after 31 s. */
const CUT_MS = 30_000;

let world: World;
const clients: ClassicClient[] = [];
beforeAll(async () => {
  world = await startWorld({ asksForProjects: true, asksForProfiles: true });
});
afterAll(async () => {
  for (const client of clients) client.leaves();
  await world?.stop();
});

/** This person's browser, with the front end of yesterday in it. */
function browser(person: Person, options: { token?: string; wire?: Wire } = {}): ClassicClient {
  const base = options.wire?.url ?? person.world.worker.url;
  const client = new ClassicClient({
    wsBase: base.replace("http", "ws"),
    apiBase: `${base}/`,
    token: options.token ?? person.token({}, { username: undefined }),
    project: person.project,
    me: person.id,
  });
  clients.push(client);
  return client;
}

describe("a classic client", () => {
  test("goes through its full life: contacts, history, connect, send, receive, typing, read, unread 0, disconnect", async () => {
    const { ann, ben, project } = world.project("ann", "ben");
    await ben.posts("are you there?");

    const page = browser(ann);
    const [contact] = await page.fetchContacts();
    expect([contact.id, contact.unread_count]).toEqual([project, 1]);
    expect(contact.contact_info.username.charAt(0)).toBe("b");

    await page.visits();
    expect(page.screen).toEqual(["are you there?"]);
    expect(page.messages[0]?.sender === ben.id).toBe(true);

    const other = browser(ben);
    await other.visits();
    page.sends("yes");
    await page.waits("the own message", () => page.screen.length === 2);
    await other.waits("ann's message", () => other.screen.at(-1) === "yes");
    expect(other.messages.at(-1)?.sender === ann.id).toBe(true);

    other.types(true);
    await page.waits("ben typing", () => page.typing.has(ben.id));
    expect(other.typing.size).toBe(0);
    other.types(false);
    await page.waits("ben typing no more", () => page.typing.size === 0);

    other.sends("good");
    await page.waits("ben's answer", () => page.screen.at(-1) === "good");
    await page.waits("the badge to clear", () => page.unread === 0);
    await other.waits("the answer to be seen", () => other.messages.at(-1)?.readAt !== null);
    expect((await ann.contacts(project)).json.unread_count).toBe(0);

    page.leaves();
    other.sends("and off you go");
    await other.waits("the last message", () => other.screen.at(-1) === "and off you go");
    expect((await ann.contacts(project)).json.unread_count).toBe(1);
    expect(page.screen).toEqual(["are you there?", "yes", "good"]);
  });

  test.concurrent("that is cut off for 30 s misses nothing: everything appears, once, in order", async () => {
    const { ann, ben } = world.project("ann", "ben");
    await survivesACut(ann, ben, ann.token());
  }, 60_000);

  test.concurrent("whose token expires while it is cut off misses nothing either", async () => {
    const { ann, ben } = world.project("ann", "ben");
    await survivesACut(ann, ben, ann.token({ lifetime: 10 }));
  }, 60_000);

  test.concurrent("that is refused stops after five attempts", async () => {
    const { project } = world.project("ben");
    const page = browser(world.person("eve", project));
    page.connect();
    await page.waits("the end of its patience", () => page.gaveUp, 45_000);
    expect([page.opened, page.tried]).toEqual([0, 6]);
  }, 60_000);

  test.concurrent("that was removed while connected comes back five times, and then stops", async () => {
    const strict = await startWorld({ vars: { ACCESS_TTL: "1" } });
    try {
      const { ann, project } = strict.project("ann");
      const page = browser(ann);
      await page.visits();
      strict.backend.expels(project, ann.id);
      await eventually(15_000, "the close of its socket", async () => {
        await ann.history();
        return page.isOpen ? undefined : true;
      });
      await page.waits("the end of its patience", () => page.gaveUp, 45_000);
      expect([page.opened, page.tried]).toEqual([1, 6]);
    } finally {
      await strict.stop();
    }
  }, 90_000);

  test.concurrent("whose socket is silent for 90 s is still connected", async () => {
    const { ann, ben } = world.project("ann", "ben");
    const a = await ann.connects({ token: ann.token({ lifetime: 30 }) });
    await realTime(90_000);
    expect(a.closed).toBeUndefined();
    await ben.posts("still there?");
    await a.message("still there?");
    await a.says("of course");
    expect(a.lines()).toEqual(["ben: still there?", "ann: of course"]);
  }, 120_000);
});

async function survivesACut(ann: Person, ben: Person, token: string): Promise<void> {
  const wire = await startWire(world.worker.port);
  const page = browser(ann, { token, wire });
  const b = await ben.connects();
  await page.visits();
  const written: string[] = [];
  const writes = async (content: string) => {
    await b.says(content);
    written.push(content);
  };
  await writes("before");
  await page.waits("a message before the cut", () => page.screen.length === 1);
  page.sends("mine");
  written.push("mine");
  await page.waits("its own message", () => page.screen.length === 2);

  await wire.cut();
  const arrivals = page.arrivals.length;
  const mended = realTime(CUT_MS).then(() => wire.mend());
  for (let n = 1; n <= 60; n++) {
    await writes(`during ${n}`);
    await realTime(CUT_MS / 70);
  }
  expect(page.arrivals.length).toBe(arrivals);
  await mended;

  await page.waits("the socket to open again", () => page.opened === 2, 15_000);
  await page.waits("what was written during the cut", () => page.screen.includes("during 60"));
  await writes("after");
  await page.waits("a message after the cut", () => page.screen.includes("after"));
  expect(page.screen).toEqual(written);
  expect(page.arrivals.length).toBe(new Set(page.arrivals).size);
  page.leaves();
  await wire.cut();
}
