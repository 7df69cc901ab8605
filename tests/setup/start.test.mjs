import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { realpathSync, rmSync, statSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const NOT_COPIED = new Set([".git", ".data", ".dev.vars", ".wrangler", "build-probe", "node_modules", "target", "tests"]);
const SECOND_START_MS = 15_000;

/** A checkout of its own, built already: with its own settings and data. */
const checkout = join(realpathSync(mkdtempSync(join(tmpdir(), "chat-start-"))), "project-chat");
cpSync(ROOT, checkout, { recursive: true, filter: (file) => !NOT_COPIED.has(file.slice(ROOT.length)) });
symlinkSync(join(ROOT, "node_modules"), join(checkout, "node_modules"));

const running = new Set();
after(() => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(join(checkout, ".."), { recursive: true });
});

const port = await freePort();
const url = `http://127.0.0.1:${port}`;

test("the first start makes settings with a fresh secret, and serves", { timeout: 60_000 }, async () => {
  const server = await start();
  const settings = readFileSync(join(checkout, ".dev.vars"), "utf8");
  assert.match(settings, /^JWT_SECRET="dev-[\w-]{40,}"$/m);
  assert.equal(statSync(join(checkout, ".dev.vars")).mode & 0o777, 0o600);

  const sent = await call("/api/projects/7/chat/messages/create/", await token(), { content: "still here" });
  assert.equal(sent.status, 201);
  await server.end();
});

test("SIGTERM ended it with everything it had started", () => {
  assert.deepEqual(processesOf(checkout), []);
});

test("a second start takes less than 15 s, keeps the settings and the messages", { timeout: 60_000 }, async () => {
  const before = readFileSync(join(checkout, ".dev.vars"), "utf8");
  const began = Date.now();
  const server = await start();
  assert.ok(Date.now() - began < SECOND_START_MS, `${Date.now() - began} ms`);
  assert.equal(readFileSync(join(checkout, ".dev.vars"), "utf8"), before);

  const history = await (await call("/api/projects/7/chat/messages/", await token())).json();
  assert.deepEqual(history.map((message) => message.content), ["still here"]);

  const another = run({ PORT: String(port) });
  assert.deepEqual(await another.ended, [1, null]);
  assert.deepEqual(another.lines, [`Port ${port} is in use: choose another one, as in PORT=8001 npm start.`]);
  await server.end();
});

test("a PORT that is none is named in one line", async () => {
  const { ended, lines } = run({ PORT: "http" });
  assert.deepEqual(await ended, [1, null]);
  assert.deepEqual(lines, ["PORT=http is not a port."]);
});

/** `npm start` in that checkout, as npm runs it. */
function run(env) {
  const child = spawn(process.execPath, ["scripts/start.mjs"], { cwd: checkout, env: { ...process.env, ...env } });
  running.add(child);
  const lines = [];
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", (line) => lines.push(line));
  const ended = once(child, "close").finally(() => running.delete(child));
  return { child, lines, ended };
}

/** Started, and serving. */
async function start() {
  const { child, lines, ended } = run({ PORT: String(port) });
  const serving = new Promise((done) => {
    createInterface({ input: child.stdout }).on("line", (line) => line.startsWith(`project-chat: ${url}`) && done());
  });
  await Promise.race([serving, ended.then(() => assert.fail(lines.join("\n")))]);
  return {
    async end() {
      child.kill("SIGTERM");
      assert.deepEqual(await ended, [143, null], lines.join("\n"));
    },
  };
}

async function token() {
  const answer = await call("/dev/token/", undefined, { user_id: 7, username: "ann" });
  return (await answer.json()).access;
}

function call(path, token, body) {
  return fetch(url + path, {
    method: body ? "POST" : "GET",
    headers: { "content-type": "application/json", connection: "close", ...(token ? { authorization: `Bearer ${token}` } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(10_000),
  });
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

/** The command lines of those that work in a folder, where the system tells. */
function processesOf(folder) {
  if (!existsSync("/proc/self/cmdline")) return [];
  return readdirSync("/proc").flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      return readlinkSync(`/proc/${pid}/cwd`).startsWith(folder) ? [command] : [];
    } catch {
      return []; // Not a process, or just gone.
    }
  });
}
