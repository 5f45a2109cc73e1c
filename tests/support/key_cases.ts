/**
 * Tables with keys of every kind, and writers that insert, change, move and delete their rows.
 * @module
 */
import type { Vendor } from "../servers/mod.ts";
import { makeNumbers } from "./numbers.ts";
import { Sql } from "./sql.ts";

/** A table and how its keys are made of a number. */
export interface KeyCase {
  /** Its name in schema `shop`. */
  readonly name: string;
  /** Columns and key, as they stand in CREATE TABLE; others follow. */
  readonly definition: string;
  /** The key's columns. */
  readonly key: readonly string[];
  /** SQL expressions of the key of row `n`, which is an SQL expression too. Numbers may share a key. */
  readonly values: (n: string) => readonly string[];
  /** Rows that are there first. Default 3000. */
  readonly rows?: number;
}

const one = (name: string, type: string, value: (n: string) => string): KeyCase => ({
  name,
  definition: `k ${type} NOT NULL PRIMARY KEY`,
  key: ["k"],
  values: (n) => [value(n)],
});

/** Eight strings to a number, of which a collation holds some equal. */
const word = (n: string): string =>
  `CONCAT((${n}) DIV 8, ELT(1 + (${n}) % 8, 'foo', 'FOO', 'foo ', 'ß', 'ss', 'SS', 'é', 'e'))`;

const COMMON: KeyCase[] = [
  one("tiny", "TINYINT", (n) => `(${n}) % 256 - 128`),
  one("small", "SMALLINT", (n) => `(${n}) - 1500`),
  one("medium", "MEDIUMINT UNSIGNED", (n) => `16777215 - (${n})`),
  one("ints", "INT", (n) => `(${n}) * 1000 - 1500000`),
  one("counted", "INT AUTO_INCREMENT", (n) => `(${n})`),
  one("lowest", "BIGINT", (n) => `-9223372036854775808 + (${n})`),
  one("highest", "BIGINT UNSIGNED", (n) => `18446744073709551615 - (${n})`),
  one("middle", "BIGINT UNSIGNED", (n) => `CAST(9223372036854774308 AS UNSIGNED) + (${n})`),
  one("money", "DECIMAL(30,10)", (n) => `(${n}) * 0.0001 - 0.15`),
  one("long_decimal", "DECIMAL(65,0)", (n) => `CONCAT('-', REPEAT('9', 50), (${n}))`),
  one(
    "days",
    "DATE",
    (n) => `IF((${n}) < 2, CONCAT('0000-00-0', (${n})), '2024-01-01' + INTERVAL (${n}) DAY)`,
  ),
  one("moments", "DATETIME(6)", (n) => `'1999-12-31 23:59:59.999990' + INTERVAL (${n}) MICROSECOND`),
  one("stamps", "TIMESTAMP(3)", (n) => `'2024-03-31 00:00:00.5' + INTERVAL (${n}) MINUTE`),
  one("times", "TIME", (n) => `SEC_TO_TIME((${n}) * 1000 - 3000000)`),
  one("fractions", "TIME(6)", (n) => `ADDTIME('-00:00:00.0015', SEC_TO_TIME((${n}) * 0.000001))`),
  one(
    "edges",
    "TIME(3)",
    (n) =>
      `IF((${n}) % 2, CONCAT('838:59:5', (${n}) % 9, '.', (${n})), CONCAT('-838:5', (${n}) % 9, ':58.', (${n})))`,
  ),
  one("years", "YEAR", (n) => `IF((${n}) % 256, 1900 + (${n}) % 256, 0)`),
  one(
    "labels",
    `ENUM(${Array.from({ length: 300 }, (_, i) => `'${(i * 7919) % 300}'`).join()})`,
    (n) => `(${n}) % 301`,
  ),
  one("sets", "SET('a','b','c','d','e','f','g','h','i','j','k')", (n) => `(${n}) % 2048`),
  one("bits", "BIT(20)", (n) => `(${n}) * 171`),
  one("ci", "VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci", word),
  one("unicode", "VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci", word),
  one("exact", "VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", word),
  one("german", "VARCHAR(40) CHARACTER SET latin1 COLLATE latin1_german2_ci", word),
  one("padded", "CHAR(40) CHARACTER SET latin1", word),
  one("wide", "VARCHAR(40) CHARACTER SET utf16", word),
  one("bytes", "VARBINARY(20)", (n) => `UNHEX(CONCAT(LPAD(HEX(${n}), 6, '0'), REPEAT('00', (${n}) % 5)))`),
  one("zeros", "BINARY(6)", (n) => `UNHEX(CONCAT(LPAD(HEX(${n}), 6, '0'), '2000'))`),
  one(
    "uuid_text",
    "CHAR(36) CHARACTER SET ascii",
    (n) =>
      `INSERT(INSERT(MAKE_UUID, 9, 0, '-'), 14, 0, '-')`.replace(
        "MAKE_UUID",
        `LPAD(HEX((${n}) * 2654435761), 36, '0')`,
      ),
  ),
  {
    name: "pairs",
    definition: "v0 INT, b VARCHAR(20) CHARACTER SET utf8mb4 NOT NULL, a INT NOT NULL, PRIMARY KEY (a, b)",
    key: ["a", "b"],
    values: (n) => [`(${n}) % 7 - 3`, `CONCAT('Tag', (${n}) DIV 14, IF((${n}) % 2, 'x', 'X '))`],
  },
  {
    name: "triples",
    definition:
      "d DECIMAL(8,3) NOT NULL, e ENUM('z','y','x') NOT NULL, c CHAR(8) NOT NULL, t TIME(1) NOT NULL, PRIMARY KEY (e, d, t, c)",
    key: ["e", "d", "t", "c"],
    values: (
      n,
    ) => [
      `1 + (${n}) % 3`,
      `(${n}) % 5 - 2.5`,
      `CONCAT('-0', (${n}) % 9, ':00:00.5')`,
      `CONCAT('c', (${n}))`,
    ],
  },
  {
    name: "uniques",
    definition:
      "y INT NULL UNIQUE, z VARCHAR(9) NULL, k2 VARCHAR(20) NOT NULL, k1 BIGINT NOT NULL, g INT AS (k1 % 9) STORED, " +
      "UNIQUE KEY maybe (z, k1), UNIQUE KEY prefix (k2(3), k1), UNIQUE KEY u (k1, k2)",
    key: ["k1", "k2"],
    values: (n) => [`(${n}) * 7 - 9999`, `CONCAT('k', (${n}) % 10)`],
  },
  {
    name: "alone",
    definition: "y INT NULL, k DATETIME NOT NULL, UNIQUE KEY other (y), UNIQUE KEY k (k)",
    key: ["k"],
    values: (n) => [`'2024-01-01' + INTERVAL (${n}) HOUR`],
  },
];

