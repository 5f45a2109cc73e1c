/**
 * Every type of column on every road: rows that were there before the start, rows written while the copy is held, and
 * rows that replay alone brings. Both sides end equal, byte for byte.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import type { ServerPair, Vendor } from "../servers/mod.ts";
import { assertEqual } from "../support/equality.ts";
import { shopSpec, until } from "../support/ferries.ts";
import { onEachCrossing, onEachFlavour } from "../support/flavours.ts";
import {
  LENIENT,
  makeRoadTable,
  ROADS,
  type RoadTable,
  travel,
  travelled,
  typeTables,
} from "../support/road_tables.ts";
import { makeNumbers } from "../support/numbers.ts";
import { Sql } from "../support/sql.ts";
import type { TypeCase } from "../support/type_cases.ts";

const GTIDS = { "gtid-mode": "ON", "enforce-gtid-consistency": "ON" };

/** Ferries the tables, writes to them on both roads, and compares. Answers the tables that preflight refused by name. */
async function ferry(
  pair: ServerPair,
  all: readonly RoadTable[],
  setup: string[] = [],
): Promise<RoadTable[]> {
  const { source, target } = pair;
  await using sql = await Sql.open(source.url);
  await sql.run(LENIENT);
  await sql.run("CREATE DATABASE IF NOT EXISTS shop");
  for (const statement of setup) await sql.run(statement);
  const counts = new Map<RoadTable, number>();
  for (const t of all) counts.set(t, await makeRoadTable(sql, t));
  const dock = openDock();
  try {
    const { findings } = await dock.check(shopSpec(source.url, target.url));
    const refused = new Set(findings.filter((f) => f.level === "error").map((f) => f.subject));
    const tables = all.filter((t) => !refused.has(`shop.${t.name}`));
    const rows = tables.reduce((sum, t) => sum + counts.get(t)!, 0);
    const under = await dock.start(shopSpec(source.url, target.url, {
      exclude: [...refused],
      copy: { concurrency: 2 },
      cutover: { mode: "manual", fence: "lockTables", keepFence: false },
    }));
    await under.act("pause");
    await until(under, ["copying"]);
    for (const t of tables) await travel(sql, t, ROADS.held);
    await under.act("resume");
    const waiting = await until(under, ["awaitingCutover"], 300);
    assert.ok(
      waiting.progress.rowsCopied >= rows,
      `${waiting.progress.rowsCopied} of ${rows} rows were copied`,
    );
    for (const t of tables) await travel(sql, t, ROADS.replayed);
    const changes = tables.reduce((sum, t) => sum + travelled(t), 0);
    await until(under, ["awaitingCutover"]);
    await under.act("cutover");
    const done = await until(under, ["done"], 300);
    const replayed = done.progress.changesApplied - waiting.progress.changesApplied;
    assert.ok(replayed >= changes, `${replayed} of ${changes} changes were replayed`);
    assert.equal(done.verification.state, "passed");
    await assertEqual(source.url, target.url, tables.map((t) => `shop.${t.name}`));
    return all.filter((t) => !tables.includes(t));
  } finally {
    await dock.close();
  }
}

onEachFlavour("every type arrives by copy and by replay", async (pair, vendor) => {
  assert.deepEqual(await ferry(pair, typeTables(vendor, () => true)), []);
}, { source: { mysql: GTIDS } });

