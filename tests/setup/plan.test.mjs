import assert from "node:assert/strict";
import { test } from "node:test";

import { plan } from "../../scripts/setup/plan.mjs";

const ALL_PARTS = { wasm32: true, clippy: true, rustfmt: true, "llvm-tools": true };
const DEBIAN_PACKAGES = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm", "lld-22"];

/** A machine on which nothing is missing, but for what is said. */
function machine(differences = {}) {
  return {
    node: "24.21.0",
    npmPackages: "fresh",
    root: false,
    apt: true,
    linker: true,
    openssl: true,
    rust: { version: "1.95.0", rustup: true, has: ALL_PARTS },
    debianRust: undefined,
    rustupDownloads: undefined,
    tools: { "wasm-bindgen-cli": true, "worker-build": true },
    devVars: true,
    python: { command: "python3", version: "3.11.2", venv: true },
    venv: true,
    chromium: "/usr/bin/chromium",
    ...differences,
  };
}

/** One with Node and a bare Rust of rustup's, as after a `git clone`. */
function bare(differences = {}) {
  return machine({
    npmPackages: "missing",
    rust: { version: "1.95.0", rustup: true, has: {} },
    tools: { "wasm-bindgen-cli": false, "worker-build": false },
    devVars: false,
    venv: false,
    chromium: undefined,
    ...differences,
  });
}

const START = { start: true };
const TESTS = { tests: true };

/** The steps' names, in order. */
const names = ({ steps }) => steps.map((step) => [step.id, step.name].filter(Boolean).join(" "));
const packages = ({ steps }) => steps.find((step) => step.id === "packages")?.packages;

test("with everything there nothing is done", () => {
  for (const wants of [START, TESTS, { ...START, ...TESTS }]) {
    const { steps, remedies, rust } = plan(machine(), wants);
    assert.deepEqual({ steps, remedies, rust }, { steps: [], remedies: [], rust: "own" });
  }
});

test("where rustup can download, it adds the target and nothing of the system changes", () => {
  for (const root of [true, false]) {
    const result = plan(bare({ root, rustupDownloads: true }), START);
    assert.deepEqual(names(result), ["npm", "rustup", "tool wasm-bindgen-cli", "tool worker-build", "dev-vars"]);
    assert.deepEqual(result.steps[1].commands, ["rustup target add wasm32-unknown-unknown"]);
    assert.deepEqual(result.remedies, []);
    assert.equal(result.rust, "own");
    assert.match(result.way, /Rust 1\.95\.0, wasm32 by rustup/);
  }
});

test("where rustup cannot download, root installs Debian's Rust and the standard library is built", () => {
  const result = plan(bare({ root: true, rustupDownloads: false }), START);
  assert.deepEqual(names(result), ["packages", "npm", "std", "tool wasm-bindgen-cli", "tool worker-build", "dev-vars"]);
  assert.deepEqual(packages(result), DEBIAN_PACKAGES);
  assert.deepEqual(result.remedies, []);
  assert.equal(result.rust, "debian");
  assert.match(result.way, /rustup cannot download wasm32/);
});

test("where rustup cannot download and we are not root, both remedies are named", () => {
  const { remedies } = plan(bare({ root: false, rustupDownloads: false }), START);
  assert.equal(remedies.length, 1);
  assert.match(remedies[0], /rustup target add wasm32-unknown-unknown/);
  assert.match(remedies[0], /as root: apt-get install --no-install-recommends rustc-web cargo-web rust-web-src/);
});

test("root without apt gets the remedy too", () => {
  const { remedies } = plan(bare({ root: true, apt: false, rustupDownloads: false }), START);
  assert.match(remedies[0], /rustup target add wasm32-unknown-unknown/);
});

test("where Debian's Rust is installed already, nobody needs to be root", () => {
  const debianRust = { version: "1.96.0", has: { source: true, lld: true, wasm32: false } };
  const result = plan(bare({ rustupDownloads: false, debianRust }), START);
  assert.deepEqual(names(result), ["npm", "std", "tool wasm-bindgen-cli", "tool worker-build", "dev-vars"]);
  assert.deepEqual(result.remedies, []);
});

test("a standard library in the cache is used without asking rustup", () => {
  const debianRust = { version: "1.96.0", has: { source: true, lld: true, wasm32: true } };
  const result = plan(machine({ rust: { version: "1.95.0", rustup: true, has: {} }, debianRust }), START);
  assert.deepEqual(names(result), []);
  assert.equal(result.rust, "debian");
});

