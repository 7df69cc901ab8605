import { expect, test } from "vitest";

import { startWorld } from "./support/world.ts";

test("the object's own SQLite keeps the contract of the storage port, as the native one does", async () => {
  const world = await startWorld({ build: "build-probe" });
  try {
    const { project } = world.project("alice");
    const answer = await world.worker.call("/dev/probe/", { method: "POST", body: { project, probe: "db_contract" } });
    expect(answer.json?.failed).toBeUndefined();
    expect(answer.status).toBe(200);
    expect(answer.json.checks).toBeGreaterThan(0);
  } finally {
    await world.stop();
  }
});
