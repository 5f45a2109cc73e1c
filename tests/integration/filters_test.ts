/**
 * I6: a row is in the target if and only if the filter holds for its newest image, and it is the source's server that says
 * so, for copied rows and replayed changes alike.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import type { FilterableTable } from "../../lib/mod.ts";
import { assertEqual } from "../support/equality.ts";
import { shopSpec, until, untilShown } from "../support/ferries.ts";
import {
  assertSubsets,
  ferryFilters,
  type FilterCase,
  makeTables,
  startWriters,
  tableOf,
} from "../support/filters.ts";
import { onEachCrossing, onEachFlavour } from "../support/flavours.ts";
import { Service } from "../support/service.ts";
import { Sql } from "../support/sql.ts";

const GTIDS = { mysql: { "gtid-mode": "ON", "enforce-gtid-consistency": "ON" } };

const CASES: readonly FilterCase[] = [
  {
    name: "integers",
    columns: { a: "INT" },
    values: [["1"], ["2"], ["NULL"], ["-7"]],
    where: "a > 0 AND a < 2",
  },
  { name: "is_null", columns: { a: "INT" }, values: [["1"], ["NULL"]], where: "a IS NULL" },
  { name: "not_unknown", columns: { a: "INT" }, values: [["1"], ["2"], ["NULL"]], where: "NOT (a = 1)" },
  {
    name: "in_list",
    columns: { a: "INT" },
    values: [["1"], ["2"], ["3"], ["NULL"]],
    where: "a IN (1, 3, NULL)",
  },
  { name: "number_alone", columns: { a: "INT" }, values: [["0"], ["5"], ["NULL"]], where: "a" },
  {
    name: "boolean",
    columns: { a: "BOOLEAN" },
    values: [["TRUE"], ["FALSE"], ["NULL"]],
    where: "a IS NOT TRUE",
  },
  {
    name: "by_key",
    columns: { a: "INT" },
    values: [["1"], ["2"]],
    where: "id % 3 = 1 OR (a = 2 AND id > 600)",
  },
  {
    name: "ci_collation",
    columns: { a: "VARCHAR(20) COLLATE utf8mb4_general_ci" },
    values: [["'foo'"], ["'FOO'"], ["'Foo '"], ["'bar'"], ["NULL"], ["'foö'"]],
    where: "a = 'foo'",
  },
  {
    name: "bin_collation",
    columns: { a: "VARCHAR(20) COLLATE utf8mb4_bin" },
    values: [["'foo'"], ["'FOO'"], ["'foo '"]],
    where: "a = 'foo'",
  },
  {
    name: "not_ascii",
    columns: { a: "VARCHAR(20) COLLATE utf8mb4_general_ci", b: "VARCHAR(20) CHARACTER SET latin1" },
    values: [["'Zürich'", "'x'"], ["'zurich'", "'é'"], ["'Bern'", "'É'"], ["'😀'", "'e'"], ["'x'", "'y'"]],
    where: "a = 'ZÜRICH' OR a = '😀' OR b = 'é'",
  },
  {
    name: "not_ascii_bin",
    columns: {
      a: "VARCHAR(20) COLLATE utf8mb4_bin",
      b: "VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_bin",
    },
    values: [["'Zürich'", "'x'"], ["'zurich'", "'é'"], ["'Bern'", "'É'"], ["'😀'", "'e'"]],
    where: "a IN ('Zürich', '😀') OR b = 'é'",
  },
  {
    name: "like",
    columns: { a: "VARCHAR(20) COLLATE utf8mb4_general_ci" },
    values: [["'Übung'"], ["'ueben'"], ["'uber_x'"], ["'a%b'"], ["''"]],
    where: "a LIKE 'ü%' OR a LIKE '%|%%' ESCAPE '|'",
  },
  {
    name: "numeric_string",
    columns: { a: "VARCHAR(20)" },
    values: [["'5'"], ["'05'"], ["'5.0'"], ["'5x'"], ["'x5'"], ["''"], ["NULL"]],
    where: "a = 5",
  },
  {
    name: "string_for_number",
    columns: { a: "BIGINT UNSIGNED" },
    values: [["18446744073709551615"], ["18446744073709551614"], ["5"], ["0"]],
    where: "a = '18446744073709551615' OR a < '05'",
  },
  {
    name: "decimals",
    columns: { a: "DECIMAL(20,10)", b: "DOUBLE" },
    values: [["1.1", "1.1"], ["1.1000000001", "0.1"], ["-3", "-3"], ["NULL", "0"]],
    where: "a = b OR a / 3 < -0.99",
  },
  {
    name: "dates",
    columns: { a: "DATE", b: "DATETIME(3)", c: "TIMESTAMP(6) NULL", d: "TIME(2)" },
    values: [
      ["'2026-01-15'", "'2026-01-15 12:00:00.5'", "'2026-01-15 12:00:00.000001'", "'10:00:00'"],
      ["'2026-02-01'", "'2026-01-31 23:59:59.999'", "'2026-01-31 23:59:59.999999'", "'-10:00:00'"],
      ["'2027-01-01'", "NULL", "NULL", "'100:00:00'"],
      ["NULL", "'2025-01-01'", "'2025-01-01'", "NULL"],
    ],
    where: "a BETWEEN '2026-01-01' AND '2026-01-31' OR d < 0 OR YEAR(b) = 2025",
  },
  {
    name: "timestamps",
    columns: { a: "TIMESTAMP(6) NULL" },
    values: [["'2026-01-15 12:00:00.000001'"], ["'2026-01-15 12:00:00'"], ["NULL"]],
    where: "a > '2026-01-15 12:00:00'",
  },
  {
    name: "enums",
    columns: { a: "ENUM('new','paid','sent')", b: "SET('x','y','z')" },
    values: [["'new'", "'x,z'"], ["'paid'", "'y'"], ["'sent'", "''"], ["NULL", "NULL"]],
    where: "a = 'PAID' OR FIND_IN_SET('z', b)",
  },
  {
    name: "enum_index",
    columns: { a: "ENUM('2','1','0')" },
    values: [["'2'"], ["'1'"], ["'0'"]],
    where: "a + 0 = 1",
  },
  {
    name: "bits",
    columns: { a: "BIT(12)" },
    values: [["1"], ["4095"], ["2048"], ["NULL"]],
    where: "a & 2048",
  },
  {
    name: "bytes",
    columns: { a: "VARBINARY(20)", b: "BLOB", c: "BINARY(4)" },
    values: [["x'00ff'", "'a'", "'a'"], ["x'00'", "'A'", "x'61000000'"], ["'é'", "NULL", "'A'"]],
    where: "a = 'é' OR b = 'a' OR c = 'A'",
  },
  {
    name: "json",
    columns: { a: "JSON" },
    values: [[`'{"k": "x", "n": 5}'`], [`'{"k": "X", "n": 5.0}'`], [`'{"n": "5"}'`], ["NULL"], ["'null'"]],
    where: "JSON_UNQUOTE(JSON_EXTRACT(a, '$.k')) = 'x' OR JSON_EXTRACT(a, '$.n') = '5'",
  },
  {
    name: "json_arrow",
    columns: { a: "JSON" },
    values: [[`'{"k": "é", "n": 5}'`], [`'{"k": "X", "n": 5.0}'`], [`'{"n": "5"}'`], ["NULL"], ["'null'"]],
    where: "a->>'$.k' = 'é' OR a->'$.n' = 5",
    only: ["mysql"],
  },
  {
    name: "generated",
    columns: { a: "INT", b: "VARCHAR(20) COLLATE utf8mb4_general_ci" },
    generated:
      "v VARCHAR(30) COLLATE utf8mb4_general_ci AS (CONCAT(b, '-ü')) VIRTUAL, s INT AS (a * 2) STORED",
    values: [["1", "'x'"], ["2", "'y'"], ["NULL", "NULL"]],
    where: "v = 'X-Ü' OR s = 4",
  },
  {
    name: "geometry",
    columns: { a: "POINT" },
    values: [["ST_GeomFromText('POINT(1 2)')"], ["ST_GeomFromText('POINT(3 4)')"], ["NULL"]],
    where: "ST_X(a) > 2",
  },
  {
    name: "long_texts",
    columns: { a: "MEDIUMTEXT", b: "TEXT CHARACTER SET utf16" },
    values: [["REPEAT('xy', 900)", "'é'"], ["REPEAT('xy', 901)", "'e'"], ["NULL", "NULL"]],
    where: "CHAR_LENGTH(a) = 1802 OR b IS NULL",
  },
  {
    name: "table_charset",
    columns: { a: "VARCHAR(20)", b: "ENUM('日','月')" },
    values: [["'日本'", "'日'"], ["'Ω'", "'月'"], ["'é'", "NULL"]],
    where: "a = '日本' OR b = '月'",
  },
  {
    name: "odd_names",
    columns: { "`a b`": "INT", "`ß``'`": "INT", "`select`": "INT", _ferry_row: "INT", _ferry_in: "INT" },
    values: [["1", "2", "3", "4", "5"], ["2", "2", "2", "2", "2"]],
    where: "`a b` = 1 AND `ß``'` = 2 AND `select` = 3 AND _ferry_row = 4 AND _ferry_in = 5",
  },
  {
    name: "qualified",
    columns: { a: "INT" },
    values: [["1"], ["2"]],
    where: "qualified.a = 1 AND shop.qualified.id > 10",
    only: ["mysql"],
  },
  {
    name: "uuids",
    columns: { a: "UUID", b: "INET6" },
    values: [
      ["'123e4567-e89b-12d3-a456-426655440000'", "'::1'"],
      ["'123e4567-e89b-12d3-a456-426655440001'", "'::2'"],
      ["NULL", "NULL"],
    ],
    where: "a = '123E4567-E89B-12D3-A456-426655440000' OR b IS NULL",
    only: ["mariadb"],
    ownTypes: true,
  },
  {
    name: "checked",
    columns: { a: "INT CHECK (a < 100)" },
    values: [["1"], ["200"], ["NULL"]],
    where: "a < 100",
    only: ["mariadb"],
  },
  {
    name: "counter_key",
    columns: { a: "INT" },
    values: [["1"], ["2"]],
    key: { type: "INT UNSIGNED AUTO_INCREMENT", of: (n) => String(n + 4_000_000_000) },
    where: "id > 4000000300 AND a = 1",
  },
  {
    name: "every_type",
    columns: {
      k: "TINYINT",
      a: "MEDIUMINT UNSIGNED",
      b: "DECIMAL(65,30)",
      c: "FLOAT",
      d: "DOUBLE",
      e: "BIT(64)",
      f: "DATE",
      g: "DATETIME(6)",
      h: "TIME(6)",
      i: "YEAR",
      j: "CHAR(10) CHARACTER SET utf16",
      l: "VARCHAR(20) CHARACTER SET sjis",
      m: "BINARY(8)",
      o: "LONGBLOB",
      p: "ENUM('a,b','c''d')",
      q: "SET('x','y')",
      r: "JSON",
      s: "GEOMETRY",
      t: "TIMESTAMP NULL",
      u: "TINYTEXT",
    },
    values: [
      [
        "1",
        "16777215",
        "1.000000000000000000000000000001",
        "0.1",
        "1.7976931348623157e308",
        "b'1'",
        "'0000-00-00'",
        "'0000-00-00 00:00:00'",
        "'-838:59:59'",
        "0",
        "'é'",
        "_sjis x'835c'",
        "x'00'",
        "REPEAT('x', 70000)",
        "'c''d'",
        "'x,y'",
        `'{"a": [1.0, null]}'`,
        "ST_GeomFromText('POINT(1 2)')",
        "'2026-01-01'",
        "'Ω'",
      ],
      [
        "2",
        "0",
        "-1",
        "-0.1",
        "5e-324",
        "b'0'",
        "'2026-02-31'",
        "'2026-00-10 10:00:00.5'",
        "'00:00:00.000001'",
        "2155",
        "' '",
        "'a'",
        "'a'",
        "''",
        "'a,b'",
        "''",
        "'null'",
        "ST_GeomFromText('LINESTRING(0 0,1 1)')",
        "NULL",
        "''",
      ],
      Array(20).fill("NULL"),
    ],
    where: "k = 1 OR k IS NULL",
  },
  {
    name: "comment_at_the_end",
    columns: { a: "INT" },
    values: [["1"], ["2"]],
    where: "a = 1 /* one */ -- and no more",
  },
  {
    name: "string_key",
    columns: { a: "INT" },
    values: [["1"], ["2"]],
    key: { type: "VARCHAR(40) COLLATE utf8mb4_general_ci", of: (n) => `'${n % 2 ? "É" : "a"}-${n}'` },
    where: "id LIKE 'é%' AND a = 1",
  },
  {
    name: "latin1_key",
    columns: { a: "INT" },
    values: [["1"], ["2"]],
    key: { type: "VARCHAR(40) CHARACTER SET latin1", of: (n) => `'${n % 2 ? "ü" : "x"}${n}'` },
    where: "a = 1 OR id = 'Ü5'",
  },
  {
    name: "bytes_key",
    columns: { a: "INT" },
    values: [["1"], ["2"]],
    key: { type: "BINARY(6)", of: (n) => `UNHEX(LPAD(HEX(${n} * 1048583), 12, 'F'))` },
    where: "a = 1",
  },
  {
    name: "decimal_key",
    columns: { a: "INT" },
    values: [["1"], ["2"]],
    key: { type: "DECIMAL(10,3)", of: (n) => `${n - 600}.125` },
    where: "a = 1 OR id < -500",
  },
];

