/**
 * An application whose foreign keys do half of the work: rows go and change by cascades over several levels, in trees,
 * with composite keys and with keys that a collation holds equal.
 * @module
 */

import { Sql } from "./sql.ts";
import { generator } from "./workload.ts";

/** The tables that the workload writes to. */
export const CASCADE_TABLES = [
  "shop.customers",
  "shop.orders",
  "shop.lines_",
  "shop.extras",
  "shop.notes",
  "shop.profiles",
  "shop.tree",
  "shop.codes",
  "shop.items",
] as const;

/** MySQL's own cascades go so deep, and through so many tables, and no further; a tree may be larger. Then nothing has changed. */
export const TOO_DEEP = [3008, 6575];

const SEQUENCE =
  "(SELECT a.n + 10*b.n + 100*c.n + 1000*d.n + 10000*e.n AS i FROM DIGITS a, DIGITS b, DIGITS c, DIGITS d, DIGITS e)"
    .replaceAll(
      "DIGITS",
      "(SELECT 0 n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)",
    );

/** Makes and fills the tables: `customers` of them, ten times as many orders, thirty times as many lines. */
export async function makeFamilies(url: string, customers: number): Promise<void> {
  await using sql = await Sql.open(url);
  const fill = (into: string, values: string, count: number) =>
    `INSERT INTO shop.${into} SELECT ${values} FROM ${SEQUENCE} s WHERE i < ${count} ORDER BY i`;
  const both = "ON DELETE CASCADE ON UPDATE CASCADE";
  for (
    const statement of [
      "CREATE DATABASE shop",
      "CREATE TABLE shop.customers (id INT NOT NULL PRIMARY KEY, name VARCHAR(40))",
      `CREATE TABLE shop.orders (id INT NOT NULL PRIMARY KEY, customer INT, note VARCHAR(100),
         CONSTRAINT o_c FOREIGN KEY (customer) REFERENCES shop.customers (id) ${both})`,
      // The child's key holds its parent's: it changes with it.
      `CREATE TABLE shop.lines_ (o INT NOT NULL, n INT NOT NULL, qty INT NOT NULL, note VARCHAR(60), PRIMARY KEY (o, n),
         CONSTRAINT l_o FOREIGN KEY (o) REFERENCES shop.orders (id) ${both})`,
      `CREATE TABLE shop.extras (n INT NOT NULL, o INT NOT NULL, k INT NOT NULL, PRIMARY KEY (k, o, n), KEY by_line (o, n),
         CONSTRAINT e_l FOREIGN KEY (o, n) REFERENCES shop.lines_ (o, n) ${both})`,
      `CREATE TABLE shop.notes (id INT NOT NULL PRIMARY KEY, o INT, text VARCHAR(40),
         CONSTRAINT n_o FOREIGN KEY (o) REFERENCES shop.orders (id) ON DELETE SET NULL ON UPDATE CASCADE)`,
      `CREATE TABLE shop.profiles (id INT NOT NULL PRIMARY KEY, customer INT, UNIQUE KEY one (customer),
         CONSTRAINT p_c FOREIGN KEY (customer) REFERENCES shop.customers (id) ${both})`,
      `CREATE TABLE shop.tree (id INT NOT NULL PRIMARY KEY, up INT, v INT NOT NULL,
         CONSTRAINT t_t FOREIGN KEY (up) REFERENCES shop.tree (id) ON DELETE CASCADE)`,
      `CREATE TABLE shop.codes (code VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL PRIMARY KEY, v INT)`,
      `CREATE TABLE shop.items (id INT NOT NULL PRIMARY KEY, code VARCHAR(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci,
         CONSTRAINT i_c FOREIGN KEY (code) REFERENCES shop.codes (code) ON DELETE SET NULL ON UPDATE CASCADE)`,
      fill("customers", "i + 1, CONCAT('customer ', i)", customers),
      fill("orders", `i + 1, 1 + i % ${customers}, REPEAT('o', i % 90)`, customers * 10),
      fill("lines_", `1 + i DIV 3, i % 3, i, REPEAT('l', i % 50)`, customers * 30),
      fill("extras", `i % 3, 1 + i DIV 3, i % 2`, customers * 30),
      fill("notes", `i + 1, 1 + i % ${customers * 10}, 'note'`, customers * 10),
      fill("profiles", `i + 1, i + 1`, customers),
      fill("tree", `i + 1, IF(i = 0, NULL, 1 + (i - 1) DIV 4), i`, customers * 10),
      fill("codes", `CONCAT(IF(i % 2, 'Code', 'code'), i), i`, customers),
      fill("items", `i + 1, CONCAT('CODE', i % ${customers})`, customers * 10),
      `ANALYZE TABLE ${CASCADE_TABLES.join(", ")}`,
    ]
  ) await sql.run(statement);
}

