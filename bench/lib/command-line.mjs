import { Stop } from "../../scripts/lib/terminal.mjs";

/**
 * Which scenarios are run, with which options: `[quick] [scenario …] [--option value[,value…] …]`; all scenarios when
 * none is named. `undefined` when only help was asked for.
 */
export function commandLine(args, scenarios) {
  const words = [];
  const given = new Map();
  for (let i = 0; i < args.length; i++) {
    if (args[i] === "--help") return help(scenarios);
    if (!args[i].startsWith("--")) words.push(args[i]);
    else given.set(args[i].slice(2), args[++i]);
  }
  const quick = words.includes("quick");
  const named = words.filter((word) => word !== "quick");
  const names = named.length > 0 ? named : Object.keys(scenarios);
  const unknown = names.find((name) => !scenarios[name]);
  if (unknown) throw new Stop(`There is no scenario ${unknown}: ${Object.keys(scenarios).join(", ")}.`);

  const chosen = {};
  for (const name of names) {
    const { defaults, quick: quicker = {} } = scenarios[name];
    chosen[name] = { ...defaults, ...(quick ? quicker : {}) };
  }
  for (const [option, value] of given) {
    const knowing = names.filter((name) => option in scenarios[name].defaults);
    if (knowing.length === 0) throw new Stop(`--${option} is not known to ${names.join(", ")}; see --help.`);
    for (const name of knowing) chosen[name][option] = parsed(option, value, scenarios[name].defaults[option]);
  }
  return chosen;
}

/** As the default is: a list or one value, of numbers or of words. */
function parsed(option, value, like) {
  if (!value) throw new Stop(`--${option} needs a value.`);
  const one = (text, example) => {
    if (typeof example !== "number") return text;
    const number = Number(text);
    if (!(number >= 0)) throw new Stop(`--${option} takes numbers, not ${text}.`);
    return number;
  };
  return Array.isArray(like) ? value.split(",").map((text) => one(text, like[0])) : one(value, like);
}

function help(scenarios) {
  console.log("npm run bench -- [quick] [scenario …] [--option value[,value…] …]\n");
  for (const [name, { about, defaults }] of Object.entries(scenarios)) {
    console.log(`${name}: ${about}`);
    for (const [option, value] of Object.entries(defaults)) console.log(`  --${option} ${value}`);
  }
}
