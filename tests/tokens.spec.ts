import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Citizen, startTown, type Town } from "./support/django.ts";
import { call } from "./support/http.ts";
import { keyPair } from "./support/keys.ts";
import { simpleJwt, type SimpleJwtOptions } from "./support/simplejwt.ts";
import { open, refusal } from "./support/socket.ts";
import { nextId } from "./support/world.ts";

/** Tokens come from the real djangorestframework-simplejwt, and Django decides who is in which project. */

const rsa = keyPair("RS256");
const MINUTE = 60;
const HOUR = 3600;

let secrets: Town;
let keys: Town;
let claims: Town;
let picky: Town;

beforeAll(async () => {
  secrets = await startTown();
  [keys, claims, picky] = await Promise.all([
    startTown({ JWT_SECRET: undefined, JWT_PUBLIC_KEY: rsa.publicKey }, { signing: rsa }),
    secrets.beside({ ACCESS: "claims", ACCESS_URL: undefined, JWT_LEEWAY: "30" }),
    secrets.beside({ JWT_ISSUER: "https://app.example.com", JWT_AUDIENCE: "chat" }),
  ]);
});
afterAll(() => Promise.all([secrets, keys, claims, picky].map((town) => town?.stop())));

describe("two people chat in one project, and another project hears nothing", () => {
  const kinds: [string, () => Town, (person: Citizen) => SimpleJwtOptions][] = [
    ["HS256, the user id as a string", () => secrets, () => ({})],
    ["HS256, the user id as a number", () => secrets, ({ id }) => ({ claims: { user_id: id } })],
    ["RS256, the user id as a string", () => keys, () => ({ algorithm: "RS256", key: rsa.privateKey })],
    ["RS256, the user id as a number", () => keys, ({ id }) => ({ algorithm: "RS256", key: rsa.privateKey, claims: { user_id: id } })],
  ];
  test.each(kinds)("%s", async (_kind, town, options) => {
    const { alice, bob, project } = await town().project("alice", "bob");
    const { carol } = await town().project("carol");
    for (const person of [alice, bob, carol]) await person.signsIn(options(person));
    const [a, b, c] = [await alice.connects(), await bob.connects(), await carol.connects()];

    const hello = await a.says("hello");
    await b.hears("alice: hello");
    b.reads(hello);
    await a.hears('bob read "hello"');
    await b.says("hello yourself");

    for (const socket of [a, b]) {
      expect(await socket.timeline()).toEqual(["alice: hello", 'bob read "hello"', "bob: hello yourself"]);
    }
    expect(await c.timeline()).toEqual([]);
    expect(hello).toMatchObject({ project, sender: { id: alice.id } });
    for (const socket of [a, b, c]) socket.drops();
  });
});

test('the user ids "7" and 7 are one user, and a JSON number on the wire', async () => {
  const { alice, bob } = await secrets.project("alice", "bob");
  const b = await bob.connects();
  const asText = await alice.connects({ token: await simpleJwt(alice.id, { claims: { user_id: String(alice.id) } }) });
  const asNumber = await alice.connects({ token: await simpleJwt(alice.id, { claims: { user_id: alice.id } }) });

  await asText.says("from one tab", "first");
  const repeated = await asNumber.says("from one tab", "first");
  asNumber.types();
  asText.reads(repeated);
  await b.hears('alice read "from one tab"');

  expect(await b.timeline()).toEqual(["alice: from one tab", "alice types", 'alice read "from one tab"']);
  for (const text of b.texts) expect(text).not.toContain(`"${alice.id}"`);
  expect(b.texts.filter((text) => text.includes(`"id":${alice.id},`))).toHaveLength(1);
  expect(b.texts.filter((text) => text.includes(`"user_id":${alice.id},`))).toHaveLength(2);
  for (const socket of [b, asText, asNumber]) socket.drops();
});

test("a user id that is no canonical decimal integer stays a string", async () => {
  for (const user of ["007", "a-b", "7.0", "9007199254740993"]) {
    const project = nextId();
    const token = await simpleJwt(user, { claims: { user_id: user, projects: [project] } });
    const socket = await open(`${claims.worker.url.replace("http", "ws")}/ws/chat/project/${project}/?token=${token}`);
    expect((await socket.says("hi")).sender.id).toBe(user);
    socket.drops();
  }
});

