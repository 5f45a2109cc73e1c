/**
 * One column's definition in the other vendor's words.
 * @module
 */
import { closing, NAME, TEXT } from "./masked.ts";
import { lacksType, type Translation } from "./translation.ts";

/** Types whose literal defaults MySQL takes as expressions only. */
const LONG = /^(tiny|medium|long)?(text|blob)$|^json$|^geom|^(multi)?(point|linestring|polygon)$/;

/** `item` begins with the column's name; names and literals are masked. */
export function translateColumn(item: string, t: Translation): string {
  const [, mark, type, rest] = new RegExp(`^(${NAME}) (\\w+)([^]*)$`).exec(item)!;
  const column = t.mask.name(mark);
  if (lacksType(type, t.reader)) {
    t.remark("error", "target-lacks-type", `column "${column}" is of type ${type}`);
  }
  return t.reader.vendor === "mysql"
    ? `${mark} ${forMysql(type, rest)}`
    : `${mark} ${
      forMariadb(type, rest, (detail) =>
        t.remark("info", "column-translated", `column "${column}" ${detail}`))
    }`;
}

function forMysql(type: string, rest: string): string {
  let text = rest
    .replace(/ COMPRESSED\b(=\S+)?/, "")
    .replace(/ REF_SYSTEM_ID=(\d+)/, " SRID $1");
  // A width is kept where it is seen: in zeros, and where it says that a number is a truth.
  if (
    /^((small|medium|big)?int|tinyint|year)$/.test(type) && !/\bzerofill\b/.test(text) && !/^\(1\)/.test(text)
  ) {
    text = text.replace(/^\(\d+\)/, "");
  }
  return type + (/ GENERATED ALWAYS AS \(/.test(text) ? text : withDefault(text, (value) => {
    if (value === "NULL" || /^\(/.test(value)) return value;
    if (isLiteral(value)) return LONG.test(type) ? `(${value})` : value;
    const digits = /^\((\d)\)/.exec(text)?.[1] ?? "";
    const now = /^current_timestamp\((\d?)\)$/i.exec(value);
    if (now !== null && /^(timestamp|datetime)$/.test(type) && now[1] === digits) return value;
    return `(${value})`;
  }));
}

function forMariadb(type: string, rest: string, remark: (detail: string) => void): string {
  let text = rest
    .replace(/ (COLUMN_FORMAT|STORAGE) \w+/g, "")
    .replace(/ (SECONDARY_)?ENGINE_ATTRIBUTE\s*=?\s*\S+/g, "")
    .replace(/ NOT SECONDARY\b/, "")
    .replace(/^([^]*) SRID (\d+)/, " REF_SYSTEM_ID=$2$1");
  const generated = / GENERATED ALWAYS AS (?=\()/.exec(text);
  if (generated !== null) {
    const end = closing(text, generated.index + generated[0].length);
    const tail = text.slice(end).replace(/ NOT NULL\b/, () => {
      remark("is generated, its NOT NULL is left out");
      return "";
    });
    text = text.slice(0, end) + tail;
  }
  return (type === "geomcollection" ? "geometrycollection" : type) + text;
}

/** Replaces what stands behind DEFAULT. */
function withDefault(text: string, change: (value: string) => string): string {
  const found = / DEFAULT (?=\S)/.exec(text);
  if (found === null) return text;
  const from = found.index + found[0].length;
  let end = from;
  while (
    end < text.length &&
    !/^ (ON UPDATE|COMMENT|CHECK|INVISIBLE|AUTO_INCREMENT|UNIQUE|REFERENCES)\b/.test(
      text.slice(end, end + 16),
    )
  ) {
    end = text[end] === "(" ? closing(text, end) : end + 1;
  }
  return text.slice(0, from) + change(text.slice(from, end)) + text.slice(end);
}

function isLiteral(value: string): boolean {
  return new RegExp(`^(NULL|(_\\w+)?[bx]?${TEXT}|0x[0-9a-f]+|-?[\\d.]+(e[+-]?\\d+)?)$`, "i").test(value);
}