const MYSQL: KeyCase[] = [
  one("accents", "VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci", word),
  one("cases", "VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_as_cs", word),
  one("binary_0900", "VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin", word),
  {
    name: "descending",
    definition: "k INT NOT NULL, w VARCHAR(40) NOT NULL, PRIMARY KEY (k DESC, w)",
    key: ["k", "w"],
    values: (n) => [`(${n}) DIV 16`, word(n)],
  },
];

const MARIADB: KeyCase[] = [
  one("nopad", "VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_nopad_ci", word),
  one("nopad_latin", "VARCHAR(40) CHARACTER SET latin1 COLLATE latin1_nopad_bin", word),
  one(
    "uuids",
    "UUID",
    (n) =>
      `CONCAT(LPAD(HEX((${n}) * 2654435761 % 4294967296), 8, '0'), '-e89b-1', LPAD((${n}) % 999, 3, '0'), '-a456-426655440000')`,
  ),
  one("hosts", "INET6", (n) => `CONCAT('2001:db8::', HEX(${n}))`),
  one("hosts4", "INET4", (n) => `CONCAT('10.9.', (${n}) DIV 256, '.', (${n}) % 256)`),
];

/** The tables of one family. */
export function keyTables(vendor: Vendor): KeyCase[] {
  return [...COMMON, ...(vendor === "mysql" ? MYSQL : MARIADB)];
}

/** A session that may write everything that a server can hold. */
export const LENIENT =
  "SET SESSION time_zone='+00:00', sql_mode='ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', " +
  "character_set_connection=utf8mb4, innodb_lock_wait_timeout=5";

