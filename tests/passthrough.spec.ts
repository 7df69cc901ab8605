import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { echoed, openApplicationSocket } from "./support/application.ts";
import { eventually, within } from "./support/deadline.ts";
import { startTown, type Town } from "./support/django.ts";
import { call } from "./support/http.ts";
import { open, refusal } from "./support/socket.ts";
import { startWorker, type Worker } from "./support/worker.ts";

/** Everything at the Worker's address that is not the chat's own is the application's: passed on, and back, unchanged. */

let town: Town;

beforeAll(async () => {
  town = await startTown((django) => ({ ORIGIN_URL: django.url }));
});
afterAll(() => town?.stop());

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
    const got = await echoed(town.worker, path, {
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

describe("the application's own sockets", () => {
  test("are passed on with path, query and subprotocol, and say what they hear", async () => {
    const socket = await openApplicationSocket(`${town.worker.url}/ws/notifications/?token=a.b.c&x=%20`, { protocols: ["graphql-ws", "other"] });
    expect((await socket.asked()).target).toBe("/ws/notifications/?token=a.b.c&x=%20");
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
    const socket = await openApplicationSocket(`${town.worker.url}${path}`);
    expect((await socket.asked()).target).toBe(path);
    socket.ws.terminate();
  });

  test("their close codes go both ways", async () => {
    const theirs = await openApplicationSocket(`${town.worker.url}/ws/notifications/`);
    theirs.ws.send("close 4321 so long");
    expect(await theirs.closed).toEqual({ code: 4321, reason: "so long" });

    const ours = await openApplicationSocket(`${town.worker.url}/ws/notifications/`);
    const before = town.django.events.length;
    ours.ws.close(4001, "good bye");
    expect((await ours.closed).code).toBe(4001);
    await town.django.event("the close", (event) => event["event"] === "socket-closed" && event["code"] === 4001);
    expect(town.django.events.length).toBeGreaterThan(before);
  });

  test("a client that drops is gone for the application as well", async () => {
    const socket = await openApplicationSocket(`${town.worker.url}/ws/notifications/`);
    await socket.next();
    const closes = () => town.django.events.filter(({ event }) => event === "socket-closed").length;
    const before = closes();
    socket.ws.terminate();
    await eventually(5_000, "the end of the application's socket", async () => closes() > before || undefined);
  });

  test("an application that dies closes them", async () => {
    const socket = await openApplicationSocket(`${town.worker.url}/ws/notifications/`);
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

/** The same call at the Worker and at the application itself. */
async function both(path: string, options: Parameters<typeof call>[1] = {}) {
  const [through, direct] = [await town.worker.call(path, options), await call(town.django.url + path, options)];
  const seen = ({ status, headers, text }: typeof direct) => ({ status, type: headers["content-type"], location: headers.location, text });
  return { through: seen(through), direct: seen(direct), headers: through.headers };
}

async function begun(request: ClientRequest): Promise<IncomingMessage> {
  if (!request.writableEnded) request.end();
  const [response] = await within(10_000, "an answer", once(request, "response"));
  return response as IncomingMessage;
}

async function answer(request: ClientRequest): Promise<{ text: Promise<string> }> {
  const [response] = (await within(15_000, "an answer", once(request, "response"))) as [IncomingMessage];
  const text = (async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  })();
  return { text };
}
