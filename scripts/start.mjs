import { createServer } from "node:net";

import { DATA } from "./lib/places.mjs";
import { start } from "./lib/run.mjs";
import { main, Stop } from "./lib/terminal.mjs";
import { buildWorker } from "./lib/worker-build.mjs";
import { WRANGLER, wranglerEnv } from "./lib/wrangler.mjs";
import { setUp } from "./setup/set-up.mjs";

const HOST = "127.0.0.1";
const ASK_EVERY_MS = 100;

const DEV = [
  "dev",
  ...["--ip", HOST, "--persist-to", DATA, "--log-level", "warn", "--inspector-port", "0"],
  "--show-interactive-dev-session=false",
  // The Worker must see the Host that was asked for: development sign-in is for loopback only.
  "--infer-origin-from-routes=false",
];

/** No copies of requests on disk, and nothing asked of a server elsewhere. */
const ALONE = {
  X_LOCAL_OBSERVABILITY: "false",
  X_LOCAL_EXPLORER: "false",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
};

await main(async () => {
  const port = portWanted();
  await mustBeFree(port);
  const env = await setUp({ start: true });
  await buildWorker("worker", env);
  return serve(port, env);
});

function portWanted() {
  const port = Number(process.env.PORT || 8000);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new Stop(`PORT=${process.env.PORT} is not a port.`);
}

function mustBeFree(port) {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once("error", (error) => {
      const why = error.code === "EADDRINUSE" ? "is in use" : `cannot be used (${error.code})`;
      fail(new Stop(`Port ${port} ${why}: choose another one, as in PORT=8001 npm start.`));
    });
    probe.listen({ port, host: HOST, exclusive: true }, () => probe.close(done));
  });
}

/** Serves until it ends or is told to end; gives the exit code. */
async function serve(port, env) {
  const wrangler = start(WRANGLER, [...DEV, "--port", String(port)], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...wranglerEnv(env), ...ALONE },
  });
  const ended = new Promise((done) => wrangler.once("close", (code) => done(code ?? 1)));
  const serving = new AbortController();
  ended.then(() => serving.abort());
  if (await answers(port, serving.signal)) console.log(`project-chat: http://${HOST}:${port} (Ctrl-C ends it)`);
  return ended;
}

/** Asks until there is an answer, of whatever kind; gives `false` when that is no longer to be expected. */
async function answers(port, signal) {
  while (!signal.aborted) {
    try {
      await fetch(`http://${HOST}:${port}/`, { method: "HEAD", signal });
      return true;
    } catch {
      await new Promise((done) => setTimeout(done, ASK_EVERY_MS));
    }
  }
  return false;
}
