import { afterAll, beforeAll, expect, test } from "vitest";

import { startWorld, type Person, type World } from "./support/world.ts";
import { joins, type Event, type V1Client } from "./support/v1-client.ts";

/** Pages of what was said, and finding it again. */
let world: World;
beforeAll(async () => {
  world = await startWorld({ vars: { MESSAGE_RATE: "0", SEARCH_SCAN: "100" } });
});
afterAll(() => world?.stop());

const ids = (page: Event): number[] => page["messages"].map((message: any) => message.id);
const contents = (page: Event): string[] => page["messages"].map((message: any) => message.content);

/** A room with these messages, alice's. */
async function told(...messages: string[]): Promise<{ a: V1Client; alice: Person; bob: Person; project: number }> {
  const people = world.project("alice", "bob");
  const a = await joins(people.alice);
  for (const content of messages) a.writes(content);
  await a.reaches(messages.length);
  return { a, ...people };
}
const many = (count: number) => Array.from({ length: count }, (_, n) => `m${n + 1}`);

test("history goes back, forth and around, in the order of sending, and says what else there is", async () => {
  const { a, project } = await told(...many(10));
  await world.worker.evictRoom(project);
  const page = async (fields: Record<string, unknown>) => {
    const found = await a.asks({ type: "history", ...fields });
    return [ids(found), found["more_before"], found["more_after"]];
  };
  expect(await page({ limit: 3 })).toEqual([[8, 9, 10], true, false]);
  expect(await page({ before: 8, limit: 3 })).toEqual([[5, 6, 7], true, undefined]);
  expect(await page({ before: 3, limit: 3 })).toEqual([[1, 2], false, undefined]);
  expect(await page({ after: 8, limit: 3 })).toEqual([[9, 10], undefined, false]);
  expect(await page({ after: 2, limit: 3 })).toEqual([[3, 4, 5], undefined, true]);
  expect(await page({ around: 5, limit: 4 })).toEqual([[3, 4, 5, 6], true, true]);
  expect(await page({ around: 1, limit: 4 })).toEqual([[1, 2], false, true]);
  expect(await page({ around: 10, limit: 4 })).toEqual([[8, 9, 10], true, false]);
  expect(await page({ around: 99, limit: 4 })).toEqual([[9, 10], true, false]);
  expect(await page({ before: 1 })).toEqual([[], false, undefined]);
  for (const fields of [{ limit: 0 }, { limit: "x" }, { before: 1, after: 2 }, { around: -1 }, { before: "x" }]) {
    expect([fields, await a.refused({ type: "history", ...fields })]).toEqual([fields, "invalid_field"]);
  }
  a.drops();
});

test("a page has fifty messages, and never more than a hundred", async () => {
  const { a } = await told(...many(120));
  expect(ids(await a.asks({ type: "history" }))).toHaveLength(50);
  expect(ids(await a.asks({ type: "history", limit: 1_000 }))).toHaveLength(100);
  a.drops();
});

test("search finds parts of words in whatever case, all of them, newest first", async () => {
  const { a, bob, project } = await told("The quick brown fox", "a QUICKER fox", "slow fox", "100% _sure_ it's 'fine'", "brown bread");
  const b = await joins(bob);
  await b.says("my fox");
  await world.worker.evictRoom(project);
  const find = async (query: string, more: Record<string, unknown> = {}) => contents(await a.asks({ type: "search", query, ...more }));
  expect(await find("quick")).toEqual(["a QUICKER fox", "The quick brown fox"]);
  expect(await find("FOX brown")).toEqual(["The quick brown fox"]);
  expect(await find("fox", { sender: bob.id })).toEqual(["my fox"]);
  expect(await find("fox", { before: 3 })).toEqual(["a QUICKER fox", "The quick brown fox"]);
  expect(await find("fox", { limit: 1 })).toEqual(["my fox"]);
  // Nothing is a wildcard or a quote.
  for (const query of ["%", "_", "'", '"', "\\", "*", "fox OR bread"]) {
    expect([query, await find(query)]).toEqual([query, ["%", "_", "'"].includes(query) ? ["100% _sure_ it's 'fine'"] : []]);
  }
  for (const query of ["", "  ", "x".repeat(201), 7]) {
    expect(await a.refused({ type: "search", query })).toBe("invalid_field");
  }
  for (const client of [a, b]) client.drops();
});

test.each([
  ["Привет, МИР", ["привет", "мир", "ПРИВЕТ мир"]],
  ["ΟΔΥΣΣΕΎΣ went home", ["οδυσσεύ", "Home"]],
  ["今日は東京で会いましょう", ["東京", "会いま", "今日"]],
  ["안녕하세요 세계", ["세계", "녕하"]],
  ["مرحبا بالعالم", ["عالم"]],
  ["नमस्ते दुनिया", ["दुनिया"]],
  ["Straße nach Łódź", ["straße", "łódź", "ŁÓDŹ"]],
  ["a 👩‍👩‍👧‍👦 family", ["👩‍👩‍👧‍👦"]],
])("search finds %s", async (content, queries) => {
  const { a, project } = await told("before", content, "after");
  await world.worker.evictRoom(project);
  for (const query of queries) {
    expect([query, contents(await a.asks({ type: "search", query }))]).toEqual([query, [content]]);
  }
  expect(contents(await a.asks({ type: "search", query: "nothing-like-it" }))).toEqual([]);
  a.drops();
});

test("search looks at so many positions at a time, and says where it goes on", async () => {
  const { a } = await told("the needle", ...many(250), "another needle");
  const found: string[] = [];
  let asked = 0;
  for (let before: number | undefined; asked < 9; asked++) {
    const page: Event = await a.asks({ type: "search", query: "needle", ...(before === undefined ? {} : { before }) });
    found.push(...contents(page));
    before = page["next_before"];
    expect(page["more_before"]).toBe(before !== undefined);
    if (before === undefined) break;
  }
  expect([found, asked]).toEqual([["another needle", "the needle"], 2]);
  a.drops();
});

test("search finds what a message says now, and not what it said", async () => {
  const { a, project } = await told("an apple", "a pear");
  await a.asks({ type: "edit_message", id: 1, content: "a plum" });
  await world.worker.evictRoom(project);
  expect(contents(await a.asks({ type: "search", query: "apple" }))).toEqual([]);
  expect(contents(await a.asks({ type: "search", query: "plum" }))).toEqual(["a plum"]);
  a.drops();
});
