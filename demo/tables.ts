/**
 * The demo's tables, and their rows, which the server makes by itself.
 * @module
 */
import { Connection } from "./connection.ts";

/** A table, its part of all rows, and how the row number `i` becomes a row. */
interface DemoTable {
  readonly name: string;
  readonly share: number;
  readonly columns: string;
  readonly row: string;
}

/** Keys of every kind: counted, composed, random bytes, and text whose order is the server's business. */
const TABLES: readonly DemoTable[] = [
  {
    name: "shop.customers",
    share: 0.2,
    columns: `id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, email VARCHAR(80) NOT NULL UNIQUE,
      name VARCHAR(60) NOT NULL, country CHAR(2) NULL, balance DECIMAL(12,2) NOT NULL, since DATE NOT NULL`,
    row: `i, CONCAT('c', i, '@example.org'), CONCAT('Çelik-Šimůnková ', i), IF(i % 7, 'DE', NULL),
      i / 7 - 1000, '2015-01-01' + INTERVAL i % 3650 DAY`,
  },
  {
    name: "shop.orders",
    share: 0.4,
    columns: `id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, customer INT NOT NULL,
      state ENUM('new','paid','sent') NOT NULL, total DECIMAL(10,2) NOT NULL, note VARCHAR(120) NULL,
      placed DATETIME(3) NOT NULL, KEY customer (customer)`,
    row:
      `i, 1 + i % 50000, 1 + i % 3, i % 90000 / 100, IF(i % 4, CONCAT('note ', i, REPEAT(' …', i % 9)), NULL),
      '2026-01-01' + INTERVAL i SECOND`,
  },
  {
    name: "shop.order_lines",
    share: 0.3,
    columns:
      `order_id BIGINT NOT NULL, line SMALLINT NOT NULL, product VARCHAR(30) NOT NULL, pieces INT NOT NULL,
      weight DOUBLE NULL, PRIMARY KEY (order_id, line), KEY product (product)`,
    row: `1 + i DIV 3, i % 3, CONCAT('product-', i % 1999), 1 + i % 12, i / 17`,
  },
  {
    name: "shop.sessions",
    share: 0.08,
    columns:
      `token BINARY(16) NOT NULL PRIMARY KEY, customer INT NOT NULL, seen TIMESTAMP(6) NOT NULL, body BLOB NULL`,
    row:
      `UNHEX(LEFT(SHA2(i, 256), 32)), 1 + i % 50000, '2026-01-01' + INTERVAL i SECOND, UNHEX(SHA2(CONCAT('b', i), 512))`,
  },
  {
    name: "crm.tags",
    share: 0.02,
    columns: `tag VARCHAR(40) NOT NULL, lang CHAR(2) NOT NULL, used BIGINT UNSIGNED NOT NULL, about JSON NULL,
      PRIMARY KEY (tag, lang)`,
    row: `CONCAT(IF(i % 2, 'Tag ', 'tag '), i), ELT(1 + i % 3, 'de', 'en', 'fr'), i, JSON_OBJECT('n', i)`,
  },
];

/** Names of the tables, `schema.table`. */
export const TABLE_NAMES: readonly string[] = TABLES.map((table) => table.name);

/** Makes the tables with about `rows` rows in all, and returns how many each has. */
export async function fillTables(url: string, rows: number): Promise<ReadonlyMap<string, number>> {
  await using sql = await Connection.open(url);
  for (const schema of ["shop", "crm", "numbers"]) await sql.run(`CREATE DATABASE ${schema}`);
  await sql.run("CREATE TABLE numbers.n (i INT NOT NULL PRIMARY KEY)");
  const thousand = Array.from({ length: 1000 }, (_, i) => `(${i})`).join(",");
  await sql.run(`INSERT INTO numbers.n VALUES ${thousand}`);
  const filled = new Map(TABLES.map(({ name, share }) => [name, Math.max(1, Math.round(rows * share))]));
  await Promise.all(TABLES.map((table) => fill(url, table, filled.get(table.name)!)));
  await sql.run("DROP DATABASE numbers");
  return filled;
}

async function fill(url: string, { name, columns, row }: DemoTable, count: number): Promise<void> {
  await using sql = await Connection.open(url);
  await sql.run(`CREATE TABLE ${name} (${columns}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`);
  // Pieces that are small enough to leave the server's memory for the others.
  for (let from = 0; from < count; from += 50_000) {
    const to = Math.min(from + 50_000, count);
    await sql.run(
      `INSERT INTO ${name} SELECT ${row} FROM
        (SELECT 1 + a.i * 1000 + b.i AS i FROM numbers.n a CROSS JOIN numbers.n b
         WHERE a.i BETWEEN ${Math.floor(from / 1000)} AND ${Math.floor((to - 1) / 1000)}) s
       WHERE i > ${from} AND i <= ${to}`,
    );
  }
  await sql.run(`ANALYZE TABLE ${name}`);
}
