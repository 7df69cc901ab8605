import { afterAll, beforeAll, expect, test } from "vitest";

import { PythonProcess } from "./support/python.ts";
import { SERVER_KEY, startWorld, type Person, type World } from "./support/world.ts";

/*
 * A client in another language, written from docs/PROTOCOL.md and nothing else, lives through these stories. They are
 * told in tests/interop/stories.py, each in the function of the same name.
 */

const SHORT_S = 4;
const SLOW = "who is too fast waits and loses nothing";

let world: World;
let strict: World;
let python: PythonProcess;

beforeAll(async () => {
  world = await startWorld({ vars: { SERVER_API_KEY: SERVER_KEY, MESSAGE_RATE: "0" } });
  strict = await startWorld();
  python = await PythonProcess.start("../interop/stories.py", {}, ({ event }) => {
    if (event === "restart") void world.worker.restart();
  });
});
afterAll(async () => {
  await python?.kill();
  await strict?.stop();
  await world?.stop();
});

test.for([
  "who is cut off again and again has the timeline of who was not",
  "a thousand missed messages come in chunks while others write",
  "who loses frames finds the holes and fills them",
  "what is sent again after a cut is there once",
  "a wire that has gone dead is noticed",
  "everything that happens to messages is seen alike by all and by who comes late",
  "what is unread is counted as the server counts",
  "people see who is here and who types",
  "who may not enter is closed with the code for it",
  "who is sent away stays away",
  "a viewer reads and does not write",
  "a socket outlives its token only when it is given another in time",
  "words are found in Greek and in Chinese",
  "who polls sees the same log",
  "an inbox shows a new message",
  "who was away when the log was pruned begins anew",
  SLOW,
  "a server that is killed loses nothing that it has answered",
])("%s", { timeout: 70_000 }, async (story) => {
  const at = story === SLOW ? strict : world;
  const { ann, ben, cid, mo, vic, project } = at.project("ann", "ben", "cid", "mo", "vic");
  for (const [person, role] of [[mo, "moderator"], [vic, "viewer"]] as const) {
    at.backend.admits(project, { ...person.row(), role });
  }
  const people = { ann, ben, cid, mo, vic, stranger: at.person("stranger", project) };
  const cast = Object.fromEntries(Object.entries(people).map(([name, one]) => [name, { id: one.id, tokens: tokens(one) }]));
  const order = { story: story, url: at.worker.url, server_key: SERVER_KEY, project, people: cast };
  expect(await python.order(order)).toBe("told");
});

/** Tokens of somebody that are good for this and that. */
function tokens(person: Person): Record<string, string> {
  const now = Math.floor(Date.now() / 1000);
  const good = person.token();
  return {
    good,
    short: person.token({}, { exp: now + SHORT_S }),
    expired: person.token({}, { exp: now - 60 }),
    forged: `${good.slice(0, -8)}AAAAAAAA`,
    garbage: "garbage",
  };
}
