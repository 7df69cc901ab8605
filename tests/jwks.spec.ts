import { describe, expect, test } from "vitest";

import { eventually } from "./support/deadline.ts";
import { type Answer, call } from "./support/http.ts";
import { type KeyPair, keyPair, type KeyServer, startKeyServer } from "./support/keys.ts";
import { simpleJwt, type SimpleJwtOptions } from "./support/simplejwt.ts";
import { startWorker, type Worker } from "./support/worker.ts";
import { nextId } from "./support/world.ts";

/** Which keys a token may be signed with, and where they come from. Tokens are SimpleJWT's; they name their project. */

const rsa = keyPair("RS256", "rsa");
const curve = keyPair("ES256", "curve");
const edwards = keyPair("EdDSA", "edwards");
const pairs = [rsa, curve, edwards];

const oldSecret = "the-old-secret-that-tokens-were-signed-with";
const newSecret = "the-new-secret-that-tokens-are-signed-with-now";

type Outcome = [status: number, code: string | undefined];
const IN: Outcome = [200, undefined];

/** What somebody with such a token gets who asks for a page of history. */
async function asks(worker: Worker, options: SimpleJwtOptions): Promise<Answer> {
  const project = nextId();
  const token = await simpleJwt(7, { ...options, claims: { projects: [project], ...options.claims } });
  return call(`${worker.url}/api/projects/${project}/chat/messages/`, { token });
}

async function tries(worker: Worker, options: SimpleJwtOptions): Promise<Outcome> {
  const answer = await asks(worker, options);
  return [answer.status, answer.json?.code];
}

const signedBy = ({ algorithm, privateKey }: KeyPair): SimpleJwtOptions => ({ algorithm, key: privateKey });
const named = (pair: KeyPair): SimpleJwtOptions => ({ ...signedBy(pair), kid: pair.kid });

async function withWorker<T>(vars: Record<string, string | undefined>, use: (worker: Worker) => Promise<T>): Promise<T> {
  const worker = await startWorker({ vars: { JWT_SECRET: undefined, ACCESS: "claims", ...vars } });
  try {
    return await use(worker);
  } finally {
    await worker.stop();
  }
}

describe("keys that are configured", () => {
  test.each(["HS256", "HS384", "HS512"] as const)("%s is for the secret when JWT_SECRET_ALGORITHM says so, and no other", async (algorithm) => {
    await withWorker({ JWT_SECRET: newSecret, JWT_SECRET_ALGORITHM: algorithm }, async (worker) => {
      for (const tried of ["HS256", "HS384", "HS512"] as const) {
        const expected: Outcome = tried === algorithm ? IN : [401, "token_bad_algorithm"];
        expect(await tries(worker, { algorithm: tried, key: newSecret })).toEqual(expected);
      }
    });
  });

  test.each(pairs)("$algorithm is what its kind of public key is for", async (pair) => {
    await withWorker({ JWT_PUBLIC_KEY: pair.publicKey }, async (worker) => {
      expect(await tries(worker, signedBy(pair))).toEqual(IN);
      expect(await tries(worker, named(pair))).toEqual(IN);
      expect(await tries(worker, signedBy(keyPair(pair.algorithm)))).toEqual([401, "token_bad_signature"]);
      expect(await tries(worker, { algorithm: "HS256-raw", key: pair.publicKey })).toEqual([401, "token_bad_algorithm"]);
      for (const other of pairs.filter(({ kid }) => kid !== pair.kid)) {
        expect(await tries(worker, signedBy(other))).toEqual([401, "token_bad_algorithm"]);
      }
    });
  });

  test("the line breaks of a key may be written as \\n", async () => {
    await withWorker({ JWT_PUBLIC_KEY: rsa.publicKey.trim().replaceAll("\n", "\\n") }, async (worker) => {
      expect(await tries(worker, signedBy(rsa))).toEqual(IN);
    });
  });

  test("a secret and several public keys hold at once, each for its own algorithm", async () => {
    const JWT_PUBLIC_KEY = pairs.map(({ publicKey }) => publicKey).join("\n");
    await withWorker({ JWT_SECRET: newSecret, JWT_PUBLIC_KEY }, async (worker) => {
      for (const pair of pairs) expect(await tries(worker, signedBy(pair))).toEqual(IN);
      expect(await tries(worker, { key: newSecret })).toEqual(IN);
      expect(await tries(worker, { algorithm: "HS256-raw", key: rsa.publicKey })).toEqual([401, "token_bad_signature"]);
    });
  });

  test("while a secret rotates both are good; afterwards the old one is not", async () => {
    await withWorker({ JWT_SECRET: `${newSecret} ${oldSecret}` }, async (worker) => {
      expect(await tries(worker, { key: newSecret })).toEqual(IN);
      expect(await tries(worker, { key: oldSecret })).toEqual(IN);
      await worker.restart({ vars: { JWT_SECRET: newSecret } });
      expect(await tries(worker, { key: newSecret })).toEqual(IN);
      expect(await tries(worker, { key: oldSecret })).toEqual([401, "token_bad_signature"]);
    });
  });

  test.each(pairs)("while an $algorithm key rotates both are good; afterwards the old one is not", async (old) => {
    const fresh = keyPair(old.algorithm);
    await withWorker({ JWT_PUBLIC_KEY: old.publicKey + fresh.publicKey }, async (worker) => {
      expect(await tries(worker, signedBy(old))).toEqual(IN);
      expect(await tries(worker, signedBy(fresh))).toEqual(IN);
      await worker.restart({ vars: { JWT_PUBLIC_KEY: fresh.publicKey } });
      expect(await tries(worker, signedBy(old))).toEqual([401, "token_bad_signature"]);
      expect(await tries(worker, signedBy(fresh))).toEqual(IN);
    });
  });
});