describe("a bad token is refused before the socket opens, and wakes nobody", () => {
  const strange = { key: "another-secret-of-at-least-thirty-two-characters" };
  const bad: [string, string, (id: number) => Promise<string> | string][] = [
    ["a refresh token", "token_wrong_type", (id) => simpleJwt(id, { type: "refresh" })],
    ["one that expired longer ago than a session lasts", "token_expired", (id) => simpleJwt(id, { lifetime: -13 * HOUR, claims: { iat: 0 } })],
    ["one signed by another key", "token_bad_signature", (id) => simpleJwt(id, strange)],
    ["an expired one signed by another key", "token_bad_signature", (id) => simpleJwt(id, { ...strange, lifetime: -MINUTE })],
    ["one whose signature was cut off", "token_bad_signature", async (id) => (await simpleJwt(id)).replace(/[^.]+$/, "AAAA")],
    ["one whose claims were changed", "token_bad_signature", async (id) => tampered(await simpleJwt(id))],
    ["one with alg none", "token_unsigned", (id) => simpleJwt(id, { algorithm: "none" })],
    ["one of another algorithm than the key's", "token_bad_algorithm", (id) => simpleJwt(id, { algorithm: "HS512" })],
    ["one signed with a private key that nobody trusts", "token_bad_algorithm", (id) => simpleJwt(id, { algorithm: "RS256", key: rsa.privateKey })],
    ["one that is not valid yet", "token_not_yet_valid", (id) => simpleJwt(id, { claims: { nbf: now() + MINUTE } })],
    ["one that never expires", "token_malformed", (id) => simpleJwt(id, { claims: { exp: null } })],
    ["one whose expiry is no number", "token_malformed", (id) => simpleJwt(id, { claims: { exp: "tomorrow" } })],
    ["one that names no user", "token_no_user", (id) => simpleJwt(id, { claims: { user_id: null } })],
    ["one whose user is an object", "token_no_user", (id) => simpleJwt(id, { claims: { user_id: { id } } })],
    ["one whose user is empty", "token_no_user", (id) => simpleJwt(id, { claims: { user_id: "" } })],
    ["a word", "token_malformed", () => "garbage"],
    ["three words", "token_malformed", () => "not.a.token"],
    ["a very long one", "token_malformed", () => "a".repeat(6000)],
    ["none at all", "token_missing", () => ""],
  ];

  test.each(bad)("%s: %s", async (_what, code, make) => {
    const { alice, project } = await secrets.project("alice");
    const token = await make(alice.id as number);

    const refused = await refusal(alice.connects({ token }));
    expect([refused.status, refused.code]).toEqual([401, code]);
    expect(refused.answer.json.detail).toMatch(/\w+ .*\.$/);

    const answer = await call(`${secrets.worker.url}/api/projects/${project}/chat/messages/`, token ? { token } : {});
    expect([answer.status, answer.json.code]).toEqual([401, code]);

    expect((await secrets.worker.counters()).rooms).not.toHaveProperty(String(project));
    expect(await secrets.django.callsOf("project", project)).toEqual([]);
  });

  test("HS256 with the RSA public key as its secret: token_bad_algorithm", async () => {
    const { alice, project } = await keys.project("alice");
    const token = await simpleJwt(alice.id, { algorithm: "HS256-raw", key: rsa.publicKey });

    const refused = await refusal(alice.connects({ token }));

    expect([refused.status, refused.code]).toEqual([401, "token_bad_algorithm"]);
    expect(await keys.django.callsOf("project", project)).toEqual([]);
  });

  test("an expired one over HTTP: token_expired", async () => {
    const { alice, project } = await secrets.project("alice");
    await alice.signsIn({ lifetime: -1 });

    const answer = await alice.history();

    expect([answer.status, answer.json.code]).toEqual([401, "token_expired"]);
    expect((await secrets.worker.counters()).rooms).not.toHaveProperty(String(project));
    expect(await secrets.django.callsOf("project", project)).toEqual([]);
  });
});

describe("issuer and audience are checked where they are configured", () => {
  const good = { iss: "https://app.example.com", aud: "chat" };
  const tried: [string, Record<string, unknown>, "in" | "token_wrong_issuer"][] = [
    ["both right", good, "in"],
    ["one audience of several", { ...good, aud: ["mail", "chat"] }, "in"],
    ["another issuer", { ...good, iss: "https://elsewhere.example.com" }, "token_wrong_issuer"],
    ["no issuer", { aud: "chat" }, "token_wrong_issuer"],
    ["another audience", { ...good, aud: "mail" }, "token_wrong_issuer"],
    ["other audiences", { ...good, aud: ["mail", "chatter"] }, "token_wrong_issuer"],
    ["no audience", { iss: good.iss }, "token_wrong_issuer"],
  ];
  test.each(tried)("%s", async (_what, given, outcome) => {
    const { alice } = await picky.project("alice");
    await alice.signsIn({ claims: given });
    if (outcome === "in") {
      const socket = await alice.connects();
      expect((await socket.says("in")).content).toBe("in");
      socket.drops();
    } else {
      const refused = await refusal(alice.connects());
      expect([refused.status, refused.code]).toEqual([401, outcome]);
    }
  });
});

describe("leeway holds for both ends of a token's life", () => {
  const tried: [string, number, SimpleJwtOptions, string | undefined][] = [
    ["expired 10 s ago", 200, { lifetime: -10 }, undefined],
    ["expired 40 s ago", 401, { lifetime: -40 }, "token_expired"],
    ["valid from 10 s on", 200, { claims: { nbf: now() + 10 } }, undefined],
    ["valid from a minute and a half on", 401, { claims: { nbf: now() + 90 } }, "token_not_yet_valid"],
    ["valid for long", 200, { claims: { nbf: now() - HOUR } }, undefined],
  ];
  test.each(tried)("%s: %i", async (_what, status, options, code) => {
    const project = nextId();
    const token = await simpleJwt(nextId(), { ...options, claims: { ...options.claims, projects: [project] } });

    const answer = await call(`${claims.worker.url}/api/projects/${project}/chat/messages/`, { token });

    expect([answer.status, answer.json.code]).toEqual([status, code]);
  });
});

