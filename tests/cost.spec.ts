import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { costOf, type Cost } from "./support/cost.ts";
import { realTime } from "./support/deadline.ts";
import { refusal, type ChatSocket } from "./support/socket.ts";
import { joins, type V1Client } from "./support/v1-client.ts";
import { startWorld, type World } from "./support/world.ts";

const ARCHITECTURE = new URL("../docs/ARCHITECTURE.md", import.meta.url);

let world: World;
const table: [string, Cost, number][] = [];
beforeAll(async () => {
  world = await startWorld({ asksForProjects: true, vars: { MESSAGE_RATE: "0" } });
});
afterAll(() => world?.stop());

/** Puts a row into the table of docs/ARCHITECTURE.md; `per`: how many of the thing `cost` is for. */
function note(what: string, cost: Cost, per = 1): Cost {
  table.push([what, cost, per]);
  return cost;
}

test("a message costs two rows, however many listen", async () => {
  for (const listeners of [0, 8]) {
    const { alice, bob } = world.project("alice", "bob");
    const a = await alice.connects();
    const others: ChatSocket[] = [];
    for (let n = 0; n < listeners; n++) others.push(await bob.connects());
    await a.says("warm");
    for (const other of others) await other.settled();
    const cost = await costOf(world, () => burst(a, 100));
    note(listeners ? "the same with nine sockets open" : "a message over a socket", cost, 100);
    expect(cost.woken).toEqual([`room ${alice.project}`]);
    expect(cost.rowsWritten / 100).toBeGreaterThanOrEqual(2);
    expect(cost.rowsWritten).toBeLessThanOrEqual(2 * 100 + 2);
    expect(cost.backendCalls).toBe(0);
    expect(cost.framesOut).toBe(100 * (listeners + 1));
  }
});

test("a message without an id costs one row", async () => {
  const { alice } = world.project("alice");
  const a = await alice.connects();
  await a.says("warm");
  const cost = await costOf(world, async () => {
    for (let n = 0; n < 50; n++) a.sends({ type: "send_message", content: `m${n}` });
    await a.message("m49");
  });
  note("a message without client_message_id", cost, 50);
  expect(cost.rowsWritten).toBeGreaterThanOrEqual(50);
  expect(cost.rowsWritten).toBeLessThanOrEqual(52);
});

test("a message over REST costs two rows", async () => {
  const { alice } = world.project("alice");
  await alice.posts("warm", "warm");
  const cost = await costOf(world, async () => {
    for (let n = 0; n < 20; n++) await alice.posts(`m${n}`, `id-${n}`);
  });
  note("a message over REST", cost, 20);
  expect(cost.rowsWritten).toBeGreaterThanOrEqual(40);
  expect(cost.rowsWritten).toBeLessThanOrEqual(42);
});

test("a message sent again costs no row", async () => {
  const { alice } = world.project("alice");
  const a = await alice.connects();
  await a.says("once", "m-1");
  const cost = await costOf(world, async () => {
    for (let n = 0; n < 20; n++) a.writes("once", "m-1");
    await a.settled();
  });
  expect(note("a message sent again", cost, 20).rowsWritten).toBe(0);
});

test("typing costs no row", async () => {
  const { alice, bob } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  const cost = await costOf(world, async () => {
    for (let n = 0; n < 10; n++) a.types(n % 2 === 0);
    await a.settled();
    await b.settled();
  });
  expect(note("typing", cost, 10)).toMatchObject({ rowsWritten: 0, rowsRead: 0, backendCalls: 0, woken: [`room ${alice.project}`] });
});

test("a read costs no row at once; repeated it is told to nobody", async () => {
  const { alice, bob } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  const message = await a.says("hello");
  const first = await costOf(world, async () => {
    b.reads(message);
    await a.hears('bob read "hello"');
  });
  note("a read over a socket (stored later, with everybody's)", first);
  expect(first).toMatchObject({ woken: [`room ${alice.project}`], rowsWritten: 0, backendCalls: 0 });
  const cost = await costOf(world, async () => {
    for (let n = 0; n < 20; n++) b.reads(message);
    await b.settled();
  });
  note("a repeated read", cost, 20);
  expect(cost).toMatchObject({ rowsWritten: 0, rowsRead: 0, framesOut: 1 });
});

test("a heartbeat costs nothing at all", async () => {
  const { alice } = world.project("alice");
  const a = await alice.connects();
  await a.settled();
  const cost = await costOf(world, async () => {
    for (let n = 0; n < 20; n++) await a.pings();
  });
  expect(note("a heartbeat", cost, 20)).toMatchObject({ woken: [], requests: 0, framesIn: 0, rowsRead: 0, rowsWritten: 0 });
});

