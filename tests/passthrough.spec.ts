import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import WebSocket from "ws";

import { eventually, within } from "./support/deadline.ts";
import { startTown, type Town } from "./support/django.ts";
import { Edge } from "./support/edge.ts";
import { call } from "./support/http.ts";
import { open, Refused, refusal } from "./support/socket.ts";
import { startWorker, type Worker } from "./support/worker.ts";

/** Everything at the Worker's address that is not the chat's own is the application's: passed on, and back, unchanged. */

let town: Town;

beforeAll(async () => {
  town = await startTown((django) => ({ ORIGIN_URL: django.url }));
});
afterAll(() => town?.stop());

/** The same call at the Worker and at the application itself. */
async function both(path: string, options: Parameters<typeof call>[1] = {}) {
  const [through, direct] = [await town.worker.call(path, options), await call(town.django.url + path, options)];
  const seen = ({ status, headers, text }: typeof direct) => ({ status, type: headers["content-type"], location: headers.location, text });
  return { through: seen(through), direct: seen(direct), headers: through.headers };
}

/** What the application received, as its echo tells it. */
async function echoed(path: string, options: Parameters<typeof call>[1] = {}) {
  const { json } = await town.worker.call(path, options);
  return { ...json, headers: Object.fromEntries(json.headers) } as {
    method: string;
    target: string;
    headers: Record<string, string>;
    absolute: string;
    body: string;
  };
}

