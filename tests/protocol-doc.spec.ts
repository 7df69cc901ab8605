import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { ChatSocket } from "./support/socket.ts";
import { SERVER_KEY, startWorld, type World } from "./support/world.ts";

/** One annotated example of docs/PROTOCOL.md: `<!-- kind rest -->` above a block of JSON. */
interface Example {
  kind: string;
  rest: string;
  line: number;
  value: any;
}

const DOC = readFileSync(new URL("../docs/PROTOCOL.md", import.meta.url), "utf8");
const examples: Example[] = [...DOC.matchAll(/(?:<!-- (\w+) ?(.*?) -->\n)?```json\n([\s\S]*?)```/g)].map((match) => ({
  kind: match[1] ?? "unmarked",
  rest: match[2] ?? "",
  line: DOC.slice(0, match.index).split("\n").length,
  value: JSON.parse(match[3] ?? ""),
}));
const of = (kind: string) => examples.filter((example) => example.kind === kind);

let world: World;
let a: ChatSocket;
let b: ChatSocket;
beforeAll(async () => {
  world = await startWorld({ asksForProjects: true, vars: { SERVER_API_KEY: SERVER_KEY } });
  const { ann, ben } = world.project("ann", "ben");
  [a, b] = [await ann.connects(), await ben.connects()];
});
afterAll(() => world?.stop());

test("every block of JSON in docs/PROTOCOL.md says what it is", () => {
  expect(of("unmarked").map((example) => `line ${example.line}`)).toEqual([]);
  expect(examples.length).toBeGreaterThan(15);
});

test("every frame of the contract has an example", () => {
  const documented = (kind: string) => [...new Set(of(kind).map((example) => example.value.type))].sort();
  expect(documented("client")).toEqual(["read", "send_message", "typing"]);
  expect(documented("server")).toEqual(["error", "new.message", "read_receipt", "typing"]);
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
  for (let n = 0; n < 130; n++) a.writes(`m${n}`, `id-${n}`);
  await a.error("rate_limited");
  await a.error("rate_limited");
  const seen = a.texts.map((text) => JSON.parse(text));
  for (const { rest, line, value } of of("server")) {
    const [type, code] = rest.split(" ");
    const real = seen.find((event) => event.type === type && (code === undefined || event.code === code));
    expect(shapeOf(value), `docs/PROTOCOL.md, line ${line}`).toEqual(shapeOf(real));
    expect(value.type).toBe(type);
    if (code !== undefined) expect(value.code).toBe(code);
  }
});

test("what HTTP calls take and answer is what stands there", async () => {
  const { ann, ben } = world.project("ann", "ben");
  await ben.posts("hello");
  let answered: { json: any; line: number } | undefined;
  for (const { kind, rest, line, value } of examples) {
    if (kind === "http" || kind === "server_api") {
      const [method = "", path = ""] = rest.split(" ");
      const address = path.replace("{project}", String(ann.project));
      const token = kind === "server_api" ? SERVER_KEY : ann.token();
      const takesBody = method === "POST" || method === "PUT";
      const { json } = await ann.calls(address, { method, token, ...(takesBody ? { body: value } : {}) });
      if (!takesBody) {
        expect(shapeOf(json), `docs/PROTOCOL.md, line ${line}`).toEqual(shapeOf(value));
        if (value.code !== undefined) expect(json).toEqual(value);
      } else expect(json.code).toBeUndefined();
      answered = { json, line };
    } else if (kind === "answer") {
      expect(answered?.json, `docs/PROTOCOL.md, line ${line}`).toEqual(value);
    }
  }
});

/** The names and types of a value; of an array, those of its first element. */
function shapeOf(value: any, name = ""): unknown {
  if (MAY_BE_NULL.has(name)) return "something or null";
  if (Array.isArray(value)) return value.slice(0, 1).map((entry) => shapeOf(entry));
  if (value === null || typeof value !== "object") return value === null ? "null" : typeof value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, shapeOf(value[key], key)]));
}

/** By the contract these are null or a text. */
const MAY_BE_NULL = new Set(["client_message_id", "attachment", "read_at", "profile_pic", "last_message_at"]);
