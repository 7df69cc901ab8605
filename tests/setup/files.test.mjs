import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";

const text = (file) => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");

test("the lock file names no registry, so that everybody's own is asked", () => {
  assert.doesNotMatch(text("package-lock.json"), /"resolved"|https?:\/\/[^"]*\.tgz/);
});

test("every npm package is pinned", () => {
  for (const [name, version] of Object.entries(JSON.parse(text("package.json")).devDependencies)) {
    assert.match(version, /^\d+\.\d+\.\d+$/, name);
  }
});

test("the example's secret is too short to be used", () => {
  const secret = /^JWT_SECRET="([^"]*)"$/m.exec(text(".dev.vars.example"))[1];
  assert.ok(secret.length < 32 && !secret.startsWith("dev-"));
});

test("npm start and npm test need nothing but Node before the packages are there", () => {
  const seen = new Set();
  const visit = (file) => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, module] of text(file).matchAll(/^(?:import|.* from) "([^"]+)";$/gm)) {
      assert.match(module, /^(node:|\.)/, file);
      if (module.startsWith(".")) visit(join(dirname(file), module));
    }
  };
  for (const name of ["start", "test", "setup", "build"]) visit(`scripts/${name}.mjs`);
  assert.ok(seen.size > 10);
});