// Further filters are rows of CASES; the run takes any two servers.
onEachCrossing("rows are in the target if and only if their filter holds", async ({ source, target }) => {
  await ferryFilters(source, target, CASES);
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
    const [c] = CASES;
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
  const [c] = CASES;
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
    const cases = CASES.filter((c) => CRASHED.includes(c.name));
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

onEachFlavour(
  "a where function chooses tables and rows, and answers the same after a restart",
  async (pair) => {
    const { source, target } = pair;
    const cases = CASES.filter((c) => ["integers", "is_null", "ci_collation"].includes(c.name));
    await makeTables(source.url, cases);
    await using sql = await Sql.open(source.url);
    await sql.run("CREATE TABLE shop.no_key (a INT)");
    const told: FilterableTable[] = [];
    const choose = (t: FilterableTable) => {
      told.push(t);
      if (t.key.length === 0) return false;
      const column = t.columns.find((c) => /^varchar/.test(c.type));
      return column === undefined ? t.name === "integers" ? "a > 1" : null : `${column.name} = 'foo'`;
    };
    const spec = (where: unknown) =>
      shopSpec(source.url, target.url, {
        id: "chosen",
        tables: [{ table: "shop.*", where }],
        copy: { concurrency: 1, chunkBytes: 16384 },
        cutover: { mode: "manual", fence: "lockTables", keepFence: false },
      });
    const first = openDock();
    try {
      await until(await first.start(spec(choose)), ["awaitingCutover"]);
    } finally {
      await first.close();
    }
    assert.deepEqual(
      told.map((t) => `${t.schema}.${t.name}`).sort(),
      [...cases.map(tableOf), "shop.no_key"].sort(),
    );
    const { columns, indexes, key } = told.find((t) => t.name === "integers")!;
    assert.deepEqual([key, indexes], [["id"], [{ name: "PRIMARY", unique: true, columns: ["id"] }]]);
    assert.deepEqual(columns.map((c) => [c.name, c.nullable, c.generated]), [
      ["id", false, false],
      ["n", false, false],
      ["a", true, false],
    ]);
    await sql.run("UPDATE shop.integers SET a = 3 - a");
    const second = openDock();
    try {
      const other = await second.start(spec((t: FilterableTable) => t.key.length > 0 && "id > 0"));
      const { error } = await other.ended;
      assert.equal(error?.code, "spec-differs");
    } finally {
      await second.close();
    }
    const third = openDock();
    try {
      const ferry = await third.start(spec(choose));
      assert.equal((await ferry.ended).state, "failed");
      await ferry.act("retry");
      // It counts as failed for a moment more, until it has its lease.
      await untilShown(ferry, ({ state }) => state === "awaitingCutover");
      await ferry.act("cutover");
      await until(ferry, ["done"]);
    } finally {
      await third.close();
    }
    const filters = new Map([["shop.integers", "a > 1"], ["shop.ci_collation", "a = 'foo'"]]);
    await assertEqual(source.url, target.url, cases.map(tableOf), filters);
    await using there = await Sql.open(target.url);
    const [left] = await there.run(
      "SELECT COUNT(*) AS n FROM information_schema.tables WHERE table_name = 'no_key'",
    );
    assert.equal(Number(left.n), 0, "false leaves a table out");
  },
);

/** What a function may not do, and the finding's code. */
const BAD_ANSWERS: readonly (readonly [answer: () => unknown, code: string, seen: RegExp])[] = [
  [() => false, "no-tables", /left every table out/],
  [() => 7, "where-refused", /answered 7/],
  [() => undefined, "where-refused", /answered undefined/],
  [() => " ", "where-refused", /answered " "/],
  [() => "nope = 1", "where-refused", /1054/],
  [
    () => {
      throw new Error("mistaken");
    },
    "where-refused",
    /mistaken/,
  ],
];

onEachFlavour("a where function that answers wrong is a finding", async ({ source, target }) => {
  await makeTables(source.url, CASES.slice(0, 1), 10);
  const dock = openDock();
  try {
    for (const [where, code, seen] of BAD_ANSWERS) {
      const spec = shopSpec(source.url, target.url, { tables: [{ table: "shop.*", where }] });
      const { findings } = await dock.check(spec);
      const errors = findings.filter((f) => f.level === "error");
      assert.deepEqual(errors.map((f) => f.code), [code], JSON.stringify(errors));
      assert.match(errors[0].detail, seen);
    }
  } finally {
    await dock.close();
  }
});
