// A turn's effects: collected while the turn runs, carried out when it has been committed.

/** The answer to a call, or to a socket that was not let in. */
export interface Answer {
  status: number;
  body: string;
  recheckMs?: number;
  page?: string;
  retryAfterMs?: number;
}

/** Passed to Rust; `src/object/bindings.rs` is the other side. */
export class Effects {
  readonly accepted: { ticket: number; conn: number; recheckMs?: number }[] = [];
  readonly answers: { ticket: number; answer: Answer }[] = [];
  readonly attachments = new Map<number, string>();
  readonly closes: { conn: number; code: number; reason: string }[] = [];
  readonly verifications: { conn: number; token: string }[] = [];
  readonly questions: { project: string; body: string }[] = [];
  readonly tells: { user: string; body: string }[] = [];
  /** Frames by list of sockets, in the order in which they are sent. */
  readonly sends: { conns: Uint32Array; frames: string[] }[] = [];
  alarmAt?: number;
  wakeAt?: number;
  rowsRead = 0;
  rowsWritten = 0;

  accept(ticket: number, conn: number, recheckMs?: number): void {
    this.accepted.push({ ticket, conn, recheckMs });
  }

  answer(ticket: number, status: number, body: string, recheckMs?: number, page?: string, retryAfterMs?: number): void {
    this.answers.push({ ticket, answer: { status, body, recheckMs, page, retryAfterMs } });
  }

  /** Frames for the same sockets that follow each other leave together: adjacent frames of a socket share a write. */
  send(conns: Uint32Array, frame: string): void {
    const last = this.sends.at(-1);
    if (last?.conns === conns) last.frames.push(frame);
    else this.sends.push({ conns, frames: [frame] });
  }

  attach(conn: number, attachment: string): void {
    this.attachments.set(conn, attachment);
  }

  close(conn: number, code: number, reason: string): void {
    this.closes.push({ conn, code, reason });
  }

  verify(conn: number, token: string): void {
    this.verifications.push({ conn, token });
  }

  alarm(at: number): void {
    this.alarmAt = at;
  }

  wake(at: number): void {
    this.wakeAt = Math.min(at, this.wakeAt ?? at);
  }

  tell(user: string, body: string): void {
    this.tells.push({ user, body });
  }

  askRoom(project: string, body: string): void {
    this.questions.push({ project, body });
  }

  cost(rowsRead: number, rowsWritten: number): void {
    this.rowsRead += rowsRead;
    this.rowsWritten += rowsWritten;
  }
}