describe("what is not the chat's own", () => {
  test.each([
    "/",
    "/api/projects/my-projects/",
    "/api/projects/7/",
    "/api/projects/7/old-history/",
    "/api/projects/007/chat/messages/",
    "/api/projects/my-projects/chat/messages/",
    "/api/projects/7/chat/",
    "/api/projects/7/chat/unheard-of/",
    "/api/projects/7/chat/messages/create/more/",
    "/api/chat/",
    "/api/chat/start-quote/5/",
    "/api/chat/contacts/5/mark-read/more/",
    "/api/users/me/",
    "/api/users/me",
    "/ws/chat/project/my-projects/",
    "/ws/chat/project/7/more/",
    "/ws/chat/",
    "/ws/notifications/",
    "/dev/unheard-of/",
    "/old/",
    "/sign-in/",
    "/nowhere",
  ])("%s is answered as the application answers it", async (path) => {
    const { alice } = await town.project("alice");
    for (const token of [alice.token(), undefined]) {
      const before = (await town.django.everyCall()).length;
      const { through, direct } = await both(path, { token });
      expect(through).toEqual(direct);
      expect((await town.django.everyCall()).slice(before).map(({ target }) => target)).toEqual([path, path]);
    }
  });

  test("the chat's own calls never reach the application, which is only asked for access", async () => {
    const { alice, project } = await town.project("alice");
    const before = (await town.django.everyCall()).length;
    (await alice.connects()).drops();
    await alice.posts("hello");
    for (const answer of [await alice.history(), await alice.contacts(), await alice.inbox(), await alice.marksRead(1)]) {
      expect(answer.status).toBe(200);
    }
    await town.worker.call(`/ws/chat/project/${project}/`);
    const asked = new Set((await town.django.everyCall()).slice(before).map(({ view }) => view));
    expect([...asked]).toEqual(["project"]);
  });

  test.each(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])("%s arrives with its body, path, query and headers", async (method) => {
    const path = "/echo/a%20b/..%2f..%2fetc/%2e%2e%2fx//y/%E2%9C%93?q=1&q=2&empty=&enc=%2F%3F+%20";
    const body = method === "GET" ? undefined : `a body of ${method}`;
    const got = await echoed(path, {
      method,
      token: "t.o.k",
      body,
      headers: { "content-type": "text/x-own", "x-user-language": "de", cookie: "session=abc; other=1" },
    });
    expect(got).toMatchObject({ method, target: path, body: body ?? "" });
    expect(got.headers).toMatchObject({
      authorization: "Bearer t.o.k",
      "content-type": "text/x-own",
      "x-user-language": "de",
      cookie: "session=abc; other=1",
    });
  });

  test("HEAD is answered with headers and no body", async () => {
    const answer = await town.worker.call("/api/users/me/", { method: "HEAD" });
    expect([answer.status, answer.text]).toEqual([401, ""]);
    expect(answer.headers["content-type"]).toBe("application/json");
  });

  test.each([200, 204, 304, 400, 404, 418, 500, 503])("status %i comes back as it is", async (status) => {
    expect((await town.worker.call(`/echo/?status=${status}`)).status).toBe(status);
  });

  test("cookies come back one by one", async () => {
    const answer = await town.worker.call("/echo/");
    expect(answer.headers["set-cookie"]).toEqual(["one=1; Path=/", "two=2; HttpOnly; Path=/"]);
  });

  test("redirects come back untouched and are not followed", async () => {
    const before = (await town.django.everyCall()).length;
    const [old, signIn] = [await town.worker.call("/old/"), await town.worker.call("/sign-in/")];
    expect([old.status, old.headers.location]).toEqual([302, "/front/?from=old"]);
    expect([signIn.status, signIn.headers.location]).toEqual([307, "https://accounts.example.com/sign-in?next=%2Fhome%3Fa%3D1"]);
    expect(await town.django.everyCall()).toHaveLength(before + 2);
  });

  test("a compressed answer can be read", async () => {
    const response = await fetch(`${town.worker.url}/compressed/`, { headers: { "accept-encoding": "gzip" } });
    expect(await response.text()).toBe("compressed by the application\n".repeat(100));
  });

  test("preflights of the application's calls are answered by the application alone", async () => {
    const answer = await town.worker.call("/api/users/me/", {
      method: "OPTIONS",
      headers: {
        origin: "https://app.example.com",
        "access-control-request-method": "GET",
        "access-control-request-headers": "authorization,x-user-language",
      },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      "access-control-allow-origin": "https://app.example.com",
      "access-control-allow-headers": "authorization,x-user-language",
      "access-control-max-age": "77",
    });
  });

  test("an answer carries the application's CORS headers once", async () => {
    const answer = await fetch(`${town.worker.url}/api/users/me/`, { headers: { origin: "https://app.example.com" } });
    expect(answer.headers.get("access-control-allow-origin")).toBe("https://app.example.com");
  });

  test("a person signs in at the application, through the Worker, and chats with the tokens it gives", async () => {
    const { alice } = await town.project("alice");
    await town.django.user(alice.id, { ...alice.profile, password: "correct horse" });
    const body = { username: alice.profile.username, password: "correct horse" };
    const pair = (await town.worker.call("/api/token/", { method: "POST", body })).json;
    const fresh = (await town.worker.call("/api/token/refresh/", { method: "POST", body: { refresh: pair.refresh } })).json;

    expect((await refusal(alice.connects({ token: pair.refresh }))).code).toBe("token_wrong_type");
    for (const token of [pair.access, fresh.access]) {
      const socket = await alice.connects({ token });
      expect((await socket.says("signed in")).sender.id).toBe(alice.id);
      socket.drops();
    }
  });

  test("an application that is down is a 502 here, with the envelope", async () => {
    await town.django.stop();
    try {
      const answer = await town.worker.call("/api/users/me/");
      expect([answer.status, answer.json?.code]).toEqual([502, "origin_unavailable"]);
      const refused = await refusal(open(`${town.worker.url.replace("http", "ws")}/ws/notifications/?token=not-for-logs`));
      expect([refused.status, refused.code]).toEqual([502, "origin_unavailable"]);
      expect(town.worker.logs.join("\n")).not.toContain("not-for-logs");
    } finally {
      await town.django.start();
    }
    expect((await town.worker.call("/")).status).toBe(200);
  });
});

