import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { run } from "../lib/run.mjs";
import { finish, unfinished } from "../lib/unfinished.mjs";
import { withoutCargoSettings } from "./environment.mjs";

const TARGET = "wasm32-unknown-unknown";

/**
 * Debian packages a current Rust without a wasm32 standard library, but with its source. This builds it, and makes
 * a sysroot of our own around it: the host's libraries are Debian's, wasm32's are ours, nothing in /usr changes.
 *
 * ```
 * <cache>/rust-1.96.0-<key>/bin/rustc      Debian's, told of the sysroot; cargo and the others beside it
 *                           sysroot/lib/rustlib/{<host> → /usr/lib/…, wasm32-unknown-unknown/lib/*.rlib}
 * ```
 */
export async function buildWasmStd(debianRust) {
  const { host, prepared } = debianRust;
  const made = unfinished(prepared);
  const crate = join(made, "empty");
  mkdirSync(join(crate, "src"), { recursive: true });
  writeFileSync(join(crate, "Cargo.toml"), '[package]\nname = "empty"\nedition = "2021"\n\n[workspace]\n');
  writeFileSync(join(crate, "src/lib.rs"), "");
  await run("/usr/bin/cargo", ["build", "--release", "-Zbuild-std=std,panic_abort", "--target", TARGET], {
    cwd: crate,
    env: {
      ...withoutCargoSettings(process.env),
      RUSTC: "/usr/bin/rustc",
      RUSTC_BOOTSTRAP: "1",
      RUSTFLAGS: "-Cembed-bitcode=yes",
      CARGO_TARGET_DIR: join(crate, "target"),
    },
  });

  const rustlib = join(made, "sysroot/lib/rustlib");
  const libraries = join(rustlib, TARGET, "lib");
  mkdirSync(libraries, { recursive: true });
  const built = join(crate, "target", TARGET, "release/deps");
  for (const file of readdirSync(built)) {
    if (file.endsWith(".rlib") && !file.startsWith("libempty-")) copyFileSync(join(built, file), join(libraries, file));
  }
  symlinkSync(`/usr/lib/rustlib/${host}`, join(rustlib, host));
  rmSync(crate, { recursive: true });

  const bin = join(made, "bin");
  mkdirSync(bin);
  for (const name of ["cargo", "cargo-clippy", "cargo-fmt", "clippy-driver", "rustdoc", "rustfmt"]) {
    symlinkSync(`/usr/bin/${name}`, join(bin, name));
  }
  const wrapper = '#!/bin/sh\nexec /usr/bin/rustc --sysroot "$(dirname "$0")/../sysroot" "$@"\n';
  writeFileSync(join(bin, "rustc"), wrapper);
  chmodSync(join(bin, "rustc"), 0o755);
  finish(made, prepared);
}
