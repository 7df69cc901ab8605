import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A key pair as an issuer of tokens has it. */
export interface KeyPair {
  algorithm: "RS256" | "ES256" | "EdDSA";
  kid: string;
  /** PKCS #8, in PEM: what tokens are signed with. */
  privateKey: string;
  /** SPKI, in PEM: what JWT_PUBLIC_KEY takes. */
  publicKey: string;
  /** As an entry of a JWKS. */
  jwk: Record<string, unknown>;
}

export function keyPair(algorithm: KeyPair["algorithm"], kid: string = crypto.randomUUID()): KeyPair {
  const { privateKey, publicKey } = generated(algorithm);
  return {
    algorithm,
    kid,
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    publicKey: publicKey.export({ type: "spki", format: "pem" }) as string,
    jwk: { ...publicKey.export({ format: "jwk" }), kid, alg: algorithm, use: "sig" },
  };
}

function generated(algorithm: KeyPair["algorithm"]): { privateKey: KeyObject; publicKey: KeyObject } {
  if (algorithm === "RS256") return generateKeyPairSync("rsa", { modulusLength: 2048 });
  if (algorithm === "ES256") return generateKeyPairSync("ec", { namedCurve: "P-256" });
  return generateKeyPairSync("ed25519");
}

/** An issuer's JWKS at a loopback address. */
export class KeyServer {
  /** What JWKS_URL is set to. */
  url = "";
  /** How often the keys were fetched. */
  fetches = 0;
  /** What is answered: the keys, or this status, or nothing at all. */
  mood: "well" | "silent" | number = "well";
  private published: Record<string, unknown>[] = [];
  private text: string | undefined;
  private port = 0;
  private server: Server | undefined;

  /** These keys are in the set from now on, and no others. */
  publishes(...keys: (KeyPair | Record<string, unknown>)[]): void {
    this.published = keys.map((key) => ("jwk" in key ? (key.jwk as Record<string, unknown>) : key));
    this.text = undefined;
  }

  /** This text is answered instead of a set of keys. */
  says(text: string): void {
    this.text = text;
  }

  async start(): Promise<void> {
    const server = createServer((_request, response) => {
      this.fetches++;
      if (this.mood === "silent") return;
      const status = this.mood === "well" ? 200 : this.mood;
      response.writeHead(status, { "content-type": "application/json" });
      response.end(this.text ?? JSON.stringify({ keys: this.published }));
    });
    await new Promise<void>((done) => server.listen(this.port, "127.0.0.1", done));
    this.server = server;
    this.port = (server.address() as AddressInfo).port;
    this.url = `http://127.0.0.1:${this.port}/.well-known/jwks.json`;
  }

  /** Refuses connections until it is started again, at the same address. */
  async stop(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    if (!server) return;
    const closed = new Promise((done) => server.close(done));
    server.closeAllConnections();
    await closed;
  }
}

export async function startKeyServer(...keys: KeyPair[]): Promise<KeyServer> {
  const server = new KeyServer();
  server.publishes(...keys);
  await server.start();
  return server;
}
