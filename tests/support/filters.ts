/**
 * Filters, and an application that makes rows enter and leave them in every way that a row can change.
 * @module
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import type { TestServer, Vendor } from "../servers/mod.ts";
import { assertEqual } from "./equality.ts";
import { shopSpec, until, untilShown } from "./ferries.ts";
import { Sql } from "./sql.ts";
import { generator } from "./workload.ts";

/** One filter on a table of its own. */
export interface FilterCase {
  /** What it is about; the table's name too. */
  readonly name: string;
  /** Columns beside the key, and their types. */
  readonly columns: Readonly<Record<string, string>>;
  /** Definitions of further columns, which the server fills. */
  readonly generated?: string;
  /** Values of a row in SQL, in the order of `columns`; some in the filter, some not. */
  readonly values: readonly (readonly string[])[];
  /** The key's type, where it is no INT, and its value for a number. */
  readonly key?: { readonly type: string; of(n: number): string };
  /** The filter. */
  readonly where: string;
  /** Families that have what it needs, as a source. */
  readonly only?: readonly Vendor[];
  /** Its types are known to those families alone, so that the target must be one of them too. */
  readonly ownTypes?: true;
}

/** An application that lets anything through that its server can hold. */
const LENIENT = "SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00' " +
  "/*M!100201 , check_constraint_checks = 0 */";

const ROWS = 1200;
const PAUSE_MS = 2;

/** Runs one ferry over all cases that both servers know, and compares every table with its subset. */
export async function ferryFilters(
  source: TestServer,
  target: TestServer,
  all: readonly FilterCase[],
  more: Record<string, unknown> = {},
): Promise<void> {
  const has = (c: FilterCase, server: TestServer) => c.only?.includes(server.vendor) ?? true;
  const cases = all.filter((c) => has(c, source) && (!c.ownTypes || has(c, target)));
  await makeTables(source.url, cases);
  await using writers = startWriters(source.url, cases);
  const dock = openDock();
  try {
    const ferry = await dock.start(shopSpec(source.url, target.url, {
      tables: cases.map((c) => ({ table: tableOf(c), where: c.where })),
      copy: { concurrency: 2, chunkBytes: 16384 },
      cutover: { mode: "manual", fence: "lockTables", keepFence: false },
      ...more,
    }));
    await until(ferry, ["awaitingCutover"]);
    const before = ferry.resource().progress.changesApplied;
    await untilShown(ferry, ({ progress }) => progress.changesApplied >= before + 300);
    await writers.stop();
    await ferry.act("cutover");
    const done = await until(ferry, ["done"]);
    assert.equal(done.verification.state, "passed");
  } finally {
    await dock.close();
  }
  await assertSubsets(source.url, target.url, cases);
}

/** Fails where a target table is not the subset, byte for byte, or where a filter let everything or nothing through. */
export async function assertSubsets(
  source: string,
  target: string,
  cases: readonly FilterCase[],
): Promise<void> {
  for (const c of cases) {
    const rows = await assertEqual(source, target, [tableOf(c)], new Map([[tableOf(c), c.where]]));
    await using sql = await Sql.open(source);
    const [all] = await sql.run(`SELECT COUNT(*) AS n FROM ${tableOf(c)}`);
    assert.ok(rows > 0 && rows < Number(all.n), `${c.name}: ${rows} of ${all.n} rows are in the filter`);
  }
}

/** The case's table, `schema.name`. */
export function tableOf(c: FilterCase): string {
  return `shop.${c.name}`;
}

/** Makes and fills the tables. */
export async function makeTables(url: string, cases: readonly FilterCase[], rows = ROWS): Promise<void> {
  await using sql = await Sql.open(url);
  // Not the charset of the tables.
  await sql.run("CREATE DATABASE IF NOT EXISTS shop CHARACTER SET latin1");
  await sql.run(LENIENT);
  for (const c of cases) {
    const columns = Object.entries(c.columns).map(([name, type]) => `${name} ${type}`);
    if (c.generated !== undefined) columns.push(c.generated);
    await sql.run(
      `CREATE TABLE ${tableOf(c)} (id ${c.key?.type ?? "INT"} NOT NULL PRIMARY KEY, n INT NOT NULL, ${
        columns.join(", ")
      }) DEFAULT CHARSET=utf8mb4`,
    );
    const lines = Array.from({ length: rows }, (_, i) => row(c, i, i, c.values[i % c.values.length]));
    for (let i = 0; i < rows; i += 500) {
      await sql.run(`${insertInto(c)} ${lines.slice(i, i + 500).join(",")}`);
    }
  }
}

