// The minimal object's twin that works in turns: what arrives until the next round of the event loop is stored in one
// transaction, and leaves as one frame per v1 socket, the same string for all of them. What our Worker does, with
// nothing around it: the bound that it is measured against.

import { DurableObject } from "cloudflare:workers";
import { Messages, send, userOf, worker } from "./room.js";

const V1 = "project-chat.v1";
const CLASSIC = "classic";

export class Room extends DurableObject {
  #messages = new Messages(this.ctx);
  #inbox = [];

  fetch(request) {
    const { 0: client, 1: server } = new WebSocketPair();
    const v1 = request.headers.get("sec-websocket-protocol") === V1;
    this.ctx.acceptWebSocket(server, [v1 ? V1 : CLASSIC]);
    server.serializeAttachment({ user: userOf(request) });
    // Everything stored so far has been sent in the turn that stored it: from here on the socket gets the rest.
    if (v1) server.send(JSON.stringify([{ type: "hello", seq: this.#messages.head }]));
    const headers = v1 ? { "sec-websocket-protocol": V1 } : {};
    return new Response(null, { status: 101, webSocket: client, headers });
  }

  webSocketMessage(socket, data) {
    this.#inbox.push({ socket, data });
    if (this.#inbox.length === 1) setTimeout(() => this.#turn(), 0);
  }

  #turn() {
    const inputs = this.#inbox;
    this.#inbox = [];
    const added = [];
    this.ctx.storage.transactionSync(() => {
      for (const { socket, data } of inputs) {
        const frame = JSON.parse(data);
        if (frame.type !== "send_message") continue;
        added.push({ socket, ...this.#messages.add(socket.deserializeAttachment().user, frame) });
      }
    });
    const fresh = added.filter(({ again }) => !again).map(({ message }) => message);
    if (fresh.length > 0) {
      sendV1(this.ctx.getWebSockets(V1), fresh);
      sendClassic(this.ctx.getWebSockets(CLASSIC), fresh);
    }
    for (const { again, socket, message } of added) {
      if (again) this.#answerAgain(socket, message);
    }
  }

  #answerAgain(socket, message) {
    if (!this.ctx.getTags(socket).includes(V1)) return sendClassic([socket], [message]);
    const { id, client_message_id } = message;
    send([socket], JSON.stringify([{ type: "ack", client_message_id, id, seq: id }]));
  }

  webSocketClose(socket) {
    socket.close();
  }
}

/** All of them in one frame. */
function sendV1(sockets, messages) {
  if (sockets.length === 0) return;
  send(sockets, JSON.stringify(messages.map((message) => ({ type: "new.message", seq: message.id, message }))));
}

/** A frame each. */
function sendClassic(sockets, messages) {
  if (sockets.length === 0) return;
  send(sockets, ...messages.map((message) => JSON.stringify({ type: "new.message", message })));
}

export default worker;
