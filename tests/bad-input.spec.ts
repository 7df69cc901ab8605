import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { ChatSocket } from "./support/socket.ts";
import { startWorld, type World } from "./support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());

const send = (fields: object) => JSON.stringify({ type: "send_message", ...fields });
const nested = (depth: number) => `{"type":"send_message","content":${"[".repeat(depth)}${"]".repeat(depth)}}`;

describe("a frame that cannot be taken is answered with an error, and the socket stays open:", () => {
  const cases: [string, string | Uint8Array, string][] = [
    ["nothing at all", "", "invalid_json"],
    ["not JSON", "hello", "invalid_json"],
    ["half of JSON", '{"type":"send_message","content":"hi"', "invalid_json"],
    ["two objects", '{"type":"typing","is_typing":true}{"type":"typing"}', "invalid_json"],
    ["an array", "[]", "invalid_field"],
    ["an array of frames", '[{"type":"typing","is_typing":true}]', "invalid_field"],
    ["null", "null", "invalid_field"],
    ["a number", "7", "invalid_field"],
    ["a string", '"send_message"', "invalid_field"],
    ["no type", "{}", "invalid_field"],
    ["a type that is no text", '{"type":7}', "invalid_field"],
    ["an unknown type", '{"type":"new.message","message":{}}', "unknown_type"],
    ["a type in other letters", '{"type":"Send_Message","content":"hi"}', "unknown_type"],
    ["a type with a NUL", '{"type":"typing\\u0000"}', "unknown_type"],
    ["a binary frame", new Uint8Array([0x7b, 0x7d]), "binary_frame"],
    ["a binary frame with a good message", Buffer.from(send({ content: "hi" })), "binary_frame"],
    ["an empty binary frame", new Uint8Array(), "binary_frame"],
    ["64 KiB and one byte", send({ content: "" }).replace('""', `"${"x".repeat(65_536 + 1 - send({ content: "" }).length)}"`), "too_large"],
    ["a megabyte", "x".repeat(1_048_576), "too_large"],
    ["64 KiB and one byte in fewer characters", send({ content: "漢".repeat(21_850) }), "too_large"],
    ["no content", send({}), "invalid_field"],
    ["content that is null", send({ content: null }), "invalid_field"],
    ["content that is a number", send({ content: 7 }), "invalid_field"],
    ["content that is an object", send({ content: { text: "hi" } }), "invalid_field"],
    ["empty content", send({ content: "" }), "content_empty"],
    ["content of blanks", send({ content: " \n\t " }), "content_empty"],
    ["10,001 characters", send({ content: "x".repeat(10_001) }), "content_too_long"],
    ["10,001 characters of four bytes", send({ content: "😀".repeat(10_001) }), "content_too_long"],
    ["an id that is an object", send({ content: "hi", client_message_id: {} }), "invalid_field"],
    ["an id that is an array", send({ content: "hi", client_message_id: ["a"] }), "invalid_field"],
    ["an id of 65 characters", send({ content: "hi", client_message_id: "x".repeat(65) }), "invalid_field"],
    ["deep nesting", nested(100), "invalid_field"],
    ["nesting without end", nested(20_000), "invalid_json"],
    ["half an escape", '{"type":"send_message","content":"\\u12"}', "invalid_json"],
    ["a raw newline in a text", '{"type":"send_message","content":"a\nb"}', "invalid_json"],
    ["typing without its field", '{"type":"typing"}', "invalid_field"],
    ["typing that is a word", '{"type":"typing","is_typing":"yes"}', "invalid_field"],
    ["read without its field", '{"type":"read"}', "invalid_field"],
    ["read of null", '{"type":"read","last_read_message_id":null}', "invalid_field"],
    ["read of a word", '{"type":"read","last_read_message_id":"abc"}', "invalid_field"],
    ["read of a fraction", '{"type":"read","last_read_message_id":1.5}', "invalid_field"],
    ["read of something negative", '{"type":"read","last_read_message_id":-1}', "invalid_field"],
    ["read of a huge number", `{"type":"read","last_read_message_id":${"9".repeat(400)}}`, "invalid_json"],
    ["read of a number with a huge exponent", '{"type":"read","last_read_message_id":1e999}', "invalid_json"],
  ];

  test.each(cases)("%s", async (_name, frame, code) => {
    const { alice, bob } = world.project("alice", "bob");
    const [a, b] = [await alice.connects(), await bob.connects()];
    a.sendsRaw(frame);
    const { client_message_id: _, ...error } = await a.error(code);
    expect(error).toEqual({ type: "error", code, detail: expect.stringMatching(/^\S.*[.)]$/s) });
    expect(error.detail).not.toMatch(/panick|\.rs\b/i);
    await goesOn(a, b);
    expect((await alice.history()).json.map((row: { content: string }) => row.content)).toEqual(["so am I", "still here"]);
  });
});

