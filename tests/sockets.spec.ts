import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { open, refusal, type ChatSocket } from "./support/socket.ts";
import { nextId, startWorld, type Person, type World } from "./support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ vars: { SOCKETS_PER_USER: "3", SOCKETS_PER_PROJECT: "5" } });
});
afterAll(() => world?.stop());

const address = () => world.worker.url.replace("http", "ws");

describe("the address", () => {
  test.each(["/?token=", "?token="])("ends with %s", async (end) => {
    const { alice, project } = world.project("alice");
    const a = await open(`${address()}/ws/chat/project/${project}${end}${alice.token()}`);
    expect((await a.says("hello")).content).toBe("hello");
  });

  test("both forms lead into the same room", async () => {
    const { alice, bob, project } = world.project("alice", "bob");
    const a = await open(`${address()}/ws/chat/project/${project}/?token=${alice.token()}`);
    const b = await open(`${address()}/ws/chat/project/${project}?token=${bob.token()}`);
    await a.says("hello");
    await b.message("hello");
  });

  test("other parameters are left alone", async () => {
    const { alice, project } = world.project("alice");
    const a = await open(`${address()}/ws/chat/project/${project}/?v=2&token=${alice.token()}&lang=de`);
    await a.says("hello");
  });

  test("one project hears nothing of another", async () => {
    const here = world.project("alice");
    const there = world.project("bob");
    const [a, b] = [await here.alice.connects(), await there.bob.connects()];
    await a.says("only here");
    expect(await b.timeline()).toEqual([]);
  });
});

describe("the token", () => {
  test("is taken from the query", async () => {
    const { alice, project } = world.project("alice");
    await (await open(`${address()}/ws/chat/project/${project}/?token=${alice.token()}`)).says("hello");
  });

  test("is taken from the Authorization header", async () => {
    const { alice, project } = world.project("alice");
    const headers = { authorization: `Bearer ${alice.token()}` };
    await (await open(`${address()}/ws/chat/project/${project}/`, { headers })).says("hello");
  });

  test.each([
    ["alone", (token: string) => [token]],
    ["before another", (token: string) => [token, "chat"]],
    ["after another", (token: string) => ["chat", token]],
  ])("is taken from the subprotocol, %s", async (_where, protocols) => {
    const { alice, project } = world.project("alice");
    const offered = protocols(`bearer.${alice.token()}`);
    const a = await open(`${address()}/ws/chat/project/${project}/`, { protocols: offered });
    await a.says("hello");
  });

  test("in the header counts before the one in the query", async () => {
    const { alice, bob, project } = world.project("alice", "bob");
    const headers = { authorization: `Bearer ${alice.token()}` };
    const socket = await open(`${address()}/ws/chat/project/${project}/?token=${bob.token()}`, { headers });
    expect((await socket.says("who am I?")).sender.id).toBe(alice.id);
  });

  test("never reaches the logs, and neither does what is said", async () => {
    const { alice, bob } = world.project("alice", "bob");
    const a = await alice.connects();
    await a.says("a private matter");
    a.sendsRaw('{"type":"send_message","content":"a private matter');
    await a.error("invalid_json");
    const tokens = [alice.token(), bob.token({ lifetime: -60 }), world.person("eve", alice.project).token()];
    await alice.connects({ token: tokens[0] as string });
    await refusal(bob.connects({ token: tokens[1] as string }));
    await refusal(bob.connects({ token: tokens[2] as string }));
    const logged = world.worker.logs.join("\n");
    for (const token of tokens) expect(logged).not.toContain(token.split(".")[2]);
    expect(logged).not.toContain("a private matter");
  });
});

describe("a refusal has its HTTP status and the error envelope, before the socket opens:", () => {
  const { alice } = { alice: (project: number) => world.person("alice", project) };
  const cases: [string, (person: Person) => string, number, string][] = [
    ["no token", (person) => person.socketUrl("").replace("?token=", ""), 401, "token_missing"],
    ["an empty token", (person) => person.socketUrl(""), 401, "token_missing"],
    ["something that is no token", (person) => person.socketUrl("abc"), 401, "token_malformed"],
    ["a token signed by another key", (person) => person.socketUrl(person.token({ secret: "x".repeat(40) })), 401, "token_bad_signature"],
    ["a token that expired, of somebody new here", (person) => person.socketUrl(person.token({ lifetime: -60 })), 401, "token_expired"],
    ["a refresh token", (person) => person.socketUrl(person.token({}, { token_type: "refresh" })), 401, "token_wrong_type"],
    ["a stranger", (person) => person.socketUrl(), 403, "no_access"],
    ["an unknown project", (person) => person.socketUrl(person.token(), 999_999), 404, "no_such_project"],
  ];

  test.each(cases)("%s", async (_name, url, status, code) => {
    const { project } = world.project("bob");
    const refused = await refusal(open(url(alice(project))));
    expect([refused.status, refused.code]).toEqual([status, code]);
    expect(refused.answer.json).toEqual({ detail: expect.stringMatching(/\.$/), code });
    expect(refused.answer.headers["content-type"]).toContain("application/json");
  });

  test("no token that is refused wakes the room", async () => {
    const { bob, project } = world.project("bob");
    for (const token of ["", "abc", bob.token({ secret: "y".repeat(40) }), bob.token({}, { token_type: "refresh" })]) {
      await refusal(bob.connects({ token }));
    }
    expect((await world.worker.counters()).rooms[project]).toBeUndefined();
  });

  test("a project id that is no id is no address of ours", async () => {
    const { bob } = world.project("bob");
    for (const project of ["007", "0", "-1", "my-projects", "1.5", "7%2F8", "%37"]) {
      const refused = await refusal(bob.connects({ project }));
      expect([project, refused.status, refused.code]).toEqual([project, 404, "not_found"]);
    }
  });
});

