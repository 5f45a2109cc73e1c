/**
 * Tables without a usable key: copied whole while writes are stopped, duplicates and all, or refused.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import { assertEqual } from "../support/equality.ts";
import { shopSpec, until, untilTrue } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { Service } from "../support/service.ts";
import { Sql } from "../support/sql.ts";

const TABLES = ["shop.hits", "shop.labels", "shop.orders"];

/** Two tables without a usable key, full of duplicates, and one with a key. */
async function makeTables(url: string, rows: number): Promise<void> {
  await using sql = await Sql.open(url);
  await sql.run("CREATE DATABASE shop");
  await sql.run("CREATE TABLE shop.orders (id INT NOT NULL PRIMARY KEY, v INT NOT NULL)");
  await sql.run("INSERT INTO shop.orders VALUES (1,1),(2,2),(3,3)");
  await sql.run(
    "CREATE TABLE shop.hits (at DATETIME(3), page VARCHAR(200) CHARACTER SET latin1, e ENUM('a','b'), f FLOAT, KEY (page))",
  );
  // A unique key that may hold NULL is none.
  await sql.run("CREATE TABLE shop.labels (n INT NULL, t TEXT, g INT AS (n * 2) STORED, UNIQUE KEY (n))");
  await sql.run("SET SESSION sql_mode = ''");
  await sql.run("INSERT INTO shop.labels (n, t) VALUES (NULL,'x'),(NULL,'x'),(NULL,NULL),(1,''),(2,'NULL')");
  await sql.run(
    "INSERT IGNORE INTO shop.hits VALUES (NULL,NULL,NULL,NULL),(NULL,NULL,NULL,NULL),('2026-01-01','a','a',1.1)," +
      "('2026-01-01','a','a',1.1),('2026-01-01','A ',0,-0e0),('2026-01-01 00:00:00.123',x'e4','b',16777217)",
  );
  for (let n = 6; n < rows; n *= 2) await sql.run("INSERT INTO shop.hits SELECT * FROM shop.hits");
  await sql.run("ANALYZE TABLE shop.hits, shop.labels");
}

const behindFence = (fence: string, timeoutSeconds = 60) => ({
  keyless: "copyBehindFence",
  cutover: { mode: "manual", fence, keepFence: false, timeoutSeconds },
});

onEachFlavour("tables without a key are refused by name, unless asked for", async ({ source, target }) => {
  await makeTables(source.url, 6);
  const dock = openDock();
  try {
    const refused = await (await dock.start(shopSpec(source.url, target.url))).ended;
    assert.equal(refused.error?.code, "preflight-refused");
    assert.deepEqual(
      refused.error?.findings?.filter((f) => f.code === "no-key").map((f) => f.subject).sort(),
      ["shop.hits", "shop.labels"],
    );
    const merging = await (await dock.start(
      shopSpec(source.url, target.url, { ...behindFence("none"), existingRows: "merge" }),
    )).ended;
    assert.ok(merging.error?.findings?.some((f) => f.code === "keyless-merge" && f.level === "error"));
    const report = await dock.check(shopSpec(source.url, target.url, behindFence("none")));
    const told = report.findings.filter((f) => f.code === "keyless-behind-fence");
    assert.deepEqual(told.map((f) => [f.level, f.subject]).sort(), [
      ["warning", "shop.hits"],
      ["warning", "shop.labels"],
    ]);
  } finally {
    await dock.close();
  }
});

for (const fence of ["lockTables", "none"]) {
  onEachFlavour(
    `tables without a key are copied behind the fence, duplicates and all, fence ${fence}`,
    async ({ source, target }) => {
      await makeTables(source.url, 98_000);
      const dock = openDock();
      try {
        const ferry = await dock.start(shopSpec(source.url, target.url, behindFence(fence)));
        const waiting = await until(ferry, ["awaitingCutover"]);
        const states = new Map(waiting.tables.map((t) => [t.source, t.state]));
        assert.equal(states.get("shop.hits"), "waiting");
        assert.equal(states.get("shop.orders"), "verified");
        await using sql = await Sql.open(source.url);
        await sql.run(
          "INSERT INTO shop.hits (page) VALUES ('late'),('late'); DELETE FROM shop.labels WHERE n = 1",
        );
        await sql.run(
          "UPDATE shop.hits SET f = 2 WHERE page = 'a' LIMIT 100; INSERT INTO shop.orders VALUES (4, 4)",
        );
        await ferry.act("cutover");
        const done = await until(ferry, ["done"]);
        const rows = await assertEqual(source.url, target.url, TABLES);
        assert.ok(rows > 98_000, `${rows}`);
        assert.deepEqual(done.tables.map((t) => t.state), ["verified", "verified", "verified"]);
        assert.equal(done.tables.reduce((n, t) => n + t.rowsCopied, 0), rows - 1, "one row came by replay");
        await using there = await Sql.open(target.url);
        const [{ n }] = await there.run(
          "SELECT COUNT(*) AS n FROM information_schema.statistics WHERE table_schema = 'shop' AND index_name IN ('page', 'n')",
        );
        assert.equal(Number(n), 2);
      } finally {
        await dock.close();
      }
    },
  );
}

