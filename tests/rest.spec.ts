import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Answer } from "./support/http.ts";
import { startWorld, type Person, type World } from "./support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());

const contents = (answer: { json: any }) => answer.json.map((row: { content: string }) => row.content);

describe("GET messages", () => {
  test("is an array, newest first, in the REST shape: the sender is the bare id", async () => {
    const { alice, bob, project } = world.project("alice", "bob");
    await alice.posts("one", "m-1");
    await bob.posts("two");
    const answer = await alice.history();
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual([
      {
        id: expect.any(Number),
        client_message_id: null,
        project,
        sender: bob.id,
        sender_name: expect.any(String),
        sender_info: { id: bob.id, username: "bob", first_name: "Bob", last_name: "Example", profile_pic: null },
        content: "two",
        attachment: null,
        created_at: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T/),
        read_at: null,
      },
      expect.objectContaining({ sender: alice.id, client_message_id: "m-1", content: "one", read_at: expect.any(String) }),
    ]);
    expect(answer.json[0].sender_name).not.toBe("");
    expect(answer.json[0].id).toBeGreaterThan(answer.json[1].id);
  });

  test("of an empty project is an empty array", async () => {
    const { alice } = world.project("alice");
    const answer = await alice.history();
    expect([answer.status, answer.json]).toEqual([200, []]);
    expect(answer.headers["link"]).toBeUndefined();
  });

  test("gives 30 unless told otherwise, and at most 100", async () => {
    const { alice } = await projectWith(120);
    expect(contents(await alice.history())).toEqual(numbered(120, 91));
    expect(contents(await alice.history("?limit=5"))).toEqual(numbered(120, 116));
    expect(contents(await alice.history("?limit=500"))).toEqual(numbered(120, 21));
  });

  test.each(["before", "before_id"])("goes back in time with %s=", async (name) => {
    const { alice, ids } = await projectWith(10);
    expect(contents(await alice.history(`?${name}=${ids[4]}&limit=3`))).toEqual(["m4", "m3", "m2"]);
    expect(contents(await alice.history(`?${name}=${ids[0]}`))).toEqual([]);
  });

  test("goes forward with after=, still newest first, from the oldest on that is missing", async () => {
    const { alice, ids } = await projectWith(10);
    expect(contents(await alice.history(`?after=${ids[6]}`))).toEqual(["m10", "m9", "m8"]);
    expect(contents(await alice.history(`?after=${ids[1]}&limit=3`))).toEqual(["m5", "m4", "m3"]);
    expect(contents(await alice.history(`?after=${ids[9]}`))).toEqual([]);
  });

  test("by following Link everything is seen once, backwards", async () => {
    const { alice } = await projectWith(25);
    expect(await followed(alice, "?limit=10")).toEqual([numbered(25, 16), numbered(15, 6), numbered(5, 1)]);
  });

  test("by following Link everything is seen once, forwards", async () => {
    const { alice, ids } = await projectWith(25);
    const pages = await followed(alice, `?limit=10&after=${ids[4]}`);
    expect(pages).toEqual([numbered(15, 6), numbered(25, 16)]);
  });

  test("no Link leads from a page that ends exactly at the end", async () => {
    const { alice } = await projectWith(10);
    expect((await alice.history("?limit=10")).headers["link"]).toBeUndefined();
    expect((await alice.history("?limit=9")).headers["link"]).toMatch(/^<http:\/\/127\.0\.0\.1:\d+\/.*>; rel="next"$/);
  });

  test.each(["?limit=0", "?limit=ten", "?limit=-1", "?before=x", "?after=1.5", "?before_id="])("refuses %s", async (query) => {
    const { alice } = world.project("alice");
    const answer = await alice.history(query);
    expect([answer.status, answer.json.code]).toEqual([400, "invalid_field"]);
  });
});

describe.each(["/messages/create/", "/messages/", "/messages/create", "/messages"])("POST %s", (path) => {
  test("sends: 201 and the message in the REST shape, on every socket too", async () => {
    const { alice, bob, project } = world.project("alice", "bob");
    const b = await bob.connects();
    const answer = await alice.calls(`/api/projects/${project}/chat${path}`, {
      method: "POST",
      body: { content: "hello", client_message_id: "m-1" },
    });
    expect(answer.status).toBe(201);
    expect(answer.json).toEqual((await bob.history()).json[0]);
    const heard = await b.message("hello");
    expect([heard.id, heard.client_message_id, heard.sender.id]).toEqual([answer.json.id, "m-1", alice.id]);
  });
});

