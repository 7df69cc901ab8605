import { join } from "node:path";

import { CACHE, ROOT } from "./places.mjs";
import { run } from "./run.mjs";

export const WRANGLER = join(ROOT, "node_modules/.bin/wrangler");

/** Its own files into our cache, nobody told, no offers. */
export function wranglerEnv(env) {
  return {
    ...env,
    XDG_CONFIG_HOME: join(CACHE, "wrangler"),
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_SEND_ERROR_REPORTS: "false",
  };
}

/** Everything of a deployment but the deployment. */
export function deployDry(env) {
  return run(WRANGLER, ["deploy", "--dry-run"], { env: wranglerEnv(env) });
}
