import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { eventually } from "./support/deadline.ts";
import type { Answer } from "./support/http.ts";
import { refusal } from "./support/socket.ts";
import { nextId, SERVER_KEY, startWorld, type Person, type World } from "./support/world.ts";

const serverVars = { SERVER_API_KEY: SERVER_KEY };

/** A call of the server API. */
function server(world: World, method: string, path: string, body?: unknown, key = SERVER_KEY): Promise<Answer> {
  return world.worker.call(`/api/projects/${path}`, { method, body, token: key });
}

const members = (project: number, rest = "") => `${project}/chat/members/${rest}`;

describe("ACCESS=claims", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ vars: { ACCESS: "claims", ACCESS_URL: undefined } });
  });
  afterAll(() => world?.stop());

  const person = (name: string) => world.person(name, nextId());
  const status = async (who: Person, projects: unknown) =>
    (await who.calls(`/api/projects/${who.project}/chat/messages/`, { token: who.token({}, { projects }) })).status;

  test("the token's list of ids admits, as numbers or as text", async () => {
    const ann = person("ann");
    expect(await status(ann, [1, ann.project, 3])).toBe(200);
    expect(await status(ann, [String(ann.project)])).toBe(200);
  });

  test("what is not in the list is refused", async () => {
    const ann = person("ann");
    const other = nextId();
    for (const projects of [[], [other], undefined, null, "all", ann.project, { [other]: "member" }]) {
      expect([projects, await status(ann, projects)]).toEqual([projects, 403]);
    }
  });

  test("roles come from the token: a viewer reads and does not write", async () => {
    const [ann, vic] = [person("ann"), person("vic")];
    vic.project = ann.project;
    const claim = (role: string) => ({ projects: { [ann.project]: role } });
    const writer = await ann.connects({ token: ann.token({}, claim("member")) });
    const viewer = await vic.connects({ token: vic.token({}, claim("viewer")) });
    await writer.says("hello");
    await viewer.message("hello");
    viewer.writes("may I?", "m-1");
    expect((await viewer.error("read_only")).client_message_id).toBe("m-1");
    viewer.types(true);
    viewer.reads(await viewer.message("hello"));
    await writer.hears(`${vic.id} read "hello"`);
    const posted = await vic.calls(`/api/projects/${ann.project}/chat/messages/`, {
      method: "POST",
      token: vic.token({}, claim("viewer")),
      body: { content: "may I?" },
    });
    expect([posted.status, posted.json.code]).toEqual([403, "read_only"]);
    expect((await writer.timeline()).filter((line) => line.includes("may I?"))).toEqual([]);
  });

  test("contacts list the projects of the claim", async () => {
    const ann = person("ann");
    const answer = await ann.calls("/api/chat/contacts/", { token: ann.token({}, { projects: [ann.project] }) });
    expect(answer.json.map((entry: { id: number }) => entry.id)).toEqual([ann.project]);
  });

  test("contacts show nothing of a project that the claim no longer names", async () => {
    const ann = person("ann");
    const claims = { projects: [ann.project] };
    await ann.calls(`/api/projects/${ann.project}/chat/messages/`, { method: "POST", token: ann.token({}, claims), body: { content: "x" } });
    await ann.calls("/api/chat/contacts/", { token: ann.token({}, claims) });
    const answer = await ann.calls("/api/chat/contacts/", { token: ann.token({}, { projects: [] }) });
    expect(answer.json).toEqual([]);
  });
});

describe("ACCESS=any", () => {
  test("admits every good token, and no other", async () => {
    const world = await startWorld({ vars: { ACCESS: "any", ACCESS_URL: undefined } });
    try {
      const ann = world.person("ann", nextId());
      expect((await (await ann.connects()).says("hello")).sender).toMatchObject({ id: ann.id, username: "ann" });
      expect((await refusal(ann.connects({ token: ann.token({ secret: "x".repeat(40) }) }))).status).toBe(401);
    } finally {
      await world.stop();
    }
  });

  test("a user of whom nothing is known is shown by their number", async () => {
    const world = await startWorld({ vars: { ACCESS: "any", ACCESS_URL: undefined } });
    try {
      const ann = world.person("ann", nextId());
      const a = await ann.connects({ token: ann.token({}, { username: undefined }) });
      expect((await a.says("hello")).sender.username).toBe(`User ${ann.id}`);
    } finally {
      await world.stop();
    }
  });
});

