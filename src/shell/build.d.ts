// What worker-build makes of the Rust crate.

declare module "*/build/index.js" {
  import type { Host, Shell } from "./inputs";
  import type { Environment } from "./object";

  export const RoomHost: (new (shell: Shell) => Host) & {
    verifyToken(env: Environment, token: string, project?: string): Promise<string>;
  };
  export const UserHost: new (shell: Shell) => Host;
  const Rust: new (ctx: ExecutionContext, env: Environment) => { fetch(request: Request): Promise<Response> };
  export default Rust;
}