describe("large and slow bodies", () => {
  const file = randomBytes(25 * 1024 * 1024);
  const expected = { sha256: createHash("sha256").update(file).digest("hex"), length: file.length };

  test("an upload of 25 MB arrives whole", async () => {
    const answer = await town.worker.call("/api/uploads/", {
      method: "POST",
      body: file,
      headers: { "content-type": "application/octet-stream" },
    });
    expect([answer.status, answer.json]).toEqual([201, expected]);
  });

  test("a form with a file of 25 MB arrives whole", async () => {
    const form = new FormData();
    form.set("title", "a film");
    form.set("file", new Blob([file]), "film.bin");
    const answer = await fetch(`${town.worker.url}/api/uploads/`, { method: "POST", body: form });
    expect([answer.status, await answer.json()]).toEqual([201, expected]);
  });

  test("an upload of unknown length arrives whole", async () => {
    const request = httpRequest(`${town.worker.url}/api/uploads/`, { method: "POST", agent: false });
    const answered = answer(request);
    for (let at = 0; at < file.length; at += 1 << 20) request.write(file.subarray(at, at + (1 << 20)));
    request.end();
    expect(JSON.parse(await (await answered).text)).toEqual(expected);
  });

  test("an upload reaches the application while it is still being sent", async () => {
    const half = file.length / 2;
    const request = httpRequest(`${town.worker.url}/api/intake/`, {
      method: "POST",
      agent: false,
      headers: { "content-length": file.length },
    });
    const answered = answer(request);
    request.write(file.subarray(0, half));
    // What lies in buffers on the way has not arrived: most of the half is enough to show that nobody waits for the end.
    await town.django.event("most of the first half", ({ event, length }) => event === "received" && Number(length) > half / 2);
    request.end(file.subarray(half));
    expect(JSON.parse(await (await answered).text)).toEqual({ length: file.length });
  });

  test("an answer reaches the client while the application is still making it", async () => {
    await town.django.hold("export.rest");
    const request = httpRequest(`${town.worker.url}/api/export/`, { agent: false });
    const parts = (await begun(request))[Symbol.asyncIterator]();
    expect(String((await within(5_000, "the first part", parts.next())).value)).toBe("first\n");
    await town.django.release("export.rest");
    expect(String((await within(5_000, "the second part", parts.next())).value)).toBe("second\n");
  });
});

describe("what the application is told of the client", () => {
  const forged = {
    "x-forwarded-for": "6.6.6.6, 7.7.7.7",
    "x-forwarded-host": "evil.example.com",
    "x-forwarded-proto": "https",
    "x-forwarded-port": "6666",
    "x-forwarded-server": "evil.example.com",
    "x-forwarded-prefix": "/evil",
    forwarded: "for=6.6.6.6;host=evil.example.com;proto=https",
    "x-real-ip": "6.6.6.6",
    "x-project-chat-request": '{"admission":"server"}',
    "x-project-chat-user": "1",
    "X-Project-Chat-Anything": "evil",
  };
  const words = /evil|6\.6\.6\.6|7\.7\.7\.7|6666|https|admission/;

  test("forwarding headers are the Worker's own; forged ones and internal ones are dropped", async () => {
    const plain = await echoed("/echo/");
    const got = await echoed("/echo/", { headers: forged });

    expect(got.headers).toEqual(plain.headers);
    expect(JSON.stringify(got)).not.toMatch(words);
    expect(got.headers).toMatchObject({
      host: town.django.url.replace("http://", ""),
      "x-forwarded-host": town.worker.url.replace("http://", ""),
      "x-forwarded-proto": "http",
    });
    expect(Object.keys(got.headers).filter((name) => /^x-project-chat-(request|user|anything)$/.test(name))).toEqual([]);
  });

  test("the client's address is passed on as the platform tells it, not as the client does", async () => {
    // On the platform nobody but the platform can set this header.
    const got = await echoed("/echo/", { headers: { ...forged, "cf-connecting-ip": "203.0.113.9" } });
    expect(got.headers["x-forwarded-for"]).toBe("203.0.113.9");
  });

  test("the application can make addresses that lead back through the Worker", async () => {
    expect((await echoed("/echo/")).absolute).toBe(`${town.worker.url}/here/`);
  });

  test("the same holds for its sockets", async () => {
    const socket = await application("/ws/notifications/", { headers: forged });
    const { headers } = JSON.parse((await socket.next()) as string);
    socket.ws.terminate();
    expect(JSON.stringify(headers)).not.toMatch(words);
    expect(Object.fromEntries(headers)).toMatchObject({
      host: town.django.url.replace("http://", ""),
      "x-forwarded-host": town.worker.url.replace("http://", ""),
    });
  });

  test("no header makes a stranger a member, another user or a server", async () => {
    const { alice, project } = await town.project("alice");
    const stranger = await town.person("stranger", project);
    const identity = { user: alice.id, expires_at: 9_999_999_999 };
    const requests = [
      { project, identity, admission: "server", call: { name: "connect" } },
      { project, identity, admission: { granted: { revoked_before: 0 } }, call: { name: "messages" } },
    ];
    for (const request of requests) {
      const headers = { "x-project-chat-request": JSON.stringify(request), "x-project-chat-recheck": "0" };
      expect((await refusal(stranger.connects({ headers }))).status).toBe(403);
      expect((await stranger.calls(`/api/projects/${project}/chat/messages/`, { headers })).status).toBe(403);
      const socket = await alice.connects({ headers: { "x-project-chat-request": JSON.stringify({ ...request, identity: { ...identity, user: 1 } }) } });
      expect((await socket.says("it is I")).sender.id).toBe(alice.id);
      socket.drops();
    }
  });
});