test("twenty readers cost no more rows than two", async () => {
  const costs: Cost[] = [];
  for (const readers of [2, 20]) {
    const { author, project } = world.project("author");
    const a = await author.connects();
    const sockets: ChatSocket[] = [];
    for (let n = 0; n < readers; n++) {
      const { reader } = world.project("reader");
      world.backend.admits(project, reader.row());
      sockets.push(await reader.connects({ project }));
    }
    await a.says("warm");
    const cost = await costOf(world, async () => {
      for (let n = 0; n < 10; n++) {
        const message = await a.says(`m${n}`);
        for (const socket of sockets) socket.reads(message);
        for (const socket of sockets) await socket.settled();
      }
    });
    costs.push(note(`a message that ${readers} people read`, cost, 10));
  }
  const [few, many] = costs as [Cost, Cost];
  expect(many.rowsWritten).toBeLessThanOrEqual(few.rowsWritten);
  expect(few.rowsWritten).toBeLessThanOrEqual(10 * 2 + 4);
});

test("connecting, disconnecting and coming back", async () => {
  const { alice, bob, project } = world.project("alice", "bob");
  await (await bob.connects()).says("hello");
  const first = await costOf(world, () => alice.connects());
  note("a first connect", first);
  expect(first.backendCalls).toBe(1);

  const again = await costOf(world, () => alice.connects());
  note("a connect within ACCESS_TTL", again);
  expect(again).toMatchObject({ woken: [`room ${project}`], requests: 1, rowsWritten: 0, backendCalls: 0 });

  await world.worker.evictRoom(project);
  const waking = await costOf(world, () => alice.connects());
  note("a connect that wakes a sleeping room", waking);
  expect(waking).toMatchObject({ woken: [`room ${project}`], requests: 1, rowsWritten: 0, backendCalls: 0 });
});

test("a page of history", async () => {
  const { alice, project } = world.project("alice");
  const a = await alice.connects();
  await burst(a, 40);
  const cost = await costOf(world, () => alice.history());
  note("a page of history (30)", cost);
  expect(cost).toMatchObject({ woken: [`room ${project}`], requests: 1, rowsWritten: 0, backendCalls: 0 });
  expect(cost.rowsRead).toBeLessThanOrEqual(40);
});

test("a mark-read over REST", async () => {
  const { alice, bob } = world.project("alice", "bob");
  const a = await alice.connects();
  await bob.history();
  const message = await a.says("hello");
  const cost = await costOf(world, () => bob.marksRead(message.id));
  note("a mark-read over REST", cost);
  expect(cost.rowsWritten).toBeLessThanOrEqual(2);
  const repeated = await costOf(world, () => bob.marksRead(message.id));
  note("a repeated mark-read over REST", repeated);
  expect(repeated.rowsWritten).toBe(0);
});

describe("what is refused", () => {
  test("for its token wakes nobody", async () => {
    const { alice } = world.project("alice");
    const cost = await costOf(world, () => refusal(alice.connects({ token: alice.token({ secret: "x".repeat(40) }) })));
    note("a connect with a bad token", cost);
    expect(cost).toMatchObject({ woken: [], requests: 0, rowsRead: 0, rowsWritten: 0, backendCalls: 0 });
  });

  test("as a preflight wakes nobody", async () => {
    const { alice, project } = world.project("alice");
    const headers = { origin: "http://localhost:5173", "access-control-request-method": "GET" };
    const cost = await costOf(world, () => alice.calls(`/api/projects/${project}/chat/messages/`, { method: "OPTIONS", headers }));
    note("a preflight", cost);
    expect(cost).toMatchObject({ woken: [], requests: 0, rowsRead: 0, rowsWritten: 0, backendCalls: 0 });
  });

  test("to a stranger writes nothing", async () => {
    const { project } = world.project("alice");
    const eve = world.person("eve", project);
    const cost = await costOf(world, () => refusal(eve.connects()));
    note("a connect of somebody the backend refuses", cost);
    expect(cost).toMatchObject({ rowsWritten: 0, backendCalls: 1 });
  });
});

test("a poll of the contacts", async () => {
  const { alice, bob } = world.project("alice", "bob");
  await bob.posts("hello");
  note("a first poll of the contacts", await costOf(world, () => alice.contacts()));
  const idle = note("a poll with nothing new", await costOf(world, () => alice.contacts()));
  expect(idle).toMatchObject({ woken: [`user ${alice.id}`], rowsWritten: 0, backendCalls: 0 });
  await bob.posts("more");
  const changed = note("a poll after one project changed", await costOf(world, () => alice.contacts()));
  expect(changed.woken.length).toBeLessThanOrEqual(2);
});