test("a call that is no upgrade is told so", async () => {
  const { alice, project } = world.project("alice");
  const answer = await alice.calls(`/ws/chat/project/${project}/`);
  expect([answer.status, answer.json.code]).toEqual([426, "upgrade_required"]);
});

describe("too many sockets", () => {
  test("of one user in one project: the oldest is closed, the newest let in", async () => {
    const { alice, bob } = world.project("alice", "bob");
    const b = await bob.connects();
    const sockets: ChatSocket[] = [];
    for (let n = 0; n < 4; n++) sockets.push(await alice.connects());
    const [oldest, ...others] = sockets as [ChatSocket, ...ChatSocket[]];
    expect((await oldest.closes()).code).toBe(4506);
    await b.says("who is there?");
    for (const socket of others) expect(await socket.timeline()).toEqual(["bob: who is there?"]);
  });

  test("of one user after the object slept: still the oldest", async () => {
    const { alice, project } = world.project("alice");
    const sockets = [await alice.connects(), await alice.connects(), await alice.connects()];
    await world.worker.evictRoom(project);
    await alice.connects();
    expect((await (sockets[0] as ChatSocket).closes()).code).toBe(4506);
    await (sockets[1] as ChatSocket).settled();
    await (sockets[2] as ChatSocket).settled();
  });

  test("of one project: the next is refused", async () => {
    const people = world.project("a", "b", "c", "d", "e", "f");
    for (const person of [people.a, people.b, people.c, people.d, people.e]) await person.connects();
    const refused = await refusal(people.f.connects());
    expect([refused.status, refused.code]).toEqual([429, "too_many_connections"]);
    expect(Number(refused.answer.headers["retry-after"])).toBeGreaterThanOrEqual(1);
  });
});

describe("a close", () => {
  test("by the client is answered", async () => {
    const { alice } = world.project("alice");
    expect((await (await alice.connects()).leaves(1000, "bye")).code).toBe(1000);
    expect((await (await alice.connects()).leaves(4321, "own code")).code).toBe(4321);
    expect((await (await alice.connects()).leaves()).code).toBe(1005);
  });

  test("leaves the others as they were", async () => {
    const { alice, bob } = world.project("alice", "bob");
    const [a, b] = [await alice.connects(), await bob.connects()];
    await a.leaves(1000);
    expect((await b.says("alone")).content).toBe("alone");
    b.drops();
    const again = await bob.connects();
    await again.says("back");
  });
});

test("the heartbeat is answered and is no chat", async () => {
  const { alice, bob } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  await a.pings();
  await a.pings();
  expect(await a.timeline()).toEqual([]);
  expect(await b.timeline()).toEqual([]);
});

describe("the backend", () => {
  test("is asked with the user's own token, once while the yes is fresh", async () => {
    const { alice, project } = world.project("alice");
    const token = alice.token();
    await alice.connects({ token });
    await alice.connects({ token });
    await alice.history();
    expect(world.backend.asked(project)).toHaveLength(1);
    expect(world.backend.asked(project)[0]?.headers.authorization).toBe(`Bearer ${token}`);
  });

  test("that answers about another project admits nobody", async () => {
    const { alice, project } = world.project("alice");
    const rows = world.backend.projects.get(String(project));
    if (rows) rows.id = nextId();
    expect((await refusal(alice.connects())).status).toBe(403);
  });
});

test("connecting does not repeat what the member has read", async () => {
  const { alice, bob } = world.project("alice", "bob");
  const [a, b] = [await alice.connects(), await bob.connects()];
  b.reads(await a.says("read"));
  await a.hears('bob read "read"');
  b.drops();
  await a.says("unread");
  const again = await bob.connects();
  await again.message("unread");
  expect(again.lines()).toEqual(["alice: unread"]);
});
