/**
 * `schema.table` patterns: two parts, `*` within a part; a part in backticks is taken letter by letter and may hold dots.
 * @module
 */

/** One part of a pattern. */
interface PatternPart {
  /** The part as a name, if it holds no `*` outside backticks. */
  readonly literal: string | null;
  /** Whether a name fits. Case counts, as it does on most servers. */
  readonly matches: (name: string) => boolean;
}

/** A pattern, taken apart. */
export interface TablePattern {
  /** The part before the dot. */
  readonly schema: PatternPart;
  /** The part behind it. */
  readonly name: PatternPart;
}

/** Takes a pattern apart; `null` if it has not exactly two parts, an empty part or a stray backtick. */
export function parseTablePattern(text: string): TablePattern | null {
  const parts: PatternPart[] = [];
  let rest = text;
  while (true) {
    const quoted = /^`((?:[^`]|``)+)`/.exec(rest);
    const plain = quoted ? null : /^[^`.]+/.exec(rest);
    const found = quoted ?? plain;
    if (!found) return null;
    parts.push(quoted ? exactly(quoted[1].replaceAll("``", "`")) : wild(found[0]));
    rest = rest.slice(found[0].length);
    if (rest === "") break;
    if (!rest.startsWith(".")) return null;
    rest = rest.slice(1);
  }
  return parts.length === 2 ? { schema: parts[0], name: parts[1] } : null;
}

/** A pattern that names one table: both names, or `null` where it is none or holds a `*`. */
export function parseTableName(text: string): { readonly schema: string; readonly name: string } | null {
  const pattern = parseTablePattern(text);
  if (pattern === null || pattern.schema.literal === null || pattern.name.literal === null) return null;
  return { schema: pattern.schema.literal, name: pattern.name.literal };
}

function exactly(name: string): PatternPart {
  return { literal: name, matches: (other) => other === name };
}

function wild(text: string): PatternPart {
  if (!text.includes("*")) return exactly(text);
  const pattern = new RegExp(`^${text.split("*").map((piece) => RegExp.escape(piece)).join(".*")}$`, "su");
  return { literal: null, matches: (name) => pattern.test(name) };
}
