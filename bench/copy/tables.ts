/**
 * Tables to copy, each kind as a workload: made once on the source, taken off the target before every run.
 * @module
 */
import { Sql } from "../../tests/support/sql.ts";
import type { Vendor } from "../../tests/servers/mod.ts";

/** Schema of every table, on both sides. */
export const SCHEMA = "bench";

/** One kind of tables. */
export interface CopyWorkload {
  /** Its name, for people. */
  readonly name: string;
  /** Rows over all tables, for a run of `scale` narrow rows. */
  readonly rows: (scale: number) => number;
  /** Number of tables, `t0`, `t1`, … */
  readonly tables: number;
  /** What stands between the parentheses of CREATE TABLE. */
  readonly columns: (vendor: Vendor) => string;
  /** SELECT list that makes a row of number `i`, in the columns' order; `n` is a random number of that row. */
  readonly values: (vendor: Vendor) => string;
}

const digits = (length: number, salt: string) =>
  `SUBSTRING(REPEAT(CONV(CRC32(CONCAT('${salt}', i)), 10, 10), 20), 1, ${length})`;

const NARROW = "id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL DEFAULT 0, " +
  "c CHAR(120) NOT NULL DEFAULT '', pad CHAR(60) NOT NULL DEFAULT ''";
const NARROW_VALUES = `i, 1 + CRC32(i) % 1000000, ${digits(119, "c")}, ${digits(59, "p")}`;

/** Columns of every type beside the key, and a value of each. */
function wide(vendor: Vendor): readonly (readonly [string, string])[] {
  return [
    ["TINYINT", "n % 100"],
    ["SMALLINT", "n % 30000"],
    ["MEDIUMINT", "n % 8000000"],
    ["INT UNSIGNED", "n"],
    ["BIGINT", "n * 1000003"],
    ["DECIMAL(20,6)", "n / 7"],
    ["FLOAT", "n / 3"],
    ["DOUBLE", "n / 9"],
    ["BIT(12)", "n % 4096"],
    ["DATE", "'2001-01-01' + INTERVAL (n % 8000) DAY"],
    ["DATETIME(6)", "'2001-01-01 00:00:00.123456' + INTERVAL (n % 100000000) SECOND"],
    ["TIMESTAMP NULL", "'2001-01-01' + INTERVAL (n % 100000000) SECOND"],
    ["TIME(3)", "SEC_TO_TIME(n % 80000)"],
    ["YEAR", "1950 + n % 100"],
    ["CHAR(20) CHARACTER SET latin1", digits(18, "a")],
    ["VARCHAR(60) CHARACTER SET utf8mb4", "CONCAT('naïve ', n)"],
    ["BINARY(8)", "LPAD(CHAR(n USING binary), 8, 'x')"],
    ["VARBINARY(40)", `REPEAT('v', n % 40)`],
    ["TINYTEXT", digits(30, "t")],
    ["TEXT", `REPEAT('text ', n % 40)`],
    ["MEDIUMTEXT", `REPEAT('m', n % 90)`],
    ["TINYBLOB", `REPEAT('b', n % 50)`],
    ["BLOB", `REPEAT('blob', n % 30)`],
    ["ENUM('red','green','blue')", "1 + n % 3"],
    ["SET('a','b','c','d')", "n % 16"],
    ["JSON", "CONCAT('{\"n\": ', n, ', \"list\": [1, 2, 3]}')"],
    ["INT NULL", "IF(n % 3, NULL, n % 1000)"],
    [vendor === "mysql" ? "BINARY(16) NULL" : "UUID NULL", vendor === "mysql" ? "UNHEX(MD5SUM)" : "UUID()"],
  ].map(([type, value]) => [type, value.replace("UNHEX(MD5SUM)", "UNHEX(SUBSTR(SHA2(i, 256), 1, 32))")]);
}

const many = (kb: number) =>
  `REPEAT(CONCAT(LPAD(CONV(CRC32(i), 10, 16), 8, '0'), LPAD(CONV(n, 10, 16), 8, '0')), ${kb * 64})`;

