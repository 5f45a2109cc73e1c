/**
 * The comparison finds every difference and makes none up: types, keys, rows of one side.
 */
import assert from "node:assert/strict";
import type { Difference } from "../../lib/progress/resource.ts";
import { TableReads } from "../../lib/verify/table_reads.ts";
import type { Vendor } from "../servers/mod.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { Bench, never, onlyWords } from "../support/verify_bench.ts";

/** Column, its type, a value, and one that is hardly another. */
type Case = readonly [type: string, value: string, other: string];

const CASES: readonly Case[] = [
  ["TINYINT", "-1", "-2"],
  ["SMALLINT UNSIGNED", "65535", "65534"],
  ["MEDIUMINT", "-8388608", "8388607"],
  ["INT(8) ZEROFILL", "7", "8"],
  ["BIGINT UNSIGNED", "18446744073709551615", "18446744073709551614"],
  ["BIGINT", "9007199254740993", "9007199254740992"],
  ["DECIMAL(65,30)", "1.000000000000000000000000000001", "1.000000000000000000000000000002"],
  ["FLOAT", "0.1", "0.10000001"],
  ["FLOAT(7,2)", "1.25", "1.26"],
  ["FLOAT", "16777215", "16777216"],
  ["DOUBLE", "0.1", "0.10000000000000002"],
  ["DOUBLE", "1.7976931348623157e308", "1.7976931348623155e308"],
  ["BIT(64)", "b'1000000000000000000000000000000000000000000000000000000000000000'", "b'1'"],
  ["BIT(1)", "b'1'", "b'0'"],
  ["YEAR", "2024", "2025"],
  ["DATE", "'2024-02-29'", "'2024-02-28'"],
  ["TIME(6)", "'-01:00:00.000001'", "'01:00:00.000001'"],
  ["DATETIME(6)", "'2024-01-01 00:00:00.000001'", "'2024-01-01 00:00:00.000002'"],
  ["TIMESTAMP(3) NULL", "'2024-01-01 00:00:00.001'", "'2024-01-01 00:00:00.002'"],
  ["CHAR(10) CHARACTER SET utf8mb4", "'a'", "'A'"],
  ["CHAR(10) CHARACTER SET utf16", "'a'", "'á'"],
  ["VARCHAR(20) CHARACTER SET latin1", "_latin1 x'e9'", "_latin1 x'e8'"],
  ["VARCHAR(20) CHARACTER SET latin1", "_latin1 x'81'", "_latin1 x'8d'"],
  ["VARCHAR(20) CHARACTER SET sjis", "_sjis x'835c'", "_sjis x'5c'"],
  ["VARCHAR(20) CHARACTER SET utf8mb4", "'foo'", "'foo '"],
  ["VARCHAR(20) CHARACTER SET utf8mb4", "NULL", "''"],
  ["VARCHAR(20) CHARACTER SET utf8mb4", "NULL", "'NULL'"],
  ["VARCHAR(20) CHARACTER SET utf8mb4", "NULL", "'N'"],
  ["VARCHAR(20) CHARACTER SET utf8mb4", "NULL", "'-'"],
  ["VARCHAR(20) CHARACTER SET utf8mb4", "''", "'0:'"],
  ["VARCHAR(4000) CHARACTER SET utf8mb4", "REPEAT('q',4000)", "CONCAT(REPEAT('q',3999),'Q')"],
  ["VARCHAR(4000) CHARACTER SET utf8mb4", "NULL", "''"],
  ["BINARY(8)", "'ab'", "'abc'"],
  ["VARBINARY(20)", "x'00ff'", "x'00ff00'"],
  ["TINYTEXT CHARACTER SET utf8mb4", "'a'", "'b'"],
  ["TEXT CHARACTER SET ucs2", "'t'", "'T'"],
  ["MEDIUMTEXT CHARACTER SET utf8mb4", "'😀'", "'😁'"],
  ["LONGTEXT CHARACTER SET utf8mb4", "'N'", "NULL"],
  ["BLOB", "x'00'", "x''"],
  ["LONGBLOB", "REPEAT('x',100000)", "CONCAT(REPEAT('x',99999),'y')"],
  ["ENUM('a','b','c')", "'a'", "'b'"],
  ["ENUM('1','2','N')", "'1'", "'2'"],
  ["SET('x','y')", "'x,y'", "'x'"],
  ["JSON", `'{"a": 1}'`, `'{"a": 2}'`],
  ["JSON", `'{"a": 1}'`, `'{"a": "1"}'`],
  ["GEOMETRY", "ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('POINT(2 1)')"],
  ["POINT", "ST_GeomFromText('POINT(1 2)',4326)", "ST_GeomFromText('POINT(1 2)',0)"],
];
const OWN: Record<Vendor, readonly Case[]> = {
  mysql: [
    ["VECTOR(3)", "STRING_TO_VECTOR('[1,2,3]')", "STRING_TO_VECTOR('[1,2,4]')"],
    ["JSON", `'{"a": 1}'`, `'{"a": 1.0}'`],
    ["JSON", "'null'", "NULL"],
    // MariaDB keeps no -0.
    ["DOUBLE", "0", "-0e0"],
    ["FLOAT", "0", "-0e0"],
  ],
  mariadb: [
    ["UUID", "'123e4567-e89b-12d3-a456-426655440000'", "'123e4567-e89b-12d3-a456-426655440001'"],
    ["INET6", "'::1'", "'::2'"],
    ["INET4", "'1.2.3.4'", "'1.2.3.5'"],
    ["VARCHAR(2000) COMPRESSED", "REPEAT('a',900)", "REPEAT('a',901)"],
  ],
};
const PACKET = { "max-allowed-packet": "24M" };
const packets = { mysql: PACKET, mariadb: PACKET };

