import { readFileSync } from "node:fs";

/** One annotated example of docs/PROTOCOL.md: `<!-- kind rest -->` above a block of JSON. */
export interface Example {
  kind: string;
  rest: string;
  /** Where it stands, for messages of tests. */
  place: string;
  value: any;
}

const DOC = readFileSync(new URL("../../docs/PROTOCOL.md", import.meta.url), "utf8");

export const examples: Example[] = [...DOC.matchAll(/(?:<!-- (\w+) ?(.*?) -->\n)?```json\n([\s\S]*?)```/g)].map((match) => ({
  kind: match[1] ?? "unmarked",
  rest: match[2] ?? "",
  place: `docs/PROTOCOL.md, line ${DOC.slice(0, match.index).split("\n").length}`,
  value: JSON.parse(match[3] ?? ""),
}));

export const of = (kind: string) => examples.filter((example) => example.kind === kind);

/**
 * The names and types of a value; of an array, those of its first element. `like`: the example that it is compared with,
 * where an empty array stands for any, and a `ref` that is not there for any `ref`.
 */
export function shapeOf(value: any, like: any = value, name = ""): unknown {
  if (MAY_BE_NULL.has(name)) return "something or null";
  if (Array.isArray(value)) {
    const anything = Array.isArray(like) && like.length === 0;
    return anything ? [] : value.slice(0, 1).map((entry) => shapeOf(entry, like?.[0] ?? entry));
  }
  if (value === null || typeof value !== "object") return value === null ? "null" : typeof value;
  const keys = Object.keys(value).filter((key) => key !== "ref" || like?.ref !== undefined);
  return Object.fromEntries(keys.sort().map((key) => [key, shapeOf(value[key], like?.[key], key)]));
}

/** By the contract these are null or of one type. */
const MAY_BE_NULL = new Set([
  ...["client_message_id", "attachment", "read_at", "profile_pic", "last_message_at", "last_seen", "first_id"],
]);
