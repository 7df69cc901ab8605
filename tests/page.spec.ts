import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import { startBrowser, type Browser } from "./support/browser.ts";
import { startWorld, type Person, type World } from "./support/world.ts";

let world: World;
let browser: Browser;
beforeAll(async () => {
  world = await startWorld({ asksForProjects: true });
});
afterAll(() => world?.stop());
beforeEach(async () => {
  browser = await startBrowser();
});
afterEach(() => browser?.stop());

const bubble = (page: Page, text: string) => page.getByRole("log").getByRole("listitem").filter({ hasText: text });
const says = async (page: Page, text: string) => {
  await page.getByLabel("Message").fill(text);
  await page.getByRole("button", { name: "Send" }).click();
};

/** Signs in by hand and opens the project. */
async function signsIn(page: Page, person: Person): Promise<void> {
  await page.goto(`${world.worker.url}/`);
  await page.getByLabel("User id").fill(String(person.id));
  await page.getByLabel("Name").fill(person.name);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByLabel("Project", { exact: true }).fill(String(person.project));
  await page.getByRole("button", { name: "Open" }).click();
  await page.getByRole("status").filter({ hasText: /^Connected$/ }).waitFor();
}

test("two windows talk: messages at once, typing, and what has been seen", async () => {
  const { Ann, Ben, project } = world.project("Ann", "Ben");
  const rows = world.backend.projects.get(String(project));
  if (rows) rows.name = "Garden house";
  const [ann, ben] = [await browser.window(), await browser.window()];
  await signsIn(ann, Ann);
  await signsIn(ben, Ben);

  await ann.getByLabel("Message").pressSequentially("Shall we meet at ten?");
  await ben.getByText(/^Ann( Example)? is typing…$/).waitFor();
  await ann.getByLabel("Message").press("Enter");
  await bubble(ben, "Shall we meet at ten?").waitFor();
  await ben.getByText(/is typing…$/).waitFor({ state: "hidden" });
  await bubble(ann, "Shall we meet at ten?").getByRole("img", { name: /^Seen by Ben/ }).waitFor();
  expect(await ann.getByLabel("Message").inputValue()).toBe("");

  await says(ben, "Half past ten is better, the train is late.");
  await bubble(ann, "Half past ten").waitFor();
  await bubble(ben, "Half past ten").getByRole("img", { name: /^Seen by Ann/ }).waitFor();
  await says(ann, "Fine, see you then!");
  await bubble(ben, "Fine, see you then!").waitFor();
  await bubble(ann, "Fine").getByRole("img", { name: /^Seen by Ben/ }).waitFor();
  await ann.getByRole("navigation", { name: "Contacts" }).getByText("Garden house").waitFor();
  await ann.getByRole("heading", { name: "Garden house" }).waitFor();
  await ben.getByLabel("Message").pressSequentially("I am bringing the pl");
  await ann.getByText(/is typing…$/).waitFor();
  expect(browser.complaints).toEqual([]);
});

test("what is written on the page is text, never markup", async () => {
  const { Ann, Ben } = world.project("Ann", "Ben");
  const page = await browser.window();
  await signsIn(page, Ann);
  const b = await Ben.connects();
  await b.says('<img src=x onerror="document.title=1"><b>bold</b>');
  await bubble(page, '<img src=x onerror="document.title=1"><b>bold</b>').waitFor();
  expect(await page.getByRole("log").locator("img[src=x], b").count()).toBe(0);
  expect(browser.complaints).toEqual([]);
});

test("the page comes back by itself when the server was away, and sends what was written meanwhile", async () => {
  const { Ann, Ben } = world.project("Ann", "Ben");
  const page = await browser.window();
  await signsIn(page, Ann);
  await says(page, "before");
  await bubble(page, "before").getByRole("img", { name: /^(Sent|Seen)/ }).waitFor();

  await world.worker.kill();
  await page.getByRole("status").filter({ hasText: /Trying again/ }).waitFor();
  await says(page, "meanwhile");
  await bubble(page, "meanwhile").getByRole("img", { name: "Sending" }).waitFor();
  await world.worker.restart();
  await page.getByRole("status").filter({ hasText: /^Connected$/ }).waitFor({ timeout: 20_000 });
  await bubble(page, "meanwhile").getByRole("img", { name: /^(Sent|Seen)/ }).waitFor();

  const contents = (await Ben.history()).json.map((row: { content: string }) => row.content);
  expect(contents).toEqual(["meanwhile", "before"]);
  expect(await page.getByRole("log").getByText("meanwhile").count()).toBe(1);
}, 60_000);

test("whoever may not enter is told why in words", async () => {
  const { project } = world.project("Ann");
  const page = await browser.window();
  const eve = world.person("Eve", project);
  await page.goto(`${world.worker.url}/?as=${eve.id}:Eve&project=${project}`);
  await page.getByRole("status").filter({ hasText: /No access/ }).waitFor();
});
