import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take long start first, so that the short ones fill the other worker meanwhile. */
const LONG_FIRST = ["cost", "permissions", "v1-sockets", "resume", "life", "hibernation", "durability", "panic", "page", "backend", "jwks", "origin"];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = (file: TestSpecification) => {
      const place = LONG_FIRST.findIndex((word) => file.moduleId.includes(word));
      return place < 0 ? LONG_FIRST.length : place;
    };
    return [...files].sort((a, b) => rank(a) - rank(b) || a.moduleId.localeCompare(b.moduleId));
  }
}

export default defineConfig({
  root: import.meta.dirname,
  cacheDir: "../node_modules/.vite",
  test: {
    include: ["**/*.spec.ts"],
    globalSetup: ["support/run.ts"],
    pool: "forks",
    maxWorkers: 2,
    hookTimeout: 60_000,
    testTimeout: 20_000,
    sequence: { sequencer: LongFirst },
  },
});