onEachFlavour("verify: every type", async (pair, vendor, t) => {
  await using bench = await Bench.open(pair);
  const cases = [...CASES, ...OWN[vendor]];
  const columns = cases.map(([type], i) => `c${i} ${type}`).join(", ");
  await bench.both(
    `CREATE TABLE shop.t (id INT PRIMARY KEY, ${columns}, g INT AS (id + 1) VIRTUAL) ROW_FORMAT=DYNAMIC`,
  );
  const names = cases.map((_, i) => `c${i}`).join(", ");
  const values = cases.map(([, value]) => value).join(", ");
  for (let i = 0; i <= cases.length; i++) {
    await bench.both(`INSERT INTO shop.t (id, ${names}) VALUES (${i}, ${values})`);
  }
  await bench.both(`INSERT INTO shop.t (id) VALUES (1000)`);
  await t.step("equal", async () => {
    assert.deepEqual(await bench.found("t"), []);
    assert.deepEqual(await bench.found("t", { chunkRows: 3 }), []);
  });
  await t.step("one value changed", async () => {
    for (const [i, [, , other]] of cases.entries()) {
      // By way of NULL: MySQL takes JSON 1 and 1.0 for the same and leaves the row as it is.
      await bench.target.run(`UPDATE shop.t SET c${i} = NULL WHERE id = ${i}`);
      await bench.target.run(`UPDATE shop.t SET c${i} = ${other} WHERE id = ${i}`);
    }
    const wanted = cases.map((_, i) => ({ table: "shop.t", key: { id: String(i) }, kind: "unlike" }));
    const byId = (a: Difference, b: Difference) => Number(a.key.id) - Number(b.key.id);
    const found = (await bench.found("t", { chunkRows: 20 })).toSorted(byId);
    const missed = wanted.filter((w) => !found.some((d) => d.key.id === w.key.id));
    assert.deepEqual(missed.map((w) => cases[Number(w.key.id)]), []);
    assert.deepEqual(found, wanted);
  });
});

