/**
 * Both sides equal, told by the test and not by the ferry: every column as bytes, ordered by key.
 * @module
 */
import assert from "node:assert/strict";
import { Sql } from "./sql.ts";

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

/** Which columns and rows are dumped. */
export interface DumpOptions {
  /** Only these columns. */
  names?: readonly string[];
  /** Only the rows that this holds for. */
  where?: string | null;
  /** Whether -0 is told from 0; MariaDB makes 0 of what MySQL has as -0. */
  signedZero?: boolean;
}

/** Every row of a table as a text line: each column as HEX, NULL as `~`, floats behind the others. */
export async function dumpTable(
  sql: Sql,
  schema: string,
  table: string,
  options: DumpOptions = {},
): Promise<string[]> {
  const own = await columnsOf(sql, schema, table);
  const columns = (options.names ?? own.map((c) => c.name)).map((name) => {
    const found = own.find((c) => c.name.toLowerCase() === name.toLowerCase());
    assert.ok(found !== undefined, `${schema}.${table} has no column ${name}`);
    return found;
  });
  const quoted = (c: { name: string }) => `\`${c.name.replaceAll("`", "``")}\``;
  const value = (c: { name: string; type: string }) => {
    const name = quoted(c);
    if (["enum", "set", "bit"].includes(c.type)) return `HEX(${name}+0)`;
    if (["json", "uuid", "inet4", "inet6"].includes(c.type)) return `HEX(CAST(${name} AS CHAR))`;
    if (/^(tiny|small|medium|big)?int$|^decimal$/.test(c.type)) return `HEX(CAST(${name}+0 AS CHAR))`;
    if (/^(year|date|datetime|timestamp|time)$/.test(c.type)) return `HEX(CAST(${name} AS CHAR))`;
    // Twice a megabyte for each of many rows would be more than a connection carries.
    if (/text|blob/.test(c.type)) {
      return `IF(LENGTH(${name}) > 1000000, CONCAT(LENGTH(${name}), SHA2(${name}, 512)), HEX(${name}))`;
    }
    return `HEX(${name})`;
  };
  // A FLOAT or DOUBLE has no text that is exact on both families: these come as their bytes.
  const isFloat = (c: { type: string }) => c.type === "float" || c.type === "double";
  const texts = columns.filter((c) => !isFloat(c)).map((c) => `COALESCE(${value(c)}, '~')`);
  const floats = columns.filter(isFloat).map((c, i) => `CAST(${quoted(c)} AS DOUBLE) AS f${i}`);
  await sql.run("SET SESSION group_concat_max_len = 1000000, time_zone = '+00:00'");
  const filter = options.where ? ` WHERE ${options.where}` : "";
  const list = [`CONCAT_WS('|', ${["''", ...texts].join(",")}) AS line`, ...floats].join(", ");
  const rows = await sql.binary(`SELECT ${list} FROM ${place(schema, table)}${filter}`);
  const exact = (n: number) => Object.is(n, -0) && (options.signedZero ?? true) ? "-0" : String(n);
  const line = (r: Record<string, unknown>) =>
    [r.line, ...floats.map((_, i) => r[`f${i}`] === null ? "~" : exact(Number(r[`f${i}`])))].join("|");
  // Ordered here, by bytes: the two servers may order a collation's equals differently.
  return rows.map(line).sort();
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

/**
 * Fails with the first rows that differ. `tables` are `schema.table` on the source, with the target's name if it differs;
 * `filters` says for some of them which of the source's rows are meant.
 */
export async function assertEqual(
  sourceUrl: string,
  targetUrl: string,
  tables: readonly (string | readonly [string | Place, string | Place])[],
  filters: ReadonlyMap<string, string> = new Map(),
): Promise<number> {
  await using source = await Sql.open(sourceUrl);
  await using target = await Sql.open(targetUrl);
  let rows = 0;
  const [one, other] = await Promise.all([source, target].map((sql) => sql.run("SELECT VERSION() AS v")));
  const signedZero = /mariadb/i.test(one[0].v) === /mariadb/i.test(other[0].v);
  for (const entry of tables) {
    const [from, to] = (typeof entry === "string" ? [entry, entry] : entry).map(asPlace);
    const label = `${from.schema}.${from.name}`;
    const names = (await columnsOf(source, from.schema, from.name)).map((c) => c.name);
    const where = filters.get(label) ?? null;
    const a = await dumpTable(source, from.schema, from.name, { names, signedZero, where });
    const b = await dumpTable(target, to.schema, to.name, { names, signedZero });
    assertSame(a, b, label);
    rows += a.length;
  }
  return rows;
}

/** Fails with the first lines that only one of two dumps has. */
export function assertSame(source: readonly string[], target: readonly string[], label: string): void {
  if (source.length === target.length && source.every((line, i) => line === target[i])) return;
  const there = new Set(source);
  const arrived = new Set(target);
  const missing = source.filter((line) => !arrived.has(line)).slice(0, 3);
  const extra = target.filter((line) => !there.has(line)).slice(0, 3);
  assert.fail(
    `${label}: ${source.length} rows on the source, ${target.length} on the target; first missing: ${
      missing.join(" ; ")
    }; first extra: ${extra.join(" ; ")}`,
  );
}
