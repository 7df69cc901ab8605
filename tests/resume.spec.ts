import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { SERVER_KEY, startWorld, type Person, type World } from "./support/world.ts";
import { FrameRefused, joins, V1Client, type Event } from "./support/v1-client.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ vars: { MESSAGE_RATE: "0", SERVER_API_KEY: SERVER_KEY } });
});
afterAll(() => world?.stop());

/** Fails unless the client has the log from `first` on, each event once, in order, with nothing missing. */
function expectDense(client: V1Client, first = 1): void {
  const seqs = client.log.map((event) => event.seq);
  const wrong = seqs.findIndex((seq, at) => seq !== first + at);
  expect(wrong < 0 ? "dense" : `position ${seqs[wrong]} where ${first + wrong} belongs`).toBe("dense");
  expect(client.repeats).toBe(0);
}

/**
 * People who write for as long as they are let, each message once the one before it is stored; over an outage they
 * come back and send again what they have not seen come back.
 */
class Writers {
  readonly sent: string[][] = [];
  private going = true;
  private outage: Promise<void> | undefined;
  private readonly work: Promise<void>[] = [];

  constructor(clients: V1Client[]) {
    for (const [who, client] of clients.entries()) this.work.push(this.keepWriting(who, client));
  }

  private async keepWriting(who: number, client: V1Client): Promise<void> {
    const mine: string[] = (this.sent[who] = []);
    while (this.going) {
      const content = `writer ${who}, ${mine.length}`;
      const more = { client_message_id: `w${who}-${mine.length}` };
      mine.push(content);
      while (!(await this.isSent(client, content, more)));
    }
  }

  private async isSent(client: V1Client, content: string, more: Record<string, unknown>): Promise<boolean> {
    try {
      await client.says(content, more);
      return true;
    } catch (error) {
      if (!this.outage || error instanceof FrameRefused) throw error;
      await this.outage;
      await client.comesBack().catch(() => {}); // gone again already: the next attempt shows it
      return false;
    }
  }

  /** While this goes on, a lost connection is no error. */
  async during(outage: Promise<void>): Promise<void> {
    this.outage = outage;
    await outage;
  }

  async stop(): Promise<void> {
    this.going = false;
    await Promise.all(this.work);
  }
}

/** Writes `count` messages, `m1` and so on, as fast as one window can, and waits for the last. */
async function prepares(person: Person, count: number): Promise<void> {
  const client = await joins(person);
  const start = client.seq;
  for (let next = 0; next < count; ) {
    for (let n = 0; n < 1_000 && next < count; n++) client.sends({ type: "send_message", content: `m${++next}` });
    await client.reaches(start + next);
  }
  client.drops();
}

describe("resume after a cut, while four others go on writing", () => {
  test.each([1, 301, 100_000])("of %d events: nothing is lost, nothing comes twice, all in order", async (missed) => {
    const people = world.project("reader", "w0", "w1", "w2", "w3");
    const reader = await joins(people.reader);
    await reader.says("before the cut");
    reader.drops();
    await prepares(people.w0, missed);
    const clients = await Promise.all([people.w0, people.w1, people.w2, people.w3].map((person) => joins(person)));
    const writers = new Writers(clients);
    await clients[3]?.event("somebody else's message", (event) => event["message"]?.content === "writer 0, 3");

    await reader.comesBack();
    await reader.event("a live message", (event) => event.type === "new.message" && (event.seq ?? 0) > missed + 1);
    await writers.stop();
    const head = Math.max(...clients.map((client) => client.seq));
    await reader.reaches(head);

    expectDense(reader);
    expect(reader.holes).toBe(0);
    const contents = reader.log.map((event) => event["message"].content as string);
    expect(contents.slice(1, 1 + missed)).toEqual(Array.from({ length: missed }, (_, n) => `m${n + 1}`));
    for (const [who, mine] of writers.sent.entries()) {
      expect(contents.filter((content) => content.startsWith(`writer ${who},`))).toEqual(mine);
    }
    for (const client of [reader, ...clients]) client.drops();
  }, 180_000);
});