describe("ACCESS=members", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ vars: { ACCESS: "members", ACCESS_URL: undefined, ...serverVars } });
  });
  afterAll(() => world?.stop());

  test("only whom the server API has put into the list may enter", async () => {
    const ann = world.person("ann", nextId());
    expect((await refusal(ann.connects())).status).toBe(403);
    const put = await server(world, "PUT", members(Number(ann.project), `${ann.id}/`), { username: "ann", first_name: "Ann" });
    expect(put.status).toBe(200);
    const a = await ann.connects();
    expect((await a.says("hello")).sender).toMatchObject({ id: ann.id, username: "ann", first_name: "Ann" });
  });

  test("the list can be read", async () => {
    const [ann, bob] = [world.person("ann", nextId()), world.person("bob", 0)];
    await server(world, "PUT", members(Number(ann.project), `${ann.id}/`), { role: "moderator", username: "ann" });
    await server(world, "PUT", members(Number(ann.project), `${bob.id}/`), { username: "bob" });
    const answer = await server(world, "GET", members(Number(ann.project)));
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      members: [
        { id: ann.id, username: "ann", first_name: "", last_name: "", profile_pic: null, role: "moderator", removed: false },
        { id: bob.id, username: "bob", first_name: "", last_name: "", profile_pic: null, role: "member", removed: false },
      ],
    });
  });

  test("a role is changed on the live socket", async () => {
    const ann = world.person("ann", nextId());
    const path = members(Number(ann.project), `${ann.id}/`);
    await server(world, "PUT", path, { username: "ann" });
    const a = await ann.connects();
    await a.says("as a member");
    await server(world, "PUT", path, { role: "viewer" });
    a.writes("as a viewer");
    await a.error("read_only");
    await server(world, "PUT", path, { role: "member" });
    await a.says("as a member again");
  });

  test("contacts show the projects in whose lists the user is, unopened ones too", async () => {
    const [ann, bob] = [world.person("ann", nextId()), world.person("bob", 0)];
    for (const who of [ann, bob]) await server(world, "PUT", members(Number(ann.project), `${who.id}/`), { username: who.name });
    await ann.posts("hello, bob");
    const { json } = await bob.contacts();
    expect(json).toMatchObject([{ id: ann.project, unread_count: 1, last_message_text: "hello, bob" }]);
  });

  test("contacts show nothing of a project the user was removed from", async () => {
    const [ann, bob] = [world.person("ann", nextId()), world.person("bob", 0)];
    for (const who of [ann, bob]) await server(world, "PUT", members(Number(ann.project), `${who.id}/`), { username: who.name });
    await ann.posts("hello, bob");
    await bob.contacts();
    await server(world, "DELETE", members(Number(ann.project), `${bob.id}/`));
    await ann.posts("between us");
    expect((await bob.contacts()).json).toEqual([]);
    expect((await bob.in(ann.project).history()).status).toBe(403);
  });
});

