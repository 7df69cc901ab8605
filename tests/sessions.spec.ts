import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { realTime } from "./support/deadline.ts";
import { startTown, type Town } from "./support/django.ts";
import { call } from "./support/http.ts";
import { SERVER_KEY } from "./support/world.ts";

/** How long somebody who was let in by a Django application stays in: with an old token, after removal and revocation. */

/** With the defaults, as deployed: a yes is used for 60 s without asking again. */
let town: Town;
/** A yes is asked again after a second. */
let hasty: Town;

beforeAll(async () => {
  town = await startTown({ SERVER_API_KEY: SERVER_KEY });
  hasty = await town.beside({ ACCESS_TTL: "1" });
});
afterAll(() => Promise.all([hasty, town].map((each) => each?.stop())));

describe("a token that is good but for its expiry", () => {
  test("lets a member back to a classic socket who was admitted before, and asks nobody", async () => {
    const { alice, bob, project } = await hasty.project("alice", "bob");
    (await alice.connects()).drops();
    const b = await bob.connects();
    await realTime(1_100); // the yes is old as well
    await alice.signsIn({ lifetime: -1, claims: { iat: Math.floor(Date.now() / 1000) - 301 } });
    const before = (await hasty.django.callsOf("project", project)).length;

    const socket = await alice.connects();
    await socket.says("my token is old");
    await b.hears("alice: my token is old");

    expect(await hasty.django.callsOf("project", project)).toHaveLength(before);
    for (const each of [socket, b]) each.drops();
  });

  test("opens nothing over HTTP", async () => {
    const { alice } = await town.project("alice");
    (await alice.connects()).drops();
    await alice.signsIn({ lifetime: -1 });
    for (const answer of [await alice.history(), await alice.posts("hello"), await alice.contacts()]) {
      expect([answer.status, answer.json.code]).toEqual([401, "token_expired"]);
    }
  });

  test("does not let in a member who was never here, nor a stranger, and asks nobody", async () => {
    const { alice, project } = await town.project("alice");
    const stranger = await town.person("stranger", project);
    for (const person of [alice, stranger]) {
      await person.signsIn({ lifetime: -1 });
      expect(await person.refused()).toEqual([401, "token_expired"]);
    }
    expect(await town.django.callsOf("project", project)).toEqual([]);
  });

  test("is good for this only as long as a session lasts", async () => {
    const { alice } = await town.project("alice");
    (await alice.connects()).drops();
    await alice.signsIn({ lifetime: -12 * 3600 - 60, claims: { iat: 1 } });
    expect(await alice.refused()).toEqual([401, "token_expired"]);
  });

  test("does not let back who was removed or whose sessions were ended", async () => {
    const { alice, bob } = await town.project("alice", "bob");
    for (const person of [alice, bob]) (await person.connects()).drops();
    await server("DELETE", `${alice.project}/chat/members/${alice.id}/`);
    await server("POST", `${bob.project}/chat/members/${bob.id}/revoke/`);
    for (const person of [alice, bob]) await person.signsIn({ lifetime: -1, claims: { iat: 1 } });

    expect(await alice.refused()).toEqual([403, "removed"]);
    expect(await bob.refused()).toEqual([403, "revoked"]);
  });
});

describe("removal and revocation outweigh the backend's yes", () => {
  test("a removed member's socket is closed with 4503, and the backend's yes does not bring them back", async () => {
    const { alice, bob, project } = await town.project("alice", "bob");
    const [a, b] = [await alice.connects(), await bob.connects()];

    await town.worker.evictRoom(project); // the sockets sleep
    expect((await server("DELETE", `${project}/chat/members/${bob.id}/`)).status).toBe(200);
    await a.says("bob may not hear this");
    expect(await b.closes()).toEqual({ code: 4503, reason: "removed, banned or revoked" });
    expect(b.lines()).toEqual([]);
    expect(await bob.refused()).toEqual([403, "removed"]);
    await town.worker.evictRoom(project);
    expect((await bob.history()).json.code).toBe("removed");

    expect((await server("PUT", `${project}/chat/members/${bob.id}/`, {})).status).toBe(200);
    const again = await bob.connects();
    await again.says("taken back");
    await a.hears("bob: taken back");
    for (const socket of [a, again]) socket.drops();
  });

  test("revocation ends every session of a user in every project, and a new sign-in works", async () => {
    const { alice, project } = await town.project("alice");
    const { project: second } = await town.project();
    const { project: third } = await town.project();
    for (const each of [second, third]) await town.django.admits(each, alice.id);
    await alice.signsIn({ claims: { iat: Math.floor(Date.now() / 1000) - 60 } });
    const sockets = [await alice.connects(), await alice.in(second).connects()];

    for (const where of [project, second]) await town.worker.evictRoom(where);
    expect((await server("POST", `${project}/chat/members/${alice.id}/revoke/`)).status).toBe(200);
    for (const socket of sockets) expect((await socket.closes()).code).toBe(4503);
    for (const where of [project, second, third]) {
      expect(await alice.in(where).refused()).toEqual([403, "revoked"]);
    }
    for (const answer of [await alice.history(), await alice.contacts(), await alice.inbox()]) {
      expect([answer.status, answer.json.code]).toEqual([403, "revoked"]);
    }

    await realTime(1_100); // tokens tell their time in whole seconds
    await alice.signsIn();
    for (const where of [project, second, third]) (await alice.in(where).connects()).drops();
  });

  test("revocation ends a session that began in the same second", async () => {
    const { alice, project } = await town.project("alice");
    const socket = await alice.connects();
    await server("POST", `${project}/chat/members/${alice.id}/revoke/`);
    expect((await socket.closes()).code).toBe(4503);
    expect(await alice.refused()).toEqual([403, "revoked"]);
  });

  test("without a server key nobody removes or revokes", async () => {
    const { alice, bob, project } = await town.project("alice", "bob");
    await bob.history();
    for (const token of [alice.token(), `${SERVER_KEY}x`, ""]) {
      const address = `${town.worker.url}/api/projects/${project}/chat/members/${bob.id}/`;
      for (const [method, url] of [["DELETE", address], ["POST", `${address}revoke/`], ["PUT", address]] as const) {
        const answer = await call(url, { method, token, body: {} });
        expect([answer.status, answer.json.code]).toEqual([403, "bad_server_key"]);
      }
    }
    expect((await bob.history()).status).toBe(200);
  });
});

function server(method: string, path: string, body?: unknown) {
  return call(`${town.worker.url}/api/projects/${path}`, { method, token: SERVER_KEY, body });
}
