/**
 * An application that goes on writing: inserts, updates, deletes, key changes, deletes followed by inserts of the same key,
 * and swaps of unique values.
 * @module
 */
import { Sql } from "./sql.ts";

/** The tables that the workload writes to. */
export const WORKLOAD_TABLES = ["shop.orders", "shop.tags", "shop.pairs", "shop.blobs"] as const;

/** Makes and fills the tables. */
export async function makeWorkload(url: string, rows: number): Promise<void> {
  await using sql = await Sql.open(url);
  await sql.run("CREATE DATABASE IF NOT EXISTS shop");
  await sql.run(
    `CREATE TABLE shop.orders (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, customer INT NOT NULL, note VARCHAR(200),
    amount DECIMAL(12,2), state ENUM('new','paid','sent') NOT NULL, at DATETIME(3), KEY customer (customer)) CHARSET utf8mb4`,
  );
  // Keys that JavaScript cannot order: case, accents and trailing spaces are the server's business.
  await sql.run(
    `CREATE TABLE shop.tags (name VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL, n INT NOT NULL,
    total BIGINT UNSIGNED NOT NULL, PRIMARY KEY (name, n))`,
  );
  await sql.run(
    `CREATE TABLE shop.pairs (id BIGINT NOT NULL PRIMARY KEY, slot INT NULL UNIQUE, v INT NOT NULL)`,
  );
  await sql.run(
    `CREATE TABLE shop.blobs (id BINARY(8) NOT NULL PRIMARY KEY, body BLOB, f FLOAT, d DOUBLE, bits BIT(12), t TIMESTAMP(6) NULL)`,
  );
  const seq =
    "(SELECT a.n + 10*b.n + 100*c.n + 1000*d.n + 10000*e.n + 100000*f.n AS i FROM DIGITS a, DIGITS b, DIGITS c, DIGITS d, DIGITS e, DIGITS f)"
      .replaceAll(
        "DIGITS",
        "(SELECT 0 n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)",
      );
  await sql.run(
    `INSERT INTO shop.orders SELECT i+1, i % 997, CONCAT('note ', i, REPEAT('x', i % 90)), i / 7, 1 + i % 3,
    '2026-01-01' + INTERVAL i SECOND FROM ${seq} s WHERE i < ${rows}`,
  );
  await sql.run(
    `INSERT INTO shop.tags SELECT CONCAT(IF(i % 2, 'Tag ', 'tag '), i), i % 5, i FROM ${seq} s WHERE i < ${
      Math.ceil(rows / 4)
    }`,
  );
  await sql.run(`INSERT INTO shop.pairs SELECT i - 50, i, i FROM ${seq} s WHERE i < ${Math.ceil(rows / 4)}`);
  await sql.run(
    `INSERT INTO shop.blobs SELECT UNHEX(LPAD(HEX(i * 1048583), 16, '0')), REPEAT(CHAR(i % 256), i % 300), i / 3, i / 7, i % 4096,
    '2026-01-01 00:00:00.5' + INTERVAL i SECOND FROM ${seq} s WHERE i < ${Math.ceil(rows / 4)}`,
  );
  await sql.run("ANALYZE TABLE shop.orders, shop.tags, shop.pairs, shop.blobs");
}

/** Writers under way. */
export interface Workload extends AsyncDisposable {
  /** Transactions committed. */
  readonly count: number;
  /** Ends the writers and waits for them; throws an error that was not expected. */
  stop(): Promise<void>;
}

