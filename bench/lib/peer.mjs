import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { scratch } from "../../tests/support/run.ts";
import { COMPATIBILITY_DATE, quoted, Runtime } from "../../tests/support/runtime.ts";

const PEERS = fileURLToPath(new URL("../peers/", import.meta.url));
const SHARED = "room.js";

/** Starts one of `peers/` on the same runtime, with fresh data. Gives `{ pid, port, stop }`, as our Worker's start does. */
export async function startPeer(file) {
  const folder = scratch("peer");
  for (const module of [file, SHARED]) copyFileSync(join(PEERS, module), join(folder, module));
  mkdirSync(join(folder, "data"));
  const config = join(folder, "config.capnp");
  writeFileSync(config, capnp(file));
  const logs = [];
  const runtime = new Runtime(logs);
  const ports = await runtime.serve(config, ["chat"]);
  const stop = async () => {
    await runtime.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  return { pid: runtime.pid, port: ports.get("chat"), logs, stop };
}

function capnp(file) {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "chat", worker = .chat),
    (name = "data", disk = (path = "data", writable = true)),
  ],
  sockets = [(name = "chat", address = "127.0.0.1:0", http = (), service = "chat")],
);
const chat :Workerd.Worker = (
  modules = [
    (name = ${quoted(file)}, esModule = embed ${quoted(file)}),
    (name = ${quoted(SHARED)}, esModule = embed ${quoted(SHARED)}),
  ],
  compatibilityDate = ${quoted(COMPATIBILITY_DATE)},
  durableObjectNamespaces = [(className = "Room", uniqueKey = "peer-Room", enableSql = true)],
  durableObjectStorage = (localDisk = "data"),
  bindings = [(name = "ROOMS", durableObjectNamespace = "Room")],
);
`;
}