describe("the same message over the socket and over REST", () => {
  test("first over the socket: one message, 200 and the stored one", async () => {
    const { alice, bob } = world.project("alice", "bob");
    const [a, b] = [await alice.connects(), await bob.connects()];
    const sent = await a.says("hello", "m-1");
    const answer = await alice.posts("hello", "m-1");
    expect([answer.status, answer.json.id]).toEqual([200, sent.id]);
    expect(await b.timeline()).toEqual(["alice: hello"]);
  });

  test("first over REST: one message, and the socket is answered with it", async () => {
    const { alice, bob } = world.project("alice", "bob");
    const [a, b] = [await alice.connects(), await bob.connects()];
    const answer = await alice.posts("hello", "m-1");
    await a.message("hello");
    a.writes("hello", "m-1");
    await a.settled();
    expect(a.events.map((event) => event.type === "new.message" && event.message.id)).toEqual([answer.json.id, answer.json.id]);
    expect(await b.timeline()).toEqual(["alice: hello"]);
  });

  test("both at once, forty times: forty messages", async () => {
    const { alice, bob } = world.project("alice", "bob");
    const [a, b] = [await alice.connects(), await bob.connects()];
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) => {
        a.writes(`m${n}`, `id-${n}`);
        return alice.posts(`m${n}`, `id-${n}`);
      }),
    );
    for (const answer of answers) expect([200, 201]).toContain(answer.status);
    await a.settled();
    const heard = (await b.timeline()).sort();
    expect(heard).toEqual(Array.from({ length: 40 }, (_, n) => `alice: m${n}`).sort());
    expect((await alice.history("?limit=100")).json).toHaveLength(40);
  });

  test("an id that is a number is the same id in both", async () => {
    const { alice, project } = world.project("alice");
    const a = await alice.connects();
    a.sends({ type: "send_message", content: "hello", client_message_id: 1718000000000 });
    const sent = await a.message("hello");
    const body = { content: "hello", client_message_id: 1718000000000 };
    const answer = await alice.calls(`/api/projects/${project}/chat/messages/`, { method: "POST", body });
    expect([answer.status, answer.json.id]).toEqual([200, sent.id]);
  });

  test("with other content: another message", async () => {
    const { alice } = world.project("alice");
    const one = await alice.posts("one", "m-1");
    const two = await alice.posts("two", "m-1");
    expect([one.status, two.status]).toEqual([201, 201]);
    expect(two.json.id).toBeGreaterThan(one.json.id);
    expect(two.json.client_message_id).toBeNull();
  });
});

describe("POST mark-read", () => {
  test("answers ok, sets read_at and tells the room", async () => {
    const { alice, bob } = world.project("alice", "bob");
    const a = await alice.connects();
    const message = await a.says("hello");
    const answer = await bob.marksRead(message.id);
    expect([answer.status, answer.json]).toEqual([200, { status: "ok" }]);
    await a.hears('bob read "hello"');
    expect((await alice.history()).json[0].read_at).toEqual(expect.any(String));
    expect(await bob.unread()).toBe(0);
  });

  test("is durable before its answer", async () => {
    const { alice, bob } = world.project("alice", "bob");
    const sent = await alice.posts("hello");
    await bob.marksRead(sent.json.id);
    await world.worker.restart();
    expect(await bob.unread()).toBe(0);
    expect((await alice.history()).json[0].read_at).toEqual(expect.any(String));
  });

  test.each([{}, { last_read_message_id: null }, { last_read_message_id: "x" }, { last_read_message_id: -1 }, []])(
    "refuses %j",
    async (body) => {
      const { bob, project } = world.project("bob");
      const answer = await bob.calls(`/api/projects/${project}/chat/mark-read/`, { method: "POST", body });
      expect([answer.status, answer.json.code]).toEqual([400, "invalid_field"]);
    },
  );

  test("takes an id as text, as some clients send it", async () => {
    const { alice, bob, project } = world.project("alice", "bob");
    const sent = await alice.posts("hello");
    const answer = await bob.calls(`/api/projects/${project}/chat/mark-read/`, {
      method: "POST",
      body: { last_read_message_id: String(sent.json.id) },
    });
    expect([answer.status, answer.json]).toEqual([200, { status: "ok" }]);
    expect(await bob.unread()).toBe(0);
  });
});