onEachFlavour("verify: rows of one side, long rows, many rows", async (pair, vendor, t) => {
  await using bench = await Bench.open(pair);
  await t.step("missing and only on the target", async () => {
    await bench.both("CREATE TABLE shop.t (id INT PRIMARY KEY, a VARCHAR(9), b VARCHAR(9))");
    for (let i = -30; i < 30; i++) await bench.both(`INSERT INTO shop.t VALUES (${i * 10}, '1', '2')`);
    assert.deepEqual(await bench.found("t", { chunkRows: 7 }), []);
    await bench.target.run(
      "INSERT INTO shop.t VALUES (-2000000000,'','x'), (5,'1','2'), (2000000000,'1','2')",
    );
    await bench.target.run("DELETE FROM shop.t WHERE id IN (-300, 0, 290)");
    // The same letters, on the other side of the comma.
    await bench.target.run("UPDATE shop.t SET a = '1,1:2', b = '' WHERE id = 10");
    for (const chunkRows of [7, 1000]) {
      assert.deepEqual(
        onlyWords(await bench.found("t", { chunkRows })),
        [
          "-2000000000 only on target",
          "-300 missing on target",
          "0 missing on target",
          "10 unlike",
          "2000000000 only on target",
          "290 missing on target",
          "5 only on target",
        ],
      );
    }
  });
  await t.step("an empty table, and a source that is empty", async () => {
    await bench.both("CREATE TABLE shop.e (id INT PRIMARY KEY)");
    assert.deepEqual(await bench.found("e"), []);
    for (let i = 1; i <= 60; i++) await bench.target.run(`INSERT INTO shop.e VALUES (${i})`);
    assert.equal((await bench.found("e", { chunkRows: 5 })).length, 60);
  });
  await t.step("rows near max_allowed_packet", async () => {
    await bench.both(
      "CREATE TABLE shop.l (id INT PRIMARY KEY, a LONGBLOB, b LONGTEXT CHARACTER SET utf8mb4)",
    );
    const long = "REPEAT('x', 20 * 1024 * 1024)";
    await bench.both(`INSERT INTO shop.l VALUES (1, ${long}, NULL), (2, ${long}, NULL), (3, NULL, NULL)`);
    await bench.both(`UPDATE shop.l SET b = ${long} WHERE id = 2`);
    assert.deepEqual(await bench.found("l"), []);
    await bench.target.run("UPDATE shop.l SET b = CONCAT(LEFT(b, 20 * 1024 * 1024 - 1), 'y') WHERE id = 2");
    assert.deepEqual(onlyWords(await bench.found("l")), ["2 unlike"]);
  });
  await t.step("a hash that cannot be made is no pass", async () => {
    await bench.both(
      "CREATE TABLE shop.n (id INT PRIMARY KEY, c LONGBLOB)",
      "INSERT INTO shop.n VALUES (1, 'x')",
    );
    const [table] = await bench.tables("n");
    const session = await bench.data("source");
    // A short string that is none: its text is longer than a packet.
    const c = { ...table.layout.columns[1].column, dataType: "varbinary", octetLength: 8 };
    const layout = {
      ...table.layout,
      columns: [table.layout.columns[0], { ...table.layout.columns[1], column: c }],
    };
    await bench.both("UPDATE shop.n SET c = REPEAT('x', 24 * 1024 * 1024 - 1)");
    const reads = await TableReads.open(session, { ...table, layout, targetLayout: layout }, "source");
    const refused = { code: "verify-no-hash", message: /^Cannot verify "shop.n": .* no hash of 1 row$/ };
    await assert.rejects(reads.sum({ lower: null, upper: null }), refused);
    await assert.rejects(reads.hashes({ lower: null, upper: null }), refused);
    await session.close();
  });
  await t.step("another key name on the target", async () => {
    await bench.source.run("CREATE TABLE shop.u (id INT NOT NULL, v INT, UNIQUE KEY one (id))");
    await bench.target.run("CREATE TABLE shop.u (id INT NOT NULL, v INT, UNIQUE KEY two (id))");
    await bench.both("INSERT INTO shop.u VALUES (1,1), (2,2)");
    await bench.target.run("UPDATE shop.u SET v = 3 WHERE id = 2");
    assert.deepEqual(onlyWords(await bench.found("u")), ["2 unlike"]);
  });
  assert(vendor);
}, { source: packets, target: packets });

