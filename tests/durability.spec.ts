import { afterEach, describe, expect, test } from "vitest";

import { eventually, realTime } from "./support/deadline.ts";
import type { ChatSocket, Message } from "./support/socket.ts";
import { startWorld, type Person, type World } from "./support/world.ts";

const TOTAL = 1_000;
let world: World;
afterEach(() => world?.stop());

describe("kill -9 in the middle of 1,000 sends", () => {
  test.each([100, 500, 900])("after about %d of them loses nothing that anybody saw", async (killAt) => {
    world = await startWorld({ vars: { MESSAGE_RATE: "0" } });
    const { alice, bob } = world.project("alice", "bob");
    const [a, b] = [await alice.connects(), await bob.connects()];

    const sent = sendsAll(a);
    await b.message(`m${killAt}`, 30_000);
    await world.worker.kill();
    await Promise.all([a.closes(), b.closes(), sent]);
    const [echoed, seen] = [messagesOf(a), messagesOf(b)];
    expect(seen.length).toBeGreaterThanOrEqual(killAt);
    expect(seen.length).toBeLessThan(TOTAL);

    await world.worker.restart();
    const stored = await wholeHistory(alice);
    const byId = new Map(stored.map((row) => [row.id, row]));
    for (const message of [...echoed, ...seen]) {
      expect(byId.get(message.id)).toMatchObject({
        content: message.content,
        client_message_id: message.client_message_id,
        created_at: message.created_at,
      });
    }
    expect(stored.map((row) => row.content)).toEqual(stored.map((_, n) => `m${n + 1}`));
    expect(stored.slice(0, seen.length).map((row) => row.id)).toEqual(seen.map((message) => message.id));

    const again = await alice.connects();
    await sendsAll(again);
    await again.message(`m${TOTAL}`, 30_000);
    const complete = await wholeHistory(alice);
    expect(complete.map((row) => row.content)).toEqual(Array.from({ length: TOTAL }, (_, n) => `m${n + 1}`));
    expect(new Set(complete.map((row) => row.id)).size).toBe(TOTAL);
    expect(complete.slice(0, stored.length).map((row) => row.id)).toEqual(stored.map((row) => row.id));
  }, 60_000);
});

test("kill -9 at once after an answer over REST loses nothing", async () => {
  world = await startWorld();
  const { alice, bob } = world.project("alice", "bob");
  await bob.history();
  for (let round = 1; round <= 5; round++) {
    const posted = await alice.posts(`m${round}`, `id-${round}`);
    await world.worker.restart();
    expect((await alice.history("?limit=1")).json[0].id).toBe(posted.json.id);
    await bob.marksRead(posted.json.id);
    await world.worker.restart();
    expect((await alice.history("?limit=1")).json[0].read_at).toEqual(expect.any(String));
    expect((await alice.posts(`m${round}`, `id-${round}`)).status).toBe(200);
  }
}, 60_000);

test("after a restart 200 people are in again while the backend is down, and it is not trampled once it is back", async () => {
  const RATE = 20;
  world = await startWorld({ vars: { ACCESS_TTL: "1", ACCESS_RECHECK_RATE: String(RATE) } });
  const { project } = world.project();
  const people = Array.from({ length: 200 }, (_, n) => world.person(`p${n}`, project));
  for (const person of people) world.backend.admits(project, person.row());
  const first: ChatSocket[] = [];
  for (let n = 0; n < people.length; n += 10) first.push(...(await allConnect(people.slice(n, n + 10))));
  const [speaker] = first as [ChatSocket];
  await speaker.says("before");
  expect(world.backend.asked(project)).toHaveLength(200);
  await realTime(1_100); // every yes is older than ACCESS_TTL

  await world.backend.becomes("gone");
  await world.worker.restart();
  await Promise.all(first.map((socket) => socket.closes()));
  const second = await allConnect(people);
  await (second[0] as ChatSocket).says("during");
  await Promise.all(second.map((socket) => socket.message("during")));
  const stranger = world.person("new", project);
  world.backend.admits(project, stranger.row());
  expect((await stranger.history()).status).toBe(503);

  const since = world.backend.calls.length;
  await world.backend.becomes("well");
  for (const socket of second) socket.drops();
  const third = await allConnect(people);
  const calls = await eventually(40_000, "the backend to be asked about half of them", async () => {
    const asked = world.backend.calls.slice(since);
    return new Set(asked.map((call) => call.user)).size >= 100 ? asked : undefined;
  });
  const times = calls.map((call) => call.at).sort((one, two) => one - two);
  const busiest = (ms: number) => Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + ms).length));
  expect(busiest(1_000)).toBeLessThanOrEqual(2 * RATE);
  expect(busiest(5_000)).toBeLessThanOrEqual(5 * RATE + RATE);
  expect(times.length).toBeLessThanOrEqual(2 * 200);
  await (third[0] as ChatSocket).says("after");
  await Promise.all(third.map((socket) => socket.message("after")));
}, 90_000);

/** Sends m1 … m1000 with ids of their own, in lots, until done or cut off. */
async function sendsAll(socket: ChatSocket): Promise<void> {
  for (let n = 1; n <= TOTAL; n++) {
    if (!socket.isOpen) return;
    socket.writes(`m${n}`, `id-${n}`);
    if (n % 20 === 0) await socket.message(`m${n - 15}`, 10_000).catch(() => {});
  }
}

function messagesOf(socket: ChatSocket): Message[] {
  return socket.events.flatMap((event) => (event.type === "new.message" ? [event.message] : []));
}

/** Every message of the project, oldest first. */
async function wholeHistory(person: Person): Promise<any[]> {
  const rows: any[] = [];
  for (;;) {
    const before = rows.length ? `&before=${rows.at(-1).id}` : "";
    const { json } = await person.history(`?limit=100${before}`);
    rows.push(...json);
    if (json.length < 100) return rows.reverse();
  }
}

async function allConnect(people: Person[]): Promise<ChatSocket[]> {
  return Promise.all(people.map((person) => person.connects({ timeout: 20_000 })));
}
