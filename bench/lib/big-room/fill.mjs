import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { Stop } from "../../../scripts/lib/terminal.mjs";

/** What is filled, and in which columns. A room whose tables have others has to be filled in another way: see `checked`. */
const FILLED = {
  messages:
    "id sender client_message_id content created_at folded reply_to thread deleted_at extra",
  changes: "seq message user at kind data previous",
  mentions: "user message",
};
/** Tables that hold nothing of a message. */
const LEFT_ALONE = ["meta", "members", "marks", "pins", "reports", "audit"];

const POSITIONS_PER_COMMIT = 100_000;

/** Writes a made-up log into the database of the only room in `data`, past the Worker, which must not be running. */
export function fill(data, log) {
  const db = new DatabaseSync(theRoom(data));
  try {
    checked(db);
    // Nothing that is made up is worth waiting for the disk.
    db.exec("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000");
    const insert = Object.fromEntries(Object.entries(FILLED).map(([table, columns]) => [table, insertion(db, table, columns)]));
    for (let from = 1; from <= log.head; from += POSITIONS_PER_COMMIT) {
      db.exec("BEGIN");
      const to = Math.min(log.head, from + POSITIONS_PER_COMMIT - 1);
      for (let seq = from; seq <= to; seq++) write(insert, log, seq);
      db.exec("COMMIT");
    }
    dense(db, log);
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    const { pages, bytes } = db.prepare("SELECT page_count AS pages, page_size AS bytes FROM pragma_page_count, pragma_page_size").get();
    return pages * bytes;
  } finally {
    db.close();
  }
}

function theRoom(data) {
  const folder = join(data, "project-chat-Room");
  // Beside the objects' databases lies one of the runtime's own.
  const files = readdirSync(folder).filter((file) => /^[0-9a-f]{64}\.sqlite$/.test(file));
  if (files.length !== 1) throw new Stop(`There are ${files.length} rooms where there should be one.`);
  return join(folder, files[0]);
}

function checked(db) {
  const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all().map(({ name }) => name);
  const strange = tables.filter((name) => !/^(_cf_|sqlite_)/.test(name) && !(name in FILLED) && !LEFT_ALONE.includes(name));
  if (strange.length > 0) throw new Stop(`The room has tables that bench/lib/big-room/fill.mjs does not know: ${strange.join(", ")}.`);
  for (const [table, columns] of Object.entries(FILLED)) {
    const found = db.prepare("SELECT name FROM pragma_table_info(?)").all(table).map(({ name }) => name);
    if (found.join(" ") !== columns) {
      throw new Stop(`The table ${table} has other columns than bench/lib/big-room/fill.mjs fills: ${found.join(", ") || "none"}.`);
    }
    const { rows } = db.prepare(`SELECT count(*) AS rows FROM ${table}`).get();
    if (rows > 0) throw new Stop(`The table ${table} is not empty.`);
  }
}

function insertion(db, table, columns) {
  const names = columns.split(" ");
  const statement = db.prepare(`INSERT INTO ${table} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`);
  return (...values) => statement.run(...values);
}

/** As `core/src/store/` writes it, and reads it. */
function write(insert, log, seq) {
  const entry = log.at(seq);
  if (entry.kind) {
    const { kind, message, user, at, emoji } = entry;
    insert.changes(seq, message, String(user), at, kind, kind === "edit" ? log.at(message).was : emoji, null);
    return;
  }
  const { id, sender, client_message_id, content, created_at, reply_to, thread, edit, deletion, reaction, mentions } = entry;
  const extra = {
    ...(edit && { edited_at: edit.at, last_edit: edit.seq }),
    ...(deletion && { deleted_by: deletion.user }),
    ...(mentions.length > 0 && { mentions }),
    ...(reaction && { reactions: [[reaction.emoji, [reaction.user]]] }),
  };
  const extraText = Object.keys(extra).length > 0 ? JSON.stringify(extra) : null;
  const sentBy = String(sender);
  insert.messages(id, sentBy, client_message_id, content, created_at, folded(content), reply_to, thread, deletion?.at ?? null, extraText);
  for (const user of mentions) insert.mentions(String(user), id);
}

/** Small letters, where those of SQLite would not do. */
function folded(content) {
  const small = content.toLowerCase();
  const asciiOnly = content.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return small === asciiOnly ? null : small;
}

function dense(db, log) {
  const sum = db.prepare("SELECT count(*) AS rows, max(seq) AS head FROM (SELECT id AS seq FROM messages UNION SELECT seq FROM changes)");
  const { rows, head } = sum.get();
  if (rows !== log.head || head !== log.head) throw new Stop(`The log has ${rows} positions up to ${head}, not ${log.head}.`);
}
