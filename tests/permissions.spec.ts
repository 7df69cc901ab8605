import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { CallOptions } from "./support/http.ts";
import { open, Refused } from "./support/socket.ts";
import { SERVER_KEY, startWorld, type Person, type World } from "./support/world.ts";
import { FrameRefused, joins, V1, type V1Client } from "./support/v1-client.ts";

/**
 * Who may do what: every address by every kind of caller, every frame by every kind of member. What there is comes from
 * the Worker's own tables (tests/support/tables.json): one that has no row here fails.
 */
const tables = JSON.parse(readFileSync(new URL("./support/tables.json", import.meta.url), "utf8")) as {
  routes: string[];
  frames: { type: string; classic: boolean }[];
};

let world: World;
beforeAll(async () => {
  const vars = { SERVER_API_KEY: SERVER_KEY, MESSAGE_RATE: "0" };
  world = await startWorld({ vars });
});
afterAll(() => world?.stop());

/** A project with a member of each role, bob whom things are done to, and one message of bob's. */
async function setScene() {
  const people = world.project("viewer", "member", "moderator", "muted", "bob");
  const { viewer, moderator, muted, bob, project } = people;
  world.backend.admits(project, { ...viewer.row(), role: "viewer" });
  world.backend.admits(project, { ...moderator.row(), role: "moderator" });
  expect((await bob.posts("bob's")).status).toBe(201);
  const body = { type: "mute", user_id: muted.id };
  const done = await moderator.calls(`/api/projects/${project}/chat/frames/`, { method: "POST", body });
  expect(done.status).toBe(200);
  return { ...people, outsider: world.person("outsider", project) };
}