describe("where a request goes is the configuration's word", () => {
  let elsewhere: Server;
  let visits: string[];
  let port: number;

  beforeAll(async () => {
    visits = [];
    elsewhere = createServer((request, response) => {
      visits.push(request.url ?? "");
      response.end("elsewhere");
    });
    elsewhere.on("connection", () => visits.push("a connection"));
    await new Promise<void>((done) => elsewhere.listen(0, "127.0.0.1", done));
    port = (elsewhere.address() as AddressInfo).port;
  });
  beforeEach(() => void (visits.length = 0));
  afterAll(() => void elsewhere?.close());

  const targets: [string, (port: number) => string][] = [
    ["two slashes", (port) => `//127.0.0.1:${port}/x`],
    ["three slashes", (port) => `///127.0.0.1:${port}/x`],
    ["a slash and a backslash", (port) => `/\\127.0.0.1:${port}/x`],
    ["two backslashes after a slash", (port) => `/\\\\127.0.0.1:${port}/x`],
    ["an encoded slash", (port) => `/%2f127.0.0.1:${port}/x`],
    ["a user name", (port) => `/@127.0.0.1:${port}/x`],
    ["dots before two slashes", (port) => `/..//127.0.0.1:${port}/x`],
    ["a dot before two slashes", (port) => `/.//127.0.0.1:${port}/x`],
    ["a whole address as the path", (port) => `/http://127.0.0.1:${port}/x`],
    ["a whole address in the request line", (port) => `http://127.0.0.1:${port}/x`],
    ["a whole address with a user in the request line", (port) => `http://a:b@127.0.0.1:${port}/x`],
  ];
  test.each(targets)("elsewhere is not reached by %s", async (_what, make) => {
    const head = await raw(`GET ${make(port)} HTTP/1.1\r\nHost: 127.0.0.1:${town.worker.port}\r\nConnection: close\r\n\r\n`);
    expect(head).toMatch(/^HTTP\/1\.1 (400|404) /);
    expect(visits).toEqual([]);
  });

  test("neither does a Host header", async () => {
    const head = await raw(`GET /api/users/me/ HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
    expect(head).toMatch(/^HTTP\/1\.1 401 /);
    expect(visits).toEqual([]);
  });

  test("encoded dots and slashes stay as they are: no path of the chat's is reached by them", async () => {
    const { alice, project } = await town.project("alice");
    await alice.posts("a secret");
    for (const path of [
      `/echo/..%2f..%2fapi/projects/${project}/chat/messages/`,
      `/api/projects/${project}%2fchat/messages/`,
      `/api/projects/%${project.toString(16)}/chat/messages/`,
      `/api%2fprojects/${project}/chat/messages/`,
    ]) {
      const before = (await town.django.everyCall()).length;
      const answer = await call(town.worker.url, { rawPath: path, token: alice.token() });
      expect((await town.django.everyCall()).slice(before).map(({ target }) => target)).toEqual([path]);
      expect(answer.text).not.toContain("a secret");
    }
  });

  test("a path in ORIGIN_URL is kept before the request's own", async () => {
    const below = await town.beside({ ORIGIN_URL: `${town.django.url}/echo/below/` });
    const { json } = await below.worker.call("/a//b/?c=d");
    await below.stop();
    expect(json.target).toBe("/echo/below/a//b/?c=d");
  });
});

describe("the application's own sockets", () => {
  test("are passed on with path, query and subprotocol, and say what they hear", async () => {
    const socket = await application("/ws/notifications/?token=a.b.c&x=%20", { protocols: ["graphql-ws", "other"] });
    expect(JSON.parse((await socket.next()) as string).target).toBe("/ws/notifications/?token=a.b.c&x=%20");
    expect(socket.ws.protocol).toBe("graphql-ws");

    const large = "ä".repeat(400_000);
    const bytes = randomBytes(100_000);
    for (const sent of ["hello", large, bytes, "", "ping"]) socket.ws.send(sent);
    expect([await socket.next(), await socket.next()]).toEqual(["hello", large]);
    expect((await socket.next())).toEqual(bytes);
    expect([await socket.next(), await socket.next()]).toEqual(["", "ping"]);
    socket.ws.terminate();
  });

  test.each(["/ws/payments/5/", "/ws/chat/support/", "/ws/chat/project/lobby/", "/anything/"])("at %s too", async (path) => {
    const socket = await application(path);
    expect(JSON.parse((await socket.next()) as string).target).toBe(path);
    socket.ws.terminate();
  });

  test("their close codes go both ways", async () => {
    const theirs = await application("/ws/notifications/");
    theirs.ws.send("close 4321 so long");
    expect(await theirs.closed).toEqual({ code: 4321, reason: "so long" });

    const ours = await application("/ws/notifications/");
    const before = town.django.events.length;
    ours.ws.close(4001, "good bye");
    expect((await ours.closed).code).toBe(4001);
    await town.django.event("the close", (event) => event["event"] === "socket-closed" && event["code"] === 4001);
    expect(town.django.events.length).toBeGreaterThan(before);
  });

  test("a client that drops is gone for the application as well", async () => {
    const socket = await application("/ws/notifications/");
    await socket.next();
    const closes = () => town.django.events.filter(({ event }) => event === "socket-closed").length;
    const before = closes();
    socket.ws.terminate();
    await eventually(5_000, "the end of the application's socket", async () => closes() > before || undefined);
  });

  test("an application that dies closes them", async () => {
    const socket = await application("/ws/notifications/");
    await socket.next();
    await town.django.stop();
    await within(5_000, "the close", socket.closed);
    await town.django.start();
  });

  test("one that the application refuses is refused here", async () => {
    const refused = await refusal(open(`${town.worker.url.replace("http", "ws")}/ws/private/`));
    expect(refused.status).toBe(403);
  });
});

describe("a request that comes round again is refused", () => {
  test("when ORIGIN_URL is the Worker itself", async () => {
    const worker = await startWorker();
    await worker.restart({ vars: { ORIGIN_URL: worker.url } });
    try {
      await expectLoop(worker);
    } finally {
      await worker.stop();
    }
  });

  test("when two Workers name each other", async () => {
    const one = await startWorker();
    const two = await startWorker({ vars: { ORIGIN_URL: one.url } });
    await one.restart({ vars: { ORIGIN_URL: two.url } });
    try {
      await expectLoop(one);
    } finally {
      await Promise.all([one.stop(), two.stop()]);
    }
  });

  async function expectLoop(worker: Worker) {
    const before = (await worker.counters()).worker_requests;
    const answer = await worker.call("/somewhere/");
    expect([answer.status, answer.json?.code]).toEqual([508, "loop_detected"]);
    const opening = open(`${worker.url.replace("http", "ws")}/ws/notifications/`);
    const refused = await refusal(opening);
    expect([refused.status, refused.code]).toEqual([508, "loop_detected"]);
    // Two calls that came once and were met again at most once each, and two for the counters.
    expect((await worker.counters()).worker_requests - before).toBeLessThanOrEqual(6);
  }
});

describe("on routes of the application's own host", () => {
  let edge: Edge;
  let zone: Town;

  beforeAll(async () => {
    edge = new Edge(["/ws/*", "/api/chat/*", "/api/projects/*"]);
    await edge.start();
    zone = await town.beside({ ORIGIN_URL: edge.url, ACCESS_URL: `${edge.url}/api/projects/{project}/`, PROFILE_URL: `${edge.url}/api/users/me/` });
    edge.worker = zone.worker.port;
    edge.application = Number(new URL(zone.django.url).port);
  });
  afterAll(async () => {
    await zone?.stop();
    await edge?.stop();
  });

  test("the front end changes nothing: one address answers the application's calls and the chat's", async () => {
    const { alice, bob, project } = await zone.project("alice", "bob");
    for (const person of [alice, bob]) person.address = edge.url;

    expect((await call(`${edge.url}/`)).text).toContain("The application");
    const projects = await alice.calls("/api/projects/my-projects/");
    expect(projects.json).toMatchObject([{ id: project }]);
    expect((await alice.calls("/api/chat/start-quote/5/", { method: "POST", body: { a: 1 } })).json).toEqual({ quote: 5, by: alice.id, body: { a: 1 } });
    expect((await alice.history()).json).toEqual([]);

    const [a, b] = [await alice.connects(), await bob.connects()];
    await a.says("hello");
    await b.hears("alice: hello");
    expect((await alice.contacts()).json).toMatchObject([{ id: project, contact_info: { id: bob.id, username: bob.profile.username } }]);
    for (const socket of [a, b]) socket.drops();
  });

  test("what no route covers does not come to the Worker", async () => {
    const before = (await zone.worker.counters()).worker_requests;
    expect((await call(`${edge.url}/api/users/me/`)).status).toBe(401);
    expect((await call(`${edge.url}/`)).status).toBe(200);
    expect((await zone.worker.counters()).worker_requests - before).toBeLessThanOrEqual(1);
  });

  test("the application's other sockets under the same path still reach it", async () => {
    const socket = await application("/ws/notifications/?token=x", {}, edge.url);
    expect(JSON.parse((await socket.next()) as string).target).toBe("/ws/notifications/?token=x");
    socket.ws.send("hello");
    expect(await socket.next()).toBe("hello");
    socket.ws.terminate();
  });

  test("an application's answer that is not the chat's comes back as it is", async () => {
    const answer = await call(`${edge.url}/api/projects/nowhere/`);
    const direct = await call(`${zone.django.url}/api/projects/nowhere/`);
    expect([answer.status, answer.text]).toEqual([direct.status, direct.text]);
  });
});

describe("without ORIGIN_URL", () => {
  test("what is not the chat's own is nowhere, and / is the chat's page", async () => {
    const alone = await town.beside({});
    try {
      expect((await alone.worker.call("/")).headers["content-type"]).toMatch(/^text\/html/);
      for (const path of ["/api/users/me/", "/api/projects/007/chat/messages/", "/api/chat/start-quote/5/"]) {
        const answer = await alone.worker.call(path);
        expect([answer.status, answer.json?.code]).toEqual([404, "not_found"]);
      }
      const refused = await refusal(open(`${alone.worker.url.replace("http", "ws")}/ws/notifications/`));
      expect([refused.status, refused.code]).toEqual([404, "not_found"]);
    } finally {
      await alone.stop();
    }
  });
});

/** A socket of the application's, opened through the Worker. */
async function application(
  path: string,
  options: { protocols?: string[]; headers?: Record<string, string> } = {},
  address = town.worker.url,
) {
  const ws = new WebSocket(`${address.replace("http", "ws")}${path}`, options.protocols ?? [], { headers: options.headers });
  const frames: (string | Buffer)[] = [];
  let arrived = () => {};
  ws.on("message", (data: Buffer, isBinary) => {
    frames.push(isBinary ? data : data.toString());
    arrived();
  });
  ws.on("error", () => {});
  const closed = new Promise<{ code: number; reason: string }>((done) =>
    ws.once("close", (code, reason) => done({ code, reason: reason.toString() })),
  );
  const opened = new Promise<void>((done, fail) => {
    ws.once("open", done);
    ws.once("unexpected-response", (_request, response) => fail(new Refused({ status: response.statusCode ?? 0, headers: {}, text: "", json: undefined })));
  });
  await within(5_000, `a socket at ${path}`, opened);
  const next = async () => {
    if (frames.length === 0) await within(5_000, "a frame", new Promise<void>((done) => (arrived = done)));
    return frames.shift();
  };
  return { ws, next, closed };
}

/** The head of the answer to a request that is sent byte by byte as given. */
async function raw(request: string): Promise<string> {
  const socket = connect(town.worker.port, "127.0.0.1");
  socket.end(request);
  let text = "";
  socket.on("data", (data) => (text += data));
  await within(5_000, "an answer", once(socket, "close"));
  return text;
}

async function begun(request: ReturnType<typeof httpRequest>): Promise<IncomingMessage> {
  if (!request.writableEnded) request.end();
  const [response] = await within(10_000, "an answer", once(request, "response"));
  return response as IncomingMessage;
}

async function answer(request: ReturnType<typeof httpRequest>): Promise<{ text: Promise<string> }> {
  const [response] = (await within(15_000, "an answer", once(request, "response"))) as [IncomingMessage];
  const text = (async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  })();
  return { text };
}
