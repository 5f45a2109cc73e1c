/**
 * Comparisons of key columns with wire bytes, as SQL. What a bare parameter of a BINARY connection compares as is the
 * server's choice (MySQL 9.7 and MariaDB 10.11 take the column's collation), so a string key's charset and collation are
 * said, which are the column's own (I10) and keep its index.
 * @module
 */
import type { WireColumn } from "../schema/wire_layout.ts";
import { quoteName } from "./identifier.ts";

/** A parameter that compares as a value of this key column. */
export function keyParameter(c: WireColumn): string {
  const { charset, collation, dataType } = c.column;
  if (dataType === "uuid" || dataType === "inet4" || dataType === "inet6") return "CONVERT(? USING latin1)";
  // Bytes are not a number to either server: a bare parameter would match nothing, or everything.
  if (dataType === "bit") return "CAST(CONV(HEX(?),16,10) AS UNSIGNED)";
  // Without CONVERT MySQL takes the parameter for a DATETIME, and '10:00:00' for a day in 2010.
  if (dataType === "time") return `CAST(CONVERT(? USING latin1) AS TIME(${c.column.fraction ?? 0}))`;
  // ENUM and SET have a charset too, but travel as numbers.
  if (charset === null || collation === null || c.span !== "lenenc") return "?";
  return `CONVERT(? USING ${charset}) COLLATE ${collation}`;
}

/** `` `column` = ? `` and the like. */
export function keyComparison(c: WireColumn, operator: "=" | ">" | "<" | ">=" | "<="): string {
  return `${quoteName(c.column.name)} ${operator} ${keyParameter(c)}`;
}

/** A condition on a composite key, and which key columns its parameters are, in order. */
export interface KeyCondition {
  /** SQL text with `?`. */
  readonly sql: string;
  /** Index of the key column that each `?` takes its value from. */
  readonly parameters: readonly number[];
}

/** Keys behind `?` (`>`) or up to and with it (`<=`), in the key's order, in a form that uses the index. */
export function keyBound(key: readonly WireColumn[], operator: ">" | "<="): KeyCondition {
  const strict = operator === ">" ? ">" : "<";
  const parts: string[] = [];
  const parameters: number[] = [];
  for (let i = 0; i < key.length; i++) {
    const last = i === key.length - 1;
    const terms = key.slice(0, i).map((c) => keyComparison(c, "="));
    terms.push(keyComparison(key[i], last ? operator : strict));
    for (let k = 0; k <= i; k++) parameters.push(k);
    parts.push(terms.length === 1 ? terms[0] : `(${terms.join(" AND ")})`);
  }
  if (key.length === 1) return { sql: parts[0], parameters };
  // The first column's bound, said once more by itself, lets the optimizer begin the range there.
  const outer = keyComparison(key[0], operator === ">" ? ">=" : "<=");
  return { sql: `(${outer} AND (${parts.join(" OR ")}))`, parameters: [0, ...parameters] };
}
