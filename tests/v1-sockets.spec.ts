import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { realTime } from "./support/deadline.ts";
import { keyPair } from "./support/keys.ts";
import { simpleJwt } from "./support/simplejwt.ts";
import { refusal, type Closed } from "./support/socket.ts";
import { nextId, SERVER_KEY, startWorld, type Person, type World } from "./support/world.ts";
import { FrameRefused, joins, turnedAway, V1Client } from "./support/v1-client.ts";

const rsa = keyPair("RS256");
let world: World;
beforeAll(async () => {
  world = await startWorld({ vars: { SERVER_API_KEY: SERVER_KEY, JWT_PUBLIC_KEY: rsa.publicKey } });
});
afterAll(() => world?.stop());

const server = (method: string, path: string, body?: unknown) =>
  world.worker.call(`/api/projects/${path}`, { method, token: SERVER_KEY, body });
const garbage = "not.a.token";

describe("whoever may not enter", () => {
  /** Who comes, with which token, and how both dialects are refused. */
  type Refusal = [what: string, word: string, code: number, status: number, who: () => Promise<[Person, string?]>];
  const member = async (token: (alice: Person) => string): Promise<[Person, string]> => {
    const { alice } = world.project("alice");
    return [alice, token(alice)];
  };
  const gone = async (method: string, path: string): Promise<[Person]> => {
    const { alice, project } = world.project("alice");
    await alice.history();
    await server(method, `${project}/chat/members/${alice.id}/${path}`);
    return [alice];
  };
  const refusals: Refusal[] = [
    ["with an expired token", "token_expired", 4001, 401, () => member((alice) => alice.token({ lifetime: -1 }))],
    ["with a token of another key", "token_bad_signature", 4500, 401, () => member((alice) => alice.token({ secret: "x".repeat(40) }))],
    ["with something that is no token", "token_malformed", 4500, 401, () => member(() => garbage)],
    ["without a token", "token_missing", 4500, 401, () => member(() => "")],
    ["with a token that names nobody", "token_no_user", 4500, 401, () => member((alice) => alice.token({}, { user_id: null, sub: null }))],
    ["as a stranger", "no_access", 4507, 403, async () => [world.person("eve", world.project("alice").project)]],
    ["to a project that the backend does not know", "no_such_project", 4504, 404, async () => [world.person("eve", nextId())]],
    ["removed", "removed", 4503, 403, () => gone("DELETE", "")],
    ["with their sessions ended", "revoked", 4503, 403, () => gone("POST", "revoke/")],
    ["banned", "banned", 4503, 403, async () => {
      const { alice, mia, project } = world.project("alice", "mia");
      world.backend.admits(project, { ...mia.row(), role: "moderator" });
      await alice.history();
      const m = await joins(mia);
      await m.asks({ type: "ban", user_id: alice.id, seconds: 60 });
      m.drops();
      return [alice];
    }],
  ];
  test.each(refusals)("%s is told so", async (_what, word, code, status, who) => {
    const [person, token] = await who();
    const options = token === undefined ? {} : { token };

    const v1 = await turnedAway(person, options);
    expect(v1.error).toMatchObject({ type: "error", code: word, detail: expect.stringMatching(/^[A-Z].*\.$/) });
    expect([v1.code, v1.reason]).toEqual([code, v1.error?.["detail"]]);

    const classic = await refusal(person.connects(options));
    expect([classic.status, classic.code, classic.answer.json.detail]).toEqual([status, word, v1.reason]);
  });

  test("while the backend is silent is told to come back", async () => {
    const { alice, bob } = world.project("alice", "bob");
    await alice.history();
    await world.backend.becomes("failing");
    try {
      const v1 = await turnedAway(bob);
      expect([v1.code, v1.error?.["code"]]).toEqual([1013, "backend_unavailable"]);
      expect(v1.reason).toMatch(/did not answer/);
      expect((await refusal(bob.connects())).status).toBe(503);
      // Who was in before is in.
      (await joins(alice)).drops();
    } finally {
      await world.backend.becomes("well");
    }
    (await joins(bob)).drops();
  });

  test("with a position that is none is told of a protocol error", async () => {
    const { alice } = world.project("alice");
    for (const since of [-1, 1.5, "x" as unknown as number, 2 ** 60]) {
      const { code, error } = await turnedAway(alice, { since });
      expect([since, code, error?.["code"]]).toEqual([since, 4501, "invalid_field"]);
    }
  });

  test("is refused by status where nobody asked for a WebSocket", async () => {
    const { alice } = world.project("alice");
    const answer = await alice.calls(`/ws/chat/project/${alice.project}/`, { headers: { "sec-websocket-protocol": "project-chat.v1" } });
    expect([answer.status, answer.json.code]).toEqual([426, "upgrade_required"]);
  });
});

