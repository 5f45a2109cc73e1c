/**
 * I6: a row is in the target if and only if the filter holds for its newest image, and it is the source's server that says
 * so, for copied rows and replayed changes alike.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import { assertEqual } from "../support/equality.ts";
import { FILTER_CASES } from "../support/filter_cases.ts";
import { shopSpec, until } from "../support/ferries.ts";
import { assertSubsets, ferryFilters, makeTables, startWriters, tableOf } from "../support/filters.ts";
import { onEachCrossing, onEachFlavour } from "../support/flavours.ts";
import { Service } from "../support/service.ts";
import { Sql } from "../support/sql.ts";

const GTIDS = { mysql: { "gtid-mode": "ON", "enforce-gtid-consistency": "ON" } };

// Further filters are rows of FILTER_CASES; the run takes any two servers.
onEachCrossing("rows are in the target if and only if their filter holds", async ({ source, target }) => {
  await ferryFilters(source, target, FILTER_CASES);
}, { source: GTIDS });

/** What the source's server refuses, and the number of its reason. */
const REFUSED: readonly (readonly [where: string, mysql: number, mariadb: number])[] = [
  ["1=1) OR (1=1", 1064, 1064],
  ["a = 1 OR (b = 'x'", 1064, 1064],
  ["1=1 LIMIT 1", 1064, 1064],
  ["a = 1 ORDER BY b", 1064, 1064],
  ["a = 1 GROUP BY b", 1064, 1064],
  ["a = 1 UNION SELECT 1", 1064, 1064],
  ["a = 1 FOR UPDATE", 1064, 1064],
  ["a = 1 INTO @x", 1064, 1064],
  ["a = 1;", 1064, 1064],
  ["a = 1; DROP TABLE shop.t", 1064, 1064],
  ["a = ?", 1064, 1064],
  ["a = 1 /* open", 1064, 1064],
  ["a = 'open", 1064, 1064],
  ["-- nothing", 1064, 1064],
  ["nope = 1", 1054, 1054],
  ["a = other.a", 1054, 1054],
  ["a = (SELECT 1)", 3102, 1901],
  ["a IN (SELECT a FROM shop.other)", 3102, 1901],
  ["EXISTS (SELECT 1 FROM shop.other)", 3102, 1901],
  ["c > NOW()", 3763, 1901],
  ["c > CURDATE() - INTERVAL 1 DAY", 3763, 1901],
  ["RAND() > 0.5", 3763, 1901],
  ["UUID() <> b", 3763, 1901],
  ["SLEEP(1) = 0", 3763, 1901],
  ["GET_LOCK('x', 0)", 3763, 1901],
  ["USER() = b", 3763, 1901],
  ["shop.f(a) = 1", 3763, 1901],
  ["a = @x", 3772, 1901],
  ["(@x := a) = 1", 3772, 1901],
  ["@@version = b", 3772, 1901],
  ["COUNT(*) > 1", 1111, 1111],
  ["MATCH (b) AGAINST ('x')", 1191, 1901],
];

onEachFlavour(
  "a filter that a row alone does not decide is refused, with the server's reason",
  async (pair, vendor) => {
    await using sql = await Sql.open(pair.source.url);
    await sql.run("CREATE DATABASE shop");
    await sql.run("CREATE TABLE shop.t (id INT PRIMARY KEY, a INT, b VARCHAR(20), c DATETIME)");
    await sql.run("CREATE TABLE shop.other (id INT PRIMARY KEY, a INT)");
    await sql.run("CREATE FUNCTION shop.f(a INT) RETURNS INT DETERMINISTIC RETURN a");
    const dock = openDock();
    try {
      for (const [where, mysql, mariadb] of REFUSED) {
        const tables = [{ table: "shop.t", where }];
        const { ok, findings } = await dock.check(shopSpec(pair.source.url, pair.target.url, { tables }));
        const errors = findings.filter((f) => f.level === "error");
        assert.deepEqual(
          [ok, errors.map((f) => [f.code, f.subject])],
          [false, [["where-refused", "shop.t"]]],
          where,
        );
        const number = vendor === "mysql" ? mysql : mariadb;
        assert.match(errors[0].detail, new RegExp(`\\(${number}: .+\\)$`, "s"), where);
        assert.ok(errors[0].detail.includes(`"${where}"`), errors[0].detail);
      }
      // A table that may not be read is not held against its filter as well.
      const [left] = await sql.run(
        "SELECT COUNT(*) AS n FROM information_schema.tables WHERE table_schema = 'shop'",
      );
      assert.equal(Number(left.n), 2, "nothing is left there");
    } finally {
      await dock.close();
    }
  },
);

