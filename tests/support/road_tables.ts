/**
 * Tables whose rows go by every road: copied, written while the copy is held, written while only replay is left.
 * @module
 */
import type { Vendor } from "../servers/mod.ts";
import type { Sql } from "./sql.ts";
import { type TypeCase, typeCases } from "./type_cases.ts";

/** A table `shop.<name>` with an INT key `id`, and the rows that are there first. */
export interface RoadTable {
  /** Its name in schema `shop`. */
  readonly name: string;
  /** What stands between the parentheses of CREATE TABLE behind the key. */
  readonly columns: string;
  /** The columns that rows give, without `id`. */
  readonly given: readonly string[];
  /** Rows: an SQL expression for each of `given`. */
  readonly rows: readonly (readonly string[])[];
  /** What stands behind the parentheses. */
  readonly options?: string;
}

/** First id of each road's rows; below the first are the rows that others are made of. */
export const ROADS = { held: 100_000, replayed: 500_000 } as const;
const STEP = 50_000;

/** A session that may write everything that a server can hold. */
export const LENIENT =
  "SET SESSION time_zone='+00:00', sql_mode='ALLOW_INVALID_DATES', character_set_connection=utf8mb4";

/** One table for each type. `wanted` says which; values that make a row of many megabytes are left out. */
export function typeTables(vendor: Vendor, wanted: (c: TypeCase, i: number) => boolean): RoadTable[] {
  return typeCases(vendor).flatMap((c, i): RoadTable[] =>
    c.typed || !wanted(c, i) ? [] : [{
      name: `t${i}`,
      columns: `v ${c.type}`,
      given: ["v"],
      rows: [...c.values.filter((v) => !/repeat\(.*,\s*\d{7,}\)/.test(v)), "NULL"].map((v) => [v]),
    }]
  );
}

/** Makes the table and its first rows: those that stay as they are, and those that each road will change or delete. */
export async function makeRoadTable(sql: Sql, t: RoadTable): Promise<number> {
  try {
    await sql.run(
      `CREATE TABLE shop.${t.name} (id INT NOT NULL PRIMARY KEY, ${t.columns}) ${t.options ?? ""}`,
    );
    const rows = t.rows.map((row, i) => `(${i + 1}, ${row.join(", ")})`);
    // IGNORE: what the server makes of a value is the value that has to arrive.
    await sql.run(`INSERT IGNORE INTO shop.${t.name} (id, ${t.given.join(", ")}) VALUES ${rows.join(", ")}`);
    const [{ n }] = await sql.run(`SELECT COUNT(*) AS n FROM shop.${t.name}`);
    for (const road of Object.values(ROADS)) {
      for (const part of [1, 2, 3]) await sql.run(duplicate(t, road + part * STEP));
    }
    return Number(n) * 7;
  } catch (e) {
    throw new Error(`${t.name} (${t.columns}): ${(e as Error).message}`);
  }
}

/** Inserts, updates, deletes, and deletes what is inserted again: each row of the first ones once. */
export async function travel(sql: Sql, t: RoadTable, road: number): Promise<void> {
  const n = t.rows.length;
  try {
    await sql.run(duplicate(t, road));
    // Each row becomes its neighbour.
    const set = t.given.map((c) => `a.${c} = b.${c}`).join(", ");
    await sql.run(
      `UPDATE IGNORE shop.${t.name} a JOIN shop.${t.name} b ON b.id = (a.id - ${road + STEP}) % ${n} + 1 ` +
        `SET ${set} WHERE a.id BETWEEN ${road + STEP + 1} AND ${road + STEP + n}`,
    );
    await sql.run(
      `DELETE FROM shop.${t.name} WHERE id BETWEEN ${road + 2 * STEP} AND ${road + 2 * STEP + n}`,
    );
    await sql.run(
      `BEGIN; DELETE FROM shop.${t.name} WHERE id BETWEEN ${road + 3 * STEP} AND ${road + 3 * STEP + n}; ` +
        `${duplicate(t, road + 3 * STEP)}; COMMIT`,
    );
  } catch (e) {
    throw new Error(`${t.name} (${t.columns}): ${(e as Error).message}`);
  }
}

/** Row changes of {@link travel}, at least: an UPDATE of equal rows changes nothing. */
export function travelled(t: RoadTable): number {
  return t.rows.length * 4;
}

function duplicate(t: RoadTable, offset: number): string {
  const given = t.given.join(", ");
  return `INSERT IGNORE INTO shop.${t.name} (id, ${given}) SELECT id + ${offset}, ${given} FROM shop.${t.name} ` +
    `WHERE id <= ${t.rows.length} ORDER BY id`;
}