test("a token whose time is over for the backend, though not here, has expired and is not bad", async () => {
  const lenient = await startWorld({ vars: { JWT_LEEWAY: "30" } });
  try {
    const { alice } = lenient.project("alice");
    const token = alice.token({ lifetime: -5 });
    const { code, error } = await turnedAway(alice, { token });
    expect([code, error?.["code"]]).toEqual([4001, "token_expired"]);
    expect((await refusal(alice.connects({ token }))).code).toBe("token_expired");
  } finally {
    await lenient.stop();
  }
});

describe("a configuration that is wrong", () => {
  let broken: World;
  beforeAll(async () => {
    broken = await startWorld({ vars: { RESUME_CHUNK: "many" } });
  });
  afterAll(() => broken?.stop());

  test("is told to v1 clients by 1013, and to classic ones by 503", async () => {
    const { alice } = broken.project("alice");
    const { code, error } = await turnedAway(alice);
    expect([code, error?.["code"]]).toEqual([1013, "misconfigured"]);
    expect(error?.["detail"]).toMatch(/^RESUME_CHUNK /);
    expect((await refusal(alice.connects())).status).toBe(503);
  });
});

describe("too many", () => {
  let small: World;
  beforeAll(async () => {
    small = await startWorld({
      vars: { SOCKETS_PER_PROJECT: "3", SOCKETS_PER_USER: "2", MESSAGE_RATE: "1", MESSAGE_BURST: "3", CHANGE_RATE: "1" },
    });
  });
  afterAll(() => small?.stop());

  test("sockets in a project: the next one is refused, and told when to come back", async () => {
    const { alice, bob, carol } = small.project("alice", "bob", "carol");
    const open = [await joins(alice), await joins(alice), await bob.connects()] as const;
    const v1 = await turnedAway(carol);
    expect([v1.code, v1.error]).toEqual([4029, {
      type: "error",
      code: "too_many_connections",
      detail: "Too many connections.",
      retry_after_ms: 10_000,
    }]);
    const classic = await refusal(carol.connects());
    expect([classic.status, classic.answer.headers["retry-after"]]).toEqual([429, "10"]);
    await open[2].leaves();
    (await joins(carol)).drops();
    for (const socket of open) socket.drops();
  });

  test("sockets of one user: the oldest is replaced, whatever it speaks, also after a sleep", async () => {
    const { alice, project } = small.project("alice");
    const first = await alice.connects();
    const second = await joins(alice);
    await small.worker.evictRoom(project);
    const third = await joins(alice);
    expect((await first.closes()).code).toBe(4506);
    const fourth = await joins(alice);
    expect(await second.closes()).toEqual({ code: 4506, reason: "replaced by a newer connection of the same user" });
    await third.says("still here");
    await fourth.hears("alice: still here");
    for (const socket of [third, fourth]) socket.drops();
  });

  test("messages: each is refused with the time to wait; and the socket stays", async () => {
    const { alice } = small.project("alice");
    const a = await joins(alice);
    for (let n = 0; n < 4; n++) a.writes(`m${n}`, { client_message_id: `id-${n}`, ref: `r-${n}` });
    const error = await a.next("error");
    expect(error).toMatchObject({ code: "rate_limited", client_message_id: "id-3", ref: "r-3" });
    expect(error["retry_after_ms"]).toBeGreaterThan(0);
    expect(error["retry_after_ms"]).toBeLessThanOrEqual(1_001);
    expect(a.log).toHaveLength(3);
    a.drops();
  });

  test("changes have a bucket of their own, and typing is dropped in silence", async () => {
    const { alice } = small.project("alice");
    const a = await joins(alice);
    const { id } = await a.says("hello");
    const outcomes: unknown[] = [];
    for (let n = 0; n < 12; n++) outcomes.push(await a.asks({ type: "react", message_id: id, emoji: "👍", on: true }).catch((error: FrameRefused) => error.event));
    expect(outcomes.slice(0, 10).map((event: any) => event.type)).toEqual(Array(10).fill("ok"));
    expect(outcomes.at(-1)).toMatchObject({ code: "rate_limited" });
    a.drops();
  });

  test("frames of any kind: the socket is closed, and classic ones are left alone", async () => {
    const { alice, bob } = small.project("alice", "bob");
    const [a, b] = [await joins(alice), await bob.connects()];
    for (let n = 0; n < 60; n++) {
      a.sendsRaw("{}");
      b.sendsRaw("{}");
    }
    expect(await a.closes()).toEqual({ code: 4029, reason: "too many frames or connections" });
    await b.error("invalid_field");
    expect(b.isOpen).toBe(true);
    b.drops();
  });
});

