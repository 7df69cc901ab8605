import { checkChunk, checkPage, checkSearch, downFrom, upFrom } from "./checks.mjs";
import { CJK_WORD, COMMON_WORD, RARE_WORD, READER } from "./log.mjs";

/** The Worker's defaults. */
export const PAGE = 50;
export const CHUNK = 300;
const UNREAD_MAX = 999;
const TRIES = 100;

/**
 * What one asks of a room, by name: each a function of the room and of a reader's socket in it, which asks once, checks
 * the answer and gives `{ ms, bytes }`, or `{ ms, cost }` when that cannot be told from outside.
 */
export function questions(log) {
  const page = ({ messages }, ids) => checkPage(messages, ids, log);
  const framed = (frame, check) => async (room, socket) => {
    const { event, ...figures } = await socket.ask(frame);
    check(event);
    return figures;
  };
  const history = (place, ids) => framed({ type: "history", ...place }, (event) => page(event, ids));
  const around = (id) => history({ around: id }, [...downFrom(id - 1, log, PAGE / 2).reverse(), ...upFrom(id, log, PAGE / 2)]);
  const thread = (id) => {
    const ids = downFrom(log.head, log, PAGE, ({ thread }) => thread === id).reverse();
    return framed({ type: "thread", id }, (event) => (page(event, ids), checkPage([event.root], [id], log)));
  };
  const search = (word) => framed({ type: "search", query: word }, (event) => checkSearch(event, word, log.head + 1, PAGE, log));
  const mentions = downFrom(log.head, log, PAGE, (message) => message.mentions.includes(READER));
  return {
    "hello": hello,
    "history, newest": history({}, downFrom(log.head, log, PAGE).reverse()),
    "history, around the middle": around(log.middle + 500),
    "history, around the first message": around(1),
    "history, around the root of a long thread": around(log.longThread),
    "a thread in the middle": thread(log.thread),
    "a thread written in ever since": thread(log.longThread),
    "mentions": framed({ type: "mentions" }, (event) => page(event, mentions)),
    "search, a common word": search(COMMON_WORD),
    "search, a rare word near the end": search(RARE_WORD),
    "search, a CJK word": search(CJK_WORD),
    "resume, the last 300": framed({ type: "resume", after: log.head - CHUNK }, (event) => checkChunk(event, log.head - CHUNK, log)),
    "unread count over HTTP": unread,
  };
}

/** Comes in: the newest page, and 999 unread or more. */
async function hello(room) {
  const { log } = room;
  const { hello, ms, bytes, close } = await room.enter(READER);
  const { messages, head, more, unread } = hello;
  if (head !== log.head || more) throw new Error(`hello: head ${head}, more ${more}`);
  if (unread.count !== UNREAD_MAX || unread.first_id !== 1) throw new Error(`hello: unread ${JSON.stringify(unread)}`);
  checkPage(messages, downFrom(log.head, log, PAGE).reverse(), log);
  await close();
  return { ms, bytes };
}

/**
 * By one who has never read anything. Their object keeps the entry that it was given until it hears that something has
 * changed: so something changes, and they ask until it asks the room. What that costs is counted here.
 */
async function unread(room) {
  for (const message_id of [2, 1]) await room.frame(READER, { type: "mark_unread", message_id });
  for (let tries = 0; tries < TRIES; tries++) {
    const before = await room.spent();
    const { json, ms } = await room.contact(READER);
    const cost = await room.costSince(before);
    if (json.unread_count !== UNREAD_MAX) throw new Error(`contacts: ${JSON.stringify(json)}`);
    if (cost.read > 0) return { ms, cost };
  }
  throw new Error("the reader's object does not ask the room");
}