/** Starts `writers` connections that write as fast as they are let, or `pauseMs` apart. */
export function startWorkload(
  url: string,
  options: { writers?: number; rows: number; pauseMs?: number; seed?: number },
): Workload {
  let stopped = false;
  let count = 0;
  let failure: unknown = null;
  const work = async (n: number) => {
    const random = generator((options.seed ?? 1) * 1000 + n);
    const pick = (max: number) => Math.floor(random() * max);
    await using sql = await Sql.open(url);
    for (; !stopped;) {
      try {
        await sql.run(transaction(pick, options.rows, n));
        count++;
      } catch (e) {
        // Deadlocks, lock waits and duplicates are an application's daily bread.
        if (![1062, 1205, 1213].includes((e as { errno: number }).errno)) throw e;
        await sql.run("ROLLBACK");
      }
      if (options.pauseMs) await new Promise((r) => setTimeout(r, options.pauseMs));
    }
  };
  const all = Promise.all(
    Array.from({ length: options.writers ?? 3 }, (_, n) => work(n).catch((e) => failure ??= e)),
  );
  const stop = async () => {
    stopped = true;
    await all;
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

function transaction(pick: (max: number) => number, rows: number, writer: number): string {
  const id = 1 + pick(rows);
  const quarter = Math.ceil(rows / 4);
  switch (pick(11)) {
    case 0:
      return `INSERT INTO shop.orders (customer, note, amount, state) VALUES (${pick(997)}, 'new ${
        pick(1e6)
      }', ${pick(1e6)} / 100, 1)`;
    case 1:
      return `UPDATE shop.orders SET amount = amount + 1, note = CONCAT(LEFT(note, 50), '!'), state = 2 WHERE id = ${id}`;
    case 2:
      return `DELETE FROM shop.orders WHERE id = ${id}`;
    case 3: // a key moves forward past the cursor, or back before it
      return `UPDATE shop.orders SET id = ${1 + pick(rows * 2)} WHERE id = ${id}`;
    case 4: // deleted and inserted again
      return `BEGIN; DELETE FROM shop.orders WHERE id = ${id}; INSERT INTO shop.orders VALUES (${id}, 1, 'again ${
        pick(1e6)
      }', 1, 3, NULL); COMMIT`;
    case 5: { // unique values are swapped; the two rows change places in one transaction
      const a = pick(quarter) - 50, b = pick(quarter) - 50;
      return a === b ? "DO 0" : `BEGIN; SELECT slot INTO @a FROM shop.pairs WHERE id = ${a} FOR UPDATE;
        SELECT slot INTO @b FROM shop.pairs WHERE id = ${b} FOR UPDATE;
        UPDATE shop.pairs SET slot = NULL WHERE id = ${a}; UPDATE shop.pairs SET slot = @a, v = v + 1 WHERE id = ${b};
        UPDATE shop.pairs SET slot = @b, v = v + 1 WHERE id = ${a}; COMMIT`;
    }
    case 6: { // a key changes only in its case, or in trailing space
      const i = pick(quarter);
      return `UPDATE shop.tags SET name = ${pick(2) ? "UPPER(name)" : "LOWER(name)"}, total = total + ${
        writer + 1
      } WHERE name = 'tag ${i}' AND n = ${i % 5}`;
    }
    case 7: {
      const i = pick(quarter);
      return `BEGIN; DELETE FROM shop.tags WHERE name = 'tag ${i}' AND n = ${i % 5};
        INSERT INTO shop.tags VALUES ('TAG ${i}', ${i % 5}, ${pick(1e6)}); COMMIT`;
    }
    case 8:
      return `UPDATE shop.blobs SET body = REPEAT(CHAR(${pick(256)}), ${
        pick(400)
      }), f = ${Math.random()}, bits = ${pick(4096)}
        WHERE id = UNHEX(LPAD(HEX(${pick(quarter)} * 1048583), 16, '0'))`;
    case 9:
      return `REPLACE INTO shop.blobs VALUES (UNHEX(LPAD(HEX(${
        pick(quarter * 2)
      } * 1048583), 16, '0')), NULL, -0e0, ${pick(1e6)} / 9, NULL, NOW(6))`;
    default:
      return `DELETE FROM shop.blobs WHERE id = UNHEX(LPAD(HEX(${pick(quarter)} * 1048583), 16, '0'))`;
  }
}

/** A small seeded generator (mulberry32), so that a failing run can be run again. */
export function generator(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
