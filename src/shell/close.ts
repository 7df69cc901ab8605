// A close frame from a client has to be answered by hand on hibernating sockets, or the client never sees its own
// (workerd 1.20261117, compatibility date 2026-10-01; the documentation of `web_socket_auto_reply_to_close` says
// otherwise, but the flag covers only sockets that do not hibernate).

/** Codes that stand for "no code came" and must not be sent. */
const NOT_SENDABLE = new Set([1005, 1006, 1015]);

export function answerClose(socket: WebSocket, code: number, reason: string): void {
  try {
    if (NOT_SENDABLE.has(code)) socket.close();
    else socket.close(code, reason);
  } catch {
    // the connection broke without a close frame: there is nobody to answer
  }
}
