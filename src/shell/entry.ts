// The Worker's modules: the Rust entry point and the two Durable Object classes.

import Rust, { RoomHost, UserHost } from "../../build/index.js";
import { failWithInstance } from "./instance";
import { ObjectShell, type Environment } from "./object";

export default {
  // A wasm trap anywhere in this isolate takes all of Rust's pending futures with it: the callers get a 500, instead
  // of waiting for an answer that cannot come.
  fetch: (request: Request, env: Environment, ctx: ExecutionContext): Promise<Response> =>
    failWithInstance(() => new Rust(ctx, env).fetch(request)),
};

export class Room extends ObjectShell {
  constructor(ctx: DurableObjectState, env: Environment) {
    super(ctx, env, "rooms", (shell) => new RoomHost(shell));
  }
}

export class User extends ObjectShell {
  constructor(ctx: DurableObjectState, env: Environment) {
    super(ctx, env, "users", (shell) => new UserHost(shell));
  }
}
