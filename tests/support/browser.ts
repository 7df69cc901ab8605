import { existsSync, rmSync } from "node:fs";
import { chromium, type BrowserContext, type Page } from "playwright-core";

import { scratch } from "./run.ts";

/** `CHROMIUM`, or Debian's, or the one that Playwright installed. */
function executable(): string | undefined {
  const named = process.env["CHROMIUM"];
  if (named) return named;
  return ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));
}

/**
 * A browser with one window per person: each has storage of its own.
 *
 * ```ts
 * const browser = await startBrowser();
 * const page = await browser.window();
 * expect(browser.complaints).toEqual([]);   // nothing in any console
 * await browser.stop();
 * ```
 */
export interface Browser {
  window(size?: { width: number; height: number }): Promise<Page>;
  /** What pages wrote to their consoles as an error or a warning, and uncaught errors. */
  complaints: string[];
  stop(): Promise<void>;
}

export async function startBrowser(): Promise<Browser> {
  const path = executable();
  const home = scratch("browser");
  const browser = await chromium.launch({
    ...(path === undefined ? {} : { executablePath: path }),
    args: [
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
    env: { ...process.env, HOME: home } as Record<string, string>,
  });
  const complaints: string[] = [];
  const contexts: BrowserContext[] = [];
  return {
    complaints,
    async window(size = { width: 960, height: 780 }) {
      const context = await browser.newContext({ viewport: size, locale: "en-GB", timezoneId: "Europe/Paris" });
      context.setDefaultTimeout(10_000);
      contexts.push(context);
      const page = await context.newPage();
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) complaints.push(message.text());
      });
      page.on("pageerror", (error) => complaints.push(String(error)));
      return page;
    },
    async stop() {
      for (const context of contexts) await context.close();
      await browser.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