describe("resume after", () => {
  /** A reader who has seen the beginning and was cut off, and two who write on. */
  const scene = async (missed: number) => {
    const people = world.project("reader", "w0", "w1");
    const reader = await joins(people.reader);
    await reader.says("the beginning");
    reader.drops();
    await prepares(people.w0, missed);
    const clients = [await joins(people.w0), await joins(people.w1)];
    return { reader, clients, writers: new Writers(clients), project: people.project };
  };
  const nothingIsLost = async (reader: V1Client, clients: V1Client[], writers: Writers) => {
    await writers.stop();
    await reader.reaches(Math.max(...clients.map((client) => client.seq)));
    expectDense(reader);
    for (const client of clients) expectDense(client, client.log[0]?.seq);
    const contents = reader.log.map((event) => event["message"].content as string);
    for (const [who, mine] of writers.sent.entries()) {
      expect(contents.filter((content) => content.startsWith(`writer ${who},`))).toEqual(mine);
    }
    for (const client of [reader, ...clients]) client.drops();
  };

  test("the room was put to sleep, again and again, also between two chunks", async () => {
    const { reader, clients, writers, project } = await scene(3_000);
    const back = reader.comesBack();
    let evictions = 0;
    let live = false;
    void back.then(() => (live = true));
    while (!live || evictions < 5) {
      await world.worker.evictRoom(project);
      evictions++;
    }
    await back;
    const constructed = (await world.worker.counters()).rooms[project]?.constructed ?? 0;
    expect(constructed).toBeGreaterThan(3);
    expect(reader.pulled).toBeGreaterThan(5);
    await nothingIsLost(reader, clients, writers);
  });

  test("kill -9 and a restart on the same storage", async () => {
    const { reader, clients, writers } = await scene(500);
    await reader.comesBack();
    await writers.during(world.worker.restart());
    await reader.comesBack();
    await nothingIsLost(reader, clients, writers);
  });

  test("a deploy of another build with another configuration", async () => {
    const { reader, clients, writers } = await scene(500);
    await reader.comesBack();
    try {
      await writers.during(world.worker.restart({ build: "build-probe", vars: { RESUME_CHUNK: "7" } }));
      await reader.comesBack();
      expect(reader.hello?.["limits"].chunk).toBe(7);
    } finally {
      await writers.during(world.worker.restart({ build: "build", vars: { RESUME_CHUNK: undefined } }));
    }
    await reader.comesBack();
    await nothingIsLost(reader, clients, writers);
  });
});

