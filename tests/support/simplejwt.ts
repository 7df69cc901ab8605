import { PythonProcess } from "./python.ts";
import type { Id } from "./socket.ts";
import { DEV_SECRET } from "./worker.ts";

export interface SimpleJwtOptions {
  /** Default `access`. */
  type?: "access" | "refresh";
  /** Seconds from now until it expires; negative: it expired that long ago. Default: SimpleJWT's five minutes. */
  lifetime?: number;
  /** Set over SimpleJWT's own; `null` takes one away. */
  claims?: Record<string, unknown>;
  /**
   * Default HS256. Two are not SimpleJWT's: `none` leaves the signature empty, and `HS256-raw` uses `key` as the
   * secret whatever it is (a public key, say).
   */
  algorithm?: "HS256" | "HS384" | "HS512" | "RS256" | "ES256" | "EdDSA" | "none" | "HS256-raw";
  /** A secret or a private key in PEM. Default: the development secret. */
  key?: string;
  /** Goes into the header. */
  kid?: string;
}

let minting: Promise<PythonProcess> | undefined;

/** A token made by the real djangorestframework-simplejwt. One Python process per test process makes them all. */
export async function simpleJwt(user: Id, options: SimpleJwtOptions = {}): Promise<string> {
  const { algorithm = "HS256", key = DEV_SECRET, ...rest } = options;
  minting ??= PythonProcess.start("mint.py", {}).then((python) => python.unref());
  return (await (await minting).order({ user, algorithm, key, ...rest })) as string;
}