onEachFlavour(
  "judging rows leaves no trace on the source, which may be read only",
  async ({ source, target }, vendor) => {
    const [c] = FILTER_CASES;
    await makeTables(source.url, [c], 100);
    await using sql = await Sql.open(source.url);
    await sql.run("CREATE USER plain@'%' IDENTIFIED BY 'plain-pw'");
    const replication = vendor === "mysql"
      ? "REPLICATION SLAVE, REPLICATION CLIENT"
      : "REPLICATION SLAVE, BINLOG MONITOR, SLAVE MONITOR";
    await sql.run(`GRANT ${replication} ON *.* TO plain@'%'`);
    await sql.run("GRANT SELECT, LOCK TABLES ON shop.* TO plain@'%'");
    const url = source.url.replace(/\/\/[^@]+@/, "//plain:plain-pw@");
    const spec = (where: string | null) =>
      shopSpec(url, target.url, {
        tables: [{ table: tableOf(c), where }],
        cutover: { mode: "manual", fence: "none" },
      });
    const dock = openDock();
    try {
      const refused = await dock.check(spec(c.where));
      const errors = refused.findings.filter((f) => f.level === "error");
      assert.deepEqual(errors.map((f) => [f.code, f.subject]), [["temporary-tables-denied", tableOf(c)]]);
      assert.match(errors[0].hint ?? "", /^GRANT CREATE TEMPORARY TABLES ON `shop`\.\*/);
      assert.equal((await dock.check(spec(null))).ok, true, "only a filter needs them");
      await sql.run("GRANT CREATE TEMPORARY TABLES ON shop.* TO plain@'%'");
      const status = vendor === "mysql" ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS";
      const [before] = await sql.run(status);
      const ferry = await dock.start(spec(c.where));
      await until(ferry, ["awaitingCutover"]);
      assert.deepEqual((await sql.run(status))[0], before, "copying and verifying write nothing");
      await sql.run(`UPDATE ${tableOf(c)} SET a = 3 - a`);
      const [end] = await sql.run(status);
      // Changes before it was read only are judged after it, too.
      await sql.run(vendor === "mysql" ? "SET GLOBAL super_read_only = ON" : "SET GLOBAL read_only = ON");
      await ferry.act("cutover");
      await until(ferry, ["done"]);
      assert.deepEqual((await sql.run(status))[0], end, "neither does judging changes");
      const again = await dock.check({ ...spec(c.where), renameSchemas: { shop: "shop2" } });
      assert.deepEqual(again.findings.filter((f) => f.level === "error"), []);
      const events = await sql.run(`SHOW BINLOG EVENTS IN '${end.File}'`);
      assert.deepEqual(events.filter((e) => /_ferry/.test(e.Info)), []);
      await assertSubsets(source.url, target.url, [c]);
    } finally {
      await dock.close();
      await sql.run(vendor === "mysql" ? "SET GLOBAL super_read_only = OFF" : "DO 0");
      await sql.run("SET GLOBAL read_only = OFF");
    }
  },
  { source: GTIDS },
);

onEachFlavour(
  "a chunk looks at a bounded number of rows, however few are meant",
  async ({ source, target }) => {
    await using sql = await Sql.open(source.url);
    await using there = await Sql.open(target.url);
    await sql.run("CREATE DATABASE shop");
    await sql.run("CREATE TABLE shop.t (id INT PRIMARY KEY, a INT NOT NULL)");
    const digits =
      "(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 " +
      "UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)";
    await sql.run(
      `INSERT INTO shop.t SELECT i, i FROM (SELECT 1 + a.d + 10*b.d + 100*c.d + 1000*d.d + 10000*e.d AS i FROM
      ${digits} a, ${digits} b, ${digits} c, ${digits} d, ${digits} e) n WHERE i <= 49000`,
    );
    const dock = openDock();
    try {
      const where = "a IN (1, 20000, 20001, 25000)";
      const spec = shopSpec(source.url, target.url, { id: "rare", tables: [{ table: "shop.t", where }] });
      const done = await until(await dock.start(spec), ["done"]);
      assert.equal(done.progress.rowsCopied, 4);
      assert.equal(done.tables[0].rowsEstimated, null, "the server has no guess of the subset");
      assert.equal(done.progress.rowsEstimated, null);
      assert.equal(done.verification.rowsCompared, 4);
      await assertEqual(source.url, target.url, ["shop.t"], new Map([["shop.t", where]]));
      // The second chunk had one row and went on to its end; the third had none.
      const [range] = await there.run(
        "SELECT HEX(cursor_key) AS k, done FROM _ferry.ranges WHERE ferry_id = 'rare'",
      );
      assert.deepEqual([range.k, Number(range.done)], ["409C0000", 1]);
    } finally {
      await dock.close();
    }
  },
);

