import { isChange } from "./log.mjs";

/** What came is not what the log holds. */
function wrong(what, shown, expected) {
  throw new Error(`${what}: ${JSON.stringify(shown)?.slice(0, 300)} instead of ${JSON.stringify(expected)?.slice(0, 300)}`);
}

function same(what, shown, expected) {
  if (shown !== expected) wrong(what, shown, expected);
}

/** A message as v1 shows it, against the log. */
function checkMessage(shown, log) {
  const made = log.at(shown.id);
  const what = `message ${shown.id}`;
  if (made.kind) wrong(what, shown, "no message");
  same(what, shown.sender.id, made.sender);
  same(what, shown.client_message_id, made.client_message_id);
  same(what, shown.content, made.content);
  same(what, Date.parse(shown.created_at), made.created_at);
  same(what, shown.reply_to ?? null, made.reply_to);
  same(what, shown.thread ?? null, made.thread);
  same(what, shown.edited_at !== undefined, made.edit !== undefined);
  same(what, shown.deleted_at !== undefined, made.deletion !== undefined);
  same(what, (shown.mentions ?? []).join(), made.mentions.join());
  same(what, (shown.reactions ?? []).map(({ emoji, count }) => emoji + count).join(), made.reaction ? `${made.reaction.emoji}1` : "");
}

/** Exactly these messages, in this order. */
export function checkPage(messages, ids, log) {
  same("a page", messages.map(({ id }) => id).join(), ids.join());
  for (const message of messages) checkMessage(message, log);
}

/** An event of the log, at this position and no other. */
function checkEvent(event, seq, log) {
  same("a position of the log", event.seq, seq);
  if (!isChange(seq)) {
    same(`position ${seq}`, event.type, "new.message");
    same(`position ${seq}`, event.message.id, seq);
    return checkMessage(event.message, log);
  }
  const { kind, message, user, emoji } = log.at(seq);
  const { type, ...shown } = event;
  const what = `${kind} ${seq}`;
  same(what, type, { edit: "message.updated", delete: "message.deleted", react: "reaction" }[kind]);
  same(what, shown.message_id ?? shown.id, message);
  if (kind === "edit") same(what, shown.content, log.at(message).content);
  if (kind === "delete") same(what, shown.deleted_by, user);
  if (kind === "react") same(what, `${shown.user_id} ${shown.emoji} ${shown.on} ${shown.count}`, `${user} ${emoji} true 1`);
}

/** The events that follow `after`, one by one; gives the position of the last, and whether there are more. */
export function checkChunk({ events, seq, head, more }, after, log) {
  events.forEach((event, n) => checkEvent(event, after + 1 + n, log));
  if (seq !== after + events.length || head !== log.head || more !== seq < head) {
    throw new Error(`a chunk of ${events.length} after ${after} says seq ${seq}, head ${head}, more ${more}`);
  }
  return { seq, more };
}

/** The newest `limit` messages at or below `from` for which `is` holds, down to position `to`; newest first. */
export function downFrom(from, log, limit, is = () => true, to = 1) {
  const found = [];
  for (let seq = from; seq >= to && found.length < limit; seq--) {
    if (!isChange(seq) && is(log.at(seq))) found.push(seq);
  }
  return found;
}

/** The oldest `limit` messages at or above `from`. */
export function upFrom(from, log, limit, is = () => true) {
  const found = [];
  for (let seq = from; seq <= log.head && found.length < limit; seq++) {
    if (!isChange(seq) && is(log.at(seq))) found.push(seq);
  }
  return found;
}

/** A step of a search: the words of these messages, everything that lies between `before` and where it goes on. */
export function checkSearch({ messages, next_before }, word, before, limit, log) {
  const holds = ({ content }) => content.toLowerCase().includes(word);
  checkPage(messages, downFrom(before - 1, log, limit, holds, next_before ?? 1), log);
}
