/**
 * A table whose rows are as large as a test wants, and a target that lets none of them in: what is read ahead then waits.
 * @module
 */
import { untilTrue } from "./ferries.ts";
import { Sql } from "./sql.ts";

const DEFINITION =
  "CREATE TABLE shop.orders (id INT NOT NULL PRIMARY KEY, v INT NOT NULL, fat BLOB NOT NULL)";

/** Makes `shop.orders` with `rows` rows of about `bytes` bytes each, counted from 0. */
export async function makeFatOrders(url: string, rows: number, bytes: number): Promise<void> {
  await using sql = await Sql.open(url);
  await sql.run(`CREATE DATABASE shop; ${DEFINITION}`);
  const values = Array.from({ length: rows }, (_, i) => `(${i}, ${i}, REPEAT('x', ${bytes}))`);
  await sql.run(`INSERT INTO shop.orders VALUES ${values.join(",")}; ANALYZE TABLE shop.orders`);
}

/** Makes the table on the target, without rows, and lets nobody insert any until `hold` rolls back. */
export async function lockFatOrders(hold: Sql): Promise<void> {
  await hold.run(`CREATE DATABASE shop; ${DEFINITION}`);
  await hold.run("START TRANSACTION; SELECT * FROM shop.orders WHERE id >= 0 FOR UPDATE");
}

/** Waits until a chunk's write waits for that; the one behind it is read meanwhile. */
export async function untilChunkWaits(sql: Sql): Promise<void> {
  await untilTrue("a chunk waits for the lock", async () => {
    const [row] = await sql.run(
      "SELECT COUNT(*) AS n FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'",
    );
    return Number(row.n) === 1;
    // Looked at more often than every 100 ms, the list of transactions stays as it was.
  }, { everyMs: 200 });
  await new Promise((r) => setTimeout(r, 300));
}