describe("unread counts", () => {
  test("are exact: one's own messages never count, others' do until read", async () => {
    const { alice, bob } = world.project("alice", "bob");
    expect(await bob.unread()).toBe(0);
    const ids: number[] = [];
    for (let n = 1; n <= 5; n++) ids.push((await alice.posts(`m${n}`)).json.id);
    expect([await alice.unread(), await bob.unread()]).toEqual([0, 5]);
    await bob.marksRead(ids[2] as number);
    expect(await bob.unread()).toBe(2);
    await bob.posts("answer");
    expect([await alice.unread(), await bob.unread()]).toEqual([1, 0]);
    await alice.posts("m6");
    expect([await alice.unread(), await bob.unread()]).toEqual([0, 1]);
  });

  test("are exact between one's own messages", async () => {
    const { alice, bob } = world.project("alice", "bob");
    const first = await alice.posts("from alice");
    await bob.marksRead(first.json.id);
    const [a, b] = [await alice.connects(), await bob.connects()];
    await a.says("one");
    await b.says("mine");
    await a.says("two");
    await a.says("three");
    expect(await bob.unread()).toBe(2);
    expect(await alice.unread()).toBe(0);
  });

  test("are exact up to 999", async () => {
    const crowd = await startWorld({ vars: { MESSAGE_RATE: "0" } });
    try {
      const { alice, bob } = crowd.project("alice", "bob");
      const [a] = [await alice.connects(), await bob.history()];
      for (let n = 1; n <= 1_001; n++) {
        a.writes(`m${n}`);
        if (n === 998 || n === 999) await a.message(`m${n}`);
        if (n === 998) expect(await bob.unread()).toBe(998);
        if (n === 999) expect(await bob.unread()).toBe(999);
      }
      await a.message("m1001");
      expect(await bob.unread()).toBe(999);
    } finally {
      await crowd.stop();
    }
  });
});