onEachFlavour(
  "a deadline in the middle of a table without a key lets writes go on, and the next try begins it anew",
  async ({ source, target }) => {
    await makeTables(source.url, 20_000);
    const dock = openDock();
    try {
      const ferry = await dock.start(shopSpec(source.url, target.url, behindFence("lockTables", 8)));
      await until(ferry, ["awaitingCutover"]);
      await using hold = await Sql.open(target.url);
      await hold.run("LOCK TABLES shop.labels WRITE"); // the second table is waited for, or the first
      await ferry.act("cutover");
      await until(ferry, ["cuttingOver"]);
      await until(ferry, ["awaitingCutover"], 40);
      await using writer = await Sql.open(source.url);
      await writer.run(
        "SET SESSION lock_wait_timeout = 2; INSERT INTO shop.hits (page) VALUES ('between'); DELETE FROM shop.labels LIMIT 1",
      );
      await hold.run("UNLOCK TABLES");
      assert.ok(ferry.resource().tables.every((t) => t.source === "shop.orders" || t.state === "waiting"));
      await ferry.act("cutover");
      const done = await until(ferry, ["done"]);
      assert.equal(done.cutover.attempts, 2);
      const rows = await assertEqual(source.url, target.url, TABLES);
      assert.equal(
        done.tables.reduce((n, t) => n + t.rowsCopied, 0),
        rows,
        "the first try's rows are not counted",
      );
    } finally {
      await dock.close();
    }
  },
);

onEachFlavour(
  "a process that is killed in the middle of a table without a key leaves the source open, and the next begins it anew",
  async ({ source, target }) => {
    await makeTables(source.url, 190_000);
    const spec = {
      id: "keyless",
      source: source.url,
      target: target.url,
      tables: ["shop.*"],
      ...behindFence("lockTables", 120),
    };
    await using there = await Sql.open(target.url);
    const count = async () => {
      await there.run("SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED");
      return Number((await there.run("SELECT COUNT(*) AS n FROM shop.hits"))[0].n);
    };
    {
      await using service = await Service.start();
      assert.equal((await service.ask("POST", "/v1/ferries", spec)).status, 202);
      await service.until("keyless", ["awaitingCutover"]);
      assert.equal((await service.ask("POST", "/v1/ferries/keyless/cutover")).status, 202);
      await untilTrue("its rows arrive", async () => await count() > 0, { everyMs: 5 });
      await service.kill9();
    }
    const left = await count();
    assert.ok(left < 190_000, `it was killed in the middle: ${left}`);
    await using writer = await Sql.open(source.url);
    await writer.run("SET SESSION lock_wait_timeout = 5; DELETE FROM shop.hits WHERE page = 'a' LIMIT 1000");
    await using service = await Service.start();
    await service.ask("POST", "/v1/ferries", spec);
    for (let i = 0;; i++) {
      const { body } = await service.ask("GET", "/v1/ferries/keyless");
      const r = body as { resumedTimes: number; state: string };
      if (r.resumedTimes > 0 && r.state === "awaitingCutover") break;
      assert.ok(i < 600, JSON.stringify(body));
      await new Promise((x) => setTimeout(x, 50));
    }
    assert.equal((await service.ask("POST", "/v1/ferries/keyless/cutover")).status, 202);
    await service.until("keyless", ["done"]);
    await assertEqual(source.url, target.url, TABLES);
  },
);

onEachFlavour(
  "rows that arrive otherwise in the copy of a table without a key fail the cutover, and the source goes on",
  async ({ source, target }) => {
    await makeTables(source.url, 6);
    const dock = openDock();
    try {
      const ferry = await dock.start(shopSpec(source.url, target.url, behindFence("lockTables")));
      await until(ferry, ["awaitingCutover"]);
      await using there = await Sql.open(target.url);
      // Both of a pair of equal rows: an XOR of hashes would not see it.
      await there.run(
        "CREATE TRIGGER shop.more BEFORE INSERT ON shop.labels FOR EACH ROW SET NEW.t = IF(NEW.t = 'x', 'y', NEW.t)",
      );
      await ferry.act("cutover");
      const failed = await ferry.ended;
      assert.equal(failed.error?.code, "verification-failed");
      assert.match(failed.error!.detail, /shop\.labels/);
      await using here = await Sql.open(source.url);
      await here.run("SET SESSION lock_wait_timeout = 2; INSERT INTO shop.labels (n) VALUES (9)");
    } finally {
      await dock.close();
    }
  },
);

onEachFlavour("DDL on a table without a key stops the ferry", async ({ source, target }) => {
  await makeTables(source.url, 6);
  const dock = openDock();
  try {
    const ferry = await dock.start(shopSpec(source.url, target.url, behindFence("lockTables")));
    await until(ferry, ["awaitingCutover"]);
    await using sql = await Sql.open(source.url);
    await sql.run("ALTER TABLE shop.hits ADD COLUMN late INT");
    assert.equal((await until(ferry, ["failed"], 60)).error?.code, "ddl-on-ferried-table");
  } finally {
    await dock.close();
  }
});
