/**
 * The server runs an ALTER on whose session is gone: the next attempt waits behind it, and finds that its work is done.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import { assertEqual } from "../support/equality.ts";
import { ended, shopSpec, until } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { Service } from "../support/service.ts";
import { Sql } from "../support/sql.ts";

const ROWS = 1000;
/** Its index takes the server some four seconds: every value is worked out anew. */
const SLOW = `CREATE TABLE shop.rows (id INT NOT NULL PRIMARY KEY, v INT NOT NULL,
  slow BIGINT AS (CRC32(REPEAT(CAST(v AS CHAR CHARACTER SET latin1), 2000000))) VIRTUAL,
  KEY by_slow (slow), UNIQUE KEY by_v (v))`;
/** A child's own key carries its foreign key: there is no index to build before. The first table is the largest. */
const REFERRING = `CREATE TABLE shop.parents (id INT NOT NULL PRIMARY KEY);
  CREATE TABLE shop.elders (id INT NOT NULL PRIMARY KEY);
  CREATE TABLE shop.first (id INT NOT NULL PRIMARY KEY, body VARCHAR(2000) NOT NULL,
    CONSTRAINT before_it FOREIGN KEY (id) REFERENCES shop.elders (id));
  CREATE TABLE shop.rows (id INT NOT NULL PRIMARY KEY, v INT NOT NULL,
    CONSTRAINT belongs FOREIGN KEY (id) REFERENCES shop.parents (id),
    CONSTRAINT likewise FOREIGN KEY (id) REFERENCES shop.parents (id))`;

/** Its copy takes long enough for a test to get in between. */
const SLOWLY = { throttle: { maxRowsPerSecond: 250 }, copy: { chunkBytes: 16_384, concurrency: 1 } };

async function makeRows(url: string, tables: string): Promise<void> {
  await using sql = await Sql.open(url);
  await sql.run(`CREATE DATABASE shop; ${tables}`);
  const numbers = Array.from({ length: ROWS }, (_, i) => i);
  if (tables === REFERRING) {
    const ids = numbers.map((i) => `(${i})`).join(",");
    await sql.run(`INSERT INTO shop.parents VALUES ${ids}; INSERT INTO shop.elders VALUES ${ids};
      INSERT INTO shop.first SELECT id, REPEAT('x', 2000) FROM shop.elders WHERE id < 300; ANALYZE TABLE shop.first`);
  }
  await sql.run(`INSERT INTO shop.rows (id, v) VALUES ${numbers.map((i) => `(${i},${i})`).join(",")}`);
  await sql.run("ANALYZE TABLE shop.rows");
}

/** Statements that change the definition of a table of `shop`, under way on this server. */
async function altering(sql: Sql, table = "rows"): Promise<number> {
  const list = await sql.run("SHOW FULL PROCESSLIST");
  return list.filter((row) => String(row.Info).startsWith(`ALTER TABLE \`shop\`.\`${table}\``)).length;
}

async function waitFor(what: string, seen: () => Promise<boolean>): Promise<void> {
  const signal = AbortSignal.timeout(60_000);
  while (!await seen()) {
    assert.ok(!signal.aborted, `not seen: ${what}`);
    await new Promise((r) => setTimeout(r, 50));
  }
}

/** What the target table has beside its key, by name. */
async function builtOn(sql: Sql): Promise<string[]> {
  const indexes = await sql.run(
    `SELECT DISTINCT INDEX_NAME AS name FROM information_schema.STATISTICS
      WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'rows' AND INDEX_NAME <> 'PRIMARY'`,
  );
  const keys = await sql.run(
    `SELECT CONSTRAINT_NAME AS name FROM information_schema.TABLE_CONSTRAINTS
      WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'rows' AND CONSTRAINT_TYPE = 'FOREIGN KEY'`,
  );
  return [...indexes, ...keys].map((row) => String(row.name)).sort();
}

onEachFlavour(
  "a ferry whose process is killed while an index is built goes on when the server has built it",
  async ({ source, target }) => {
    await makeRows(source.url, SLOW);
    const spec = {
      id: "left",
      source: source.url,
      target: target.url,
      tables: ["shop.*"],
      cutover: { mode: "auto", fence: "lockTables", keepFence: false },
    };
    await using sql = await Sql.open(target.url);
    {
      await using service = await Service.start();
      assert.equal((await service.ask("POST", "/v1/ferries", spec)).status, 202);
      await waitFor("the first ALTER", async () => await altering(sql) === 1);
      await service.kill9();
    }
    assert.equal(await altering(sql), 1, "the server goes on with it");
    await using service = await Service.start();
    await service.ask("POST", "/v1/ferries", spec);
    await waitFor("the second ALTER", async () => await altering(sql) === 2);
    assert.deepEqual(await builtOn(sql), []);
    const done = await service.until("left", ["done"]);
    assert.equal(done.verification.state, "passed");
    assert.deepEqual(await builtOn(sql), ["by_slow", "by_v"]);
    assert.equal(await assertEqual(source.url, target.url, ["shop.rows"]), ROWS);
  },
);

onEachFlavour("of what an earlier build has left, only the rest is built", async ({ source, target }) => {
  await makeRows(source.url, REFERRING);
  await using sql = await Sql.open(target.url);
  await using first = await sql.again();
  await using reader = await sql.again();
  await using earlier = await sql.again();
  const dock = openDock();
  try {
    const ferry = await dock.start(shopSpec(source.url, target.url, SLOWLY));
    await until(ferry, ["copying"]);
    // The road stops at the foreign key of the table before.
    await first.run("BEGIN; SELECT COUNT(*) FROM shop.first");
    await waitFor("the table before", async () => await altering(sql, "first") === 1);
    await reader.run("BEGIN; SELECT COUNT(*) FROM shop.rows");
    await earlier.run("SET SESSION foreign_key_checks = 0");
    const left = earlier.run(`ALTER TABLE \`shop\`.\`rows\`
      ADD CONSTRAINT likewise FOREIGN KEY (id) REFERENCES shop.parents (id)`);
    await waitFor("the earlier ALTER", async () => await altering(sql) === 1);
    await first.run("COMMIT");
    await waitFor("the ferry's ALTER", async () => await altering(sql) === 2);
    await reader.run("COMMIT");
    await left;
    await until(ferry, ["done"]);
    assert.deepEqual(await builtOn(sql), ["belongs", "likewise"]);
    assert.equal(await assertEqual(source.url, target.url, ["shop.rows"]), ROWS);
  } finally {
    await dock.close();
  }
});

onEachFlavour(
  "a foreign key whose name a stranger has taken meanwhile ends the ferry",
  async ({ source, target }) => {
    await makeRows(source.url, REFERRING);
    await using sql = await Sql.open(target.url);
    const dock = openDock();
    try {
      const ferry = await dock.start(shopSpec(source.url, target.url, SLOWLY));
      await until(ferry, ["copying"]);
      await sql.run(`CREATE TABLE shop.stranger (id INT NOT NULL PRIMARY KEY,
        CONSTRAINT belongs FOREIGN KEY (id) REFERENCES shop.parents (id))`);
      const failed = await ended(ferry, 60);
      assert.equal(failed.state, "failed");
      assert.match(failed.error!.detail, /belongs/);
      assert.deepEqual(await builtOn(sql), []);
    } finally {
      await dock.close();
    }
  },
);