test("a heartbeat is answered, also while the room sleeps, and wakes nobody", async () => {
  const { alice, project } = world.project("alice");
  const a = await joins(alice);
  await world.worker.evictRoom(project);
  const before = (await world.worker.counters()).rooms[project];
  await a.pings();
  expect((await world.worker.counters()).rooms[project]).toEqual(before);
  expect(a.strays).toEqual([]);
  a.drops();
});

describe("a frame that is no frame is answered with an error, and the socket stays", () => {
  test.each<[string, string | Uint8Array, string]>([
    ["no JSON", "{", "invalid_json"],
    ["an array", "[]", "invalid_field"],
    ["no type", "{}", "invalid_field"],
    ["an unknown type", '{"type":"dance"}', "unknown_type"],
    ["bytes", new Uint8Array([1, 2, 3]), "binary_frame"],
    ["more than 64 KiB", JSON.stringify({ type: "send_message", content: "x".repeat(66_000) }), "too_large"],
  ])("%s", async (_what, data, word) => {
    const { alice } = world.project("alice");
    const a = await joins(alice);
    a.sendsRaw(data);
    expect(await a.next("error")).toMatchObject({ code: word, detail: expect.stringMatching(/^[A-Z].*\.$/) });
    await a.says("still here");
    expect(a.strays).toEqual([]);
    a.drops();
  });
});

const EXPIRED: Closed = { code: 4001, reason: "token expired" };

describe.concurrent("a token that expires", () => {
  test.each(["awake", "asleep"])("ends a v1 socket in a room that is %s, and nothing more is delivered to it", async (state) => {
    const { alice, bob, carol, project } = world.project("alice", "bob", "carol");
    const [a, c] = [await joins(alice), await carol.connects({ token: carol.token({ lifetime: 2 }) })];
    const b = await joins(bob, { token: bob.token({ lifetime: 2 }) });
    await a.says("in time");
    await b.hears("alice: in time");
    if (state === "asleep") await world.worker.evictRoom(project);
    await realTime(2_100);
    await a.says("too late");
    expect(await b.closes()).toEqual(EXPIRED);
    expect(b.lines().filter((line) => line.startsWith("alice"))).toEqual(["alice: in time"]);
    await a.hears("bob offline");
    // A classic socket outlives its token.
    await c.message("too late");
    for (const socket of [a, c]) socket.drops();
  });

  test("is not listened to any more: its own frame is what the socket is closed by", async () => {
    const { alice, bob } = world.project("alice", "bob");
    const [a, b] = [await joins(alice), await joins(bob, { token: bob.token({ lifetime: 2 }) })];
    await realTime(2_100);
    b.writes("may I?");
    expect(await b.closes()).toEqual(EXPIRED);
    expect((await a.timeline()).filter((line) => line.includes("may I"))).toEqual([]);
    expect((await alice.history()).json).toEqual([]);
    a.drops();
  });
});

