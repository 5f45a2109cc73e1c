/**
 * I9: what cannot be replayed stops the ferry, with its position and the reason; nothing is skipped in silence.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import type { Vendor } from "../servers/mod.ts";
import { assertEqual } from "../support/equality.ts";
import { shopSpec, until, untilTrue } from "../support/ferries.ts";
import { type FlavourOptions, onEachFlavour } from "../support/flavours.ts";
import { Sql } from "../support/sql.ts";

/** What is run, and the code that the ferry stops with. */
interface Case {
  readonly name: string;
  readonly sql: string;
  readonly code: string;
  readonly only?: readonly Vendor[];
  /** Further options of the source. */
  readonly source?: FlavourOptions["source"];
}

const CASES: readonly Case[] = [
  {
    name: "a column added to a ferried table",
    sql: "ALTER TABLE shop.orders ADD COLUMN extra INT",
    code: "ddl-on-ferried-table",
  },
  { name: "TRUNCATE of a ferried table", sql: "TRUNCATE TABLE shop.orders", code: "ddl-on-ferried-table" },
  {
    name: "a change logged as a statement",
    sql: "SET SESSION binlog_format = 'STATEMENT'; UPDATE shop.orders SET v = v + 1",
    code: "statement-format",
  },
  {
    name: "a row image that is not full",
    sql: "SET SESSION binlog_row_image = 'MINIMAL'; UPDATE shop.orders SET v = v + 1 WHERE id = 1",
    code: "row-image-not-full",
  },
  {
    name: "a column added by SET STATEMENT … FOR",
    sql: "SET STATEMENT lock_wait_timeout=5 FOR ALTER TABLE shop.orders ADD COLUMN extra INT",
    code: "ddl-on-ferried-table",
    only: ["mariadb"],
  },
  {
    name: "a column dropped from a table that is named in double quotes",
    sql: `SET SESSION sql_mode = 'ANSI_QUOTES'; ALTER TABLE "shop"."orders" DROP COLUMN w`,
    code: "ddl-on-ferried-table",
  },
  {
    name: "TRUNCATE of a ferried table whose name is written otherwise, where that is one name,",
    sql: "TRUNCATE TABLE Shop.ORDERS",
    code: "ddl-on-ferried-table",
    only: ["mariadb"],
    source: { mariadb: { "lower-case-table-names": "1" } },
  },
  {
    name: "an ANALYZE that changes rows, logged as a statement,",
    sql: "SET SESSION binlog_format = 'STATEMENT'; ANALYZE UPDATE shop.orders SET v = v + 1",
    code: "statement-format",
    only: ["mariadb"],
  },
  {
    name: "a function that writes, called where changes are logged as statements,",
    sql: "CREATE FUNCTION shop.f() RETURNS INT DETERMINISTIC MODIFIES SQL DATA " +
      "BEGIN UPDATE shop.orders SET v = v + 1; RETURN 1; END; SET SESSION binlog_format = 'STATEMENT'; DO shop.f()",
    code: "statement-format",
  },
];

/** A session has a table of its own that hides the ferried one, and ends: the servers log how both came and went. */
async function ownTable(sql: Sql): Promise<void> {
  await using session = await sql.again();
  await session.run(
    "SET SESSION binlog_format = 'STATEMENT'; CREATE TEMPORARY TABLE shop.orders (id INT); " +
      "DROP TEMPORARY TABLE shop.orders; CREATE TEMPORARY TABLE shop.orders (id INT)",
  );
}