/** Writers under way. */
export interface FamilyWriters extends AsyncDisposable {
  /** Transactions committed. */
  readonly count: number;
  /** Ends the writers and waits for them; throws an error that was not expected. */
  stop(): Promise<void>;
}

/** Starts writers that go on until they are stopped. */
export function startFamilyWriters(
  url: string,
  options: { customers: number; writers?: number; seed?: number; pauseMs?: number },
): FamilyWriters {
  let stopped = false;
  let count = 0;
  let failure: unknown = null;
  const work = async (n: number) => {
    const random = generator((options.seed ?? 1) * 1000 + n);
    const pick = (max: number) => Math.floor(random() * max);
    await using sql = await Sql.open(url);
    while (!stopped) {
      try {
        await sql.run(transaction(pick, options.customers));
        count++;
      } catch (e) {
        // Deadlocks, waits, duplicates, missing parents, and the fence's KILL are an application's daily bread.
        if (![1062, 1205, 1213, 1451, 1452, 1761, ...TOO_DEEP].includes((e as { errno: number }).errno)) {
          throw e;
        }
        await sql.run("ROLLBACK");
      }
      if (options.pauseMs) await new Promise((r) => setTimeout(r, options.pauseMs));
    }
  };
  const all = Promise.all(
    Array.from({ length: options.writers ?? 2 }, (_, n) => work(n).catch((e) => failure ??= e)),
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

function transaction(pick: (max: number) => number, customers: number): string {
  const customer = 1 + pick(customers * 2);
  const order = 1 + pick(customers * 11);
  const node = 1 + pick(customers * 10);
  const code = `'code${pick(customers)}'`;
  const family = `INSERT INTO shop.orders VALUES (${order}, ${customer}, 'again');
    INSERT INTO shop.lines_ VALUES (${order}, 0, 1, 'again'), (${order}, 7, 1, 'new');
    INSERT INTO shop.extras VALUES (7, ${order}, 0), (7, ${order}, 1)`;
  switch (pick(18)) {
    case 0:
      return `DELETE FROM shop.customers WHERE id = ${customer}`;
    case 1: // gone with its family, and there again with another
      return `BEGIN; DELETE FROM shop.customers WHERE id = ${customer}; INSERT INTO shop.customers VALUES (${customer}, 'again');
        DELETE FROM shop.orders WHERE id = ${order}; ${family}; COMMIT`;
    case 2:
      return `UPDATE shop.customers SET id = ${1 + pick(customers * 2)} WHERE id = ${customer}`;
    case 3:
      return `UPDATE shop.orders SET id = ${1 + pick(customers * 11)} WHERE id = ${order}`;
    case 4:
      return `DELETE FROM shop.orders WHERE id = ${order}`;
    case 5: // to another customer: this one the binlog tells of
      return `UPDATE shop.orders SET customer = ${
        1 + pick(customers * 2)
      }, note = 'moved' WHERE id = ${order}`;
    case 6:
      return `INSERT INTO shop.customers VALUES (${customer}, 'new')`;
    case 7:
      return `BEGIN; ${family}; COMMIT`;
    case 8: // there and back: the last image of the parent is its first
      return `BEGIN; UPDATE shop.orders SET id = 900000 + id WHERE id = ${order};
        UPDATE shop.orders SET id = id - 900000 WHERE id = 900000 + ${order}; COMMIT`;
    case 9:
      return `DELETE FROM shop.lines_ WHERE o = ${order} AND n = ${pick(3)}`;
    case 10:
      return `UPDATE shop.lines_ SET n = ${3 + pick(3)}, qty = qty + 1 WHERE o = ${order} AND n = ${pick(3)}`;
    case 11:
      return `DELETE FROM shop.tree WHERE id = ${10 + node}`;
    case 12:
      return `INSERT INTO shop.tree VALUES (${10 + node}, ${1 + pick(node + 8)}, ${pick(1e6)})`;
    case 13:
      return `UPDATE shop.tree SET up = ${1 + pick(node + 8)}, v = v + 1 WHERE id = ${10 + node}`;
    case 14:
      return `UPDATE shop.codes SET code = ${
        pick(2) ? `UPPER(code)` : `CONCAT('code', ${pick(customers)})`
      } WHERE code = ${code}`;
    case 15:
      return pick(2)
        ? `DELETE FROM shop.codes WHERE code = ${code}`
        : `INSERT INTO shop.codes VALUES (${code}, ${pick(1e6)})`;
    case 16:
      return `UPDATE shop.items SET code = ${code} WHERE id = ${1 + pick(customers * 10)}`;
    default:
      return `REPLACE INTO shop.profiles VALUES (${1 + pick(customers)}, ${customer})`;
  }
}
