import { afterAll, beforeAll, expect, test } from "vitest";

import { of, shapeOf, type Example } from "./support/documented.ts";
import { listens } from "./support/inbox.ts";
import { joins, type Event, type V1Client } from "./support/v1-client.ts";
import { nextId, Person, SERVER_KEY, startWorld, type World } from "./support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ asksForProjects: true, vars: { SERVER_API_KEY: SERVER_KEY } });
});
afterAll(() => world?.stop());

/** Ann and Ben as the document has them, and Mia, who keeps them in order. */
function cast() {
  const { project } = world.project();
  const person = (name: string, id: number, role: "member" | "moderator" = "member") => {
    const one = new Person(world, name, id, project);
    world.backend.admits(project, { ...one.row(), role });
    return one;
  };
  return { ann: person("ann", 7), ben: person("ben", 8), mia: person("mia", nextId(), "moderator") };
}

const BY_MODERATORS = ["mute", "ban", "remove", "configure", "reports", "resolve", "audit"];
/** After these, others would be refused. */
const LAST = ["delete_message", "ban", "remove"];

const rank = ({ rest }: Example) => LAST.indexOf(rest);

test("what v1 clients send is taken as it stands there, and what servers send has these fields and types", async () => {
  const { ann, ben, mia } = cast();
  const [a, m] = [await joins(ann), await joins(mia)];
  await a.says("Shall we meet at ten?");
  const b = await joins(ben);
  const clients = [a, b, m];

  /** What else has to happen for some event of the document to come. */
  const then: Record<string, (frame: any) => Promise<unknown>> = {
    send_message: async (frame) => {
      a.sends(frame);
      await a.next("ack");
      await a.asks({ type: "thread", id: 1 });
    },
    pin: () => a.asks({ type: "resume", after: a.seq - 1 }),
    search: () => a.asks({ type: "search", query: "e", limit: 1 }),
    mute: async () => {
      await b.next("you");
      await m.asks({ type: "audit" });
    },
    report: () => m.next("report"),
  };
  for (const { rest, value, place } of of("v1_client").toSorted((one, other) => rank(one) - rank(other))) {
    expect(value.type, place).toBe(rest);
    const client = BY_MODERATORS.includes(rest) ? m : a;
    if (rest === "auth") {
      a.sends({ ...value, token: ann.token() });
      await a.next("auth.ok");
    } else {
      expect((await client.asks(value).catch((error) => error)).code, `${place}: ${rest}`).toBeUndefined();
    }
    await then[rest]?.(value);
  }
  expect(await a.refused({ type: "react", message_id: 100, emoji: "👍", on: true })).toBe("no_such_message");
  await a.asks({ type: "history" });
  clients.push(await joins(ann, { since: 1, epoch: "another" }));

  const seen = clients.flatMap((client) => everyEvent(client.events));
  for (const example of of("v1_event")) isReal(example, seen);
  const documented = new Set(of("v1_event").map(({ rest }) => rest));
  expect([...new Set(seen.map(({ type }) => type))].filter((type) => !documented.has(type))).toEqual([]);

  const [{ value: message } = { value: {} }] = of("v1_message");
  const messages = seen.flatMap(everyMessage);
  const fields = new Set(messages.flatMap((one) => Object.keys(one)));
  expect([...fields].sort()).toEqual(Object.keys(message).sort());
  for (const [name, value] of Object.entries(message)) {
    const real = messages.filter((one) => name in one).map((one) => shapeOf(one[name], value, name));
    expect(real, name).toContainEqual(shapeOf(value, value, name));
  }
  for (const client of clients) client.drops();
});

test("what an inbox is sent has the fields and types that stand there", async () => {
  const { ann, ben } = world.project("ann", "ben");
  await ann.posts("before");
  const inbox = await listens(ben);
  await ann.posts("now");
  await inbox.next("inbox");
  const other = world.project("carol");
  world.backend.admits(other.project, ben.row());
  await other.carol.posts("never opened");
  await inbox.next("inbox.changed");
  const member = `/api/projects/${ben.project}/chat/members/${ben.id}/`;
  await world.worker.call(member, { method: "DELETE", token: SERVER_KEY });
  await inbox.next("inbox.left");
  for (const example of of("inbox_event")) isReal(example, inbox.events);
  inbox.drops();
});

/** The example's type and shape are those of something that came. */
function isReal({ rest, value, place }: Example, seen: Event[]): void {
  expect(value.type, place).toBe(rest);
  const shapes = seen.filter(({ type }) => type === rest).map((event) => shapeOf(event, value));
  expect(shapes, `${place}: ${rest}`).toContainEqual(shapeOf(value));
}

/** Events, and those that they hold. */
function everyEvent(events: V1Client["events"]): Event[] {
  return events.flatMap((event) => [event, ...(event["events"] ?? [])]);
}

/** The messages in an event, wherever they stand. */
function everyMessage(value: any): any[] {
  if (value === null || typeof value !== "object") return [];
  const own = "sender" in value && "content" in value ? [value] : [];
  return [...own, ...Object.values(value).flatMap(everyMessage)];
}
