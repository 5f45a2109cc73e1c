/**
 * Statements that are sent before the one before them is answered: in order, and nothing of them stands by itself.
 */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { RowWriter } from "../../lib/mysql/row_writer.ts";
import { RowList } from "../../lib/mysql/row_list.ts";
import { RowReader } from "../../lib/mysql/row_reader.ts";
import { Session } from "../../lib/mysql/session.ts";
import { isLockConflict } from "../../lib/mysql/passing_errors.ts";
import { loadTables } from "../../lib/schema/load_tables.ts";
import { wireLayout } from "../../lib/schema/wire_layout.ts";
import { parseConnectionUrl } from "../../lib/spec/connection_url.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { Sql } from "../support/sql.ts";

/** Rows that take several statements. */
const ROWS = 5000;

async function setUp(url: string) {
  await using sql = await Sql.open(url);
  await sql.run("CREATE DATABASE shop");
  for (const name of ["t", "u"]) {
    await sql.run(`CREATE TABLE shop.${name} (id INT NOT NULL PRIMARY KEY, v VARCHAR(40) NOT NULL)`);
  }
  const values = Array.from({ length: ROWS }, (_, i) => `(${i}, 'value ${i}')`);
  await sql.run(`INSERT INTO shop.t VALUES ${values.join(",")}`);
  const at = parseConnectionUrl(url);
  const talk = await Session.open(at, { side: "target" });
  const [t] = await loadTables(talk, (schema, name) => schema === "shop" && name === "t");
  await talk.close();
  const layout = wireLayout(t.table);
  const session = await Session.open(at, { side: "target", data: true });
  const rows = new RowList();
  const list = layout.columns.map((c) => c.select).join(",");
  const reader = new RowReader(session, `SELECT ${list} FROM shop.t ORDER BY id`, [], [], false);
  await reader.read([], 0, (b, start, end) => rows.push(b, start, end));
  return { session, rows, layout };
}

async function idsOf(url: string): Promise<number[]> {
  await using sql = await Sql.open(url);
  return (await sql.run("SELECT id FROM shop.u ORDER BY id")).map((r) => Number(r.id));
}

onEachFlavour(
  "every row that is wanted arrives, whatever the number of statements",
  async ({ target }, vendor) => {
    const { session, rows, layout } = await setUp(target.url);
    try {
      const writer = new RowWriter(
        session,
        { schema: "shop", name: "u", bulk: vendor === "mariadb" },
        layout,
      );
      await session.run("SET SESSION autocommit=0");
      // Wanted rows in runs of every length, so that statements of every shape are needed.
      const wanted = (i: number) => i % 97 !== 0 && i % 1000 > 13;
      assert.equal(
        await writer.replace(rows, wanted),
        Array.from({ length: ROWS }, (_, i) => i).filter(wanted).length,
      );
      assert.deepEqual(await idsOf(target.url), [], "nothing is committed by itself");
      await session.run("COMMIT");
      assert.deepEqual(await idsOf(target.url), Array.from({ length: ROWS }, (_, i) => i).filter(wanted));
      assert.equal(await writer.replace(rows, null), ROWS, "the same statements once more");
      await session.run("COMMIT");
      assert.equal((await idsOf(target.url)).length, ROWS);
    } finally {
      session.destroy();
    }
  },
);

onEachFlavour("a deadlock amid statements leaves nothing of those behind it", async ({ target }, vendor) => {
  const { session, rows, layout } = await setUp(target.url);
  await using other = await Sql.open(target.url);
  try {
    const writer = new RowWriter(session, { schema: "shop", name: "u", bulk: vendor === "mariadb" }, layout);
    await session.run("SET SESSION autocommit=0, innodb_lock_wait_timeout=20");
    await session.run("CREATE TABLE shop.first (id INT PRIMARY KEY)");
    await other.run("SET SESSION innodb_lock_wait_timeout = 20");
    await other.run("INSERT INTO shop.first VALUES (1)");
    await session.run("START TRANSACTION");
    await session.run("UPDATE shop.first SET id = 2 WHERE id = 1");
    // The other one has written far more, so that it is not the one that has to give way.
    await other.run("START TRANSACTION");
    await other.run("UPDATE shop.t SET v = CONCAT(v, '!')");
    await other.run("INSERT INTO shop.u VALUES (0, 'mine')");
    const writing = writer.replace(rows, null);
    writing.catch(() => {});
    await sleep(500); // its first statement waits for row 0 by now; the next one is on its way
    const waiting = other.send("UPDATE shop.first SET id = 3 WHERE id = 1");
    await assert.rejects(writing, (e) => isLockConflict(e));
    await waiting;
    await session.run("ROLLBACK");
    await other.run("ROLLBACK");
    assert.deepEqual(await idsOf(target.url), []);
  } finally {
    session.destroy();
  }
});

onEachFlavour(
  "a writer and a reader that are let go leave no statement on the server",
  async ({ target }, vendor) => {
    const { session, rows, layout } = await setUp(target.url);
    await using watcher = await Sql.open(target.url);
    const statements = async () =>
      Number((await watcher.run("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'"))[0].Value);
    try {
      const before = await statements();
      const writer = new RowWriter(
        session,
        { schema: "shop", name: "u", bulk: vendor === "mariadb" },
        layout,
      );
      await writer.replace(rows, (i) => i % 97 !== 0 && i % 1000 > 13);
      const keys = new RowList();
      keys.push(rows.arena.bytes, rows.starts[0] + 1, rows.starts[0] + 5);
      await writer.remove(keys);
      const reader = new RowReader(session, "SELECT id FROM shop.u", [], [], false);
      const read = await reader.read([], 0, () => {});
      assert.ok(await statements() >= before + 3);
      writer.release();
      await reader.release();
      await session.run("COMMIT");
      assert.equal(await statements(), before);
      assert.equal(await reader.read([], 0, () => {}), read, "and begin anew when they are called again");
      await writer.replace(rows, null);
      await session.run("ROLLBACK");
    } finally {
      session.destroy();
    }
  },
);