describe("keys that the issuer publishes", () => {
  /** A Worker that has never asked this issuer. */
  async function asking<T>(vars: Record<string, string>, use: (worker: Worker, issuer: KeyServer) => Promise<T>): Promise<T> {
    const own = await startKeyServer(...pairs);
    try {
      return await withWorker({ JWKS_URL: own.url, ACCESS_TIMEOUT_MS: "500", ...vars }, (worker) => use(worker, own));
    } finally {
      await own.stop();
    }
  }

  test("are fetched once and kept, for every algorithm, with a kid and without", async () => {
    await asking({}, async (worker, issuer) => {
      for (const pair of pairs) {
        expect(await tries(worker, named(pair))).toEqual(IN);
        expect(await tries(worker, signedBy(pair))).toEqual(IN);
      }
      expect(issuer.fetches).toBe(1);
    });
  });

  test("need no alg and no use; what is no public key for signatures is passed over", async () => {
    await asking({}, async (worker, issuer) => {
      const { alg: _alg, use: _use, ...bare } = rsa.jwk;
      const secret = Buffer.from(newSecret).toString("base64url");
      issuer.publishes(
        bare,
        { ...curve.jwk, use: "enc" },
        { kty: "oct", kid: "oct", alg: "HS256", k: secret },
        { kty: "unheard-of", kid: "odd" },
        { kty: "RSA", kid: "broken" },
        edwards,
      );
      expect(await tries(worker, named(rsa))).toEqual(IN);
      expect(await tries(worker, named(edwards))).toEqual(IN);
      expect(await tries(worker, { key: newSecret, kid: "oct" })).toEqual([401, "token_bad_algorithm"]);
      expect(await tries(worker, named(curve))).toEqual([401, "token_bad_algorithm"]);
    });
  });

  test("decide the algorithm, not the token", async () => {
    await asking({}, async (worker) => {
      expect(await tries(worker, { algorithm: "HS256-raw", key: rsa.publicKey })).toEqual([401, "token_bad_algorithm"]);
      expect(await tries(worker, { ...signedBy(curve), kid: rsa.kid })).toEqual([401, "token_bad_algorithm"]);
      expect(await tries(worker, { ...signedBy(keyPair("RS256")), kid: rsa.kid })).toEqual([401, "token_bad_signature"]);
    });
  });

  test("stand beside a secret, which needs no issuer", async () => {
    await asking({ JWT_SECRET: newSecret }, async (worker, issuer) => {
      await issuer.stop();
      expect(await tries(worker, { key: newSecret })).toEqual(IN);
      expect(await tries(worker, { key: oldSecret })).toEqual([401, "token_bad_signature"]);
      expect(await tries(worker, { algorithm: "HS512", key: newSecret })).toEqual([401, "token_bad_algorithm"]);
      expect(issuer.fetches).toBe(0);
      await issuer.start();
      expect(await tries(worker, named(rsa))).toEqual(IN);
    });
  });

  test("are fetched again for an unknown kid: a new key is good from its first token, a withdrawn one no longer", async () => {
    await asking({}, async (worker, issuer) => {
      expect(await tries(worker, named(rsa))).toEqual(IN);
      const fresh = keyPair("RS256");
      issuer.publishes(fresh, curve);

      expect(await tries(worker, named(fresh))).toEqual(IN);

      expect(await tries(worker, named(curve))).toEqual(IN);
      expect(await tries(worker, named(rsa))).toEqual([503, "keys_unavailable"]);
      expect(issuer.fetches).toBe(2);
    });
  });

  test("are fetched at most once a minute for unknown kids, which are 503 meanwhile, and then a new key is good", { timeout: 100_000 }, async () => {
    await asking({}, async (worker, issuer) => {
      expect(await tries(worker, named(rsa))).toEqual(IN);
      const began = Date.now();
      const madeUp = (number: number) => ({ ...signedBy(rsa), kid: `made up ${number}` });
      expect(await tries(worker, madeUp(0))).toEqual([401, "token_bad_signature"]);
      for (let number = 1; number < 20; number++) {
        expect(await tries(worker, madeUp(number))).toEqual([503, "keys_unavailable"]);
      }
      expect(issuer.fetches).toBe(2);

      const fresh = keyPair("RS256");
      issuer.publishes(fresh, rsa);
      const early = await asks(worker, named(fresh));
      expect([early.status, early.json.code]).toEqual([503, "keys_unavailable"]);
      expect(Number(early.headers["retry-after"])).toBeGreaterThanOrEqual(60 - (Date.now() - began) / 1000);
      expect(Number(early.headers["retry-after"])).toBeLessThanOrEqual(60);
      await eventually(80_000, "the new key to be known", async () => {
        const [status] = await tries(worker, named(fresh));
        return status === 200 || undefined;
      });

      expect(Date.now() - began).toBeGreaterThan(55_000);
      expect(issuer.fetches).toBe(3);
      expect(await tries(worker, named(rsa))).toEqual(IN);
    });
  });

  const moods: [string, (issuer: KeyServer) => Promise<void> | void][] = [
    ["is stopped", (issuer) => issuer.stop()],
    ["answers 500", (issuer) => void (issuer.mood = 500)],
    ["answers 404", (issuer) => void (issuer.mood = 404)],
    ["does not answer", (issuer) => void (issuer.mood = "silent")],
    ["answers no JSON", (issuer) => issuer.says("<!doctype html>")],
    ["answers something else", (issuer) => issuer.says('{"keys": "none"}')],
  ];

  test.each(moods)("an issuer who %s makes it 503, never 401, while no keys are known", async (_what, becomes) => {
    await asking({}, async (worker, issuer) => {
      await becomes(issuer);
      for (const options of [named(rsa), signedBy(rsa), named(keyPair("ES256")), { ...named(rsa), lifetime: -1 }]) {
        expect(await tries(worker, options)).toEqual([503, "keys_unavailable"]);
      }
    });
  });

  test.each([
    ["answers 500", 500],
    ["does not answer", "silent"],
  ] as const)("an issuer who %s is left alone for two seconds, while no keys are known", async (_what, mood) => {
    await asking({ ACCESS_TIMEOUT_MS: "2500" }, async (worker, issuer) => {
      issuer.mood = mood;
      const began = Date.now();
      const answers: Answer[] = [];
      for (let number = 0; number < 5; number++) answers.push(await asks(worker, named(rsa)));
      // More often only if the five took that long: the two seconds begin when the question has failed.
      const pause = mood === "silent" ? 2_500 + 2_000 : 2_000;
      expect(issuer.fetches).toBeLessThanOrEqual(1 + Math.floor((Date.now() - began) / pause));
      for (const answer of answers) {
        expect([answer.status, answer.json.code]).toEqual([503, "keys_unavailable"]);
        expect(["1", "2"]).toContain(answer.headers["retry-after"]);
      }

      issuer.mood = "well";
      await eventually(10_000, "the keys to be fetched", async () => {
        const [status] = await tries(worker, named(rsa));
        return status === 200 || undefined;
      });
    });
  });

  test.each(moods)("an issuer who %s leaves the known keys good, and makes an unknown kid 503, never 401", async (_what, becomes) => {
    await asking({}, async (worker, issuer) => {
      expect(await tries(worker, named(rsa))).toEqual(IN);
      await becomes(issuer);
      expect(await tries(worker, named(keyPair("RS256")))).toEqual([503, "keys_unavailable"]);
      expect(await tries(worker, named(keyPair("RS256")))).toEqual([503, "keys_unavailable"]);
      expect(await tries(worker, named(rsa))).toEqual(IN);
      expect(await tries(worker, { ...signedBy(keyPair("RS256")), kid: rsa.kid })).toEqual([401, "token_bad_signature"]);
    });
  });

  test("what is no token at all is 401 whatever the issuer does", async () => {
    await asking({}, async (worker, issuer) => {
      await issuer.stop();
      const answer = await call(`${worker.url}/api/projects/7/chat/messages/`, { token: "garbage" });
      expect([answer.status, answer.json.code]).toEqual([401, "token_malformed"]);
      expect(await tries(worker, { algorithm: "none" })).toEqual([401, "token_unsigned"]);
      expect(issuer.fetches).toBe(0);
    });
  });
});