test("without any Rust, root gets Debian's, and others are told of rustup", () => {
  const asRoot = plan(bare({ root: true, rust: undefined }), START);
  assert.deepEqual(packages(asRoot), DEBIAN_PACKAGES);
  assert.match(asRoot.way, /there is no Rust in PATH/);
  assert.match(plan(bare({ rust: undefined }), START).remedies[0], /install Rust with rustup/);
});

test("a Rust that is too old is not used, whatever it has", () => {
  const rust = { version: "1.90.0", rustup: true, has: ALL_PARTS };
  const asRoot = plan(machine({ root: true, rust, rustupDownloads: true }), START);
  assert.deepEqual(names(asRoot), ["packages", "std"]);
  assert.match(asRoot.way, /1\.90\.0 is older than 1\.91/);
  assert.match(plan(machine({ rust }), START).remedies[0], /rustup update stable/);
});

test("a Debian Rust that is too old is replaced", () => {
  const debianRust = { version: "1.85.0", has: { source: true, lld: true, wasm32: true } };
  const result = plan(machine({ root: true, rust: undefined, debianRust }), START);
  assert.deepEqual(packages(result), DEBIAN_PACKAGES);
});

test("tests need more of Rust: by rustup, or by Debian with clippy and rustfmt", () => {
  const rust = { version: "1.95.0", rustup: true, has: { wasm32: true } };
  const byRustup = plan(machine({ rust, rustupDownloads: true }), TESTS);
  assert.deepEqual(byRustup.steps[0].commands, ["rustup component add clippy rustfmt llvm-tools"]);
  const byDebian = plan(machine({ rust, root: true, rustupDownloads: false }), TESTS);
  assert.deepEqual(packages(byDebian), [...DEBIAN_PACKAGES, "rust-web-clippy", "rustfmt-web"]);
});

test("starting asks neither for Python nor for Chromium, nor for clippy", () => {
  const rust = { version: "1.95.0", rustup: true, has: { wasm32: true } };
  const facts = machine({ rust, python: undefined, venv: false, chromium: undefined });
  assert.deepEqual(plan(facts, START).steps, []);
  assert.deepEqual(names(plan({ ...facts, rust: machine().rust, root: true }, TESTS)), ["packages", "venv", "chromium"]);
});

test("without Python root installs it, and others are told", () => {
  const facts = { python: undefined, venv: false };
  assert.deepEqual(packages(plan(machine({ ...facts, root: true }), TESTS)), ["python3", "python3-venv"]);
  assert.match(plan(machine(facts), TESTS).remedies[0], /install Python 3\.10 or newer/);
});

test("a Python that is too old, or without venv, is as good as none", () => {
  for (const python of [
    { command: "python3", version: "3.9.2", venv: true },
    { command: "python3", version: "3.12.1", venv: false },
  ]) {
    const result = plan(machine({ root: true, python, venv: false }), TESTS);
    assert.deepEqual(names(result), ["packages", "venv"]);
  }
});

test("Chromium comes from Debian for root, and from Playwright for others", () => {
  assert.equal(plan(machine({ chromium: undefined, root: true }), TESTS).steps[0].by, "apt");
  assert.equal(plan(machine({ chromium: undefined }), TESTS).steps[0].by, "playwright");
  assert.equal(plan(machine({ chromium: undefined, root: true, apt: false }), TESTS).steps[0].by, "playwright");
});

test("stale packages are installed again", () => {
  const { steps } = plan(machine({ npmPackages: "stale" }), START);
  assert.deepEqual(steps.map(({ id, why }) => [id, why]), [["npm", "node_modules is not what package-lock.json says"]]);
});

test("an old Node is named", () => {
  assert.match(plan(machine({ node: "18.20.4" }), START).remedies[0], /Node 18\.20\.4 is too old: install Node 20/);
});

test("what cargo links with is installed in the same go, only where it is still needed", () => {
  const facts = { root: true, linker: false, openssl: false };
  assert.deepEqual(packages(plan(machine({ ...facts }), START)), ["gcc", "libc6-dev"]);
  assert.deepEqual(packages(plan(bare({ ...facts, rustupDownloads: false }), START)), [
    "gcc",
    "libc6-dev",
    "pkg-config",
    "libssl-dev",
    ...DEBIAN_PACKAGES,
  ]);
});

test("every step says what, why and how long", () => {
  const { steps } = plan(bare({ root: true, rustupDownloads: false }), { ...START, ...TESTS });
  for (const step of steps) {
    assert.ok(step.what.length > 10 && step.why.length > 10, step.id);
    assert.ok(Number.isFinite(step.seconds), step.id);
  }
});
