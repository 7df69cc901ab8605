import { afterAll, beforeAll, expect, test } from "vitest";

import { examples, of, shapeOf } from "./support/documented.ts";
import type { ChatSocket } from "./support/socket.ts";
import { joins } from "./support/v1-client.ts";
import { SERVER_KEY, startWorld, type Person, type World } from "./support/world.ts";

let world: World;
let a: ChatSocket;
let b: ChatSocket;
let people: { ann: Person; ben: Person };
beforeAll(async () => {
  world = await startWorld({ asksForProjects: true, vars: { SERVER_API_KEY: SERVER_KEY } });
  people = world.project("ann", "ben");
  [a, b] = [await people.ann.connects(), await people.ben.connects()];
});
afterAll(() => world?.stop());

test("every block of JSON in docs/PROTOCOL.md says what it is", () => {
  const checked = ["client", "server", "http", "server_api", "answer", "v1_client", "v1_event", "v1_message", "inbox_event"];
  expect(examples.filter(({ kind }) => !checked.includes(kind)).map(({ place }) => place)).toEqual([]);
  for (const kind of checked) expect(of(kind).length, kind).toBeGreaterThan(0);
});

test("what clients send is taken as it stands there", async () => {
  for (const { value } of of("client")) a.sends(value);
  await a.settled();
  expect(a.lines().filter((line) => line.startsWith("error"))).toEqual([]);
  const sent = of("client").filter((example) => example.value.type === "send_message");
  for (const { value } of sent) await b.message((message) => message.client_message_id === value.client_message_id);
});

test("what servers send has exactly the fields and types that stand there", async () => {
  const message = await a.says("hello");
  b.reads(message);
  b.types(true);
  a.writes("", "an-id");
  await a.hears("ben types");
  await editsAndDeletes();
  for (let n = 0; n < 130; n++) a.writes(`m${n}`, `id-${n}`);
  await a.error("rate_limited");
  await a.error("rate_limited");
  const seen = a.texts.map((text) => JSON.parse(text));
  for (const { rest, place, value } of of("server")) {
    const [type, code] = rest.split(" ");
    const real = seen.find((event) => event.type === type && (code === undefined || event.code === code));
    expect(shapeOf(real, value), place).toEqual(shapeOf(value));
    expect(value.type).toBe(type);
    if (code !== undefined) expect(value.code).toBe(code);
  }
});

test("what HTTP calls take and answer is what stands there", async () => {
  const { ann, ben } = world.project("ann", "ben");
  await ben.posts("hello");
  let answered: any;
  for (const { kind, rest, place, value } of examples) {
    if (kind === "http" || kind === "server_api") {
      const [method = "", path = ""] = rest.split(" ");
      const address = path.replace("{project}", String(ann.project));
      const token = kind === "server_api" ? SERVER_KEY : ann.token();
      const takesBody = method === "POST" || method === "PUT";
      const { json } = await ann.calls(address, { method, token, ...(takesBody ? { body: value } : {}) });
      if (!takesBody) {
        expect(shapeOf(json, value), place).toEqual(shapeOf(value));
        if (value.code !== undefined) expect(json).toEqual(value);
      } else expect(json.code).toBeUndefined();
      answered = json;
    } else if (kind === "answer") {
      expect(answered, place).toEqual(value);
    }
  }
});

/** What only a client of the other dialect does. */
async function editsAndDeletes(): Promise<void> {
  const { ann } = people;
  const c = await joins(ann);
  const { id } = await c.says("first");
  await c.asks({ type: "edit_message", id, content: "second" });
  const [edited] = (await ann.history("?limit=1")).json;
  expect(edited).toMatchObject({ content: "second", edited_at: expect.any(String) });
  expect("deleted_at" in edited).toBe(false);
  await c.asks({ type: "delete_message", id });
  expect((await ann.history("?limit=1")).json).toMatchObject([{ content: "", deleted_at: expect.any(String) }]);
  c.drops();
  await a.settled();
}