onEachFlavour("rows outside the filter are differences on the target", async ({ source, target }) => {
  const [c] = FILTER_CASES;
  await makeTables(source.url, [c], 50);
  await using there = await Sql.open(target.url);
  const dock = openDock();
  try {
    const ferry = await dock.start(shopSpec(source.url, target.url, {
      tables: [{ table: tableOf(c), where: c.where }],
      cutover: { mode: "manual", fence: "none" },
    }));
    await until(ferry, ["awaitingCutover"]);
    await there.run(`INSERT INTO ${tableOf(c)} VALUES (1, 1, 2)`); // on the source, and not in the filter
    await there.run(`DELETE FROM ${tableOf(c)} WHERE id = 4`);
    await ferry.act("verify");
    const ended = await ferry.ended;
    assert.equal(ended.error?.code, "verification-failed");
    assert.deepEqual(ended.verification.differences.map((d) => `${d.key.id} ${d.kind}`).sort(), [
      "1 only on target",
      "4 missing on target",
    ]);
  } finally {
    await dock.close();
  }
});

onEachFlavour(
  "a row that the filter has no answer for stops the ferry, with the table's name",
  async ({ source, target }) => {
    await using sql = await Sql.open(source.url);
    await sql.run("CREATE DATABASE shop");
    await sql.run("CREATE TABLE shop.t (id INT PRIMARY KEY, a BIGINT)");
    await sql.run("INSERT INTO shop.t VALUES (1, 5), (2, -5)");
    const dock = openDock();
    try {
      const ferry = await dock.start(shopSpec(source.url, target.url, {
        tables: [{ table: "shop.t", where: "a * a * a > 0" }],
        cutover: { mode: "manual", fence: "none" },
      }));
      await until(ferry, ["awaitingCutover"]);
      await sql.run("UPDATE shop.t SET a = 9223372036854775807 WHERE id = 2");
      const { error } = await ferry.ended;
      assert.deepEqual([error?.code, error?.retryable], ["filter-failed", false]);
      assert.match(
        error!.detail,
        /^Cannot filter changes of "shop\.t": the source cannot judge a row \(1690: /,
      );
    } finally {
      await dock.close();
    }
  },
);

const CRASHED = ["integers", "ci_collation", "string_key", "not_ascii"];

onEachFlavour(
  "a filtered ferry whose process is killed again and again ends right",
  async ({ source, target }) => {
    const cases = FILTER_CASES.filter((c) => CRASHED.includes(c.name));
    await makeTables(source.url, cases, 20_000);
    await using writers = startWriters(source.url, cases);
    const spec = {
      id: "killed",
      source: source.url,
      target: target.url,
      tables: cases.map((c) => ({ table: tableOf(c), where: c.where })),
      copy: { concurrency: 1, chunkBytes: 16384 },
      cutover: { mode: "manual", fence: "lockTables", keepFence: false },
    };
    const seen = new Set<string>();
    for (let i = 0; i < 5; i++) {
      await using service = await Service.start();
      assert.equal((await service.ask("POST", "/v1/ferries", spec)).status, 202);
      const owned = await service.until("killed", ["copying", "catchingUp", "verifying", "awaitingCutover"]);
      seen.add(owned.state);
      await new Promise((r) => setTimeout(r, 150 * i));
      await service.kill9();
    }
    assert.ok(seen.has("copying"), `killed in ${[...seen]}`);
    await using service = await Service.start();
    await service.ask("POST", "/v1/ferries", spec);
    await service.until("killed", ["awaitingCutover"]);
    await writers.stop();
    await service.cutOver("killed");
    const done = await service.until("killed", ["done"]);
    assert.equal(done.verification.state, "passed");
    await assertSubsets(source.url, target.url, cases);
  },
);