/** Every workload; the first is the one that most goals speak of. */
export const COPY_WORKLOADS: readonly CopyWorkload[] = [
  {
    name: "narrow rows",
    rows: (scale) => scale,
    tables: 1,
    columns: () => NARROW,
    values: () => NARROW_VALUES,
  },
  {
    name: "narrow rows, an index",
    rows: (scale) => scale / 8,
    tables: 1,
    columns: () => `${NARROW}, KEY k_1 (k)`,
    values: () => NARROW_VALUES,
  },
  {
    name: "narrow rows, 5 indexes",
    rows: (scale) => scale / 20,
    tables: 1,
    columns: () =>
      `${NARROW}, KEY k1 (k), KEY k2 (c(10)), KEY k3 (pad(10)), KEY k4 (k, pad(5)), KEY k5 (c(5), k)`,
    values: () => NARROW_VALUES,
  },
  {
    name: "29 columns",
    rows: (scale) => scale / 20,
    tables: 1,
    columns: (vendor) =>
      `id INT NOT NULL PRIMARY KEY, ${wide(vendor).map(([type], i) => `c${i} ${type}`).join(", ")}`,
    values: (vendor) => `i, ${wide(vendor).map(([, value]) => value).join(", ")}`,
  },
  {
    name: "4 KB rows",
    rows: (scale) => scale / 100,
    tables: 1,
    columns: () => "id INT NOT NULL PRIMARY KEY, body MEDIUMTEXT CHARACTER SET latin1 NOT NULL",
    values: () => `i, ${many(4)}`,
  },
  {
    name: "1 MB rows",
    rows: (scale) => Math.max(60, scale / 20_000),
    tables: 1,
    columns: () => "id INT NOT NULL PRIMARY KEY, body MEDIUMTEXT CHARACTER SET latin1 NOT NULL",
    values: () => `i, ${many(1024)}`,
  },
  {
    name: "keyed by UUID",
    rows: (scale) => scale / 10,
    tables: 1,
    columns: () =>
      "id CHAR(36) CHARACTER SET ascii NOT NULL PRIMARY KEY, k INT NOT NULL, c CHAR(120) NOT NULL",
    values: () =>
      `INSERT(INSERT(INSERT(INSERT(SUBSTR(SHA2(i, 256), 1, 32), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-'), n % 1000, ${
        digits(119, "c")
      }`,
  },
  {
    name: "200 small tables",
    rows: (scale) => scale / 10,
    tables: 200,
    columns: () => NARROW,
    values: () => NARROW_VALUES,
  },
];

/** Makes a workload's tables on the source, in place of what is there. */
export async function makeTables(
  url: string,
  vendor: Vendor,
  w: CopyWorkload,
  rows: number,
  options: { logged: boolean } = { logged: false },
): Promise<void> {
  await using sql = await Sql.open(url);
  // The binlog need not tell of them, unless a replica has to have them.
  await sql.run(`SET SESSION sql_log_bin = ${options.logged ? 1 : 0}, sql_mode = ''`);
  await sql.run(`DROP DATABASE IF EXISTS ${SCHEMA}; DROP DATABASE IF EXISTS numbers`);
  await sql.run(`CREATE DATABASE ${SCHEMA} CHARACTER SET utf8mb4; CREATE DATABASE numbers`);
  await sql.run("CREATE TABLE numbers.n (i INT NOT NULL PRIMARY KEY)");
  await sql.run(
    `INSERT INTO numbers.n VALUES ${Array.from({ length: 10_000 }, (_, i) => `(${i})`).join(",")}`,
  );
  const each = Math.ceil(rows / w.tables);
  for (let t = 0; t < w.tables; t++) {
    await sql.run(`CREATE TABLE ${SCHEMA}.t${t} (${w.columns(vendor)}) ENGINE=InnoDB`);
    const step = 50_000;
    for (let from = 0; from < each; from += step) {
      const to = Math.min(from + step, each);
      await sql.run(
        `INSERT INTO ${SCHEMA}.t${t} SELECT ${w.values(vendor)} FROM (
           SELECT a.i * 1000 + b.i + 1 AS i, CRC32(a.i * 1000 + b.i) AS n FROM numbers.n a JOIN numbers.n b
            WHERE b.i < 1000 AND a.i BETWEEN ${Math.floor(from / 1000)} AND ${Math.floor((to - 1) / 1000)}) s
          WHERE i BETWEEN ${from + 1} AND ${to} ORDER BY i`,
      );
    }
    await sql.run(`ANALYZE TABLE ${SCHEMA}.t${t}`);
  }
  await sql.run("DROP DATABASE numbers");
}

/** Makes the target as it was: no tables, no state, no binlog to fill the disk. */
export async function clearTarget(url: string): Promise<void> {
  await using sql = await Sql.open(url);
  await sql.run(`DROP DATABASE IF EXISTS ${SCHEMA}; DROP DATABASE IF EXISTS _ferry`);
  await sql.run("FLUSH BINARY LOGS");
  await sql.run("PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY");
}

/** Throws unless every row is there. */
export async function assertArrived(url: string, w: CopyWorkload, rows: number): Promise<void> {
  await using sql = await Sql.open(url);
  let there = 0;
  for (let t = 0; t < w.tables; t++) {
    const [{ n }] = await sql.run(`SELECT COUNT(*) AS n FROM ${SCHEMA}.t${t}`);
    there += Number(n);
  }
  const wanted = Math.ceil(rows / w.tables) * w.tables;
  if (there !== wanted) throw new Error(`${w.name}: ${there} rows on the target, not ${wanted}`);
}