describe("by v1", () => {
  /** A project with moderating mia, alice and bob, each with a window, and ten messages of alice's. */
  const scene = async () => {
    const people = world.project("alice", "bob", "mia");
    world.backend.admits(people.project, { ...people.mia.row(), role: "moderator" });
    const [a, b, m] = [await joins(people.alice), await joins(people.bob), await joins(people.mia)];
    for (let n = 1; n <= 10; n++) await a.says(`m${n}`);
    return { ...people, a, b, m };
  };
  type Scene = Awaited<ReturnType<typeof scene>>;
  /** Something that is done to each of the ten messages; `rows` each. */
  type Deed = [what: string, rows: number, act: (scene: Scene, id: number) => Promise<unknown>];
  const deeds: Deed[] = [
    ["a message", 2, ({ a }, id) => a.says(`more ${id}`)],
    ["a message sent again", 0, ({ a }, id) => a.asks({ type: "send_message", content: "m1", client_message_id: first(a) ?? id })],
    ["a reply", 3, ({ a }, id) => a.says("yes", { reply_to: id })],
    ["a message that mentions one", 3, ({ a, bob }) => a.says("@bob", { mentions: [bob.id] })],
    ["a message that mentions two", 4, ({ a, bob, mia }) => a.says("@both", { mentions: [bob.id, mia.id] })],
    ["an edit", 2, ({ a }, id) => a.asks({ type: "edit_message", id, content: `edited ${id}` })],
    ["a deletion", 2, ({ a }, id) => a.asks({ type: "delete_message", id })],
    ["a reaction", 2, ({ b }, id) => b.asks({ type: "react", message_id: id, emoji: "👍", on: true })],
    ["a pin", 2, ({ b }, id) => b.asks({ type: "pin", message_id: id, on: true })],
    ["typing", 0, ({ a }, id) => (a.sends({ type: "typing", is_typing: id % 2 === 0 }), a.settled())],
    ["being away, and back", 0, ({ a }, id) => a.asks({ type: "presence", away: id % 2 === 0 })],
    ["confirming what came", 0, ({ a }, id) => a.asks({ type: "seen", seq: id })],
    ["a page of history (50)", 0, ({ a }) => a.asks({ type: "history" })],
    ["a thread", 0, ({ a }, id) => a.asks({ type: "thread", id })],
    ["one's mentions", 0, ({ b }) => b.asks({ type: "mentions" })],
    ["a search", 0, ({ a }) => a.asks({ type: "search", query: "m" })],
    ["a chunk of the log", 0, ({ a }) => a.asks({ type: "resume", after: 0 })],
    ["a report", 1, ({ b }, id) => b.asks({ type: "report", message_id: id })],
    ["blocking somebody", 1, ({ a, bob }, id) => a.asks({ type: "block", user_id: bob.id, on: id % 2 === 1 })],
    ["muting somebody", 2, ({ m, bob }, id) => m.asks({ type: "mute", user_id: bob.id, seconds: 60 + id })],
    ["a fresh token on a live socket", 0, ({ a, alice }) => (a.sends({ type: "auth", token: alice.token() }), a.next("auth.ok"))],
  ];
  const first = (client: V1Client) => client.log[0]?.["message"].client_message_id as string | undefined;

  test.each(deeds)("%s costs %d rows", async (what, rows, act) => {
    const s = await scene();
    const cost = await costOf(world, async () => {
      for (let id = 1; id <= 10; id++) await act(s, id);
    });
    note(`v1: ${what}`, cost, 10);
    expect([cost.rowsWritten, cost.requests, cost.backendCalls]).toEqual([rows * 10, 0, 0]);
    expect(cost.woken).toEqual([`room ${s.project}`]);
    for (const client of [s.a, s.b, s.m]) client.drops();
  });

  test("a repeat of what is so already costs no row", async () => {
    const { a, b, m } = await scene();
    const frames = [
      { type: "edit_message", id: 1, content: "m1" },
      { type: "react", message_id: 1, emoji: "👍", on: false },
      { type: "pin", message_id: 1, on: false },
      { type: "presence", away: false },
      { type: "configure", frozen: false },
    ];
    const cost = await costOf(world, async () => {
      for (const frame of frames.slice(0, 4)) await a.asks(frame);
      for (const frame of frames.slice(4)) await m.asks(frame);
    });
    expect(cost.rowsWritten).toBe(0);
    for (const client of [a, b, m]) client.drops();
  });

  test("hello and resume cost no row, asleep or awake", async () => {
    const { a, b, m, bob, project } = await scene();
    b.drops();
    await a.hears("bob offline");
    const back: V1Client[] = [];
    const hello = note("v1: hello", await costOf(world, async () => back.push(await joins(bob))));
    const resume = note("v1: coming back after ten messages", await costOf(world, () => b.comesBack({ since: 0 })));
    await world.worker.evictRoom(project);
    const waking = note("v1: coming back to a room that sleeps", await costOf(world, async () => back.push(await joins(bob, { since: 0 }))));
    for (const cost of [hello, resume, waking]) {
      expect(cost).toMatchObject({ woken: [`room ${project}`], requests: 1, rowsWritten: 0, backendCalls: 0 });
    }
    for (const client of [a, b, m, ...back]) client.drops();
  });
});

