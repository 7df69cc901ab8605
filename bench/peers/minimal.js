// The object one writes first: a message comes in, is stored, and goes out to every socket. Classic dialect only.

import { DurableObject } from "cloudflare:workers";
import { Messages, send, userOf, worker } from "./room.js";

export class Room extends DurableObject {
  #messages = new Messages(this.ctx);

  fetch(request) {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    server.serializeAttachment({ user: userOf(request) });
    return new Response(null, { status: 101, webSocket: client });
  }

  webSocketMessage(socket, data) {
    const frame = JSON.parse(data);
    if (frame.type !== "send_message") return;
    const { again, message } = this.#messages.add(socket.deserializeAttachment().user, frame);
    send(again ? [socket] : this.ctx.getWebSockets(), JSON.stringify({ type: "new.message", message }));
  }

  webSocketClose(socket) {
    socket.close();
  }
}

export default worker;