describe("the server API, beside ACCESS=origin:", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ vars: serverVars });
  });
  afterAll(() => world?.stop());

  test.each(["GET", "PUT", "DELETE"])("%s needs the key", async (method) => {
    const { alice, project } = world.project("alice");
    const path = members(project, method === "GET" ? "" : `${alice.id}/`);
    for (const key of [alice.token(), `${SERVER_KEY}x`, SERVER_KEY.slice(1), "x"]) {
      const answer = await server(world, method, path, method === "PUT" ? {} : undefined, key);
      expect([method, answer.status, answer.json.code]).toEqual([method, 403, "bad_server_key"]);
    }
    const none = await world.worker.call(`/api/projects/${path}`, { method });
    expect([none.status, none.json.code]).toEqual([403, "bad_server_key"]);
  });

  test.each([{ role: "king" }, { role: 7 }, { username: 7 }, { username: {} }, []])("PUT refuses %j", async (body) => {
    const { alice, project } = world.project("alice");
    const answer = await server(world, "PUT", members(project, `${alice.id}/`), body);
    expect([answer.status, answer.json.code]).toEqual([400, "invalid_field"]);
  });

  test("what a PUT leaves out stays", async () => {
    const { alice, project } = world.project("alice");
    const a = await alice.connects();
    const shown = (await a.says("before")).sender;
    const answer = await server(world, "PUT", members(project, `${alice.id}/`), { first_name: "Ally" });
    expect(answer.json).toMatchObject({ ...shown, first_name: "Ally", role: "member" });
    expect((await a.says("after")).sender).toEqual({ ...shown, first_name: "Ally" });
  });

  test("a member may be put without a body", async () => {
    const { alice, project } = world.project("alice");
    expect((await server(world, "PUT", members(project, `${alice.id}/`))).status).toBe(200);
  });

  test("ids of users are taken as the wire has them", async () => {
    const { project } = world.project("alice");
    for (const [path, id] of [["7", 7], ["anna%40example.org", "anna@example.org"], ["007", "007"]] as const) {
      const answer = await server(world, "PUT", members(project, `${path}/`), { username: "x" });
      expect([answer.status, answer.json.id]).toEqual([200, id]);
    }
  });

  test("the key opens no other call", async () => {
    const { project } = world.project("alice");
    const answer = await world.worker.call(`/api/projects/${project}/chat/messages/`, { token: `${SERVER_KEY}x` });
    expect(answer.status).toBe(401);
  });

  test("a removal closes the member's sockets, and they hear nothing more", async () => {
    const { alice, bob, project } = world.project("alice", "bob");
    const [a, b, tab] = [await alice.connects(), await bob.connects(), await bob.connects()];
    await a.says("before");
    expect((await server(world, "DELETE", members(project, `${bob.id}/`))).status).toBe(200);
    expect((await b.closes()).code).toBe(4503);
    expect((await tab.closes()).code).toBe(4503);
    await a.says("after");
    expect(b.lines()).toEqual(["alice: before"]);
  });

  test("a removal outweighs the backend's yes, until the member is put again", async () => {
    const { bob, project } = world.project("alice", "bob");
    await bob.connects();
    await server(world, "DELETE", members(project, `${bob.id}/`));
    const refused = await refusal(bob.connects());
    expect([refused.status, refused.code]).toEqual([403, "removed"]);
    expect((await bob.history()).json.code).toBe("removed");
    expect((await bob.posts("let me in")).json.code).toBe("removed");
    await world.worker.restart();
    expect((await refusal(bob.connects())).code).toBe("removed");
    await server(world, "PUT", members(project, `${bob.id}/`), {});
    await (await bob.connects()).says("back");
  });

  test("a removal of somebody who was never there holds too", async () => {
    const { bob, project } = world.project("alice", "bob");
    expect((await server(world, "DELETE", members(project, `${bob.id}/`))).status).toBe(200);
    expect((await refusal(bob.connects())).code).toBe("removed");
  });

  test("a removal reaches sleeping sockets", async () => {
    const { alice, bob, project } = world.project("alice", "bob");
    const [a, b] = [await alice.connects(), await bob.connects()];
    await world.worker.evictRoom(project);
    await server(world, "DELETE", members(project, `${bob.id}/`));
    expect((await b.closes()).code).toBe(4503);
    await a.says("after");
    expect(b.lines()).toEqual([]);
  });

  describe("a revocation", () => {
    const revoke = (who: Person, body: unknown = {}) =>
      server(world, "POST", members(Number(who.project), `${who.id}/revoke/`), body);

    test("ends the sessions of that user in every project, and nobody else's", async () => {
      const { alice, bob } = world.project("alice", "bob");
      const second = world.project("carol");
      world.backend.admits(second.project, bob.row());
      const token = bob.token({ age: 60 });
      const here = await bob.connects({ token });
      const there = await bob.connects({ token, project: second.project });
      const a = await alice.connects();
      expect((await revoke(bob)).status).toBe(200);
      expect((await here.closes()).code).toBe(4503);
      expect((await there.closes()).code).toBe(4503);
      await a.says("still here");
    });

    test("refuses what was issued before it, everywhere, and takes a new token", async () => {
      const { bob } = world.project("alice", "bob");
      const unseen = world.project("carol");
      world.backend.admits(unseen.project, bob.row());
      const old = bob.token({ age: 60 });
      await bob.connects({ token: old });
      const moment = Math.floor(Date.now() / 1000) - 30;
      await revoke(bob, { before: moment });
      for (const project of [bob.project, unseen.project]) {
        const refused = await refusal(bob.connects({ token: old, project }));
        expect([refused.status, refused.code]).toEqual([403, "revoked"]);
        await (await bob.connects({ project })).says("with a new token");
      }
      const rest = await bob.calls(`/api/projects/${bob.project}/chat/messages/`, { token: old });
      expect([rest.status, rest.json.code]).toEqual([403, "revoked"]);
    });

    test("asked for at a project that does not know the user ends their sessions as well", async () => {
      const { bob } = world.project("bob");
      const { carol, project } = world.project("carol");
      await carol.connects();
      const b = await bob.connects({ token: bob.token({ age: 60 }) });
      expect((await revoke(bob.in(project))).status).toBe(200);
      expect((await b.closes()).code).toBe(4503);
    });

    test("outlives a restart", async () => {
      const { bob } = world.project("bob");
      const old = bob.token({ age: 60 });
      await bob.connects({ token: old });
      await revoke(bob, { before: Math.floor(Date.now() / 1000) - 30 });
      await world.worker.restart();
      expect((await refusal(bob.connects({ token: old }))).code).toBe("revoked");
    });

    test("reaches sleeping sockets, and spares those of newer tokens", async () => {
      const { alice, bob, project } = world.project("alice", "bob");
      const old = await bob.connects({ token: bob.token({ age: 60 }) });
      const fresh = await bob.connects();
      const a = await alice.connects();
      await world.worker.evictRoom(project);
      await revoke(bob, { before: Math.floor(Date.now() / 1000) - 30 });
      expect((await old.closes()).code).toBe(4503);
      await a.says("after");
      await fresh.message("after");
      expect(old.lines()).toEqual([]);
    });
  });
});