/** Key columns, and two rows' key values; the second row is changed on the target. */
const KEYS: readonly (readonly [columns: string, rows: readonly string[], second: string])[] = [
  ["k BIGINT UNSIGNED", ["1", "18446744073709551615", "9223372036854775808"], "18446744073709551615"],
  ["k DECIMAL(20,5)", ["-1.5", "1.25", "100"], "1.25000"],
  ["k DATETIME(3)", ["'2024-01-01'", "'2024-01-01 00:00:00.001'", "'2025-01-01'"], "2024-01-01 00:00:00.001"],
  ["k TIMESTAMP(6)", ["'2024-01-01'", "'2024-01-01 00:00:00.000001'"], "2024-01-01 00:00:00.000001"],
  ["k DATE", ["'2024-01-01'", "'2024-01-02'", "'2024-01-03'"], "2024-01-02"],
  ["k TIME", ["'-10:00:00'", "'-01:00:00'", "'10:00:00'"], "-01:00:00"],
  ["k DOUBLE", ["-1", "0.1", "3e100"], "0.1"],
  ["k ENUM('z','y','x')", ["'z'", "'y'", "'x'"], "2"],
  ["k SET('z','y','x')", ["'z'", "'y'", "'z,x'"], "2"],
  ["k BIT(12)", ["1", "2", "4000"], "0x0002"],
  ["k VARBINARY(20)", ["x'00'", "x'00ff'", "x'61'"], "0x00FF"],
  ["k VARCHAR(20) CHARACTER SET utf8mb4", ["'a'", "'É'", "'zebra'"], "É"],
  ["k VARCHAR(20) CHARACTER SET latin1", ["'a'", "'B'", "'c'"], "B"],
  ["k CHAR(20) CHARACTER SET utf16", ["'a'", "'B'", "'c'"], "0x0042"],
  ["k VARCHAR(20) CHARACTER SET sjis", ["'a'", "_sjis x'835c'", "'c'"], "0x835C"],
  ["k VARCHAR(20) CHARACTER SET utf8mb4, k2 INT", ["'a',1", "'a',2", "'b',1"], "a/2"],
  ["k INT, k2 VARCHAR(20) CHARACTER SET utf8mb4, k3 DATE", [
    "1,'a','2024-01-01'",
    "1,'b','2024-01-01'",
    "1,'b','2024-01-02'",
  ], "1/b/2024-01-01"],
];

onEachFlavour("verify: keys of every kind", async (pair, vendor, t) => {
  await using bench = await Bench.open(pair);
  const own: typeof KEYS = vendor === "mysql" ? [] : [
    [
      "k UUID",
      ["'123e4567-e89b-12d3-a456-426655440000'", "'223e4567-e89b-12d3-a456-426655440000'"],
      "223e4567-e89b-12d3-a456-426655440000",
    ],
    ["k INET6", ["'::1'", "'::2'", "'::3'"], "::2"],
  ];
  for (const [i, [columns, rows, second]] of [...KEYS, ...own].entries()) {
    await t.step(columns, async () => {
      const key = columns.split(", ").map((c) => c.split(" ")[0]).join(", ");
      await bench.both(
        `CREATE TABLE shop.k${i} (v INT, ${columns}, PRIMARY KEY (${key}))`,
        ...rows.map((row) => `INSERT INTO shop.k${i} (${key}, v) VALUES (${row}, 1)`),
      );
      for (const chunkRows of [1, 2, 100]) assert.deepEqual(await bench.found(`k${i}`, { chunkRows }), []);
      const values = rows[1].split(",");
      const where = key.split(", ").map((k, n) => `${k} = ${values[n]}`).join(" AND ");
      assert.equal((await bench.target.run(`UPDATE shop.k${i} SET v = 2 WHERE ${where}`)).affectedRows, 1);
      for (const chunkRows of [1, 2, 100]) {
        assert.deepEqual(onlyWords(await bench.found(`k${i}`, { chunkRows })), [`${second} unlike`]);
      }
    });
  }
  await t.step("keys that are not found again are no pass", async () => {
    await bench.both(
      "CREATE TABLE shop.kb (k BIT(8) PRIMARY KEY)",
      "INSERT INTO shop.kb VALUES (1), (2), (3)",
    );
    const [table] = await bench.tables("kb");
    const [k, ...rest] = table.layout.columns;
    // A number, compared as if it were bytes.
    const column = { ...k.column, dataType: "varbinary" };
    const layout = { ...table.layout, columns: [{ ...k, column }, ...rest] };
    const verifier = bench.verifier([{ ...table, layout, targetLayout: layout }]);
    const refused = { code: "verify-key", message: /^Cannot verify "shop.kb": a row is not found/ };
    await assert.rejects(verifier.full(never), refused);
    assert.equal(verifier.passed, null);
  });
  await t.step("keys that the collation holds equal", async () => {
    await bench.both("CREATE TABLE shop.ci (k VARCHAR(20) CHARACTER SET utf8mb4 PRIMARY KEY, v INT)");
    await bench.source.run("INSERT INTO shop.ci VALUES ('bar', 1), ('foo', 1)");
    await bench.target.run("INSERT INTO shop.ci VALUES ('bar', 1), ('FOO', 1)");
    assert.deepEqual(onlyWords(await bench.found("ci")), ["FOO only on target", "foo missing on target"]);
  });
});
