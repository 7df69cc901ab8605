/*
 * A long log, made up. What stands at a position follows from its number alone, so that whoever reads it back can check
 * every word of it and nobody has to keep it. Every 25th position is a change of the message seven before it: a
 * reaction, an edit, now and then a deletion; all others are messages.
 */

/** Users 1 to 20 speak. */
export const SPEAKERS = 20;
/** Is mentioned, and has never read anything. */
export const READER = 100;

export const COMMON_WORD = "meeting";
export const RARE_WORD = "hippocampus";
export const CJK_WORD = "花园";
export const WORD_OF_NOBODY = "quetzalcoatl";

const CHANGE_EVERY = 25;
const CHANGED_BEFORE = 7;
const BLOCK = 1000;
const EMOJI = "👍";
const REACTING = 2;
const BEGAN_AT = Date.UTC(2024, 0, 1);
const BETWEEN_MS = 30_000;
const WORDS = `garden roof window paint ladder tea kitchen plan wall door floor table chair lamp river bridge street corner
  paper letter stamp winter summer monday friday morning evening bread butter apple cherry plum stone brick timber nail
  hammer saw glue rope bucket water sand gravel fence gate meadow orchard barn cellar attic stairs landing shelf drawer
  handle hinge lock key candle mirror carpet ${COMMON_WORD}`.split(/\s+/);

/** The log of so many messages: `head` is its last position, `at(seq)` what stands there. */
export function madeLog(messages) {
  const head = messages + Math.floor((messages - 1) / (CHANGE_EVERY - 1));
  const middle = Math.floor(head / 2 / BLOCK) * BLOCK;
  const rare = messageAtOrBelow(head - Math.min(5_000, head >> 2));
  // Of the middle: a thread as they usually are, and one in which people have written ever since.
  const [thread, longThread] = [middle + 1, middle + 2];

  const isLongReply = (seq) => seq > longThread && seq % 100 === 9;
  const isShortReply = (seq) => seq % 20 === 3;
  const threadOf = (seq) => (isLongReply(seq) ? longThread : isShortReply(seq) ? seq - (seq % BLOCK) + 1 : null);

  function words(seq, hash) {
    if (seq === rare) return `what did you say of the ${RARE_WORD}? ${seq}`;
    if (seq % 997 === 1) return `我们明天在${CJK_WORD}里喝茶 ${seq}`;
    const chosen = Array.from({ length: 8 }, (_, n) => WORDS[mixed(hash + n) % WORDS.length]).join(" ");
    return `${seq % 101 === 2 ? "Äpfel und Öl, " : ""}${chosen} ${seq}`;
  }

  function change(seq) {
    const kind = seq % BLOCK === 0 ? "delete" : seq % (2 * CHANGE_EVERY) === 0 ? "edit" : "react";
    const message = seq - CHANGED_BEFORE;
    const user = kind === "react" ? REACTING : speaker(message);
    return { kind, seq, message, user, at: time(seq), emoji: kind === "react" ? EMOJI : null };
  }

  /** As it is now, at the end of the log. */
  function message(seq) {
    const hash = mixed(seq);
    const later = seq + CHANGED_BEFORE <= head && isChange(seq + CHANGED_BEFORE) ? change(seq + CHANGED_BEFORE) : undefined;
    const was = words(seq, hash);
    const deleted = later?.kind === "delete";
    const thread = threadOf(seq);
    return {
      id: seq,
      sender: speaker(seq),
      client_message_id: `${hash.toString(16).padStart(8, "0")}-5b1c-4d7e-9a68-${String(seq).padStart(12, "0")}`,
      content: deleted ? "" : later?.kind === "edit" ? `${was}, or so` : was,
      was,
      created_at: time(seq),
      thread,
      reply_to: thread,
      edit: later?.kind === "edit" ? later : undefined,
      deletion: deleted ? later : undefined,
      reaction: later?.kind === "react" ? later : undefined,
      mentions: seq % 97 === 5 && !deleted ? [READER] : [],
    };
  }

  const at = (seq) => (isChange(seq) ? change(seq) : message(seq));
  return { messages, head, middle, thread, longThread, at, isChange };
}

export const isChange = (seq) => seq % CHANGE_EVERY === 0;
export const messageAtOrBelow = (seq) => (isChange(seq) ? seq - 1 : seq);

const speaker = (seq) => 1 + (mixed(seq) % SPEAKERS);
const time = (seq) => BEGAN_AT + seq * BETWEEN_MS;

/** A number of 32 bits that shows no pattern (the end of MurmurHash3). */
function mixed(number) {
  let hash = Math.imul(number ^ (number >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