describe("a client starts anew", () => {
  /** What it hears first when it comes back. */
  const start = async (client: V1Client, options: { since?: number; epoch?: string } = {}) => {
    client.drops();
    client.events.length = 0;
    await client.comesBack(options);
    const answers = client.events.filter((event) => ["hello", "resync"].includes(event.type));
    return answers.map((event) => (event.type === "resync" ? `resync ${event["reason"]}` : event.type));
  };
  const page = (client: V1Client) => client.hello?.["messages"].map((message: any) => message.content);

  test("when the epoch is another one, as after a restore from a backup", async () => {
    const { alice } = world.project("alice");
    const a = await joins(alice);
    for (const content of ["one", "two"]) await a.says(content);
    const before = a.epoch;
    await world.worker.restart({ vars: { EPOCH_SALT: "restored" } });
    expect(await start(a)).toEqual(["resync epoch", "hello"]);
    expect(a.epoch).not.toBe(before);
    expect(page(a)).toEqual(["one", "two"]);
    expect(a.hello?.["events"]).toBeUndefined();
    expect((await a.says("three")).id).toBe(3);
    expect(await start(a)).toEqual(["hello"]);
    await world.worker.restart({ vars: { EPOCH_SALT: undefined } });
    expect(await start(a)).toEqual(["resync epoch", "hello"]);
    expect(a.epoch).toBe(before);
    a.drops();
  });

  test("when it is ahead of the log", async () => {
    const { alice } = world.project("alice");
    const a = await joins(alice);
    await a.says("one");
    expect(await start(a, { since: 2 })).toEqual(["resync ahead", "hello"]);
    expect([a.seq, page(a)]).toEqual([1, ["one"]]);
    expect(await start(a, { since: 1 })).toEqual(["hello"]);
    a.drops();
  });

  test("when what it missed has been pruned, and no position is ever given twice", async () => {
    const { alice, bob } = world.project("alice", "bob");
    const [a, b] = [await joins(alice), await joins(bob)];
    for (let n = 1; n <= 10; n++) await a.says(`m${n}`);
    await a.asks({ type: "react", message_id: 10, emoji: "👍", on: true });
    expect((await prune(alice, 6)).json).toEqual({ pruned: 6, more: false });
    expect(await start(a, { since: 5 })).toEqual(["resync pruned", "hello"]);
    expect(page(a)).toEqual(["m7", "m8", "m9", "m10"]);
    expect(await start(a, { since: 6 })).toEqual(["hello"]);
    expect(a.hello?.["events"].map((event: Event) => event.seq)).toEqual([7, 8, 9, 10, 11]);

    // On a live socket, too.
    const again = await b.asks({ type: "resume", after: 3 });
    expect(again.type).toBe("hello");
    expect(b.lines()).toContain("resync: pruned");

    expect((await prune(alice, 999)).json).toEqual({ pruned: 11, more: false });
    expect((await prune(alice, 4)).json).toEqual({ pruned: 11, more: false });
    await world.worker.evictRoom(alice.project);
    expect((await b.says("after all was forgotten")).id).toBe(12);
    expect((await alice.history()).json.map((row: any) => row.id)).toEqual([12]);
    for (const client of [a, b]) client.drops();
  });

  const prune = (person: Person, up_to: number) =>
    world.worker.call(`/api/projects/${person.project}/chat/prune/`, { method: "POST", token: SERVER_KEY, body: { up_to } });
});

