import { atLeast, DEBIAN_RUST, DEBIAN_RUST_TESTS, MIN_NODE, MIN_PYTHON, MIN_RUST, TOOLS } from "./versions.mjs";

/**
 * What has to be done on a machine, in order, or what stands in the way. Pure: facts in (see facts.mjs), steps out.
 *
 * `wants.start` adds what only serving needs, `wants.tests` what only tests need.
 * A step is `{ id, what, why, seconds, … }`; with a remedy in the list nothing should be begun.
 */
export function plan(facts, wants) {
  const rust = chooseRust(facts, wants);
  const needs = [node(facts), npm(facts), linker(facts), openssl(facts), rust, ...tools(facts)];
  if (wants.start) needs.push(devVars(facts));
  if (wants.tests) needs.push(...python(facts), chromium(facts));

  const wanted = needs.filter((need) => need !== undefined);
  const lacking = wanted.filter((need) => need.packages?.length > 0);
  const remedies = wanted.flatMap((need) => need.remedy ?? []);
  const steps = wanted.flatMap((need) => need.step ?? []);
  if (lacking.length > 0 && facts.root && facts.apt) steps.unshift(debianPackages(lacking));
  else remedies.push(...lacking.map(withoutRoot));
  return { rust: rust.use, way: rust.way, steps, remedies };
}

/**
 * Which Rust builds: the one in PATH, if it can be made ready; else Debian's, with a wasm32 standard library of
 * our own. `use` is "own", "debian" or `undefined`.
 */
export function chooseRust(facts, wants) {
  const needed = ["wasm32", ...(wants.tests ? ["clippy", "rustfmt", "llvm-tools"] : [])];
  const { rust, debianRust } = facts;
  const recent = rust !== undefined && atLeast(rust.version, MIN_RUST);
  const missing = recent ? needed.filter((part) => !rust.has[part]) : [];

  if (recent && missing.length === 0) {
    return { use: "own", way: `Rust ${rust.version}, wasm32 is part of it` };
  }
  const debianRecent = debianRust !== undefined && atLeast(debianRust.version, MIN_RUST);
  if (debianRecent && needed.every((part) => debianRust.has[part])) {
    return { use: "debian", way: `Debian's Rust ${debianRust.version}, wasm32 standard library from our cache` };
  }
  if (recent && rust.rustup && facts.rustupDownloads) {
    return { use: "own", way: `Rust ${rust.version}, wasm32 by rustup`, step: rustup(rust, missing) };
  }

  const why = whyDebian(facts, recent, missing);
  const parts = ["source", "lld", ...needed.filter((part) => part !== "wasm32")];
  const complete = debianRecent && parts.every((part) => debianRust.has[part]);
  const packages = complete ? [] : [...DEBIAN_RUST, ...(wants.tests ? DEBIAN_RUST_TESTS : [])];
  const step = {
    id: "std",
    what: "Building Rust's standard library for wasm32 from Debian's source",
    why,
    seconds: 55,
  };
  return {
    use: "debian",
    way: `Debian's Rust, wasm32 standard library built from its source (${why})`,
    step: debianRecent && debianRust.has.wasm32 ? undefined : step,
    packages,
    why,
    usual: recent && rust.rustup ? `let rustup reach its server: \`${rustupCommands(missing).join("; ")}\`` : rustRemedy(facts),
  };
}

function whyDebian({ rust }, recent, missing) {
  if (!rust) return "there is no Rust in PATH";
  if (!recent) return `Rust ${rust.version} is older than ${MIN_RUST}`;
  return rust.rustup ? `rustup cannot download ${missing.join(", ")}` : `Rust ${rust.version} lacks ${missing.join(", ")}`;
}

function rustRemedy({ rust }) {
  if (!rust) return "install Rust with rustup (https://rustup.rs)";
  if (rust.rustup) return "`rustup update stable`";
  return `install Rust ${MIN_RUST} or newer with rustup (https://rustup.rs)`;
}

/** What rustup is told to add. */
function rustupCommands(missing) {
  const components = missing.filter((part) => part !== "wasm32");
  return [
    ...(missing.includes("wasm32") ? ["rustup target add wasm32-unknown-unknown"] : []),
    ...(components.length > 0 ? [`rustup component add ${components.join(" ")}`] : []),
  ];
}

function rustup(rust, missing) {
  const commands = rustupCommands(missing);
  return {
    id: "rustup",
    what: `Adding ${missing.join(", ")} to Rust ${rust.version} (${commands.join("; ")})`,
    why: `Rust ${rust.version} lacks ${missing.join(", ")}`,
    seconds: 5,
    commands,
  };
}

function node({ node }) {
  if (atLeast(node, MIN_NODE)) return undefined;
  return { remedy: `Node ${node} is too old: install Node ${MIN_NODE} or newer.` };
}

function npm({ npmPackages }) {
  if (npmPackages === "fresh") return undefined;
  const why = npmPackages === "missing" ? "node_modules is missing" : "node_modules is not what package-lock.json says";
  return { step: { id: "npm", what: "Installing npm packages (npm ci)", why, seconds: 20 } };
}

function linker(facts) {
  if (facts.linker) return undefined;
  return { packages: ["gcc", "libc6-dev"], why: "cargo links with a C compiler", usual: "install a C compiler" };
}

function openssl(facts) {
  if (facts.openssl || facts.tools["worker-build"]) return undefined;
  const why = "worker-build is linked with OpenSSL";
  return { packages: ["pkg-config", "libssl-dev"], why, usual: "install pkg-config and OpenSSL's headers" };
}

function tools(facts) {
  const missing = Object.keys(TOOLS).filter((name) => !facts.tools[name]);
  return missing.map((name) => {
    const { version, seconds } = TOOLS[name];
    return { step: { id: "tool", name, what: `Building ${name} ${version}`, why: "it is not in the cache", seconds } };
  });
}

function devVars(facts) {
  if (facts.devVars) return undefined;
  const what = "Making .dev.vars from .dev.vars.example, with a fresh secret";
  return { step: { id: "dev-vars", what, why: ".dev.vars is missing", seconds: 0 } };
}

function python(facts) {
  if (facts.venv) return [];
  const what = "Installing the tests' Python packages into an environment of their own";
  const step = { id: "venv", what, why: "there is none for tests/backend/requirements.txt yet", seconds: 25 };
  const there = facts.python;
  if (there?.venv && atLeast(there.version, MIN_PYTHON)) return [{ step }];
  const why = there
    ? `Python ${there.version} is too old or cannot make virtual environments`
    : "there is no Python, which the tests need";
  return [{ packages: ["python3", "python3-venv"], why, usual: `install Python ${MIN_PYTHON} or newer with venv` }, { step }];
}

function chromium(facts) {
  if (facts.chromium) return undefined;
  const step = { id: "chromium", what: "Installing Chromium", why: "the browser tests need one", seconds: 40 };
  return { step: { ...step, by: facts.root && facts.apt ? "apt" : "playwright" } };
}

/** All Debian packages in one go. */
function debianPackages(needs) {
  const packages = needs.flatMap((need) => need.packages);
  return {
    id: "packages",
    what: `Installing Debian packages: ${packages.join(" ")}`,
    why: needs.map((need) => need.why).join("; "),
    seconds: 30,
    packages,
  };
}


function withoutRoot(need) {
  const debian = `as root: apt-get install --no-install-recommends ${need.packages.join(" ")}`;
  return `Missing: ${need.packages.join(" ")} (${need.why}).\n  Either ${need.usual},\n  or on Debian, ${debian}`;
}
