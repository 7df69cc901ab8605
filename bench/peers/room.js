// What both peers have in common: the address, the table, and the shape of a message. They check no token and know no
// limit: a token is the user's id as it stands.

/** The stateless half: an upgrade goes to the project's object. */
export const worker = {
  fetch(request, env) {
    const project = /^\/ws\/chat\/project\/(\d+)\/$/.exec(new URL(request.url).pathname)?.[1];
    if (!project) return new Response("Not found", { status: 404 });
    return env.ROOMS.get(env.ROOMS.idFromName(project)).fetch(request);
  },
};

/** Who a socket belongs to. */
export function userOf(request) {
  return Number(new URL(request.url).searchParams.get("token"));
}

export class Messages {
  #sql;
  #project;
  /** The highest id given. */
  head;

  constructor(ctx) {
    this.#sql = ctx.storage.sql;
    this.#project = Number(ctx.id.name);
    this.#sql.exec(`CREATE TABLE IF NOT EXISTS messages (
      id INTEGER PRIMARY KEY, sender INTEGER NOT NULL, client_message_id TEXT, content TEXT NOT NULL,
      created_at INTEGER NOT NULL
    )`);
    this.#sql.exec(`CREATE UNIQUE INDEX IF NOT EXISTS messages_once
      ON messages (sender, client_message_id) WHERE client_message_id IS NOT NULL`);
    this.head = this.#sql.exec("SELECT coalesce(max(id), 0) AS head FROM messages").one().head;
  }

  /** Stores a message and gives it as clients see it; `again` when it had been stored before. */
  add(sender, { client_message_id = null, content }) {
    const id = this.head + 1;
    const now = Date.now();
    const { rowsWritten } = this.#sql.exec(
      `INSERT INTO messages (id, sender, client_message_id, content, created_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
      ...[id, sender, client_message_id, content, now],
    );
    if (rowsWritten > 0) {
      this.head = id;
      return { again: false, message: this.#shown({ id, sender, client_message_id, content, created_at: now }) };
    }
    const stored = this.#sql.exec(
      "SELECT * FROM messages WHERE sender = ? AND client_message_id = ?",
      ...[sender, client_message_id],
    );
    return { again: true, message: this.#shown(stored.one()) };
  }

  #shown({ id, sender, client_message_id, content, created_at }) {
    return {
      id,
      client_message_id,
      project: this.#project,
      sender: { id: sender, username: `User ${sender}`, first_name: "", last_name: "", profile_pic: null },
      content,
      attachment: null,
      created_at: new Date(created_at).toISOString(),
      read_at: null,
    };
  }
}

/** Hands frames to sockets, socket by socket. */
export function send(sockets, ...frames) {
  for (const socket of sockets) {
    try {
      for (const frame of frames) socket.send(frame);
    } catch {
      // closed meanwhile
    }
  }
}