/** Makes and fills the tables: every other number up to twice the rows. */
export async function makeKeyTables(sql: Sql, cases: readonly KeyCase[]): Promise<void> {
  await sql.run(LENIENT);
  await sql.run("CREATE DATABASE IF NOT EXISTS shop");
  await makeNumbers(sql);
  if (cases.some((c) => (c.rows ?? 0) > 100_000)) {
    await sql.run("INSERT INTO numbers.n SELECT n + 100000 FROM numbers.n");
  }
  for (const c of cases) {
    try {
      await sql.run(`CREATE TABLE shop.${c.name} (${c.definition}, v INT, p VARCHAR(60))`);
      await sql.run(
        `INSERT IGNORE INTO shop.${c.name} (${c.key.join()}, v, p) SELECT ${
          c.values("2 * n").join()
        }, n, REPEAT('p', n % 50) FROM numbers.n WHERE n < ${c.rows ?? 3000}`,
      );
      const [{ n }] = await sql.run(`SELECT COUNT(*) AS n FROM shop.${c.name}`);
      if (Number(n) < 120) throw new Error(`only ${n} rows`);
    } catch (e) {
      throw new Error(`${c.name}: ${(e as Error).message}`);
    }
  }
  await sql.run(`ANALYZE TABLE ${cases.map((c) => `shop.${c.name}`).join()}`);
}

/** Writers under way. */
export interface KeyWriters {
  /** Row changes that were committed, by table. */
  readonly counts: ReadonlyMap<string, number>;
  /** Ends them; throws what was not expected. */
  stop(): Promise<void>;
}

/** Starts writers on every table. */
export function startKeyWriters(url: string, cases: readonly KeyCase[], writers = 2): KeyWriters {
  const counts = new Map<string, number>();
  let stopped = false;
  let failure: unknown = null;
  const work = async () => {
    await using sql = await Sql.open(url);
    await sql.run(LENIENT);
    for (let i = 0; !stopped; i++) {
      const c = cases[i % cases.length];
      const range = 2 * (c.rows ?? 3000);
      try {
        const rows = await sql.run(
          change(c, Math.floor(Math.random() * range), Math.floor(Math.random() * range)),
        );
        const results = (Array.isArray(rows) ? rows : [rows]) as { affectedRows?: number }[];
        const changed = results.reduce((n, r) => n + (r.affectedRows ?? 0), 0);
        counts.set(c.name, (counts.get(c.name) ?? 0) + changed);
      } catch (e) {
        if (![1062, 1205, 1213].includes((e as { errno: number }).errno)) {
          throw new Error(`${c.name}: ${(e as Error).message}`);
        }
        await sql.run("ROLLBACK");
      }
    }
  };
  const all = Promise.all(Array.from({ length: writers }, () => work().catch((e) => failure ??= e)));
  return {
    counts,
    stop: async () => {
      stopped = true;
      await all;
      if (failure !== null) throw failure;
    },
  };
}

function change(c: KeyCase, n: number, m: number): string {
  const table = `shop.${c.name}`;
  const set = (x: number) => c.values(String(x)).map((v, i) => `${c.key[i]} = ${v}`);
  const where = set(n).join(" AND ");
  const insert = `INSERT IGNORE INTO ${table} (${c.key.join()}, v, p) VALUES (${
    c.values(String(n)).join()
  }, ${m}, 'again')`;
  switch (Math.floor(Math.random() * 6)) {
    case 0:
      return insert;
    case 1:
      return `DELETE FROM ${table} WHERE ${where}`;
    case 2:
      return `UPDATE IGNORE ${table} SET v = v + 1, p = 'changed' WHERE ${where}`;
    case 3: // over the cursor, forward or back
      return `UPDATE IGNORE ${table} SET ${set(m).join()} WHERE ${where}`;
    case 4: { // to a neighbour: in a collation often the same key in other letters
      const next = n - n % 8 + m % 8;
      return `UPDATE IGNORE ${table} SET ${set(next).join()}, v = ${m} WHERE ${where}`;
    }
    default:
      return `BEGIN; DELETE FROM ${table} WHERE ${where}; ${insert}; COMMIT`;
  }
}
