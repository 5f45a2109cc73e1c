/**
 * Subsets through a parent: a child is on the target if and only if its parent is, while parents come, go and move.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import { preflight } from "../../lib/preflight/preflight.ts";
import { shopSpec, until, untilTrue } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { Sql } from "../support/sql.ts";
import { generator } from "../support/workload.ts";

const TABLES = [
  { table: "shop.accounts", where: "tenant = 1" },
  { table: "shop.orders", through: { column: "account", parent: "shop.accounts" } },
  { table: "shop.parts", through: { column: "o", parent: "shop.orders" }, where: "n < 5" },
];
const MEANT = {
  accounts: "SELECT CONCAT_WS('|', id, tenant, note) AS line FROM shop.accounts a WHERE tenant = 1",
  orders:
    "SELECT CONCAT_WS('|', o.id, o.account, o.note) AS line FROM shop.orders o JOIN shop.accounts a ON a.id = o.account " +
    "WHERE a.tenant = 1",
  parts:
    "SELECT CONCAT_WS('|', p.id, p.o, p.n, p.note) AS line FROM shop.parts p JOIN shop.orders o ON o.id = p.o " +
    "JOIN shop.accounts a ON a.id = o.account WHERE a.tenant = 1 AND p.n < 5",
};

async function makeShop(url: string, accounts: number): Promise<void> {
  await using sql = await Sql.open(url);
  const ten =
    "(SELECT 0 n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 " +
    "UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)";
  const seq =
    `(SELECT a.n + 10*b.n + 100*c.n + 1000*d.n + 10000*e.n AS i FROM ${ten} a, ${ten} b, ${ten} c, ${ten} d, ${ten} e)`;
  await sql.run(`CREATE DATABASE shop;
    CREATE TABLE shop.accounts (id INT NOT NULL PRIMARY KEY, tenant INT NOT NULL, note VARCHAR(50));
    CREATE TABLE shop.orders (id INT NOT NULL PRIMARY KEY, account INT, note VARCHAR(80), KEY account (account));
    CREATE TABLE shop.parts (id INT NOT NULL PRIMARY KEY, o INT NOT NULL, n INT NOT NULL, note VARCHAR(80), UNIQUE KEY o (o, n));
    INSERT INTO shop.accounts SELECT i, i % 3, CONCAT('account ', i) FROM ${seq} s WHERE i < ${accounts};
    INSERT INTO shop.orders SELECT i, i DIV 10, REPEAT('o', i % 70) FROM ${seq} s WHERE i < ${accounts * 10};
    INSERT INTO shop.parts SELECT i, i DIV 3, i % 3, REPEAT('p', i % 70) FROM ${seq} s WHERE i < ${
    accounts * 30
  };
    ANALYZE TABLE shop.accounts, shop.orders, shop.parts`);
}

function transaction(pick: (max: number) => number, accounts: number): string {
  const account = pick(accounts);
  const order = pick(accounts * 11);
  switch (pick(12)) {
    case 0:
      return `UPDATE shop.accounts SET tenant = ${pick(3)} WHERE id = ${account}`;
    case 1: // out and in again, with a child in between
      return `UPDATE shop.accounts SET tenant = 2 WHERE id = ${account}; INSERT INTO shop.orders VALUES (${order}, ${account}, 'between');
        UPDATE shop.accounts SET tenant = 1 WHERE id = ${account}`;
    case 2: // in and out again
      return `UPDATE shop.accounts SET tenant = 1 WHERE id = ${account}; UPDATE shop.accounts SET tenant = 0 WHERE id = ${account}`;
    case 3:
      return `DELETE FROM shop.accounts WHERE id = ${account}`;
    case 4:
      return `INSERT INTO shop.accounts VALUES (${account}, ${pick(2)}, 'new')`;
    case 5:
      return `UPDATE shop.accounts SET id = ${pick(accounts)} WHERE id = ${account}`;
    case 6:
      return `UPDATE shop.orders SET account = ${
        pick(6) ? account : "NULL"
      }, note = 'moved' WHERE id = ${order}`;
    case 7:
      return `UPDATE shop.orders SET id = ${pick(accounts * 11)} WHERE id = ${order}`;
    case 8:
      return `DELETE FROM shop.orders WHERE id = ${order}`;
    case 9:
      return `BEGIN; INSERT INTO shop.orders VALUES (${order}, ${account}, 'new');
        REPLACE INTO shop.parts VALUES (${pick(accounts * 40)}, ${order}, ${pick(7)}, 'new'); COMMIT`;
    case 10:
      return `UPDATE shop.parts SET o = ${order}, note = 'moved' WHERE id = ${pick(accounts * 30)}`;
    default:
      return `UPDATE shop.parts SET n = ${pick(7)} WHERE id = ${pick(accounts * 30)}`;
  }
}

async function write(
  url: string,
  accounts: number,
  seed: number,
  until: () => boolean,
  onWritten: () => void,
): Promise<void> {
  const random = generator(seed);
  await using sql = await Sql.open(url);
  while (!until()) {
    try {
      await sql.run(transaction((max) => Math.floor(random() * max), accounts));
      onWritten();
    } catch (e) {
      if (![1062, 1205, 1213].includes((e as { errno: number }).errno)) throw e;
      await sql.run("ROLLBACK");
    }
  }
}

async function assertSubset(sourceUrl: string, targetUrl: string): Promise<void> {
  await using source = await Sql.open(sourceUrl);
  await using target = await Sql.open(targetUrl);
  for (const [table, meant] of Object.entries(MEANT)) {
    const columns =
      { accounts: "id, tenant, note", orders: "id, account, note", parts: "id, o, n, note" }[table];
    const there = (await target.run(`SELECT CONCAT_WS('|', ${columns}) AS line FROM shop.${table}`)).map((
      r,
    ) => r.line);
    const wanted = (await source.run(meant)).map((r) => r.line);
    assert.ok(wanted.length > 0);
    assert.deepEqual(there.sort(), wanted.sort(), table);
  }
}

onEachFlavour("children stay with their parents while everything moves", async ({ source, target }) => {
  const accounts = 600;
  await makeShop(source.url, accounts);
  const dock = openDock();
  let stopped = false;
  const counts = [0, 0];
  const writers = [1, 2].map((seed, i) =>
    write(source.url, accounts, seed, () => stopped, () => counts[i]++)
  );
  let lost: unknown = null;
  for (const w of writers) w.catch((e) => lost = e);
  try {
    const ferry = await dock.start(shopSpec(source.url, target.url, {
      tables: TABLES,
      copy: { concurrency: 2, chunkBytes: 16384 },
      cutover: { mode: "manual", fence: "lockTables", keepFence: false },
    }));
    await until(ferry, ["awaitingCutover"], 200);
    const before = [...counts];
    await untilTrue("both write on while it waits", () => {
      if (lost !== null) throw lost;
      return counts.every((n, i) => n > before[i] + 100);
    });
    stopped = true;
    await Promise.all(writers);
    await ferry.act("cutover");
    const done = await until(ferry, ["done"], 200);
    assert.equal(done.verification.state, "passed");
    await assertSubset(source.url, target.url);
  } finally {
    stopped = true;
    await dock.close();
    await Promise.allSettled(writers);
  }
});

onEachFlavour("each step of a parent takes its children along", async ({ source, target }) => {
  await makeShop(source.url, 30);
  const dock = openDock();
  try {
    const ferry = await dock.start(shopSpec(source.url, target.url, {
      tables: TABLES,
      cutover: { mode: "manual", fence: "lockTables", keepFence: false },
    }));
    await until(ferry, ["awaitingCutover"]);
    await using sql = await Sql.open(source.url);
    for (
      const statement of [
        "UPDATE shop.accounts SET tenant = 1 WHERE id = 3",
        "UPDATE shop.accounts SET tenant = 0 WHERE id = 4",
        "UPDATE shop.accounts SET tenant = 0 WHERE id = 7; INSERT INTO shop.orders VALUES (900, 7, 'between'); UPDATE shop.accounts SET tenant = 1 WHERE id = 7",
        "UPDATE shop.accounts SET tenant = 1 WHERE id = 6; UPDATE shop.accounts SET tenant = 0 WHERE id = 6",
        "DELETE FROM shop.accounts WHERE id = 10",
        "UPDATE shop.accounts SET id = 500 WHERE id = 13",
        "UPDATE shop.orders SET account = 16 WHERE id IN (1, 2, 3)",
        "UPDATE shop.orders SET account = NULL WHERE account = 19 LIMIT 3",
        "INSERT INTO shop.parts VALUES (5000, 161, 4, 'in'), (5001, 161, 5, 'out'), (5002, 1, 4, 'in')",
      ]
    ) await sql.run(statement);
    await ferry.act("cutover");
    const done = await until(ferry, ["done"]);
    assert.equal(done.verification.state, "passed");
    assert.equal(done.cutover.attempts, 1, "what is left is read through the fence");
    await assertSubset(source.url, target.url);
  } finally {
    await dock.close();
  }
});

onEachFlavour("what cannot be chosen through a parent is refused by name", async ({ source, target }) => {
  await using sql = await Sql.open(source.url);
  await sql.run(`CREATE DATABASE shop;
    CREATE TABLE shop.a (id INT NOT NULL PRIMARY KEY, up INT, t VARCHAR(9), g INT AS (up + 1) STORED);
    CREATE TABLE shop.b (id INT NOT NULL PRIMARY KEY, up INT, long_ BIGINT);
    CREATE TABLE shop.pair (x INT NOT NULL, y INT NOT NULL, PRIMARY KEY (x, y))`);
  const codes = async (...tables: unknown[]) => {
    const spec = shopSpec(source.url, target.url, { tables });
    const { findings } = await preflight(spec, { stateSchema: "_ferry", made: null, savedPosition: null });
    return findings.filter((f) => f.code.startsWith("through")).map((f) =>
      `${f.level} ${f.code} ${f.subject}`
    ).sort();
  };
  const through = (table: string, column: string, parent: string) => ({ table, through: { column, parent } });
  assert.deepEqual(await codes(through("shop.b", "up", "shop.a")), ["error through-parent shop.b"]);
  assert.deepEqual(await codes(through("shop.a", "up", "shop.a")), ["error through-ring shop.a"]);
  assert.deepEqual(await codes(through("shop.a", "up", "shop.b"), through("shop.b", "up", "shop.a")), [
    "error through-ring shop.a",
    "error through-ring shop.b",
  ]);
  assert.deepEqual(await codes("shop.pair", through("shop.b", "up", "shop.pair")), [
    "error through-key shop.b",
  ]);
  assert.deepEqual(await codes("shop.a", through("shop.b", "nope", "shop.a")), [
    "error through-column shop.b",
  ]);
  assert.deepEqual(await codes("shop.b", through("shop.a", "g", "shop.b")), ["error through-column shop.a"]);
  assert.deepEqual(await codes("shop.b", through("shop.a", "t", "shop.b")), ["error through-type shop.a"]);
  assert.deepEqual(await codes("shop.a", through("shop.b", "long_", "shop.a")), [
    "error through-type shop.b",
  ]);
  assert.deepEqual(await codes("shop.a", through("shop.b", "up", "shop.a")), [
    "warning through-no-index shop.b",
  ]);
});
