import { describe, expect, test } from "vitest";

import { call } from "./support/http.ts";
import { mint } from "./support/token.ts";
import { DEV_SECRET, startWorker, type Worker } from "./support/worker.ts";

const REAL_SECRET = "a-real-secret-of-more-than-32-characters";
const ORIGIN = { ACCESS: "origin", ACCESS_URL: "http://127.0.0.1:9/api/projects/{project}/" };

async function serving<T>(vars: Record<string, string | undefined>, act: (worker: Worker) => Promise<T>): Promise<T> {
  const worker = await startWorker({ vars });
  try {
    return await act(worker);
  } finally {
    await worker.stop();
  }
}

describe("the Worker refuses to serve, and names the variable, when", () => {
  const cases: [string, string, Record<string, string | undefined>][] = [
    ["there is no key at all", "JWT_SECRET", { JWT_SECRET: undefined }],
    ["the secret is short", "JWT_SECRET", { JWT_SECRET: "too-short", ...ORIGIN }],
    ["one of several secrets is short", "JWT_SECRET", { JWT_SECRET: `${REAL_SECRET} short`, ...ORIGIN }],
    ["a development secret is short", "JWT_SECRET", { JWT_SECRET: "dev-short" }],
    ["a development secret stands beside a real one", "JWT_SECRET", { JWT_SECRET: `${DEV_SECRET} ${REAL_SECRET}` }],
    ["the algorithm is unknown", "JWT_SECRET_ALGORITHM", { JWT_SECRET_ALGORITHM: "none" }],
    ["the public key is none", "JWT_PUBLIC_KEY", { JWT_SECRET: undefined, JWT_PUBLIC_KEY: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", ...ORIGIN }],
    ["the address of the keys is none", "JWKS_URL", { JWT_SECRET: undefined, JWKS_URL: "keys.json", ...ORIGIN }],
    ["the leeway is a word", "JWT_LEEWAY", { JWT_LEEWAY: "some" }],
    ["nothing is said about access", "ACCESS", { ACCESS: undefined }],
    ["access is decided in an unknown way", "ACCESS", { ACCESS: "everyone" }],
    ["the backend is to be asked, but not where", "ACCESS_URL", { ACCESS: "origin", ACCESS_URL: undefined }],
    ["the backend's address does not say where the project goes", "ACCESS_URL", { ACCESS: "origin", ACCESS_URL: "http://127.0.0.1:9/api/" }],
    ["the backend's address is none", "ACCESS_URL", { ACCESS: "origin", ACCESS_URL: "/api/projects/{project}/" }],
    ["anybody may enter, without a development secret", "ACCESS", { JWT_SECRET: REAL_SECRET, ACCESS: "any" }],
    ["the origin is no address", "ORIGIN_URL", { ORIGIN_URL: "example.com" }],
    ["an allowed origin has a path", "ALLOWED_ORIGINS", { ALLOWED_ORIGINS: "https://app.example.com/chat" }],
    ["an allowed origin has no scheme", "ALLOWED_ORIGINS", { ALLOWED_ORIGINS: "app.example.com" }],
    ["the projects' address is none", "PROJECTS_URL", { PROJECTS_URL: "my-projects" }],
    ["the profile's address is none", "PROFILE_URL", { PROFILE_URL: "ftp://example.com/me" }],
    ["the pattern of ids is none", "PROJECT_ID_PATTERN", { PROJECT_ID_PATTERN: "([" }],
    ["replay is neither on nor off", "CLASSIC_REPLAY", { CLASSIC_REPLAY: "sometimes" }],
    ["the server key is short", "SERVER_API_KEY", { SERVER_API_KEY: "short" }],
    ["a limit is a word", "MESSAGE_RATE", { MESSAGE_RATE: "ten" }],
    ["a limit is too small", "MESSAGE_MAX_CHARS", { MESSAGE_MAX_CHARS: "0" }],
    ["a limit is too large", "SOCKETS_PER_PROJECT", { SOCKETS_PER_PROJECT: "40000" }],
    ["a limit is a fraction", "ACCESS_TTL", { ACCESS_TTL: "1.5" }],
    ["the timeout is negative", "ACCESS_TIMEOUT_MS", { ACCESS_TIMEOUT_MS: "-1" }],
  ];

  test.each(cases)("%s", (_name, variable, vars) =>
    serving(vars, async (worker) => {
      for (const path of ["/api/chat/contacts/", "/ws/chat/project/7/", "/dev/token/"]) {
        const answer = await worker.call(path, { method: path === "/dev/token/" ? "POST" : "GET" });
        expect([path, answer.status, answer.json?.code]).toEqual([path, 503, "misconfigured"]);
        expect(answer.json.detail).toMatch(new RegExp(`\\b${variable}\\b.*\\.$`, "s"));
      }
    }),
  );

  test("and never tells the value of a secret", () =>
    serving({ JWT_SECRET: "hunter2", SERVER_API_KEY: "letmein" }, async (worker) => {
      const answer = await worker.call("/api/chat/contacts/");
      expect(answer.status).toBe(503);
      expect(answer.text + worker.logs.join()).not.toMatch(/hunter2|letmein/);
    }));
});

describe("a development secret", () => {
  const token = { user_id: 7, username: "ann" };

  test.each(["127.0.0.1", "localhost", "[::1]", "127.0.0.1:8000", "localhost:8000"])("serves the Host %s", (host) =>
    serving({}, async (worker) => {
      const answer = await worker.call("/dev/token/", { method: "POST", body: token, headers: { host } });
      expect(answer.status).toBe(200);
      expect(answer.json.access.split(".")).toHaveLength(3);
    }),
  );

  test.each(["chat.example.com", "127.0.0.1.example.com", "localhost.example.com", "10.0.0.1", "0.0.0.0", "example.com:8000"])(
    "refuses everything for the Host %s",
    (host) =>
      serving({}, async (worker) => {
        for (const path of ["/", "/api/chat/contacts/", "/dev/counters/", "/ws/chat/project/7/"]) {
          const answer = await worker.call(path, { headers: { host } });
          expect([path, answer.status, answer.json?.code]).toEqual([path, 503, "misconfigured"]);
          expect(answer.json.detail).toMatch(/JWT_SECRET/);
        }
        const signIn = await worker.call("/dev/token/", { method: "POST", body: token, headers: { host } });
        expect(signIn.status).toBe(503);
      }),
  );

  test("is not fooled by a forwarded host", () =>
    serving({}, async (worker) => {
      const headers = { host: "chat.example.com", "x-forwarded-host": "localhost", forwarded: "host=localhost" };
      expect((await worker.call("/api/chat/contacts/", { headers })).status).toBe(503);
    }));
});

describe("a real secret", () => {
  test.each(["/dev/token/", "/dev/counters/", "/dev/probe/"])("knows no %s, on loopback either", (path) =>
    serving({ JWT_SECRET: REAL_SECRET, ...ORIGIN }, async (worker) => {
      for (const method of ["GET", "POST"]) {
        const answer = await worker.call(path, { method, body: method === "POST" ? { user_id: 7, username: "ann" } : undefined });
        expect([method, answer.status, answer.json?.code]).toEqual([method, 404, "not_found"]);
      }
    }),
  );

  test("serves every Host", () =>
    serving({ JWT_SECRET: REAL_SECRET, ACCESS: "claims" }, async (worker) => {
      const bearer = mint({ user_id: 7, projects: [7] }, { secret: REAL_SECRET });
      for (const host of ["chat.example.com", "localhost"]) {
        const answer = await worker.call("/api/projects/7/chat/messages/", { token: bearer, headers: { host } });
        expect([host, answer.status]).toEqual([host, 200]);
      }
    }));

  test("may be one of several: tokens of each are good", () =>
    serving({ JWT_SECRET: `${REAL_SECRET}\n${REAL_SECRET}-2`, ACCESS: "claims" }, async (worker) => {
      for (const [secret, status] of [[REAL_SECRET, 200], [`${REAL_SECRET}-2`, 200], [`${REAL_SECRET}-3`, 401]] as const) {
        const bearer = mint({ user_id: 7, projects: [7] }, { secret });
        expect((await worker.call("/api/projects/7/chat/messages/", { token: bearer })).status).toBe(status);
      }
    }));
});

describe("development sign-in", () => {
  test("gives a token that the chat takes", () =>
    serving({ ACCESS: "claims" }, async (worker) => {
      const body = { user_id: 7, username: "ann", projects: [42] };
      const { json } = await worker.call("/dev/token/", { method: "POST", body });
      const posted = await worker.call("/api/projects/42/chat/messages/create/", {
        method: "POST",
        token: json.access,
        body: { content: "hello" },
      });
      expect([posted.status, posted.json.sender, posted.json.sender_info.username]).toEqual([201, 7, "ann"]);
      expect((await worker.call("/api/projects/43/chat/messages/", { token: json.access })).status).toBe(403);
    }));

  test.each([{}, { user_id: null, username: "ann" }, { user_id: {}, username: "ann" }, { user_id: 7, username: 7 }, []])(
    "refuses %j",
    (body) =>
      serving({}, async (worker) => {
        const answer = await worker.call("/dev/token/", { method: "POST", body });
        expect([answer.status, answer.json?.code]).toEqual([400, "invalid_field"]);
      }),
  );
});

test("PROJECT_ID_PATTERN says what is a project's id, from its first to its last character", () =>
  serving({ PROJECT_ID_PATTERN: "p-[0-9]{2}" }, async (worker) => {
    const status = async (id: string) =>
      (await worker.call(`/api/projects/${id}/chat/messages/`, { token: mint({ user_id: 7 }) })).status;
    for (const [id, expected] of [["p-12", 200], ["7", 404], ["p-123", 404], ["xp-12", 404], ["P-12", 404]] as const) {
      expect([id, await status(id)]).toEqual([id, expected]);
    }
  }));

test("without ORIGIN_URL, / is the web page", () =>
  serving({}, async (worker) => {
    const answer = await call(`${worker.url}/`);
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toContain("text/html");
    expect(answer.text).toContain("<title>");
  }));
