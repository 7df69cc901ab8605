import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { openApplicationSocket } from "./support/application.ts";
import { startTown, type Town } from "./support/django.ts";
import { Edge } from "./support/edge.ts";
import { call } from "./support/http.ts";

/** Two ways to put the Worker before an application: the front end is the same, and so is what it gets. */

/** The address that the front end has in both of its variables. */
interface Topology {
  town: Town;
  address: string;
}

const edge = new Edge(["/ws/*", "/api/chat/*", "/api/projects/*"]);
let routes: Topology;
let ownHost: Topology;

beforeAll(async () => {
  await edge.start();
  const onRoutes = await startTown({
    ORIGIN_URL: edge.url,
    ACCESS_URL: `${edge.url}/api/projects/{project}/`,
    PROFILE_URL: `${edge.url}/api/users/me/`,
  });
  edge.worker = onRoutes.worker.port;
  edge.application = Number(new URL(onRoutes.django.url).port);
  routes = { town: onRoutes, address: edge.url };
  const alone = await onRoutes.beside({ ORIGIN_URL: onRoutes.django.url, PROFILE_URL: onRoutes.django.profileUrl });
  ownHost = { town: alone, address: alone.worker.url };
});
afterAll(async () => {
  await ownHost?.town.stop();
  await routes?.town.stop();
  await edge.stop();
});

describe.each([
  ["on routes of the application's own host", () => routes],
  ["on a host of its own, with ORIGIN_URL", () => ownHost],
])("%s", (_where, topology) => {
  test("one address answers the application's calls and the chat's", async () => {
    const { town, address } = topology();
    const { alice, bob, project } = await town.project("alice", "bob");
    for (const person of [alice, bob]) person.address = address;

    expect((await call(`${address}/`)).text).toContain("The application");
    expect((await alice.calls("/api/users/me/")).json).toEqual({ id: alice.id, ...alice.profile });
    expect((await alice.calls("/api/projects/my-projects/")).json).toMatchObject([{ id: project }]);
    expect((await alice.calls(`/api/projects/${project}/`)).json).toMatchObject({ id: project, role: "member" });
    const quote = await alice.calls("/api/chat/start-quote/5/", { method: "POST", body: { a: 1 } });
    expect(quote.json).toEqual({ quote: 5, by: alice.id, body: { a: 1 } });

    expect((await alice.history()).json).toEqual([]);
    const [a, b] = [await alice.connects(), await bob.connects()];
    await a.says("hello");
    await b.hears("alice: hello");
    expect((await alice.contacts()).json).toMatchObject([
      { id: project, contact_info: { id: bob.id, username: bob.profile.username }, last_message_text: "hello" },
    ]);
    for (const socket of [a, b]) socket.drops();
  });

  test("a stranger is refused there too", async () => {
    const { town, address } = topology();
    const { project } = await town.project("alice");
    const stranger = await town.person("stranger", project);
    stranger.address = address;
    expect(await stranger.refused()).toEqual([403, "no_access"]);
  });

  test("the application's other sockets under the same path still reach it", async () => {
    const socket = await openApplicationSocket(`${topology().address}/ws/notifications/?token=x`);
    expect((await socket.asked()).target).toBe("/ws/notifications/?token=x");
    socket.ws.send("hello");
    expect(await socket.next()).toBe("hello");
    socket.ws.terminate();
  });

  test("what the application does not have is its own 404", async () => {
    const { town, address } = topology();
    const [answer, direct] = [await call(`${address}/api/projects/x/`), await call(`${town.django.url}/api/projects/x/`)];
    expect([answer.status, answer.text]).toEqual([direct.status, direct.text]);
  });

  test("the application makes addresses that lead to where the front end is", async () => {
    const { json } = await call(`${topology().address}/api/chat/echo/`);
    expect(json.absolute).toBe(`${topology().address}/here/`);
  });
});

test("what no route covers does not come to the Worker", async () => {
  const { worker } = routes.town;
  const before = (await worker.counters()).worker_requests;
  expect((await call(`${edge.url}/api/users/me/`)).status).toBe(401);
  expect((await call(`${edge.url}/`)).status).toBe(200);
  // The counters themselves are the one request.
  expect((await worker.counters()).worker_requests - before).toBe(1);
});