describe("every address", () => {
  const CALLERS = ["nobody", "bad token", "expired", "outsider", "viewer", "member", "moderator", "server key"] as const;
  type Caller = (typeof CALLERS)[number];

  const [missing, bad, expired, noKey] = ["401 token_missing", "401 token_bad_signature", "401 token_expired", "403 bad_server_key"];
  /** A server key is no token. */
  const noToken = "401 token_malformed";
  const user = (outsider: string, viewer: string, member: string, moderator = member) =>
    [missing, bad, expired, outsider, viewer, member, moderator, noToken];
  const server = (status: string) => [...Array(7).fill(noKey), status];

  /** What each caller is answered, in the order of `CALLERS`, and the body that a call is made with. */
  const ROWS: Record<string, [answers: string[], body?: (bob: Person) => unknown]> = {
    "GET /ws/chat/project/{project}/": [user("403 no_access", "101", "101")],
    "GET /ws/chat/inbox/": [user("101", "101", "101")],
    "GET /api/projects/{project}/chat/messages/": [user("403 no_access", "200", "200")],
    "POST /api/projects/{project}/chat/messages/": [user("403 no_access", "403 read_only", "201"), () => ({ content: "hello" })],
    "POST /api/projects/{project}/chat/messages/create/": [user("403 no_access", "403 read_only", "201"), () => ({ content: "hello" })],
    "POST /api/projects/{project}/chat/mark-read/": [user("403 no_access", "200", "200"), () => ({ last_read_message_id: 1 })],
    "GET /api/projects/{project}/chat/events/": [user("403 no_access", "200", "200")],
    "POST /api/projects/{project}/chat/frames/": [user("403 no_access", "200", "200"), () => ({ type: "history" })],
    "GET /api/chat/contacts/": [user("200", "200", "200")],
    "GET /api/chat/contacts/{project}/": [user("404 no_such_project", "200", "200")],
    "POST /api/chat/contacts/{project}/mark-read/": [user("404 no_such_project", "200", "200")],
    "GET /api/chat/inbox/": [user("200", "200", "200")],
    "GET /api/projects/{project}/chat/members/": [server("200")],
    "PUT /api/projects/{project}/chat/members/{user}/": [server("200"), () => ({ role: "member" })],
    "DELETE /api/projects/{project}/chat/members/{user}/": [server("200")],
    "POST /api/projects/{project}/chat/members/{user}/revoke/": [server("200"), () => ({})],
    "POST /api/projects/{project}/chat/prune/": [server("200"), () => ({ up_to: 1 })],
    // Development sign-in, on loopback with a secret for development: for whoever is there.
    "POST /dev/token/": [Array(8).fill("200"), (bob) => ({ user_id: bob.id })],
    "GET /dev/counters/": [Array(8).fill("200")],
  };

  test("has a row here", () => {
    expect(Object.keys(ROWS)).toEqual(tables.routes);
  });

  /** The token each kind of caller comes with. */
  const token = (caller: Caller, scene: Awaited<ReturnType<typeof setScene>>): string | undefined => {
    switch (caller) {
      case "nobody":
        return undefined;
      case "bad token":
        return scene.member.token({ secret: "x".repeat(40) });
      case "expired":
        // Of somebody who was never in the project: an old token readmits whoever was to a classic socket.
        return scene.outsider.token({ lifetime: -1 });
      case "server key":
        return SERVER_KEY;
      default:
        return scene[caller].token();
    }
  };
  const address = (route: string, { project, bob }: { project: number; bob: Person }) =>
    (route.split(" ")[1] ?? "").replace("{project}", String(project)).replace("{user}", String(bob.id));

  test.each(tables.routes)("%s answers each caller as it should", async (route) => {
    const [expected, body] = ROWS[route] ?? [[]];
    const scene = await setScene();
    const path = address(route, scene);
    const answers: string[] = [];
    for (const caller of CALLERS) {
      const options: CallOptions = { method: route.split(" ")[0] ?? "", token: token(caller, scene) };
      if (body) options.body = body(scene.bob);
      answers.push(path.startsWith("/ws/") ? await upgraded(path, options.token) : await called(path, options));
    }
    const told = (list: string[]) => CALLERS.map((caller, n) => `${caller}: ${list[n]}`);
    expect(told(answers)).toEqual(told(expected));
  });

  test("takes no other method, whoever calls", async () => {
    const scene = await setScene();
    const paths = new Set(tables.routes.map((route) => route.split(" ")[1]));
    const others = [...paths].flatMap((path) => ["GET", "POST", "PUT", "PATCH", "DELETE"].map((method) => `${method} ${path}`));
    for (const route of others.filter((route) => !tables.routes.includes(route))) {
      for (const caller of ["nobody", "member", "server key"] as const) {
        const answer = await called(address(route, scene), { method: route.split(" ")[0] ?? "", token: token(caller, scene) });
        expect([route, caller, answer]).toEqual([route, caller, "405 method_not_allowed"]);
      }
    }
  });

  const called = async (path: string, options: CallOptions) => {
    const answer = await world.worker.call(path, options);
    return answer.status < 300 ? String(answer.status) : `${answer.status} ${answer.json?.code}`;
  };

  /** Both dialects, which must agree: a v1 client is let in for a moment, told, and closed. */
  const upgraded = async (path: string, bearer: string | undefined) => {
    const headers: Record<string, string> = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
    const options = { headers };
    const url = `${world.worker.url.replace("http", "ws")}${path}`;
    const v1 = await open(url, { ...options, protocols: [V1] });
    await v1.event("what it is told", () => v1.events.length > 0);
    const [first] = v1.events as unknown as any[][];
    v1.drops();
    const [told] = first ?? [];
    if (path === "/ws/chat/inbox/") return told.type === "error" ? await refusedBoth(told.code, options) : "101";
    try {
      (await open(url, options)).drops();
      expect(told.type).toBe("hello");
      return "101";
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      expect([told.type, told.code]).toEqual(["error", error.code]);
      return `${error.status} ${error.code}`;
    }
  };

  /** The inbox has no classic dialect: what the same caller is answered at an address that has. */
  const refusedBoth = async (word: string, { headers }: { headers: Record<string, string> }) => {
    const answer = await world.worker.call("/api/chat/inbox/", { headers });
    expect(answer.json.code).toBe(word);
    return `${answer.status} ${word}`;
  };
});

