import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { call, type Answer } from "./support/http.ts";
import { startWorld, type World } from "./support/world.ts";

const FRONT_END = "http://localhost:5173";
const SECOND = "https://app.example.com";
const STRANGER = "https://evil.example.net";

let world: World;
beforeAll(async () => {
  world = await startWorld({ vars: { ALLOWED_ORIGINS: `${FRONT_END}, ${SECOND}` } });
});
afterAll(() => world?.stop());

const preflight = (path: string, origin: string, method = "GET", asked = "authorization,content-type,x-user-language,x-consent-status") =>
  call(world.worker.url + path, {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": method, "access-control-request-headers": asked },
  });

const list = (answer: Answer, header: string) =>
  String(answer.headers[header] ?? "").toLowerCase().split(",").map((word) => word.trim()).filter(Boolean);

/** Whether a browser would hand the answer of a request with credentials to a page of this origin. */
function expectReadable(answer: Answer, origin: string) {
  expect(answer.headers["access-control-allow-origin"]).toBe(origin);
  expect(answer.headers["access-control-allow-credentials"]).toBe("true");
  expect(list(answer, "vary")).toContain("origin");
}

describe("a preflight", () => {
  const calls: [string, string][] = [
    ["GET", "/api/projects/7/chat/messages/"],
    ["POST", "/api/projects/7/chat/messages/create/"],
    ["POST", "/api/projects/7/chat/messages"],
    ["POST", "/api/projects/7/chat/mark-read/"],
    ["GET", "/api/chat/contacts/"],
    ["GET", "/api/chat/contacts/7/"],
    ["POST", "/api/chat/contacts/7/mark-read/"],
    ["GET", "/api/chat/inbox/"],
    ["POST", "/dev/token/"],
  ];

  test.each(calls)("for %s %s admits what is asked for, for two hours", async (method, path) => {
    const answer = await preflight(path, FRONT_END, method);
    expect(answer.status).toBe(204);
    expectReadable(answer, FRONT_END);
    expect(list(answer, "access-control-allow-methods")).toContain(method.toLowerCase());
    expect(list(answer, "access-control-allow-headers")).toEqual(
      expect.arrayContaining(["authorization", "content-type", "x-user-language", "x-consent-status"]),
    );
    expect(answer.headers["access-control-max-age"]).toBe("7200");
    expect(answer.text).toBe("");
  });

  test("is answered to every configured origin, with its own name", async () => {
    expectReadable(await preflight("/api/chat/contacts/", SECOND), SECOND);
  });

  test.each([STRANGER, "null", "http://localhost:5174", "http://localhost:5173.evil.example.net", "https://localhost:5173"])(
    "from %s admits nothing",
    async (origin) => {
      const answer = await preflight("/api/chat/contacts/", origin);
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
      expect(answer.headers["access-control-allow-headers"]).toBeUndefined();
    },
  );

  test("needs no token and wakes nothing", async () => {
    const before = await world.worker.counters();
    await preflight("/api/projects/4711/chat/messages/", FRONT_END);
    const after = await world.worker.counters();
    expect(after.rooms).toEqual(before.rooms);
    expect(after.users).toEqual(before.users);
    expect(after.backend_calls).toBe(before.backend_calls);
  });

  test("of a header with a forged name cannot write headers of its own", async () => {
    const answer = await preflight("/api/chat/contacts/", FRONT_END, "GET", "x-a, bad header, x-b");
    expect(answer.headers["access-control-allow-headers"] ?? "").not.toContain("bad header");
  });
});

describe("an answer", () => {
  test("can be read by an allowed origin, Link and Retry-After included", async () => {
    const { alice } = world.project("alice");
    for (let n = 0; n < 3; n++) await alice.posts(`m${n}`);
    const answer = await alice.calls(`/api/projects/${alice.project}/chat/messages/?limit=2`, { headers: { origin: FRONT_END } });
    expect(answer.status).toBe(200);
    expectReadable(answer, FRONT_END);
    expect(list(answer, "access-control-expose-headers")).toEqual(expect.arrayContaining(["link", "retry-after"]));
    expect(answer.headers["link"]).toBeDefined();
  });

  test("to a strange origin, or to none, says nothing of origins", async () => {
    const { alice } = world.project("alice");
    for (const headers of [{ origin: STRANGER }, {}] as Record<string, string>[]) {
      const answer = await alice.calls(`/api/projects/${alice.project}/chat/messages/`, { headers });
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
    }
  });

  test("that depends on the origin says so to caches, whoever asks", async () => {
    const { alice } = world.project("alice");
    const answer = await alice.calls(`/api/projects/${alice.project}/chat/messages/`, { headers: { origin: STRANGER } });
    expect(list(answer, "vary")).toContain("origin");
  });
});

describe("an error can be read as well:", () => {
  const headers = { origin: FRONT_END };

  test.each([400, 401, 403, 404, 405, 415, 503])("%d", async (status) => {
    const { alice } = world.project("alice");
    const messages = `/api/projects/${alice.project}/chat/messages/`;
    if (status === 503) await world.backend.becomes("failing");
    const acts: Record<number, () => Promise<Answer>> = {
      400: () => alice.calls(messages, { method: "POST", body: {}, headers }),
      401: () => alice.calls(messages, { token: alice.token({ lifetime: -9 }), headers }),
      403: () => world.person("eve", alice.project).calls(messages, { headers }),
      404: () => alice.calls("/api/projects/777777/chat/messages/", { headers }),
      405: () => alice.calls(messages, { method: "PATCH", headers }),
      415: () => alice.calls(messages, { method: "POST", body: "a=b", headers: { ...headers, "content-type": "text/plain" } }),
      503: () => alice.calls(messages, { headers }),
    };
    const answer = await (acts[status] as () => Promise<Answer>)().finally(() => world.backend.becomes("well"));
    expect(answer.status).toBe(status);
    expectReadable(answer, FRONT_END);
  });
});

test("with ALLOWED_ORIGINS=* every origin may read", async () => {
  const open = await startWorld({ vars: { ALLOWED_ORIGINS: "*" } });
  try {
    const { alice } = open.project("alice");
    const answer = await alice.calls(`/api/projects/${alice.project}/chat/messages/`, { headers: { origin: STRANGER } });
    expectReadable(answer, STRANGER);
  } finally {
    await open.stop();
  }
});

test("without ALLOWED_ORIGINS no other origin may", async () => {
  const closed = await startWorld({ vars: { ALLOWED_ORIGINS: undefined } });
  try {
    const { alice } = closed.project("alice");
    const answer = await alice.calls(`/api/projects/${alice.project}/chat/messages/`, { headers: { origin: FRONT_END } });
    expect(answer.status).toBe(200);
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
  } finally {
    await closed.stop();
  }
});
