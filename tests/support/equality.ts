/**
 * Both sides equal, told by the test and not by the ferry: every column as bytes, ordered by key.
 * @module
 */
import assert from "node:assert/strict";
import { Sql } from "./sql.ts";

/** Every row of a table, or those that `where` holds for, as text lines: each column as HEX, NULL as `~`. */
export async function dumpTable(
  sql: Sql,
  schema: string,
  table: string,
  where: string | null = null,
): Promise<string[]> {
  const columns = await sql.run(
    "SELECT column_name AS name, data_type AS type FROM information_schema.columns " +
      "WHERE table_schema = ? AND table_name = ? AND COALESCE(generation_expression, '') = '' ORDER BY ordinal_position",
    [schema, table],
  );
  assert.ok(columns.length > 0, `table ${schema}.${table} has no columns: is it there?`);
  const quoted = (c: { name: string }) => `\`${c.name.replaceAll("`", "``")}\``;
  const value = (c: { name: string; type: string }) => {
    const name = quoted(c);
    if (["enum", "set", "bit"].includes(c.type)) return `HEX(${name}+0)`;
    if (["json", "uuid", "inet4", "inet6"].includes(c.type)) return `HEX(CAST(${name} AS CHAR))`;
    if (/(?<!po)int|decimal|year|date|time/.test(c.type)) return `HEX(CAST(${name} AS CHAR))`;
    return `HEX(${name})`;
  };
  // A FLOAT or DOUBLE has no text that is exact on both families: these come as their bytes.
  const isFloat = (c: { type: string }) => c.type === "float" || c.type === "double";
  const texts = columns.filter((c) => !isFloat(c)).map((c) => `COALESCE(${value(c)}, '~')`);
  const floats = columns.filter(isFloat).map((c, i) => `CAST(${quoted(c)} AS DOUBLE) AS f${i}`);
  await sql.run("SET SESSION group_concat_max_len = 1000000, time_zone = '+00:00'");
  const filter = where === null ? "" : ` WHERE ${where}`;
  const list = [`CONCAT_WS('|', ${["''", ...texts].join(",")}) AS line`, ...floats].join(", ");
  const rows = await sql.binary(
    `SELECT ${list} FROM \`${schema}\`.\`${table.replaceAll("`", "``")}\`${filter}`,
  );
  const line = (r: Record<string, unknown>) =>
    [r.line, ...floats.map((_, i) => r[`f${i}`] === null ? "~" : exact(Number(r[`f${i}`])))].join("|");
  // Ordered here, by bytes: the two servers may order a collation's equals differently.
  return rows.map(line).sort();
}

function exact(n: number): string {
  return Object.is(n, -0) ? "-0" : String(n);
}

/**
 * Fails with the first rows that differ. `tables` are `schema.table` on the source, with the target's name if it differs;
 * `filters` says for some of them which of the source's rows are meant.
 */
export async function assertEqual(
  sourceUrl: string,
  targetUrl: string,
  tables: readonly (string | readonly [string, string])[],
  filters: ReadonlyMap<string, string> = new Map(),
): Promise<number> {
  await using source = await Sql.open(sourceUrl);
  await using target = await Sql.open(targetUrl);
  let rows = 0;
  for (const entry of tables) {
    const [from, to] = typeof entry === "string" ? [entry, entry] : entry;
    const [schema, name] = from.split(".");
    const a = await dumpTable(source, schema, name, filters.get(from) ?? null);
    const b = await dumpTable(target, ...to.split(".") as [string, string]);
    if (a.length !== b.length || a.some((line, i) => line !== b[i])) {
      const there = new Set(a);
      const arrived = new Set(b);
      const missing = a.filter((line) => !arrived.has(line)).slice(0, 3);
      const extra = b.filter((line) => !there.has(line)).slice(0, 3);
      assert.fail(
        `${from}: ${a.length} rows on the source, ${b.length} on the target; first missing: ${
          missing.join(" ; ")
        }; first extra: ${extra.join(" ; ")}`,
      );
    }
    rows += a.length;
  }
  return rows;
}
