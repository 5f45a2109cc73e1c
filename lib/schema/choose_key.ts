/**
 * Which index a table is copied by.
 * @module
 */
import type { Column } from "./table.ts";

/** One index, as far as the ferry cares. */
export interface Index {
  /** Its name. */
  readonly name: string;
  /** Forbids equal values. */
  readonly unique: boolean;
  /** Columns in its order; `null` where a part is an expression. */
  readonly columns: readonly (string | null)[];
  /** Every part is a whole column: no prefix, no expression. */
  readonly whole: boolean;
  /** Ordered, and the optimizer may use it. */
  readonly usable: boolean;
}

const INTEGERS = new Set(["tinyint", "smallint", "mediumint", "int", "bigint"]);

/**
 * `PRIMARY`, else the unique index of NOT NULL columns with the fewest columns, integers first. `null` where none can
 * tell every row from every other: prefixes and NULL let two rows share a value, generated columns are not written.
 */
export function chooseKey(
  indexes: readonly Index[],
  columns: readonly Column[],
): { name: string; key: Column[] } | null {
  const byName = new Map(columns.map((c) => [c.name.toLowerCase(), c]));
  const candidates: { name: string; key: Column[] }[] = [];
  for (const index of indexes) {
    if (!index.unique || !index.whole || !index.usable) continue;
    const key = index.columns.map((name) => byName.get(name!.toLowerCase()));
    if (key.some((c) => c === undefined || c.nullable || c.generated)) continue;
    candidates.push({ name: index.name, key: key as Column[] });
  }
  const rank = (c: { name: string; key: Column[] }) =>
    (c.name === "PRIMARY" ? 0 : 1e6) + c.key.length * 1000 +
    c.key.filter((k) => !INTEGERS.has(k.dataType)).length;
  candidates.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
  return candidates[0] ?? null;
}