/**
 * An hour of twenty people, at 180 times its pace: nobody can move the runtime's clock, so the intervals at which marks
 * are stored are as much shorter. What is written per message, and per interval, is what an hour would cost.
 */
describe("an hour of twenty people who read everything", () => {
  const PACE = 180;
  const HOUR_MS = 3_600_000;
  const MESSAGES = 600;
  let quick: World;
  beforeAll(async () => {
    const paced = (ms: number) => String(Math.round(ms / PACE));
    const vars = { MESSAGE_RATE: "0", MARKS_FLUSH_MS: paced(30_000), MARKS_ALARM_MS: paced(300_000) };
    quick = await startWorld({ vars });
  });
  afterAll(() => quick?.stop());

  test("costs at most 2.3 rows a message in all, and no mark is lost", async () => {
    const { project } = quick.project();
    const people = Array.from({ length: 20 }, (_, n) => quick.person(`p${n}`, project));
    for (const person of people) quick.backend.admits(project, person.row());
    const clients: V1Client[] = [];
    for (const person of people) clients.push(await joins(person));
    const reads = (client: V1Client) => client.sends({ type: "read", last_read_message_id: client.seq });
    // Their own objects are made when they are first told of the project: once in a member's life, and not per hour.
    await clients[0]?.says("the first message");

    const began = Date.now();
    const cost = await costOf(quick, async () => {
      for (let n = 1; n <= MESSAGES; n++) {
        clients[n % 20]?.writes(`m${n}`);
        await Promise.all(clients.map((client) => client.reaches(n + 1)));
        clients.forEach(reads);
        await realTime(Math.max(0, began + (n * HOUR_MS) / PACE / MESSAGES - Date.now()));
      }
      for (const client of clients) await client.settled();
    });
    const hours = ((Date.now() - began) * PACE) / HOUR_MS; // a busy machine takes longer
    const forMarks = (cost.rowsWritten - 2 * MESSAGES) / hours;
    expect(forMarks).toBeGreaterThan(60);
    expect(2 + forMarks / MESSAGES).toBeLessThanOrEqual(2.3);
    await realTime((300_000 + 60_000) / PACE); // what stopped moving is stored by the alarm
    await quick.worker.restart();
    for (const person of people) expect(await person.unread()).toBe(0);
  }, 60_000);
});

/** Sends `count` messages and waits for the last one's echo. */
async function burst(socket: ChatSocket, count: number): Promise<void> {
  for (let n = 0; n < count; n++) socket.writes(`burst ${n}`);
  await socket.message(`burst ${count - 1}`);
}

test("docs/ARCHITECTURE.md has these figures (UPDATE_DOCS=1 writes them)", async () => {
  const text = await readFile(ARCHITECTURE, "utf8");
  const fresh = text.replace(/(<!-- cost: begin -->\n)[\s\S]*(<!-- cost: end -->)/, (_, begin, end) => `${begin}${asMarkdown()}\n${end}`);
  if (process.env["UPDATE_DOCS"]) await writeFile(ARCHITECTURE, fresh);
  else expect(withoutRowsRead(text)).toBe(withoutRowsRead(fresh));
  expect(text).toContain("<!-- cost: begin -->");
});

/** Rows read cost next to nothing and differ by one or two with what an object looks up while it opens. */
function withoutRowsRead(text: string): string {
  return text.replace(/^(\|[^|]*\| \d+ \| [\d.]+ \|) [\d.]+/gm, "$1 …");
}

function asMarkdown(): string {
  const figure = (sum: number, per: number) => String(Math.round((sum / per) * 10) / 10);
  const rows = table.map(([what, cost, per]) => {
    const sums = [cost.requests, cost.rowsRead, cost.rowsWritten, cost.backendCalls];
    return `| ${what} | ${cost.woken.length} | ${sums.map((sum) => figure(sum, per)).join(" | ")} |`;
  });
  return [
    "| | objects woken | requests to them | rows read | rows written | backend calls |",
    "|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}
