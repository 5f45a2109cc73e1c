/**
 * Two schemas of one source and a third party, all with rows for one table: who has which key and which unique value is
 * told by the remainder of a division by three, so that everybody's rows lie between everybody else's.
 */
import { dumpTable } from "./equality.ts";
import { Sql } from "./sql.ts";

/** Whose rows. */
export const EAST = 0, WEST = 1, THIRD = 2;
/** The two schemas on the source. */
export const SIDES = ["east", "west"] as const;

const ORDERS =
  `(id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, slot INT NULL, state ENUM('neu','bezahlt','zurück') NOT NULL,
  note VARCHAR(200), amount DECIMAL(12,2), twice INT AS (slot * 2) VIRTUAL, UNIQUE KEY slot (slot), UNIQUE KEY twice (twice),
  KEY state (state)) ENGINE=InnoDB CHARSET latin1`;
const TAGS = `(name VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL, n INT NOT NULL,
  total BIGINT UNSIGNED NOT NULL, PRIMARY KEY (name, n)) ENGINE=InnoDB`;

const DIGITS =
  "(SELECT 0 n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL " +
  "SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)";
const NUMBERS =
  `(SELECT a.n + 10*b.n + 100*c.n + 1000*d.n + 10000*e.n AS i FROM ${DIGITS} a, ${DIGITS} b, ${DIGITS} c,
  ${DIGITS} d, ${DIGITS} e)`;

async function fill(sql: Sql, schema: string, who: number, rows: number): Promise<void> {
  await sql.run(`INSERT INTO ${schema}.orders (id, slot, state, note, amount)
    SELECT 3*i + 3 + ${who}, 3*i + 3 + ${who}, 1 + i % 3, CONCAT('${who}:', i), i / 7 FROM ${NUMBERS} s WHERE i < ${rows}`);
  await sql.run(`INSERT INTO ${schema}.tags
    SELECT CONCAT(IF(i % 2, 'Tag ', 'tag '), 3*i + 3 + ${who}), i % 5, i FROM ${NUMBERS} s WHERE i < ${rows}`);
}

/** Makes both tables in both schemas of the source, with so many rows in each. */
export async function makeSides(url: string, rows: number): Promise<void> {
  await using sql = await Sql.open(url);
  for (const [who, schema] of SIDES.entries()) {
    await sql.run(`CREATE DATABASE ${schema}`);
    await sql.run(`CREATE TABLE ${schema}.orders ${ORDERS}`);
    await sql.run(`CREATE TABLE ${schema}.tags ${TAGS}`);
    await fill(sql, schema, who, rows);
    await sql.run(`ANALYZE TABLE ${schema}.orders, ${schema}.tags`);
  }
}

/** Makes the tables on the target, with rows of a third party, and the same once more in `mirror`. */
export async function makeHub(url: string, rows: number): Promise<void> {
  await using sql = await Sql.open(url);
  for (const schema of ["hub", "mirror"]) {
    await sql.run(`CREATE DATABASE ${schema}`);
    await sql.run(`CREATE TABLE ${schema}.orders ${ORDERS}`);
    await sql.run(`CREATE TABLE ${schema}.tags ${TAGS}`);
    await fill(sql, schema, THIRD, rows);
  }
}

/** The spec of one side's ferry. */
export function sideSpec(
  source: string,
  target: string,
  side: string,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    id: side,
    source,
    target,
    tables: [{ table: `${side}.orders`, to: "hub.orders" }, { table: `${side}.tags`, to: "hub.tags" }],
    existingRows: "merge",
    cutover: { mode: "auto", fence: "lockTables", keepFence: false },
    ...more,
  };
}

/** What `hub` must hold: every side's rows, and the third party's. */
export async function union(source: string, target: string, table: string): Promise<string[]> {
  await using from = await Sql.open(source);
  await using to = await Sql.open(target);
  const parts = [await dumpTable(to, "mirror", table)];
  for (const side of SIDES) parts.push(await dumpTable(from, side, table));
  return parts.flat().sort();
}

/** What `hub` holds. */
export async function hub(target: string, table: string): Promise<string[]> {
  await using to = await Sql.open(target);
  return await dumpTable(to, "hub", table);
}

