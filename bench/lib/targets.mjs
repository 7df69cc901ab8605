import { mint } from "../../tests/support/token.ts";
import { startWorker } from "../../tests/support/worker.ts";
import { startPeer } from "./peer.mjs";

/** Nothing may hold the load back: no limit of frames, none of sockets. */
const UNLIMITED = { ACCESS: "any", MESSAGE_RATE: "0", SOCKETS_PER_USER: "0" };
const HOURS = 3600;

/**
 * What is compared. `start` gives `{ pid, port, logs, stop }` of a fresh process with fresh data; `token` is what the
 * user with this number connects with.
 */
export const TARGETS = {
  v1: { dialect: "v1", start: startOurs, token: ourToken },
  classic: { dialect: "classic", start: startOurs, token: ourToken },
  minimal: { dialect: "classic", start: () => startPeer("minimal.js"), token: String },
  turns: { dialect: "v1", start: () => startPeer("turns.js"), token: String },
  "turns-classic": { dialect: "classic", start: () => startPeer("turns.js"), token: String },
};

async function startOurs() {
  const worker = await startWorker({ vars: UNLIMITED });
  return { pid: worker.pid, port: worker.port, logs: worker.logs, stop: () => worker.stop() };
}

function ourToken(user) {
  return mint({ user_id: user }, { lifetime: 12 * HOURS });
}
