import { createHmac } from "node:crypto";

import { DEV_SECRET } from "./worker.ts";

export interface TokenOptions {
  secret?: string;
  algorithm?: "HS256" | "HS384" | "HS512";
  /** Seconds from now until it expires; negative: it expired that long ago. Default 300, as SimpleJWT's. */
  lifetime?: number;
  /** Seconds ago at which it was issued. Default 0, or long enough ago for an expired one. */
  age?: number;
}

/** A JSON Web Token of the shape that SimpleJWT gives out, signed with the development secret unless told otherwise. */
export function mint(claims: Record<string, unknown>, options: TokenOptions = {}): string {
  const { secret = DEV_SECRET, algorithm = "HS256", lifetime = 300 } = options;
  const age = options.age ?? (lifetime < 0 ? 300 - lifetime : 0);
  const now = Math.floor(Date.now() / 1000);
  const payload = {
    token_type: "access",
    exp: now + lifetime,
    iat: now - age,
    jti: crypto.randomUUID().replaceAll("-", ""),
    ...claims,
  };
  const signed = `${encoded({ alg: algorithm, typ: "JWT" })}.${encoded(payload)}`;
  const digest = algorithm.replace("HS", "sha");
  return `${signed}.${createHmac(digest, secret).update(signed).digest("base64url")}`;
}

/** The claims of a token whose signature and expiry hold; `undefined` for any other. */
export function verified(token: string, secret = DEV_SECRET): Record<string, unknown> | undefined {
  const [header, payload, signature] = token.split(".");
  const expected = createHmac("sha256", secret).update(`${header}.${payload}`).digest("base64url");
  if (!payload || signature !== expected) return undefined;
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as Record<string, unknown>;
  return Number(claims["exp"]) > Date.now() / 1000 ? claims : undefined;
}

function encoded(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}