describe("who is meant", () => {
  test("`sub` says it where there is no `user_id`", async () => {
    const project = nextId();
    const token = await simpleJwt(1, { claims: { user_id: null, sub: "15", projects: [project] } });
    const answer = await posts(claims, project, token);
    expect(answer.json.sender).toBe(15);
  });

  test("JWT_USER_ID_CLAIM names another claim, and then no other will do", async () => {
    const town = await secrets.beside({ ACCESS: "claims", ACCESS_URL: undefined, JWT_USER_ID_CLAIM: "uid" });
    const project = nextId();
    const named = await posts(town, project, await simpleJwt(1, { claims: { uid: 21, projects: [project] } }));
    const unnamed = await posts(town, project, await simpleJwt(1, { claims: { projects: [project] } }));
    await town.stop();
    expect(named.json.sender).toBe(21);
    expect([unnamed.status, unnamed.json.code]).toEqual([401, "token_no_user"]);
  });

  test.each(["username", "name", "preferred_username"])("the claim `%s` gives a name", async (claim) => {
    const project = nextId();
    const token = await simpleJwt(nextId(), { claims: { [claim]: "Ada L.", projects: [project] } });
    const answer = await posts(claims, project, token);
    expect(answer.json.sender_info.username).toBe("Ada L.");
  });

  test("somebody whose token carries no name is User and the id", async () => {
    const project = nextId();
    const answer = await posts(claims, project, await simpleJwt(33, { claims: { projects: [project] } }));
    expect(answer.json.sender_info.username).toBe("User 33");
  });

  test("the projects claim names ids, or ids and roles; no other project opens", async () => {
    const [mine, read, other] = [nextId(), nextId(), nextId()];
    const listed = await simpleJwt(nextId(), { claims: { projects: [mine, String(read)] } });
    const withRoles = await simpleJwt(nextId(), { claims: { projects: { [mine]: "member", [read]: "viewer" } } });
    for (const token of [listed, withRoles]) {
      expect((await posts(claims, mine, token)).status).toBe(201);
      const refused = await posts(claims, other, token);
      expect([refused.status, refused.json.code]).toEqual([403, "no_access"]);
    }
    expect((await posts(claims, read, listed)).status).toBe(201);
    expect((await posts(claims, read, withRoles)).json.code).toBe("read_only");
  });
});

describe("a token may come in three places", () => {
  test("the header before the subprotocol, the subprotocol before the query", async () => {
    const { alice, bob, carol } = await secrets.project("alice", "bob", "carol");
    const address = (token: string) => `${secrets.worker.url.replace("http", "ws")}/ws/chat/project/${alice.project}/${token}`;
    const header = { headers: { authorization: `Bearer ${alice.token()}` } };
    const protocol = { protocols: [`bearer.${bob.token()}`] };
    const query = `?token=${carol.token()}`;

    const sockets = [
      await open(address(""), header),
      await open(address(query), { ...header, ...protocol }),
      await open(address(query), protocol),
      await open(address(query)),
    ];
    const senders = [];
    for (const socket of sockets) senders.push((await socket.says("who am I?")).sender.id);

    expect(senders).toEqual([alice.id, alice.id, bob.id, carol.id]);
    for (const socket of sockets) socket.drops();
  });

  test("a bad one in the first place is not made good by another", async () => {
    const { alice } = await secrets.project("alice");
    const refused = await refusal(alice.connects({ headers: { authorization: "Bearer garbage" } }));
    expect([refused.status, refused.code]).toEqual([401, "token_malformed"]);
  });

  test("what a token or a message says is never logged", async () => {
    const { alice } = await secrets.project("alice");
    const socket = await alice.connects();
    await socket.says("a word for nobody's log");
    socket.drops();
    await refusal(alice.connects({ token: `${alice.token()}x` }));
    const logs = secrets.worker.logs.join("\n");
    expect(logs).not.toContain(alice.token().split(".")[1]);
    expect(logs).not.toContain("a word for nobody's log");
  });
});

function now(): number {
  return Math.floor(Date.now() / 1000);
}

/** The same token for another user, with the signature of the first. */
function tampered(token: string): string {
  const [header, payload, signature] = token.split(".");
  const claims = JSON.parse(Buffer.from(payload ?? "", "base64url").toString());
  const changed = Buffer.from(JSON.stringify({ ...claims, user_id: "1" })).toString("base64url");
  return `${header}.${changed}.${signature}`;
}

function posts(town: Town, project: number, token: string) {
  const address = `${town.worker.url}/api/projects/${project}/chat/messages/`;
  return call(address, { method: "POST", token, body: { content: "hello" } });
}
