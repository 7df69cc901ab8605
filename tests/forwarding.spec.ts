import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { echoed, openApplicationSocket } from "./support/application.ts";
import { within } from "./support/deadline.ts";
import { startTown, type Town } from "./support/django.ts";
import { call } from "./support/http.ts";
import { refusal } from "./support/socket.ts";

/** What a client cannot make the Worker say to the application, nor where it can make it go. */

let town: Town;

beforeAll(async () => {
  town = await startTown((django) => ({ ORIGIN_URL: django.url }));
});
afterAll(() => town?.stop());

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
    const plain = await echoed(town.worker, "/echo/");
    const got = await echoed(town.worker, "/echo/", { headers: forged });

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
    const got = await echoed(town.worker, "/echo/", { headers: { ...forged, "cf-connecting-ip": "203.0.113.9" } });
    expect(got.headers["x-forwarded-for"]).toBe("203.0.113.9");
  });

  test("the application can make addresses that lead back through the Worker", async () => {
    expect((await echoed(town.worker, "/echo/")).absolute).toBe(`${town.worker.url}/here/`);
  });

  test("the same holds for its sockets", async () => {
    const socket = await openApplicationSocket(`${town.worker.url}/ws/notifications/`, { headers: forged });
    const { headers } = (await socket.asked());
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

/** The head of the answer to a request that is sent byte by byte as given. */
async function raw(request: string): Promise<string> {
  const socket = connect(town.worker.port, "127.0.0.1");
  socket.end(request);
  let text = "";
  socket.on("data", (data) => (text += data));
  await within(5_000, "an answer", once(socket, "close"));
  return text;
}