for (const c of CASES) {
  onEachFlavour(`${c.name} stops the ferry`, async ({ source, target }) => {
    await using sql = await Sql.open(source.url);
    await sql.run(
      "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT NOT NULL PRIMARY KEY, v INT NOT NULL, w INT)",
    );
    await sql.run(
      "CREATE TABLE shop.other (id INT PRIMARY KEY); INSERT INTO shop.orders VALUES (1,1,1),(2,2,2)",
    );
    const dock = openDock();
    try {
      const ferry = await dock.start(
        shopSpec(source.url, target.url, {
          tables: ["shop.orders"],
          cutover: { mode: "manual", fence: "none" },
        }),
      );
      await until(ferry, ["awaitingCutover"]);
      await sql.run(
        "ALTER TABLE shop.other ADD COLUMN x INT; CREATE TABLE shop.third (id INT PRIMARY KEY); INSERT INTO shop.third VALUES (1)",
      );
      await ownTable(sql);
      await new Promise((r) => setTimeout(r, 1000));
      assert.equal(ferry.resource().state, "awaitingCutover", "DDL elsewhere is none of its business");
      await sql.run(c.sql);
      const failed = await until(ferry, ["failed"], 30);
      assert.equal(failed.error?.code, c.code, failed.error?.detail);
      assert.deepEqual(failed.actions, ["retry"]);
    } finally {
      await dock.close();
    }
  }, { ...(c.only && { only: c.only }), ...(c.source && { source: c.source }) });
}

onEachFlavour(
  "DDL between the preflight's look and the first position is not missed: it is looked at again",
  async ({ source, target }) => {
    await using sql = await Sql.open(source.url);
    await sql.run(
      "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT NOT NULL PRIMARY KEY, v INT NOT NULL);" +
        "CREATE TABLE shop.zoo (id INT NOT NULL PRIMARY KEY); INSERT INTO shop.orders VALUES (1,1),(2,2)",
    );
    await using lock = await Sql.open(source.url);
    // The preflight knows all columns by the time that it tries whether rows may be read.
    await lock.run("LOCK TABLES shop.zoo WRITE");
    const dock = openDock();
    try {
      const cutover = { mode: "manual", fence: "none" };
      const ferry = await dock.start(shopSpec(source.url, target.url, { cutover }));
      const waiting = "SELECT id FROM information_schema.processlist WHERE state LIKE '%metadata lock%'";
      await untilTrue("the preflight waits", async () => (await sql.run(waiting)).length > 0);
      await sql.run("ALTER TABLE shop.orders ADD COLUMN late BIGINT NOT NULL DEFAULT 7");
      await lock.run("UNLOCK TABLES");
      await until(ferry, ["awaitingCutover"]);
      assert.match(ferry.lastEvents(20).map((e) => e.data.text).join("; "), /changed since the preflight/);
      assert.equal(await assertEqual(source.url, target.url, ["shop.orders", "shop.zoo"]), 2);
      await using there = await Sql.open(target.url);
      assert.equal(Number((await there.run("SELECT SUM(late) AS n FROM shop.orders"))[0].n), 14);
    } finally {
      await dock.close();
    }
  },
);

onEachFlavour(
  "TRUNCATE of a ferried table from a client that speaks latin1 stops the ferry",
  async (pair) => {
    const { source, target } = pair;
    await using sql = await Sql.open(source.url);
    await sql.run(
      "CREATE DATABASE shop; CREATE TABLE shop.größe (id INT NOT NULL PRIMARY KEY, v INT NOT NULL); " +
        "CREATE TABLE shop.grüße (id INT PRIMARY KEY); INSERT INTO shop.größe VALUES (1,1),(2,2)",
    );
    await using latin1 = await Sql.open(source.url, "LATIN1_SWEDISH_CI");
    const dock = openDock();
    try {
      const ferry = await dock.start(
        shopSpec(source.url, target.url, {
          tables: ["shop.größe"],
          cutover: { mode: "manual", fence: "none" },
        }),
      );
      await until(ferry, ["awaitingCutover"]);
      await latin1.run("ALTER TABLE shop.grüße ADD COLUMN x INT COMMENT 'größe'; DROP TABLE shop.grüße");
      await new Promise((r) => setTimeout(r, 1000));
      assert.equal(ferry.resource().state, "awaitingCutover", "DDL elsewhere is none of its business");
      await latin1.run("TRUNCATE TABLE shop.größe");
      const failed = await until(ferry, ["failed"], 30);
      assert.equal(failed.error?.code, "ddl-on-ferried-table", failed.error?.detail);
      assert.match(failed.error!.detail, /TRUNCATE TABLE shop\.größe$/);
    } finally {
      await dock.close();
    }
  },
);