describe("every frame", () => {
  const ROLES = ["viewer", "member", "moderator", "muted member", "member of a frozen project"] as const;
  type Scene = Awaited<ReturnType<typeof setScene>>;

  const all = (answer: string) => Array<string>(5).fill(answer);
  const writes = (answer: string, moderator = answer) => ["read_only", answer, moderator, "muted", "frozen"];
  const moderates = (answer: string) => ["moderators_only", "moderators_only", answer, "moderators_only", "moderators_only"];

  /** The frame, and what each member is answered, in the order of `ROLES`: an event's type, or an error's code. */
  const ROWS: Record<string, [frame: (scene: Scene) => Record<string, unknown>, answers: string[], overHttp?: string[]]> = {
    send_message: [() => ({ content: "hello" }), writes("ok"), writes("ack")],
    // Whoever may not is dropped in silence, as whoever does it too often: below it is seen who hears of it.
    typing: [() => ({ is_typing: true }), all("ok")],
    read: [() => ({ last_read_message_id: 1 }), all("ok")],
    edit_message: [() => ({ id: 1, content: "mine" }), writes("not_yours")],
    delete_message: [() => ({ id: 1 }), ["read_only", "not_yours", "ok", "not_yours", "not_yours"]],
    react: [() => ({ message_id: 1, emoji: "👍", on: true }), writes("ok")],
    pin: [() => ({ message_id: 1, on: true }), writes("ok")],
    mark_unread: [() => ({ message_id: 1 }), all("ok")],
    presence: [() => ({ away: true }), all("ok")],
    history: [() => ({}), all("history")],
    thread: [() => ({ id: 1 }), all("thread")],
    mentions: [() => ({}), all("mentions")],
    pins: [() => ({}), all("pins")],
    edits: [() => ({ id: 1 }), ["moderators_only", "moderators_only", "edits", "moderators_only", "moderators_only"]],
    search: [() => ({ query: "bob" }), all("search")],
    members: [() => ({}), all("members")],
    resume: [() => ({ after: 0 }), all("resume")],
    seen: [() => ({ seq: 1 }), all("ok")],
    auth: [() => ({ token: "no token" }), all("token_malformed"), all("invalid_field")],
    block: [({ bob }) => ({ user_id: bob.id, on: true }), all("ok")],
    report: [() => ({ message_id: 1 }), all("ok")],
    mute: [({ bob }) => ({ user_id: bob.id }), moderates("ok")],
    ban: [({ bob }) => ({ user_id: bob.id }), moderates("ok")],
    remove: [({ bob }) => ({ user_id: bob.id }), moderates("ok")],
    configure: [() => ({ slow_mode_s: 5 }), moderates("ok")],
    reports: [() => ({}), moderates("reports")],
    resolve: [() => ({ message_id: 1 }), moderates("ok")],
    audit: [() => ({}), moderates("audit")],
  };
  const FREEZE = { type: "configure", frozen: true };
  const types = tables.frames.map(({ type }) => type);

  test("has a row here", () => {
    expect(Object.keys(ROWS)).toEqual(types);
  });

  /** Does something as each of `ROLES`, one after the other. */
  const asEach = async (act: (person: Person, scene: Scene) => Promise<string>) => {
    const scene = await setScene();
    const { viewer, member, moderator, muted } = scene;
    const answers: string[] = [];
    for (const person of [viewer, member, moderator, muted, undefined]) {
      if (!person) await moderator.calls(`/api/projects/${scene.project}/chat/frames/`, { method: "POST", body: FREEZE });
      answers.push(`${ROLES[answers.length]}: ${await act(person ?? member, scene)}`);
    }
    return answers;
  };
  const told = (answers: string[]) => ROLES.map((role, n) => `${role}: ${answers[n]}`);

  const answered = async (client: V1Client, frame: Record<string, unknown>) => {
    try {
      return (await client.asks(frame)).type;
    } catch (error) {
      if (error instanceof FrameRefused) return error.event["code"];
      throw error;
    }
  };

  test.each(types)("%s is for whom it should be, over a socket", async (type) => {
    const [frame, expected] = ROWS[type] ?? [() => ({}), []];
    const answers = await asEach(async (person, scene) => {
      const client = await joins(person);
      const answer = await answered(client, { type, ...frame(scene) });
      client.drops();
      return answer;
    });
    expect(answers).toEqual(told(expected));
  });

  test.each(types)("%s is for whom it should be, over HTTP", async (type) => {
    const [frame, overSocket, overHttp = overSocket] = ROWS[type] ?? [() => ({}), []];
    const answers = await asEach(async (person, scene) => {
      const body = { type, ...frame(scene) };
      const answer = await person.calls(`/api/projects/${scene.project}/chat/frames/`, { method: "POST", body });
      return answer.status === 200 ? answer.json[0].type : answer.json.code;
    });
    expect(answers).toEqual(told(overHttp));
  });

  test("typing is heard of those who may write, at present", async () => {
    const heard = await asEach(async (person, scene) => {
      const [client, bob] = [await joins(person), await joins(scene.bob)];
      client.sends({ type: "typing", is_typing: true });
      await client.settled();
      const lines = (await bob.timeline()).filter((line) => line.startsWith("typing"));
      for (const each of [client, bob]) each.drops();
      return lines.length > 0 ? "heard" : "not heard";
    });
    expect(heard).toEqual(told(["not heard", "heard", "heard", "not heard", "not heard"]));
  });

  test("is known to classic clients only where it should be", async () => {
    const { member, bob } = await setScene();
    const socket = await member.connects();
    for (const { type, classic } of tables.frames) {
      const [frame] = ROWS[type] ?? [() => ({})];
      socket.sends({ type, ...frame({ bob } as Scene), client_message_id: type });
      await socket.settled();
      const error = socket.events.find((event) => event.type === "error" && event.client_message_id === type);
      expect([type, error?.type === "error" ? error.code : "taken"]).toEqual([type, classic ? "taken" : "unknown_type"]);
    }
    socket.drops();
  });
});