onEachCrossing("every type that both families have arrives by copy and by replay", async (pair, route) => {
  // Values that only the source can hold stop a ferry (MySQL's TIME ends earlier, MariaDB's JSON is less deep), but for
  // -0, which MariaDB makes 0.
  const alien = /838:59:59\.|\[{40}|(\{"a":){40}|-0e0/;
  const tables = typeTables(route.source, () => true).map((t) => ({
    ...t,
    rows: t.rows.filter((row) => !row.some((v) => alien.test(v))),
  }));
  const refused = await ferry(pair, tables);
  const only = { mysql: ["v VECTOR(3)", "v VECTOR(16383)"], mariadb: ["v UUID", "v INET4", "v INET6"] };
  assert.deepEqual(refused.map((t) => t.columns), only[route.source]);
}, { only: (route) => route.source !== route.target });

/** The first case of each type, whatever its length. */
function oneOfEach(): (c: TypeCase) => boolean {
  const seen = new Set<string>();
  return (c) => {
    const name = c.type.replace(/[(\d].*/, "").trim() + (c.type.includes("COMPRESSED") ? "compressed" : "");
    return !seen.has(name) && seen.add(name) !== undefined;
  };
}

/** How a binlog may be written. */
const BINLOGS: Record<Vendor, Record<string, string>[]> = {
  mysql: [
    { "binlog-row-metadata": "FULL", ...GTIDS },
    { "binlog-row-metadata": "MINIMAL", "binlog-transaction-compression": "ON" },
  ],
  mariadb: [
    { "binlog-row-metadata": "NO_LOG", "log-bin-compress": "ON", "log-bin-compress-min-len": "10" },
    { "binlog-row-metadata": "MINIMAL" },
    { "binlog-row-metadata": "FULL", "log-bin-compress": "ON", "log-bin-compress-min-len": "10" },
  ],
};

for (const vendor of ["mysql", "mariadb"] as const) {
  for (const settings of BINLOGS[vendor]) {
    const name = Object.entries(settings).filter(([k]) => k.includes("bin")).map((e) => e.join("=")).join(
      " ",
    );
    onEachFlavour(`types under ${name}`, async (pair) => {
      await ferry(pair, typeTables(vendor, oneOfEach()));
    }, { only: [vendor], source: { [vendor]: settings } });
  }
}

/** A table of a charset: its single bytes, its pairs of bytes, and a sample of what is longer, as far as the server takes them. */
async function makeCharsetTable(sql: Sql, charset: string, longest: number): Promise<void> {
  const name = `shop.cs_${charset}`;
  const type = (t: string) => `${t} CHARACTER SET ${charset}`;
  await sql.run(
    `CREATE TABLE ${name} (id INT PRIMARY KEY, a ${type("VARCHAR(4)")}, b ${type("CHAR(4)")}, c ${
      type("MEDIUMTEXT")
    })`,
  );
  const bytes = (n: string, digits: number) => `UNHEX(LPAD(HEX(${n}), ${digits}, '0'))`;
  await sql.run(
    `INSERT IGNORE INTO ${name} (id, a, b) SELECT n, ${bytes("n", 2)}, ${
      bytes("n", 2)
    } FROM numbers.n WHERE n < 256;
     DELETE FROM ${name} WHERE HEX(a) <> LPAD(HEX(id), 2, '0')`,
  );
  await sql.run(`INSERT IGNORE INTO ${name} VALUES (300, 'a b ', 'a b ', ' '), (301, '', ' ', '')`);
  await sql.run(`CREATE TEMPORARY TABLE numbers.found (n INT PRIMARY KEY, v ${type("VARCHAR(4)")})`);
  if (longest > 1) {
    await sql.run(
      `INSERT IGNORE INTO numbers.found SELECT n, ${
        bytes("n", 4)
      } FROM numbers.n WHERE n BETWEEN 256 AND 65535;
       DELETE FROM numbers.found WHERE HEX(v) <> LPAD(HEX(n), 4, '0')`,
    );
  }
  if (longest > 2) {
    const point = "IF(n < 65536, n, n * 37 - 2354777)";
    await sql.run(
      `INSERT IGNORE INTO numbers.found SELECT 100000 + n, CONVERT(CONVERT(${
        bytes(point, 8)
      } USING utf32) USING ${charset})
         FROM numbers.n WHERE ${point} < 1114112;
       DELETE FROM numbers.found WHERE n >= 100000 AND LENGTH(v) < 3`,
    );
  }
  await sql.run(
    `INSERT INTO ${name} (id, a, c) SELECT 1000 + n DIV 128, MIN(v), GROUP_CONCAT(v ORDER BY n SEPARATOR '')
       FROM numbers.found GROUP BY n DIV 128; DROP TABLE numbers.found`,
  );
}

onEachFlavour("text arrives in every charset that the server has", async ({ source, target }) => {
  await using sql = await Sql.open(source.url);
  await sql.run(`${LENIENT}, group_concat_max_len = 100000`);
  await sql.run("CREATE DATABASE shop");
  await makeNumbers(sql);
  const charsets = await sql.run(
    "SELECT CHARACTER_SET_NAME AS name, MAXLEN AS longest FROM information_schema.CHARACTER_SETS WHERE CHARACTER_SET_NAME NOT IN ('binary', 'filename')",
  );
  assert.ok(charsets.length >= 35, `${charsets.length}`);
  for (const { name, longest } of charsets) await makeCharsetTable(sql, name, Number(longest));
  const tables = charsets.map((c) => `shop.cs_${c.name}`);
  const dock = openDock();
  try {
    const under = await dock.start(shopSpec(source.url, target.url, {
      cutover: { mode: "manual", fence: "lockTables", keepFence: false },
    }));
    const before = await until(under, ["awaitingCutover"], 240);
    for (const t of tables) {
      await sql.run(`INSERT INTO ${t} SELECT id + 100000, a, b, c FROM ${t}`);
      await sql.run(`UPDATE ${t} SET c = CONCAT(c, a, c), b = a, a = NULL WHERE id BETWEEN 1000 AND 99999`);
    }
    await under.act("cutover");
    const done = await until(under, ["done"], 240);
    assert.equal(done.verification.state, "passed");
    const rows = await assertEqual(source.url, target.url, tables);
    assert.ok(done.progress.changesApplied - before.progress.changesApplied >= rows / 2);
  } finally {
    await dock.close();
  }
}, { source: { mysql: GTIDS } });

onEachFlavour(
  "moments arrive from a server whose zone has gaps at one that is elsewhere",
  async (pair) => {
    await using sql = await Sql.open(pair.source.url);
    // A zone of our own: clocks go from 02:00 to 03:00 at 2026-03-29 01:00 UTC, and back at 2026-10-25 01:00 UTC.
    await sql.run(
      `INSERT INTO mysql.time_zone (Time_zone_id, Use_leap_seconds) VALUES (900900, 'N');
       INSERT INTO mysql.time_zone_name (Name, Time_zone_id) VALUES ('Test/Gap', 900900);
       INSERT INTO mysql.time_zone_transition_type (Time_zone_id, Transition_type_id, \`Offset\`, Is_DST, Abbreviation)
         VALUES (900900, 0, 3600, 0, 'W'), (900900, 1, 7200, 1, 'S');
       INSERT INTO mysql.time_zone_transition (Time_zone_id, Transition_time, Transition_type_id)
         VALUES (900900, -2147483648, 0), (900900, 1774746000, 1), (900900, 1792890000, 0);
       SET GLOBAL time_zone = 'Test/Gap', SESSION time_zone = 'Test/Gap'`,
    );
    const [zone] = await sql.run("SELECT CAST(FROM_UNIXTIME(1774746000) AS CHAR) AS t");
    assert.match(zone.t, /^2026-03-29 03:00:00/);
    const seconds = [
      1774745999,
      1774746000,
      1774746001,
      1792886399,
      1792886400,
      1792889999,
      1792890000,
      1792893600,
      1,
      2147483647,
    ];
    const moments: RoadTable = {
      name: "moments",
      columns:
        "s TIMESTAMP(6) NULL, t TIMESTAMP NULL, d DATETIME(3), e DATE, f TIMESTAMP(2) NULL DEFAULT NULL",
      given: ["s", "t", "d", "e", "f"],
      rows: [
        ...seconds.map((n) => [
          `FROM_UNIXTIME(${n}.654321)`,
          `FROM_UNIXTIME(${n})`,
          `FROM_UNIXTIME(${n}.5)`,
          `FROM_UNIXTIME(${n})`,
          "NULL",
        ]),
        ["0", "0", "'2026-03-29 02:30:00.123'", "'2026-03-00'", "0"],
        ["NULL", "NULL", "'0000-00-00 00:00:00'", "'0000-00-00'", "'1970-01-02'"],
      ],
    };
    await ferry(pair, [moments], ["SET SESSION time_zone = 'Test/Gap'"]);
  },
  {
    source: { mysql: { "default-time-zone": "-03:30" }, mariadb: { "default-time-zone": "-03:30" } },
    target: { mysql: { "default-time-zone": "+09:45" }, mariadb: { "default-time-zone": "+09:45" } },
  },
);

const PACKET = 48 << 20;
const packets = { "max-allowed-packet": String(PACKET) };

onEachFlavour(
  "rows above 16 MB, up to the largest packet, arrive on both roads",
  async ({ source, target }) => {
    await using sql = await Sql.open(source.url);
    await sql.run(LENIENT);
    await sql.run("CREATE DATABASE shop");
    await sql.run(
      "CREATE TABLE shop.big (id INT PRIMARY KEY, v LONGBLOB, t LONGTEXT CHARACTER SET latin1, j JSON)",
    );
    const near = PACKET - 1024;
    const write = async (at: number) => {
      await sql.run(`INSERT INTO shop.big VALUES (${at}, REPEAT(x'00', 16777214), NULL, NULL)`);
      for (const n of [16777215, 16777216, near]) {
        await sql.run(`INSERT INTO shop.big VALUES (${at + n}, REPEAT('x', ${n}), NULL, NULL)`);
      }
      await sql.run(
        `INSERT INTO shop.big VALUES (${at + 1}, REPEAT(x'ff00', 9000000), REPEAT(x'e4', 20000000), NULL)`,
      );
      await sql.run(
        `INSERT INTO shop.big VALUES (${at + 2}, NULL, NULL, CONCAT('["', REPEAT('j', 17000000), '"]'))`,
      );
    };
    await write(0);
    const dock = openDock();
    try {
      const under = await dock.start(shopSpec(source.url, target.url, {
        cutover: { mode: "manual", fence: "lockTables", keepFence: false, timeoutSeconds: 120 },
      }));
      await until(under, ["awaitingCutover"], 240);
      await write(500_000_000);
      await sql.run(
        "UPDATE shop.big SET t = REPEAT('u', 17000000) WHERE id = 0; DELETE FROM shop.big WHERE id = 2",
      );
      await under.act("cutover");
      const done = await until(under, ["done"], 240);
      assert.equal(done.verification.state, "passed");
      assert.equal(await assertEqual(source.url, target.url, ["shop.big"]), 11);
    } finally {
      await dock.close();
    }
  },
  { source: { mysql: packets, mariadb: packets }, target: { mysql: packets, mariadb: packets } },
);

for (const road of ["copy", "replay"]) {
  onEachFlavour(
    `a row that the target does not take is named with its key, by ${road}`,
    async ({ source, target }) => {
      await using sql = await Sql.open(source.url);
      await sql.run(
        "CREATE DATABASE shop; CREATE TABLE shop.big (k VARCHAR(20) CHARACTER SET utf8mb4 PRIMARY KEY, v LONGBLOB)",
      );
      const write = () =>
        sql.run("INSERT INTO shop.big VALUES ('a', 'a'), ('näme', REPEAT('x', 5000000)), ('z', 'z')");
      if (road === "copy") await write();
      const dock = openDock();
      try {
        const under = await dock.start(shopSpec(source.url, target.url, {
          cutover: { mode: "manual", fence: "none" },
        }));
        if (road === "replay") {
          await until(under, ["awaitingCutover"]);
          await write();
        }
        const failed = await until(under, ["failed"], 60);
        assert.equal(failed.error?.code, "row-too-large");
        assert.match(failed.error!.detail, /row k=näme of table "shop\.big": it takes 50000\d\d bytes/);
      } finally {
        await dock.close();
      }
    },
    {
      target: {
        mysql: { "max-allowed-packet": "4M" },
        mariadb: { "max-allowed-packet": "4M" },
      },
    },
  );
}

onEachFlavour(
  "computed, hidden and defaulted columns, and bits of every width, arrive",
  async (pair, vendor) => {
    const width = (i: number) => i + 1;
    const bits: RoadTable = {
      name: "bits",
      columns: Array.from({ length: 64 }, (_, i) => `b${width(i)} BIT(${width(i)})`).join(),
      given: Array.from({ length: 64 }, (_, i) => `b${width(i)}`),
      rows: ["1", "0"].flatMap((edge) =>
        ["1", "0"].map((rest) => Array.from({ length: 64 }, (_, i) => `b'${edge}${rest.repeat(i)}'`))
      ),
    };
    const computed: RoadTable = {
      name: "computed",
      columns: "s INT AS (a * 2) STORED, a INT, b VARCHAR(20), w VARCHAR(30) AS (CONCAT(b, '!')) VIRTUAL, " +
        "h INT DEFAULT 7 INVISIBLE, d VARCHAR(40) DEFAULT (CONCAT('d', 1)), u CHAR(36) DEFAULT (UUID()), " +
        "KEY (s), KEY (w, a), UNIQUE KEY us (s, id)" +
        (vendor === "mysql" ? ", KEY f ((a + 1)), KEY g ((LOWER(b)), a)" : ""),
      given: ["a", "b", "h"],
      rows: [["1", "'x'", "DEFAULT"], ["NULL", "NULL", "NULL"], ["-7", "''", "0"]],
    };
    await ferry(pair, [bits, computed]);
    const values: unknown[] = [];
    for (const { url } of [pair.source, pair.target]) {
      await using sql = await Sql.open(url);
      values.push([
        await sql.run("SELECT id, s, w FROM shop.computed ORDER BY id"),
        await sql.run("SELECT COUNT(*) AS n FROM shop.computed FORCE INDEX (w) WHERE w = 'x!'"),
        await sql.run(
          "SELECT index_name AS name, seq_in_index AS seq, column_name AS col FROM information_schema.statistics " +
            "WHERE table_name = 'computed' ORDER BY 1, 2",
        ),
      ]);
    }
    assert.deepEqual(values[1], values[0]);
  },
);

onEachFlavour("generated invisible primary keys travel, shown or not", async ({ source, target }) => {
  await using sql = await Sql.open(source.url);
  await sql.run("CREATE DATABASE shop; SET SESSION sql_generate_invisible_primary_key = ON");
  await sql.run("CREATE TABLE shop.hidden (v VARCHAR(20))");
  await sql.run("INSERT INTO shop.hidden VALUES ('a'), ('a'), ('b'), (NULL)");
  await sql.run("SET GLOBAL show_gipk_in_create_table_and_information_schema = OFF");
  const dock = openDock();
  try {
    const under = await dock.start(shopSpec(source.url, target.url, {
      cutover: { mode: "manual", fence: "lockTables", keepFence: false },
    }));
    await until(under, ["awaitingCutover"]);
    await sql.run("INSERT INTO shop.hidden VALUES ('c'), ('a'); DELETE FROM shop.hidden WHERE my_row_id = 2");
    await sql.run("UPDATE shop.hidden SET v = 'z' WHERE my_row_id = 3");
    await under.act("cutover");
    await until(under, ["done"]);
    await using there = await Sql.open(target.url);
    const rows = "SELECT my_row_id, v FROM shop.hidden ORDER BY my_row_id";
    assert.deepEqual(await there.run(rows), await sql.run(rows));
    assert.equal((await there.run(rows)).length, 5);
  } finally {
    await dock.close();
  }
}, { only: ["mysql"] });

onEachFlavour(
  "what JSON cannot say in text is not carried: members of SQL types arrive as what their text says",
  async ({ source, target }) => {
    await using sql = await Sql.open(source.url);
    await sql.run("CREATE DATABASE shop; CREATE TABLE shop.docs (id INT PRIMARY KEY, j JSON)");
    const typed =
      "JSON_ARRAY(CAST('1.10' AS DECIMAL(10,2)), TIMESTAMP'2024-02-29 23:59:59.5', TIME'-12:34:56', " +
      "DATE'2024-02-29', CAST(x'00ff' AS BINARY), 1.5e0, 'text')";
    await sql.run(`INSERT INTO shop.docs VALUES (1, ${typed})`);
    const dock = openDock();
    try {
      const under = await dock.start(shopSpec(source.url, target.url, {
        cutover: { mode: "manual", fence: "lockTables", keepFence: false },
      }));
      await until(under, ["awaitingCutover"]);
      await sql.run(`INSERT INTO shop.docs VALUES (2, ${typed})`);
      await under.act("cutover");
      assert.equal((await until(under, ["done"])).verification.state, "passed");
      await using there = await Sql.open(target.url);
      const types = "SELECT JSON_TYPE(JSON_EXTRACT(j, CONCAT('$[', n, ']'))) AS t FROM shop.docs, " +
        "(SELECT 0 AS n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6) AS m ";
      const typesOf = async (on: Sql, id: number) =>
        (await on.run(`${types} WHERE id = ${id} ORDER BY n`)).map((r) => r.t);
      const text = async (on: Sql, id: number) =>
        (await on.run(`SELECT CAST(j AS CHAR) AS t FROM shop.docs WHERE id = ${id}`))[0].t;
      for (const id of [1, 2]) {
        assert.deepEqual(await typesOf(sql, id), [
          "DECIMAL",
          "DATETIME",
          "TIME",
          "DATE",
          "BLOB",
          "DOUBLE",
          "STRING",
        ]);
        assert.deepEqual(await typesOf(there, id), [
          "DOUBLE",
          "STRING",
          "STRING",
          "STRING",
          "STRING",
          "DOUBLE",
          "STRING",
        ]);
        const source = await text(sql, id);
        assert.match(source, /^\[1\.10, /);
        assert.equal(await text(there, id), source.replace("1.10", "1.1"), "only the DECIMAL's text differs");
      }
    } finally {
      await dock.close();
    }
  },
  { only: ["mysql"] },
);

onEachFlavour(
  "an empty JSON value, which a NOT NULL column may hold, is the null that the server shows",
  async ({ source, target }) => {
    await using sql = await Sql.open(source.url);
    await sql.run(
      "CREATE DATABASE shop; CREATE TABLE shop.docs (id INT PRIMARY KEY); SET SESSION sql_mode = ''",
    );
    await sql.run("INSERT INTO shop.docs VALUES (1), (2)");
    // Bug 98496: a column that is added, or a NULL that is ignored, leaves a value without any byte.
    await sql.run("ALTER TABLE shop.docs ADD COLUMN j JSON NOT NULL, ADD COLUMN k JSON");
    await sql.run("UPDATE shop.docs SET k = 'null' WHERE id = 2");
    const dock = openDock();
    try {
      const under = await dock.start(shopSpec(source.url, target.url, {
        cutover: { mode: "manual", fence: "lockTables", keepFence: false },
      }));
      await until(under, ["awaitingCutover"]);
      await sql.run("INSERT IGNORE INTO shop.docs (id, j) SELECT 3, NULL");
      await sql.run("INSERT INTO shop.docs (id, j, k) VALUES (4, '1', 'null'), (5, '{}', NULL)");
      await sql.run("UPDATE shop.docs SET j = NULL WHERE id = 4");
      const sizes = await sql.run("SELECT JSON_STORAGE_SIZE(j) AS n FROM shop.docs WHERE id IN (1, 3, 4)");
      assert.ok(sizes.some((r) => Number(r.n) <= 1), `some value is empty: ${JSON.stringify(sizes)}`);
      await under.act("cutover");
      assert.equal((await until(under, ["done"])).verification.state, "passed");
      assert.equal(await assertEqual(source.url, target.url, ["shop.docs"]), 5);
      await using there = await Sql.open(target.url);
      const rows = await there.run("SELECT JSON_TYPE(j) AS j, JSON_TYPE(k) AS k FROM shop.docs ORDER BY id");
      assert.deepEqual(rows.map((r) => r.j), ["NULL", "NULL", "NULL", "NULL", "OBJECT"]);
      assert.deepEqual(rows.map((r) => r.k), [null, "NULL", null, "NULL", null]);
    } finally {
      await dock.close();
    }
  },
  { only: ["mysql"] },
);

onEachFlavour(
  "MariaDB's older temporals travel, and are refused by name where they have a fraction",
  async (pair) => {
    const wanted = ["DATETIME(0)", "TIME(0)", "TIMESTAMP(0) NULL"];
    const tables = typeTables("mariadb", (c) => wanted.includes(c.type)).map((t) => ({
      ...t,
      columns: t.columns.replace("(0)", ""),
    }));
    await ferry(pair, tables);
    await using sql = await Sql.open(pair.source.url);
    await sql.run("CREATE TABLE shop.hires (id INT PRIMARY KEY, v DATETIME(3))");
    await sql.run(
      "CREATE TABLE shop.versioned (id INT PRIMARY KEY) WITH SYSTEM VERSIONING; " +
        "CREATE TABLE shop.period (id INT PRIMARY KEY, a DATE, b DATE, PERIOD FOR p (a, b))",
    );
    const dock = openDock();
    try {
      const { findings } = await dock.check(shopSpec(pair.source.url, pair.target.url));
      const told = (code: string) =>
        findings.filter((f) => f.code === code && f.level === "error").map((f) => f.subject);
      assert.deepEqual(told("type-unsupported"), ["shop.hires"]);
      assert.deepEqual(told("temporal-table").sort(), ["shop.period", "shop.versioned"]);
    } finally {
      await dock.close();
    }
  },
  { only: ["mariadb"], source: { mariadb: { "mysql56-temporal-format": "OFF" } } },
);
