import { joins, V1Client, type JoinOptions } from "./v1-client.ts";
import type { Person } from "./world.ts";

/** A client of the inbox: the same frames as a project's socket, at another address. Opened, and `hello` awaited. */
export function listens(person: Person, options: JoinOptions = {}): Promise<V1Client> {
  return joins(atInbox(person), options);
}

/** The person, whose sockets are the inbox's. */
export function atInbox(person: Person): Person {
  const twin = person.in(person.project);
  const base = (person.address ?? person.world.worker.url).replace("http", "ws");
  twin.socketUrl = (token = person.token()) => `${base}/ws/chat/inbox/?token=${token}`;
  return twin;
}