describe("errors are the envelope with the right status:", () => {
  type Case = [string, (person: Person) => Promise<{ status: number; json: any; headers: any }>, number, string];
  const messages = (person: Person) => `/api/projects/${person.project}/chat/messages/`;
  const cases: Case[] = [
    ["no token", (p) => p.calls(messages(p), { token: undefined }), 401, "token_missing"],
    ["no bearer token", (p) => p.calls(messages(p), { token: undefined, headers: { authorization: "Basic abc" } }), 401, "token_missing"],
    ["an expired token", (p) => p.calls(messages(p), { token: p.token({ lifetime: -10 }) }), 401, "token_expired"],
    ["a token of another key", (p) => p.calls(messages(p), { token: p.token({ secret: "z".repeat(40) }) }), 401, "token_bad_signature"],
    ["a stranger", (p) => p.world.person("eve", p.project).history(), 403, "no_access"],
    ["an unknown project", (p) => p.in(888_888).history(), 404, "no_such_project"],
    ["an unknown contact", (p) => p.contacts(888_888), 404, "no_such_project"],
    ["marking an unknown contact as read", (p) => p.marksContactRead(888_888), 404, "no_such_project"],
    ["a method that is not answered", (p) => p.calls(messages(p), { method: "DELETE" }), 405, "method_not_allowed"],
    ["a body that is no JSON", (p) => p.calls(messages(p), { method: "POST", body: "{", headers: { "content-type": "application/json" } }), 400, "invalid_json"],
    ["a form", (p) => p.calls(messages(p), { method: "POST", body: "content=hi", headers: { "content-type": "application/x-www-form-urlencoded" } }), 415, "unsupported_media_type"],
    ["no content", (p) => p.calls(messages(p), { method: "POST", body: {} }), 400, "invalid_field"],
    ["content that is no text", (p) => p.posts(7), 400, "invalid_field"],
    ["empty content", (p) => p.posts(""), 400, "content_empty"],
    ["10,001 characters", (p) => p.posts("x".repeat(10_001)), 400, "content_too_long"],
    ["a body of a megabyte", (p) => p.posts("x".repeat(1_048_576)), 413, "too_large"],
    ["an address of nobody", (p) => p.calls("/api/nothing/"), 404, "not_found"],
  ];

  test.each(cases)("%s", async (_name, act, status, code) => {
    const { alice } = world.project("alice", "bob");
    const answer = await act(alice);
    expect([answer.status, answer.json]).toEqual([status, { detail: expect.stringMatching(/^\S.*[.)]$/s), code }]);
    expect(answer.headers["content-type"]).toContain("application/json");
  });

  test("too many messages, with Retry-After", async () => {
    const { alice } = world.project("alice");
    const answers = await Promise.all(Array.from({ length: 150 }, (_, n) => alice.posts(`m${n}`)));
    const refused = answers.find((answer) => answer.status === 429);
    expect(refused?.json).toEqual({ detail: expect.any(String), code: "rate_limited" });
    expect(Number(refused?.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect(answers.filter((answer) => answer.status === 201).length).toBeGreaterThanOrEqual(100);
  });

  test("a backend that does not answer is 503 for somebody new, and nothing for who was in", async () => {
    const other = await startWorld({ vars: { ACCESS_TIMEOUT_MS: "300" } });
    try {
      const { alice, bob } = other.project("alice", "bob");
      expect((await alice.history()).status).toBe(200);
      for (const mood of ["failing", "silent", "gone"] as const) {
        await other.backend.becomes(mood);
        const refused = await bob.history();
        expect([mood, refused.status, refused.json.code]).toEqual([mood, 503, "backend_unavailable"]);
        expect([mood, (await alice.history()).status]).toEqual([mood, 200]);
      }
    } finally {
      await other.stop();
    }
  });
});

test("every call of the table answers with and without its slash", async () => {
  const { alice, project } = world.project("alice", "bob");
  await alice.history();
  const calls: [string, string, unknown, number][] = [
    ["GET", `/api/projects/${project}/chat/messages`, undefined, 200],
    ["POST", `/api/projects/${project}/chat/messages`, { content: "a" }, 201],
    ["POST", `/api/projects/${project}/chat/messages/create`, { content: "b" }, 201],
    ["POST", `/api/projects/${project}/chat/mark-read`, { last_read_message_id: 1 }, 200],
    ["GET", "/api/chat/contacts", undefined, 200],
    ["GET", `/api/chat/contacts/${project}`, undefined, 200],
    ["POST", `/api/chat/contacts/${project}/mark-read`, undefined, 200],
    ["GET", "/api/chat/inbox", undefined, 200],
  ];
  for (const [method, path, body, status] of calls) {
    for (const end of ["", "/"]) {
      const answer = await alice.calls(path + end, { method, body });
      expect([method, path + end, answer.status]).toEqual([method, path + end, status]);
    }
  }
});

test("HEAD answers as GET does, without the body", async () => {
  const { alice, project } = await projectWith(3);
  const told = (answer: Answer) => [answer.status, answer.headers["content-type"], answer.headers["content-length"], answer.headers["link"]];
  const messages = `/api/projects/${project}/chat/messages/`;
  const paths = [messages, `${messages}?limit=2`, `${messages}?limit=0`, "/api/chat/contacts/", `/api/chat/contacts/${project}/`, "/api/chat/inbox/"];
  for (const path of paths) {
    const [got, head] = [await alice.calls(path), await alice.calls(path, { method: "HEAD" })];
    expect([path, ...told(head)]).toEqual([path, ...told(got)]);
    expect([got.text === "", head.text]).toEqual([false, ""]);
  }
});

test("HEAD is no method of a POST address, and opens no socket", async () => {
  const { alice, project } = world.project("alice");
  const posted = await alice.calls(`/api/projects/${project}/chat/mark-read/`, { method: "HEAD" });
  expect([posted.status, posted.headers["allow"]]).toEqual([405, "POST, OPTIONS"]);
  const upgrade = { connection: "upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": "MDEyMzQ1Njc4OWFiY2RlZg==" };
  for (const headers of [{}, upgrade]) {
    expect((await alice.calls(`/ws/chat/project/${project}/`, { method: "HEAD", headers })).status).toBe(426);
  }
  expect((await world.worker.counters()).rooms).not.toHaveProperty(String(project));
});

/** A project with messages m1 … m<count> by its member alice. */
async function projectWith(count: number) {
  const { alice, project } = world.project("alice");
  const ids: number[] = [];
  const author = world.project("bob").bob;
  world.backend.admits(project, author.row());
  for (let n = 1; n <= count; n++) {
    const writer = n > 60 ? author.in(project) : alice;
    ids.push((await writer.posts(`m${n}`)).json.id);
  }
  return { alice, project, ids };
}

/** `m<from>` down to `m<to>`. */
function numbered(from: number, to: number): string[] {
  return Array.from({ length: from - to + 1 }, (_, n) => `m${from - n}`);
}

/** The contents of every page, by following rel="next". */
async function followed(person: Person, query: string): Promise<string[][]> {
  const pages: string[][] = [];
  let next: string | undefined = `/api/projects/${person.project}/chat/messages/${query}`;
  while (next !== undefined && pages.length < 20) {
    const answer = await person.calls(next);
    pages.push(contents(answer));
    const link = /<([^>]+)>; rel="next"/.exec(String(answer.headers["link"] ?? ""))?.[1];
    next = link === undefined ? undefined : new URL(link).pathname + new URL(link).search;
  }
  return pages;
}

test("ids do not begin anew when the object does", async () => {
  const { alice, project } = world.project("alice");
  const one = await alice.posts("one");
  await world.worker.evictRoom(project);
  const two = await alice.posts("two");
  expect(two.json.id).toBeGreaterThan(one.json.id);
});
