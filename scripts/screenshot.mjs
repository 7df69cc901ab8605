import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { ROOT } from "./lib/places.mjs";
import { start } from "./lib/run.mjs";
import { main } from "./lib/terminal.mjs";
import { buildWorker } from "./lib/worker-build.mjs";
import { setUp } from "./setup/set-up.mjs";

/** Where the picture goes. */
const PICTURE = join(ROOT, "docs/two-windows.png");
const WINDOW = { width: 690, height: 500 };
const MARGIN = 28;
const SCALE = 1.25;
const DEADLINE_MS = 60_000;

const PROJECTS = { 5: "Garden house", 6: "Kitchen", 7: "Roof" };
const PEOPLE = { Ann: 7, Ben: 8, Cara: 9, Dev: 10 };

/** Takes the README's picture: two people in two windows of one project, on a Worker with data of its own. */
await main(async () => {
  const env = await setUp({ start: true, tests: true });
  await buildWorker("worker", env);
  const folder = mkdtempSync(join(tmpdir(), "project-chat-"));
  const backend = await startBackend();
  const { worker, url } = await startWorker(folder, backend.address().port, env);
  const browser = await chromium.launch({
    executablePath: env.CHROMIUM,
    args: ["--disable-quic", "--no-first-run", ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])],
  });
  try {
    await prepare(url);
    const windows = await talk(browser, url);
    const picture = await sideBySide(browser, windows);
    writeFileSync(PICTURE, picture);
    console.log(`docs/two-windows.png: ${Math.round(picture.length / 1024)} KiB`);
  } finally {
    await browser.close();
    backend.close();
    process.kill(-worker.pid, "SIGTERM");
    await new Promise((done) => worker.once("close", done));
    rmSync(folder, { recursive: true, force: true });
  }
});

/** The application behind: everybody is in every project. */
async function startBackend() {
  const server = createServer((request, response) => {
    const id = /^\/projects\/(\d+)\/$/.exec(request.url ?? "")?.[1];
    const projects = Object.entries(PROJECTS).map(([id, name]) => ({ id: Number(id), name }));
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(id ? { id: Number(id), name: PROJECTS[id] } : projects));
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return server;
}

async function startWorker(folder, backendPort, env) {
  const port = await freePort();
  const backend = `http://127.0.0.1:${backendPort}`;
  const settings = join(folder, "settings");
  const lines = [
    'JWT_SECRET="dev-only-for-the-picture-in-the-README"',
    'ACCESS="origin"',
    `ACCESS_URL="${backend}/projects/{project}/"`,
    `PROJECTS_URL="${backend}/projects/"`,
  ];
  writeFileSync(settings, lines.join("\n"));
  const args = ["dev", "--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0", "--log-level", "error"];
  const own = ["--persist-to", folder, "--env-file", settings, "--show-interactive-dev-session=false"];
  const worker = start(join(ROOT, "node_modules/.bin/wrangler"), [...args, ...own], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...env, XDG_CONFIG_HOME: folder },
  });
  const url = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await fetch(url).then((answer) => answer.ok, () => false))) {
    if (Date.now() > deadline || worker.exitCode !== null) throw new Error("The Worker did not start.");
    await new Promise((done) => setTimeout(done, 100));
  }
  return { worker, url };
}

async function freePort() {
  const probe = createServer();
  await new Promise((done) => probe.listen(0, "127.0.0.1", done));
  const { port } = probe.address();
  await new Promise((done) => probe.close(done));
  return port;
}

/** What others said elsewhere, so that the lists are not empty. */
async function prepare(url) {
  const post = async (path, token, body) => {
    const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
    const answer = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const says = async (name, project, content) => {
    const { access } = await post("/dev/token/", undefined, { user_id: PEOPLE[name], username: name });
    await post(`/api/projects/${project}/chat/messages/`, access, { content });
  };
  await says("Cara", 6, "The tiles have arrived.");
  await says("Cara", 6, "Both boxes, and none is broken.");
  await says("Dev", 7, "The inverter comes on Thursday.");
}

/** Gives Ann's window in the light and Ben's in the dark, in the middle of their conversation. */
async function talk(browser, url) {
  const open = async (name, colorScheme) => {
    const context = await browser.newContext({ viewport: WINDOW, deviceScaleFactor: SCALE, colorScheme, locale: "en-GB" });
    const page = await context.newPage();
    await page.goto(`${url}/?as=${PEOPLE[name]}:${name}&project=5`);
    await page.getByRole("status").filter({ hasText: "Connected" }).waitFor();
    return page;
  };
  const [ann, ben] = [await open("Ann", "light"), await open("Ben", "dark")];
  const says = async (page, text) => {
    await page.getByLabel("Message").fill(text);
    await page.getByRole("button", { name: "Send" }).click();
    for (const window of [ann, ben]) await window.getByRole("log").getByText(text).waitFor();
    await page.getByRole("listitem").filter({ hasText: text }).getByRole("img", { name: /^Seen by/ }).waitFor();
  };
  await says(ann, "The new plans are in.");
  await says(ann, "Shall we go through them at ten?");
  await says(ben, "Ten is tight, I am with the roofer.");
  await says(ben, "Half past?");
  await says(ann, "Half past ten it is. I'll bring samples.");
  await ann.getByRole("navigation", { name: "Contacts" }).getByText("Half past ten it is").waitFor();
  await ben.getByLabel("Message").pressSequentially("Good. Then we can also look at");
  await ann.getByText("Ben is typing…").waitFor();
  return [ann, ben];
}

async function sideBySide(browser, windows) {
  const shots = await Promise.all(windows.map((page) => page.screenshot({ caret: "initial" })));
  const width = windows.length * (WINDOW.width + MARGIN) + MARGIN;
  const viewport = { width, height: WINDOW.height + 2 * MARGIN };
  const context = await browser.newContext({ viewport, deviceScaleFactor: SCALE });
  const stage = await context.newPage();
  await stage.setContent(`<style>
    body { display: flex; gap: ${MARGIN}px; margin: ${MARGIN}px; background: #dfe3dd }
    img { width: ${WINDOW.width}px; height: ${WINDOW.height}px; border-radius: 12px; outline: 1px solid #0002 }
  </style>${shots.map((shot) => `<img src="data:image/png;base64,${shot.toString("base64")}">`).join("")}`);
  return stage.screenshot();
}
