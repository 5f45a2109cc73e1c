/**
 * I1: a transaction that the tail has delivered and that no reader sees yet is waited for, on each kind of source.
 * Semi-sync AFTER_SYNC with no replica answering holds a commit between the binlog and its readers.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import { assertEqual } from "../support/equality.ts";
import { shopSpec, until, untilShown } from "../support/ferries.ts";
import { type ServerPair, startPair } from "../servers/mod.ts";
import { Sql } from "../support/sql.ts";

/** Milliseconds that a commit hangs. */
const HANG_MS = 5000;

const WAYS = [
  {
    name: "MySQL with GTIDs waits for the executed set",
    vendor: "mysql",
    settings: { "gtid-mode": "ON", "enforce-gtid-consistency": "ON" },
    semiSync:
      "INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'; SET GLOBAL rpl_semi_sync_source_enabled = 1, " +
      `GLOBAL rpl_semi_sync_source_timeout = ${HANG_MS}, GLOBAL rpl_semi_sync_source_wait_no_replica = 1`,
  },
  {
    name: "MySQL without GTIDs reads with locks",
    vendor: "mysql",
    settings: { "gtid-mode": "OFF" },
    semiSync:
      "INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'; SET GLOBAL rpl_semi_sync_source_enabled = 1, " +
      `GLOBAL rpl_semi_sync_source_timeout = ${HANG_MS}, GLOBAL rpl_semi_sync_source_wait_no_replica = 1`,
  },
  {
    name: "MariaDB compares the snapshot's position",
    vendor: "mariadb",
    settings: {},
    semiSync:
      "SET GLOBAL rpl_semi_sync_master_enabled = 1; SET GLOBAL rpl_semi_sync_master_wait_point = 'AFTER_SYNC'; " +
      `SET GLOBAL rpl_semi_sync_master_timeout = ${HANG_MS}; SET GLOBAL rpl_semi_sync_master_wait_no_slave = 1`,
  },
] as const;

for (const way of WAYS) {
  Deno.test(`a change that hangs between binlog and readers is not lost: ${way.name}`, async () => {
    await using pair: ServerPair = await startPair(way.vendor, { source: { ...way.settings } });
    const { source, target } = pair;
    await using sql = await Sql.open(source.url);
    await sql.run(
      "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT NOT NULL PRIMARY KEY, v INT NOT NULL)",
    );
    await sql.run("INSERT INTO shop.orders VALUES (1,1),(2,2),(3,3),(4,4),(5,5)");
    await sql.run(way.semiSync);
    const dock = openDock();
    try {
      const ferry = await dock.start(shopSpec(source.url, target.url, { copy: { concurrency: 1 } }));
      await ferry.act("pause");
      await until(ferry, ["copying"]);
      await new Promise((r) => setTimeout(r, 700)); // the tail is on
      await using other = await Sql.open(source.url);
      const began = performance.now();
      const hanging = Promise.all([
        sql.send("DELETE FROM shop.orders WHERE id = 2"),
        other.send("UPDATE shop.orders SET v = 40 WHERE id = 4"),
      ]);
      for (let i = 0; ferry.resource().progress.changesApplied < 1; i++) {
        assert.ok(i < 300, "the tail delivers the changes while they hang");
        await new Promise((r) => setTimeout(r, 10));
      }
      await using reader = await Sql.open(source.url);
      const seen = await reader.run("SELECT id FROM shop.orders WHERE id = 2");
      assert.equal(seen.length, 1, "a plain read does not see the delete yet");
      await ferry.act("resume");
      await hanging;
      assert.ok(performance.now() - began > HANG_MS - 500, "the commits did hang");
      await until(ferry, ["done"]);
      assert.equal(await assertEqual(source.url, target.url, ["shop.orders"]), 4);
    } finally {
      await dock.close();
    }
  });
}

Deno.test("a parent that hangs between binlog and readers brings its children: MySQL without GTIDs", async () => {
  const { vendor, settings, semiSync } = WAYS[1];
  await using pair: ServerPair = await startPair(vendor, { source: { ...settings } });
  const { source, target } = pair;
  await using sql = await Sql.open(source.url);
  const numbers = Array.from({ length: 600 }, (_, i) => i + 1);
  await sql.run(
    "CREATE DATABASE shop; CREATE TABLE shop.parents (id INT NOT NULL PRIMARY KEY, fat CHAR(200) NOT NULL);" +
      "CREATE TABLE shop.kids (id INT NOT NULL PRIMARY KEY, parent INT NOT NULL, KEY parent (parent));" +
      `INSERT INTO shop.parents VALUES ${numbers.map((i) => `(${i}, REPEAT('p', 200))`).join(",")};` +
      "INSERT INTO shop.kids VALUES (1, 1), (2, -5), (3, 600); ANALYZE TABLE shop.parents, shop.kids",
  );
  await sql.run(semiSync);
  const dock = openDock();
  try {
    const ferry = await dock.start(shopSpec(source.url, target.url, {
      tables: ["shop.parents", { table: "shop.kids", through: { column: "parent", parent: "shop.parents" } }],
      verify: "off",
      copy: { concurrency: 1, chunkBytes: 16_384 },
      throttle: { maxRowsPerSecond: 100 },
    }));
    await untilShown(ferry, (r) => r.progress.rowsCopied > 0);
    await ferry.act("pause");
    await ferry.change({ throttle: null });
    const { rowsCopied } = ferry.resource().progress;
    assert.ok(rowsCopied < 600, "parents are left to be copied, behind the one that comes");
    const began = performance.now();
    const hanging = sql.send("INSERT INTO shop.parents VALUES (-5, 'late')");
    await untilShown(ferry, (r) => r.progress.changesApplied > 0);
    await ferry.act("resume");
    await hanging;
    assert.ok(performance.now() - began > HANG_MS - 500, "the commit did hang");
    await until(ferry, ["done"]);
    assert.equal(await assertEqual(source.url, target.url, ["shop.parents", "shop.kids"]), 604);
  } finally {
    await dock.close();
  }
});
