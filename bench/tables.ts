/**
 * Tables as sysbench makes them.
 * @module
 */
import { Connection } from "../demo/connection.ts";

/** Schema of the tables, on both sides. */
export const SCHEMA = "bench";

/** How many there are. */
export const TABLES = 2;

/** Makes them with `rows` rows each. */
export async function makeTables(url: string, rows: number): Promise<void> {
  await using sql = await Connection.open(url);
  for (const schema of [SCHEMA, "numbers"]) await sql.run(`CREATE DATABASE ${schema}`);
  await sql.run("CREATE TABLE numbers.n (i INT NOT NULL PRIMARY KEY)");
  await sql.run(`INSERT INTO numbers.n VALUES ${Array.from({ length: 1000 }, (_, i) => `(${i})`).join(",")}`);
  await Promise.all(
    Array.from({ length: TABLES }, (_, t) => makeTable(url, `${SCHEMA}.sbtest${t + 1}`, rows)),
  );
  await sql.run("DROP DATABASE numbers");
}

async function makeTable(url: string, name: string, rows: number): Promise<void> {
  await using sql = await Connection.open(url);
  await sql.run(
    `CREATE TABLE ${name} (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL DEFAULT 0,
     c CHAR(120) NOT NULL DEFAULT '', pad CHAR(60) NOT NULL DEFAULT '', KEY k_1 (k)) ENGINE=InnoDB`,
  );
  const digits = (length: number, salt: string) =>
    `SUBSTRING(REPEAT(CONV(CRC32(CONCAT('${salt}', i)), 10, 10), 20), 1, ${length})`;
  for (let from = 0; from < rows; from += 50_000) {
    const to = Math.min(from + 50_000, rows);
    await sql.run(
      `INSERT INTO ${name} SELECT i, 1 + CRC32(i) % ${rows}, ${digits(119, "c")}, ${digits(59, "p")}
       FROM (SELECT 1 + a.i * 1000 + b.i AS i FROM numbers.n a CROSS JOIN numbers.n b
         WHERE a.i BETWEEN ${Math.floor(from / 1000)} AND ${Math.floor((to - 1) / 1000)}) s
       WHERE i <= ${to}`,
    );
  }
  await sql.run(`ANALYZE TABLE ${name}`);
}

/** Makes the target as it was: no tables, no state, no binlog to fill the disk. */
export async function clearTarget(url: string): Promise<void> {
  await using sql = await Connection.open(url);
  for (const schema of [SCHEMA, "_ferry"]) await sql.run(`DROP DATABASE IF EXISTS ${schema}`);
  await sql.run("FLUSH BINARY LOGS");
  await sql.run("PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY");
}

/** Throws unless every row is there. */
export async function assertArrived(url: string, rows: number): Promise<void> {
  await using sql = await Connection.open(url);
  for (let t = 1; t <= TABLES; t++) {
    const [{ n }] = await sql.run(`SELECT COUNT(*) AS n FROM ${SCHEMA}.sbtest${t}`);
    if (Number(n) !== rows) throw new Error(`sbtest${t} has ${n} rows on the target, not ${rows}`);
  }
}
