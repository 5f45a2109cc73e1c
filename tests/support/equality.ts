/**
 * Both sides equal, told by the test and not by the ferry: every column as bytes, ordered by key.
 * @module
 */
import assert from "node:assert/strict";
import { Sql } from "./sql.ts";

/** Eight bytes of a double, which no text of it gives on both families; MariaDB has no -0. */
function doubleBytes(name: string, signedZero: boolean): string {
  return `HEX(SUBSTR(CAST(POINT(${signedZero ? name : `${name}+0e0`},0) AS BINARY),10,8))`;
}

/** Names of a table's columns that are not generated, in its order. */
async function columnsOf(sql: Sql, schema: string, table: string): Promise<{ name: string; type: string }[]> {
  const columns = await sql.run(
    "SELECT column_name AS name, data_type AS type FROM information_schema.columns " +
      "WHERE table_schema = ? AND table_name = ? AND COALESCE(generation_expression, '') = '' ORDER BY ordinal_position",
    [schema, table],
  );
  assert.ok(columns.length > 0, `table ${schema}.${table} has no columns: is it there?`);
  return columns;
}

/** Every row of a table as text lines: each column as HEX, NULL as `~`; only the columns `names`, when given. */
export async function dumpTable(
  sql: Sql,
  schema: string,
  table: string,
  options: { names?: readonly string[]; signedZero?: boolean } = {},
): Promise<string[]> {
  const own = await columnsOf(sql, schema, table);
  const columns = (options.names ?? own.map((c) => c.name)).map((name) => {
    const found = own.find((c) => c.name.toLowerCase() === name.toLowerCase());
    assert.ok(found !== undefined, `${schema}.${table} has no column ${name}`);
    return found;
  });
  const value = (c: { name: string; type: string }) => {
    const name = `\`${c.name.replaceAll("`", "``")}\``;
    if (["enum", "set", "bit"].includes(c.type)) return `HEX(${name}+0)`;
    if (["float", "double"].includes(c.type)) return doubleBytes(name, options.signedZero ?? true);
    if (["json", "uuid", "inet4", "inet6"].includes(c.type)) return `HEX(CAST(${name} AS CHAR))`;
    if (/^(tiny|small|medium|big)?int$|^decimal$/.test(c.type)) return `HEX(CAST(${name}+0 AS CHAR))`;
    if (/^(year|date|time)/.test(c.type)) return `HEX(CAST(${name} AS CHAR))`;
    return `HEX(${name})`;
  };
  const list = columns.map((c) => `COALESCE(${value(c)}, '~')`).join(",");
  await sql.run("SET SESSION group_concat_max_len = 1000000, time_zone = '+00:00'");
  const rows = await sql.run(`SELECT CONCAT_WS('|', ${list}) AS line FROM ${place(schema, table)}`);
  // Ordered here, by bytes: the two servers may order a collation's equals differently.
  return rows.map((r) => String(r.line)).sort();
}

function place(schema: string, table: string): string {
  return [schema, table].map((name) => `\`${name.replaceAll("`", "``")}\``).join(".");
}

/** A table's place, where its name has a dot. */
export interface Place {
  schema: string;
  name: string;
}

function asPlace(entry: string | Place): Place {
  if (typeof entry !== "string") return entry;
  const [schema, name] = entry.split(".");
  return { schema, name };
}

/** Fails with the first rows that differ. `tables` are `schema.table` on the source, with the target's name if it differs. */
export async function assertEqual(
  sourceUrl: string,
  targetUrl: string,
  tables: readonly (string | readonly [string | Place, string | Place])[],
): Promise<number> {
  await using source = await Sql.open(sourceUrl);
  await using target = await Sql.open(targetUrl);
  let rows = 0;
  const versions = await Promise.all([source, target].map((sql) => sql.run("SELECT VERSION() AS v")));
  const signedZero = versions.every(([row]) => !/mariadb/i.test(row.v));
  for (const entry of tables) {
    const [from, to] = (typeof entry === "string" ? [entry, entry] : entry).map(asPlace);
    const names = (await columnsOf(source, from.schema, from.name)).map((c) => c.name);
    const a = await dumpTable(source, from.schema, from.name, { names, signedZero });
    const b = await dumpTable(target, to.schema, to.name, { names, signedZero });
    if (a.length !== b.length || a.some((line, i) => line !== b[i])) {
      const there = new Set(a);
      const arrived = new Set(b);
      const missing = a.filter((line) => !arrived.has(line)).slice(0, 3);
      const extra = b.filter((line) => !there.has(line)).slice(0, 3);
      assert.fail(
        `${from.schema}.${from.name}: ${a.length} rows on the source, ${b.length} on the target; first missing: ${
          missing.join(" ; ")
        }; first extra: ${extra.join(" ; ")}`,
      );
    }
    rows += a.length;
  }
  return rows;
}