/** Writers under way. */
export interface Writers extends AsyncDisposable {
  /** Ends them and waits; throws an error that was not expected. */
  stop(): Promise<void>;
}

/** Two connections that write to every table. */
export function startWriters(url: string, cases: readonly FilterCase[], seed = 1): Writers {
  let stopped = false;
  let failure: unknown = null;
  const work = async (random: () => number) => {
    const pick = (max: number) => Math.floor(random() * max);
    await using sql = await Sql.open(url);
    await sql.run(LENIENT);
    while (!stopped) {
      try {
        await sql.run(change(cases[pick(cases.length)], pick));
      } catch (e) {
        // Deadlocks, lock waits and duplicates are an application's daily bread.
        if (![1062, 1205, 1213].includes((e as { errno: number }).errno)) throw e;
        await sql.run("ROLLBACK");
      }
      await new Promise((r) => setTimeout(r, PAUSE_MS));
    }
  };
  const both = Promise.all([1, 2].map((n) => work(generator(seed * 100 + n)).catch((e) => failure ??= e)));
  const stop = async () => {
    stopped = true;
    await both;
    if (failure !== null) throw failure;
  };
  return { stop, [Symbol.asyncDispose]: stop };
}

function insertInto(c: FilterCase): string {
  return `INSERT INTO ${tableOf(c)} (id, n, ${Object.keys(c.columns).join(", ")}) VALUES`;
}

function keyOf(c: FilterCase, id: number): string {
  return c.key?.of(id) ?? String(id);
}

function row(c: FilterCase, id: number, n: number, values: readonly string[]): string {
  return `(${keyOf(c, id)}, ${n}, ${values.join(", ")})`;
}

/** One transaction, as one text. */
function change(c: FilterCase, pick: (max: number) => number): string {
  const table = tableOf(c);
  const any = () => c.values[pick(c.values.length)];
  const [a, b] = [keyOf(c, pick(ROWS + 100)), keyOf(c, pick(ROWS + 100))];
  const set = (values: readonly string[]) =>
    Object.keys(c.columns).map((name, i) => `${name} = ${values[i]}`).join(", ");
  const insert = (id: string) => `${insertInto(c)} (${id}, ${pick(1e6)}, ${any().join(", ")})`;
  switch (pick(9)) {
    case 0:
      return insert(a);
    case 1: // enters, leaves, or stays
      return `UPDATE ${table} SET ${set(any())} WHERE id = ${a}`;
    case 2: // what the filter does not look at
      return `UPDATE ${table} SET n = ${pick(1e6)} WHERE id = ${a}`;
    case 3:
      return `DELETE FROM ${table} WHERE id = ${a}`;
    case 4: // the key changes, and the row enters or leaves with it
      return `UPDATE ${table} SET id = ${b}, ${set(any())} WHERE id = ${a}`;
    case 5:
      return `UPDATE ${table} SET id = ${b} WHERE id = ${a}`;
    case 6: // deleted and inserted again
      return `BEGIN; DELETE FROM ${table} WHERE id = ${a}; ${insert(a)}; COMMIT`;
    case 7: // in and out in one transaction
      return `BEGIN; UPDATE ${table} SET ${set(any())} WHERE id = ${a}; UPDATE ${table} SET ${
        set(any())
      } WHERE id = ${a}; COMMIT`;
    default: // many rows
      return `UPDATE ${table} SET ${set(any())} WHERE n BETWEEN ${pick(ROWS)} AND ${pick(ROWS)} LIMIT 20`;
  }
}
