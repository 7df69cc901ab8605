import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The top of the project. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What is set up once and shared by all checkouts: tools, a standard library, Python environments. */
export const CACHE =
  process.env.PROJECT_CHAT_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "project-chat");

/** Where the Worker that `npm start` serves keeps its data. */
export const DATA = join(ROOT, ".data");

/** The first 12 hex digits of the SHA-256 of what is given. */
export function fingerprint(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex").slice(0, 12);
}