describe.concurrent("auth", () => {
  /** Alice's token ends in two seconds. */
  const scene = async () => {
    const { alice, bob, project } = world.project("alice", "bob");
    const [a, b] = [await joins(alice, { token: alice.token({ lifetime: 2 }) }), await joins(bob)];
    return { alice, bob, a, b, project };
  };

  beforeAll(() => simpleJwt(1)); // starts what mints tokens

  test.each([
    ["HS256", async (person: Person) => person.token({ lifetime: 60 })],
    ["RS256", (person: Person) => simpleJwt(person.id, { algorithm: "RS256", key: rsa.privateKey, lifetime: 60 })],
  ])("renews a socket in place with a fresh %s token, and outlives a sleep", async (_algorithm, fresh) => {
    const { alice, bob, project } = world.project("alice", "bob");
    const token = await fresh(alice);
    const [a, b] = [await joins(alice, { token: alice.token({ lifetime: 2 }) }), await joins(bob)];
    const answer = await a.asks({ type: "auth", token });
    expect(answer.type).toBe("auth.ok");
    const expiry = Date.parse(answer["expires_at"]);
    expect(Math.abs(expiry - Date.now() - 60_000)).toBeLessThan(3_000);
    await world.worker.evictRoom(project);
    await realTime(2_100);
    await b.says("are you there?");
    await a.hears("bob: are you there?");
    for (const client of [a, b]) client.drops();
  });

  test.each<[string, string, (alice: Person, bob: Person) => string]>([
    ["another user's token", "token_other_user", (_, bob) => bob.token()],
    ["something that is no token", "token_malformed", () => garbage],
    ["a token of another key", "token_bad_signature", (alice) => alice.token({ secret: "x".repeat(40) })],
    ["an expired token", "token_expired", (alice) => alice.token({ lifetime: -1 })],
    ["a refresh token", "token_wrong_type", (alice) => alice.token({}, { token_type: "refresh" })],
  ])("with %s changes nothing: the socket ends when it would have", async (_what, word, token) => {
    const { alice, bob, a, b } = await scene();
    expect(await a.refused({ type: "auth", token: token(alice, bob) })).toBe(word);
    await a.says("still here");
    await realTime(2_100);
    await b.says("and now?");
    expect(await a.closes()).toEqual(EXPIRED);
    b.drops();
  });

  test("without a token is a bad frame", async () => {
    const { a, b } = await scene();
    expect(await a.refused({ type: "auth" })).toBe("invalid_field");
    for (const client of [a, b]) client.drops();
  });

  test("with a token of before a revocation ends the socket", async () => {
    const { alice } = world.project("alice");
    const issued = Math.floor(Date.now() / 1000);
    const token = (iat: number) => alice.token({}, { iat });
    const a = await joins(alice, { token: token(issued) });
    await server("POST", `${alice.project}/chat/members/${alice.id}/revoke/`, { before: issued - 10 });
    await a.settled();
    a.sends({ type: "auth", token: token(issued - 20) });
    expect(await a.closes()).toEqual({ code: 4503, reason: "removed, banned or revoked" });
  });
});

describe.concurrent("whoever is put out while connected is closed at once, and hears nothing more", () => {
  type Deed = [what: string, code: number, act: (alice: Person, m: V1Client) => Promise<unknown>];
  const deeds: Deed[] = [
    ["removed by a server key", 4503, (alice) => server("DELETE", `${alice.project}/chat/members/${alice.id}/`)],
    ["revoked by a server key", 4503, (alice) => server("POST", `${alice.project}/chat/members/${alice.id}/revoke/`)],
    ["removed by a moderator", 4503, (alice, m) => m.asks({ type: "remove", user_id: alice.id })],
    ["banned by a moderator", 4503, (alice, m) => m.asks({ type: "ban", user_id: alice.id, seconds: 60 })],
  ];
  for (const state of ["live", "sleeping"]) {
    test.each(deeds)(`on ${state} sockets of both dialects: %s`, async (_what, code, act) => {
      const { alice, mia, project } = world.project("alice", "mia");
      world.backend.admits(project, { ...mia.row(), role: "moderator" });
      const m = await joins(mia);
      const token = alice.token();
      const [a, classic] = [await joins(alice, { token }), await alice.connects({ token })];
      await m.says("before");
      await a.hears("mia: before");
      if (state === "sleeping") await world.worker.evictRoom(project);
      await act(alice, m);
      await m.says("after");
      expect(await a.closes()).toEqual({ code, reason: "removed, banned or revoked" });
      expect((await classic.closes()).code).toBe(code);
      expect(a.lines().filter((line) => line.startsWith("mia:"))).toEqual(["mia: before"]);
      expect((await turnedAway(alice, { token })).code).toBe(code);
      expect((await refusal(alice.connects({ token }))).status).toBe(403);
      m.drops();
    });
  }

  test("by a no of the backend, when it is asked again", async () => {
    const hasty = await startWorld({ vars: { ACCESS_TTL: "1" } });
    try {
      const { alice, bob, project } = hasty.project("alice", "bob");
      const [a, b] = [await joins(alice), await joins(bob)];
      await realTime(1_100); // the yes is old
      hasty.backend.expels(project, bob.id);
      const again = await joins(bob); // let in on the kept yes, and asked about in the background
      expect(await again.closes(10_000)).toEqual({ code: 4507, reason: "no access to this project" });
      expect((await b.closes()).code).toBe(4507);
      await a.hears("bob is no member");
      expect((await turnedAway(bob)).code).toBe(4507);
      a.drops();
    } finally {
      await hasty.stop();
    }
  });
});

test("a v1 client may bring its token as a second subprotocol", async () => {
  const { alice } = world.project("alice");
  const client = new V1Client(alice);
  await client.opens({ token: "", protocols: [`bearer.${alice.token()}`] });
  await client.isLive();
  expect(client.hello?.["you"].id).toBe(alice.id);
  client.drops();
});