describe("ACCESS=origin, a yes that is no more", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ vars: { ACCESS_TTL: "1", SESSION_MAX: "60" } });
  });
  afterAll(() => world?.stop());

  test("is asked for again in the background when it is old, and a no closes the sockets", async () => {
    const { alice, bob, project } = world.project("alice", "bob");
    const [a, b] = [await alice.connects(), await bob.connects()];
    await a.says("before");
    world.backend.expels(project, bob.id);
    await eventually(15_000, "the close of bob's socket", async () => {
      await bob.history();
      return b.closed;
    });
    expect(b.closed?.code).toBe(4507);
    expect((await refusal(bob.connects())).code).toBe("no_access");
    await a.says("after");
    expect(b.lines()).toEqual(["alice: before"]);
  });

  test("admits at once while the backend is asked again", async () => {
    const { alice, project } = world.project("alice");
    await alice.connects();
    await eventually(5_000, "a yes that is old", async () => {
      await alice.history();
      return world.backend.asked(project).length > 1 ? true : undefined;
    });
    await world.backend.becomes("silent");
    const begun = Date.now();
    await alice.connects();
    expect(Date.now() - begun).toBeLessThan(2_500); // it would wait 3 s for the backend
    await world.backend.becomes("well");
  });

  test("admits an expired token of the member whom it admitted before, to a classic socket and to nothing else", async () => {
    const { alice, bob, project } = world.project("alice", "bob");
    await alice.connects();
    const expired = alice.token({ lifetime: -30 });
    await (await alice.connects({ token: expired })).says("back");
    expect((await alice.calls(`/api/projects/${project}/chat/messages/`, { token: expired })).status).toBe(401);
    expect((await refusal(bob.connects({ token: bob.token({ lifetime: -30 }) }))).code).toBe("token_expired");
  });

  test("admits no token that expired longer than SESSION_MAX ago", async () => {
    const { alice } = world.project("alice");
    await alice.connects();
    await alice.connects({ token: alice.token({ lifetime: -50 }) });
    expect((await refusal(alice.connects({ token: alice.token({ lifetime: -70 }) }))).code).toBe("token_expired");
  });

  test("a 401 of the backend, which knows that a token expired, closes no socket", async () => {
    const { alice, project } = world.project("alice");
    const token = alice.token({ lifetime: 2 });
    const a = await alice.connects({ token });
    await eventually(10_000, "the token to expire", async () =>
      (await alice.calls(`/api/projects/${project}/chat/messages/`, { token })).status === 401 || undefined,
    );
    for (let n = 0; n < 5; n++) (await alice.connects({ token })).drops();
    await a.says("still here");
  });
});