test("an error about a message names it", async () => {
  const { alice } = world.project("alice");
  const a = await alice.connects();
  a.writes("", "m-1");
  a.writes("x".repeat(10_001), "m-2");
  await a.settled();
  expect(a.events.map((event) => event.type === "error" && [event.code, event.client_message_id])).toEqual([
    ["content_empty", "m-1"],
    ["content_too_long", "m-2"],
  ]);
});

describe("strange but acceptable:", () => {
  test("exactly 64 KiB of frame with a message of lawful length", async () => {
    const { alice } = world.project("alice");
    const a = await alice.connects();
    const frame = send({ content: "fits", padding: "" });
    a.sendsRaw(frame.replace('"padding":""', `"padding":"${"x".repeat(65_536 - frame.length)}"`));
    expect((await a.message("fits")).content).toBe("fits");
  });

  test("unknown fields are ignored", async () => {
    const { alice } = world.project("alice");
    const a = await alice.connects();
    a.sendsRaw(send({ content: "hi", sender: { id: 1 }, created_at: "1970-01-01T00:00:00Z", id: 5, project: 1, constructor: {} }));
    const message = await a.message("hi");
    expect([message.sender.id, message.project]).toEqual([alice.id, alice.project]);
  });

  test.each([
    ["a NUL", '"a\\u0000b"', undefined],
    ["a lone high surrogate", '"a\\ud800b"', undefined],
    ["a lone low surrogate", '"\\udc00"', undefined],
    ["surrogates the wrong way round", '"\\udc00\\ud800"', undefined],
    ["a pair, escaped", '"\\ud83d\\ude00"', "😀"],
    ["a byte order mark", '"\\ufeffhi"', undefined],
  ])("%s in a message is stored as text or refused, and breaks nothing", async (_name, json, exact) => {
    const { alice, bob } = world.project("alice", "bob");
    const [a, b] = [await alice.connects(), await bob.connects()];
    a.sendsRaw(`{"type":"send_message","content":${json},"client_message_id":"strange"}`);
    await a.settled();
    const [answer] = a.events;
    if (exact !== undefined) expect(answer).toMatchObject({ type: "new.message", message: { content: exact } });
    const stored = (await bob.history()).json;
    if (answer?.type === "new.message") {
      expect(answer.message.content.isWellFormed()).toBe(true);
      expect(stored[0].content).toBe(answer.message.content);
    } else {
      expect(answer).toMatchObject({ type: "error" });
      expect(stored).toEqual([]);
    }
    await goesOn(a, b);
  });

  test("ten thousand bad frames in a row cost the room nothing but their answers", async () => {
    const { alice, bob } = world.project("alice", "bob");
    const [a, b] = [await alice.connects(), await bob.connects()];
    for (let n = 0; n < 10_000; n++) a.sendsRaw(n % 2 ? "{" : new Uint8Array([n % 256]));
    await b.says("meanwhile");
    await a.message("meanwhile", 15_000);
    expect(a.isOpen).toBe(true);
    expect(await b.timeline()).toEqual(["bob: meanwhile"]);
  });
});

describe("ids that are no ids:", () => {
  test.each(["9".repeat(200), "1e3", "0x10", "NaN", "%00", "'", "１２"])("a project called %s", async (id) => {
    const { alice } = world.project("alice");
    const answer = await alice.calls(`/api/projects/${id.includes("%") ? id : encodeURI(id)}/chat/messages/`);
    expect([answer.status, answer.json.code]).toEqual([404, "not_found"]);
  });

  test.each([
    ["a user id of 300 characters", { user_id: "u".repeat(300) }],
    ["a user id that is an object", { user_id: {} }],
    ["a user id that is null, and no sub", { user_id: null }],
    ["an empty user id", { user_id: "" }],
    ["a fraction for a user id", { user_id: 1.5 }],
  ])("%s", async (_name, claims) => {
    const { alice } = world.project("alice");
    const answer = await alice.calls(`/api/projects/${alice.project}/chat/messages/`, { token: alice.token({}, claims) });
    expect([answer.status, answer.json?.code]).toEqual([401, "token_no_user"]);
  });
});

/** Both sockets still take part in the same room. */
async function goesOn(a: ChatSocket, b: ChatSocket): Promise<void> {
  await a.says("still here");
  await b.message("still here");
  await b.says("so am I");
  await a.message("so am I");
  expect([a.isOpen, b.isOpen]).toEqual([true, true]);
}