describe("without a WebSocket", () => {
  const events = async (person: Person, query = "") => {
    const answer = await person.calls(`/api/projects/${person.project}/chat/events/${query}`);
    if (answer.status !== 200) throw new Error(`events: ${answer.status} ${answer.text}`);
    return answer.json as Event[];
  };
  const frame = (person: Person, body: unknown) =>
    person.calls(`/api/projects/${person.project}/chat/frames/`, { method: "POST", body });

  test("the same log is polled, chunk by chunk, event for event what a socket that resumes gets", async () => {
    const { alice, bob } = world.project("alice", "bob");
    const a = await joins(alice);
    await prepares(alice, 700);
    await a.reaches(700);
    await a.asks({ type: "edit_message", id: 3, content: "edited" });
    await a.asks({ type: "react", message_id: 650, emoji: "🎉", on: true });
    await a.asks({ type: "delete_message", id: 4 });
    await a.asks({ type: "pin", message_id: 5, on: true });

    const [hello] = await events(bob);
    expect(hello).toMatchObject({ type: "hello", seq: 704, head: 704, more: false });
    expect(hello?.["messages"]).toHaveLength(50);
    const polled: Event[] = [];
    for (let more = true, since = 0; more; ) {
      const [part, ...others] = await events(bob, `?since=${since}&epoch=${hello?.["epoch"]}`);
      expect([part?.type, others]).toEqual(["resume", []]);
      polled.push(...(part?.["events"] ?? []));
      [more, since] = [part?.["more"], part?.["seq"] ?? 0];
    }
    const socket = await joins(bob, { since: 0 });
    expect(polled).toEqual(socket.log);
    expectDense(socket);
    expect(polled).toHaveLength(704);

    expect((await events(bob, "?since=704&epoch=another")).map((event) => event.type)).toEqual(["resync", "hello"]);
    expect((await events(bob, "?since=705")).map((event) => event.type)).toEqual(["resync", "hello"]);
    const wrong = await bob.calls(`/api/projects/${bob.project}/chat/events/?since=-1`);
    expect([wrong.status, wrong.json.code]).toEqual([400, "invalid_field"]);
    for (const client of [a, socket]) client.drops();
  });

  test("frames are sent one by one, and answered as on a socket", async () => {
    const { alice, bob } = world.project("alice", "bob");
    const b = await joins(bob);
    await frame(alice, { type: "seen", seq: 0 });
    await b.forgets();
    const sent = await frame(alice, { type: "send_message", content: "hello", client_message_id: "m-1", ref: "x" });
    expect([sent.status, sent.json]).toEqual([200, [{ ref: "x", type: "ack", client_message_id: "m-1", id: 1, seq: 1 }]]);
    const again = await frame(alice, { type: "send_message", content: "hello", client_message_id: "m-1" });
    expect(again.json).toEqual([{ type: "ack", client_message_id: "m-1", id: 1, seq: 1 }]);
    const other = await frame(alice, { type: "send_message", content: "bye", client_message_id: "m-1" });
    expect([other.status, other.json.code]).toEqual([409, "client_message_id_reused"]);

    expect((await frame(alice, { type: "react", message_id: 1, emoji: "👍", on: true })).json).toEqual([{ type: "ok" }]);
    expect((await frame(alice, { type: "history", limit: 1 })).json).toMatchObject([{ type: "history", messages: [{ id: 1 }] }]);
    expect(await b.timeline()).toEqual(["alice: hello", "alice +👍 #1: 1"]);

    const refused = async (body: unknown) => {
      const answer = await frame(alice, body);
      return [answer.status, answer.json.code];
    };
    expect(await refused({ type: "auth", token: alice.token() })).toEqual([400, "invalid_field"]);
    expect(await refused({ type: "dance" })).toEqual([400, "unknown_type"]);
    expect(await refused({ type: "edit_message", id: 9, content: "?" })).toEqual([404, "no_such_message"]);
    expect(await refused({ type: "audit" })).toEqual([403, "moderators_only"]);
    b.drops();
  });

  test("a read is durable when it is answered", async () => {
    const { alice, bob } = world.project("alice", "bob");
    await frame(alice, { type: "send_message", content: "hello" });
    expect((await frame(bob, { type: "read", last_read_message_id: 1 })).json).toEqual([{ type: "ok" }]);
    await world.worker.restart();
    expect((await events(bob))[0]?.["unread"].count).toBe(0);
    expect((await alice.history()).json[0].read_at).toEqual(expect.any(String));
  });
});

test("whoever joins while others write gets everything from there on, hundreds of times", async () => {
  const people = world.project("reader", "w0", "w1", "w2", "w3");
  const clients = await Promise.all([people.w0, people.w1, people.w2, people.w3].map((person) => joins(person)));
  const writers = new Writers(clients);
  await clients[0]?.event("a first message", (event) => event.type === "new.message");
  const joined: V1Client[] = [];
  for (let round = 0; round < 60; round++) {
    const first = clients[0] as V1Client;
    // Every other one of them knows a part of the log already.
    const options = [0, 1, 2, 3, 4, 5].map((n) => (n % 2 ? { since: Math.max(0, first.seq - 40 * n), epoch: first.epoch } : {}));
    const arrived = await Promise.all(options.map((each) => joins(people.reader, each)));
    await Promise.all(arrived.map((client) => client.reaches(client.seq + 8)));
    for (const client of arrived) client.drops();
    joined.push(...arrived);
  }
  await writers.stop();
  expect(joined).toHaveLength(360);
  for (const client of joined) {
    const { hello } = client;
    expectDense(client, client.log[0]?.seq);
    expect(client.holes).toBe(0);
    const page = hello?.["messages"]?.map((message: any) => message.id) as number[] | undefined;
    // The page ends where the log goes on.
    if (page) expect([page.at(-1), client.log[0]?.seq]).toEqual([hello?.seq, (hello?.seq ?? 0) + 1]);
  }
  expect(joined.filter((client) => client.hello?.["messages"])).toHaveLength(180);
  for (const client of clients) client.drops();
}, 60_000);