/** Names of the tables in the state schema that say which rows are whose. */
export async function keyTables(target: string): Promise<string[]> {
  await using to = await Sql.open(target);
  const rows = await to.run(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = '_ferry' AND table_name LIKE 'keys%'",
  );
  return rows.map((r) => String(r.name));
}

/** One transaction of an application that has its rows in `schemas` (all at once) and whose remainder is `who`. */
export function mergedTransaction(
  pick: (max: number) => number,
  schemas: readonly string[],
  who: number,
  rows: number,
): string {
  const mine = (max: number) => 3 * pick(max) + 3 + who; // never 0, which AUTO_INCREMENT would replace
  const id = mine(rows), other = mine(rows * 2), slot = mine(rows * 2);
  const tag = mine(rows), n = (tag - 3 - who) / 3 % 5, what = pick(9), value = pick(1e6);
  const each = (text: (schema: string) => string) => `BEGIN; ${schemas.map(text).join("; ")}; COMMIT`;
  switch (what) {
    case 0:
      return each((s) =>
        `INSERT INTO ${s}.orders (id, slot, state, note) VALUES (${other}, ${slot}, 2, 'new ${value}')`
      );
    case 1:
      return each((s) => `UPDATE ${s}.orders SET amount = ${value} / 100, state = 3 WHERE id = ${id}`);
    case 2:
      return each((s) => `DELETE FROM ${s}.orders WHERE id = ${id}`);
    case 3: // a key moves forward or back
      return each((s) => `UPDATE ${s}.orders SET id = ${other} WHERE id = ${id}`);
    case 4: // deleted and inserted again
      return each((s) =>
        `DELETE FROM ${s}.orders WHERE id = ${id}; INSERT INTO ${s}.orders (id, slot, state, note) VALUES (${id}, NULL, 1, 'again ${value}')`
      );
    case 5: // two rows change their unique values
    case 6:
      return id === other
        ? "DO 0"
        : each((s) =>
          `SELECT slot INTO @a FROM ${s}.orders WHERE id = ${id} FOR UPDATE; SELECT slot INTO @b FROM ${s}.orders WHERE id = ${other} FOR UPDATE;
         UPDATE ${s}.orders SET slot = NULL WHERE id IN (${id}, ${other}); UPDATE ${s}.orders SET slot = @a WHERE id = ${other};
         UPDATE ${s}.orders SET slot = @b WHERE id = ${id}`
        );
    case 7: // a key changes in its case only
      return each((s) =>
        `UPDATE ${s}.tags SET name = ${
          value % 2 ? "UPPER(name)" : "LOWER(name)"
        }, total = ${value} WHERE name = 'tag ${tag}' AND n = ${n}`
      );
    default:
      return each((s) =>
        `DELETE FROM ${s}.tags WHERE name = 'tag ${tag}' AND n = ${n}; INSERT INTO ${s}.tags VALUES ('TAG ${tag}', ${n}, ${value})`
      );
  }
}

/** Writers under way. */
export interface MergedWriters extends AsyncDisposable {
  /** Transactions committed. */
  readonly count: number;
  /** Ends them; throws what was not expected. */
  stop(): Promise<void>;
}

/** Writes into all of `schemas` alike, until it is stopped. */
export function writeMerged(
  url: string,
  schemas: readonly string[],
  who: number,
  rows: number,
  pauseMs = 0,
): MergedWriters {
  let stopped = false, count = 0;
  let failure: unknown = null;
  const work = (async () => {
    let a = 77 + who;
    const pick = (max: number) => {
      a = (Math.imul(a, 1664525) + 1013904223) >>> 0;
      return Math.floor(a / 4294967296 * max);
    };
    await using sql = await Sql.open(url);
    while (!stopped) {
      try {
        await sql.run(mergedTransaction(pick, schemas, who, rows));
        count++;
      } catch (e) {
        if (![1062, 1205, 1213].includes((e as { errno: number }).errno)) throw e;
        await sql.run("ROLLBACK");
      }
      if (pauseMs > 0) await new Promise((r) => setTimeout(r, pauseMs));
    }
  })().catch((e) => failure ??= e);
  const stop = async () => {
    stopped = true;
    await work;
    if (failure !== null) throw failure;
  };
  return {
    get count() {
      return count;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
