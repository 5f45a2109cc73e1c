/**
 * What differs between two servers beside definitions: how they sort and compare keys, whether they have GTIDs, how they
 * tell names apart, and what is on the target already.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import type { FerryResource } from "../../lib/progress/resource.ts";
import { preflight } from "../../lib/preflight/preflight.ts";
import { assertEqual } from "../support/equality.ts";
import { ended, specOf, until } from "../support/ferries.ts";
import { onEachCrossing } from "../support/flavours.ts";
import { Sql } from "../support/sql.ts";

const AUTO = { mode: "auto", fence: "lockTables", keepFence: false };
const MANUAL = { ...AUTO, mode: "manual" };

/** Runs a ferry to its end; `writes` go to the source once it is ready to cut over. */
async function ferried(spec: Record<string, unknown>, writes?: () => Promise<void>): Promise<FerryResource> {
  const dock = openDock();
  try {
    const ferry = await dock.start(specOf({ cutover: writes === undefined ? AUTO : MANUAL, ...spec }));
    if (writes !== undefined) {
      await until(ferry, ["awaitingCutover"]);
      await writes();
      await ferry.act("cutover");
    }
    return await ended(ferry);
  } finally {
    await dock.close();
  }
}

async function runAll(sql: Sql, ...statements: string[]): Promise<void> {
  for (const statement of statements) await sql.run(statement);
}

const numbers = (count: number) =>
  `(WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < ${count}) SELECT i FROM n) AS n`;

onEachCrossing(
  "string keys that the two servers sort differently are compared right",
  async (pair, route) => {
    await using source = await Sql.open(pair.source.url);
    await using target = await Sql.open(pair.target.url);
    const own = route.source === "mysql" ? "utf8mb4_0900_ai_ci" : "utf8mb4_uca1400_nopad_ai_ci";
    await runAll(
      source,
      "CREATE DATABASE shop",
      `CREATE TABLE shop.t (k VARCHAR(40) COLLATE ${own} NOT NULL, n INT NOT NULL, body TEXT, PRIMARY KEY (k, n)) CHARSET utf8mb4`,
      route.source === "mysql"
        ? "SET SESSION cte_max_recursion_depth = 100000"
        : "SET SESSION max_recursive_iterations = 100000",
      // The first is newer than one server's Unicode: there it comes behind every letter, and on the other before.
      `INSERT INTO shop.t SELECT CONCAT('🥰', i), i, REPEAT('x', 2000) FROM ${numbers(1500)}`,
      `INSERT INTO shop.t SELECT CONCAT('a', i), i, REPEAT('y', 2000) FROM ${numbers(1500)}`,
      "ANALYZE TABLE shop.t",
    );
    const spec = { source: pair.source.url, target: pair.target.url, tables: ["shop.t"] };
    const done = await ferried(spec, async () => {
      await runAll(
        source,
        "UPDATE shop.t SET k = CONCAT('🥰', k) WHERE n % 7 = 0",
        "DELETE FROM shop.t WHERE n % 11 = 0",
        "INSERT INTO shop.t VALUES ('🥰new', 0, 'z'), ('Anew', 0, 'z')",
      );
    });
    assert.equal(done.state, "done", JSON.stringify(done.error));
    assert.equal(done.verification.state, "passed");
    assert.ok(done.verification.rowsCompared >= 3000);
    const first = async (sql: Sql) => (await sql.run("SELECT k FROM shop.t ORDER BY k LIMIT 1"))[0].k[0];
    assert.notEqual(await first(source), await first(target), "otherwise this proves nothing");
    await assertEqual(pair.source.url, pair.target.url, ["shop.t"]);

    // What only one of them has is found, wherever it would stand in the other's order.
    const dock = openDock();
    try {
      const ferry = await dock.start(specOf({ ...spec, renameSchemas: { shop: "again" }, cutover: MANUAL }));
      await until(ferry, ["awaitingCutover"]);
      await target.run("INSERT INTO again.t VALUES ('🥰only', 1, 'z'), ('only', 1, 'z')");
      await target.run("DELETE FROM again.t WHERE k = 'Anew'");
      await ferry.act("verify");
      const failed = await ended(ferry);
      assert.equal(failed.error?.code, "verification-failed");
      assert.deepEqual(
        failed.verification.differences.map((d) => `${d.key.k} ${d.kind}`).sort(),
        ["Anew missing on target", "only only on target", "🥰only only on target"],
      );
    } finally {
      await dock.close();
    }
  },
  { only: (route) => route.source !== route.target },
);

onEachCrossing("keys that only the target holds equal fail the ferry by name", async (pair, route) => {
  await using source = await Sql.open(pair.source.url);
  // Two letters newer than MySQL's Unicode are a pair on MariaDB; MariaDB's general collation knows no ligatures.
  const [own, one, two] = route.source === "mysql"
    ? ["utf8mb4_0900_ai_ci", "\uA7C2", "\uA7C3"]
    : ["utf8mb4_general_nopad_ci", "æ", "ae"];
  await runAll(
    source,
    "CREATE DATABASE shop",
    `CREATE TABLE shop.t (k VARCHAR(40) COLLATE ${own} PRIMARY KEY, v INT) CHARSET utf8mb4`,
    `INSERT INTO shop.t VALUES ('${one}', 1), ('${two}', 2), ('x', 3)`,
  );
  const failed = await ferried({ source: pair.source.url, target: pair.target.url, tables: ["shop.t"] });
  assert.equal(failed.state, "failed");
  assert.equal(failed.error?.code, "verification-failed");
  const keys = failed.verification.differences.map((d) => `${d.key.k} ${d.kind}`);
  assert.equal(keys.length, 1, JSON.stringify(keys));
  assert.ok(keys[0] === `${one} missing on target` || keys[0] === `${two} missing on target`, keys[0]);
}, { only: (route) => route.source !== route.target });

const GTIDS = { "gtid-mode": "ON", "enforce-gtid-consistency": "ON" };

for (const side of ["source", "target"] as const) {
  onEachCrossing(`GTIDs only on the ${side}`, async (pair) => {
    await using source = await Sql.open(pair.source.url);
    await runAll(
      source,
      "CREATE DATABASE shop",
      "CREATE TABLE shop.t (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(20), KEY (v))",
      `INSERT INTO shop.t (v) SELECT i FROM ${numbers(500)}`,
    );
    const done = await ferried(
      { source: pair.source.url, target: pair.target.url, tables: ["shop.*"] },
      () =>
        runAll(
          source,
          "UPDATE shop.t SET v = CONCAT(v, '!') WHERE id % 3 = 0",
          "START TRANSACTION; DELETE FROM shop.t WHERE id < 50; INSERT INTO shop.t (v) VALUES ('new'); COMMIT",
        ),
    );
    assert.equal(done.state, "done", JSON.stringify(done.error));
    assert.equal(done.verification.state, "passed");
    await assertEqual(pair.source.url, pair.target.url, ["shop.t"]);
  }, { [side]: { mysql: GTIDS }, only: (route) => route[side] === "mysql" });
}

onEachCrossing(
  "tables that are there already: wider and otherwise ordered ones are filled, narrower ones refused",
  async (pair, route) => {
    await using source = await Sql.open(pair.source.url);
    await using target = await Sql.open(pair.target.url);
    const charset = "CHARSET utf8mb4 COLLATE utf8mb4_general_ci";
    await runAll(
      source,
      "CREATE DATABASE shop",
      `CREATE TABLE shop.w (id INT PRIMARY KEY, a INT, b VARCHAR(20), c VARCHAR(20) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci, d DECIMAL(5,2), e ENUM('x','y'), f FLOAT,
      g TINYTEXT, h CHAR(5), i INT UNSIGNED, j BINARY(2), k BIT(3), l TINYINT NOT NULL, m VARCHAR(300), n MEDIUMINT(5) UNSIGNED ZEROFILL, KEY (a)) ${charset}`,
      `INSERT INTO shop.w VALUES (1, -5, 'é', 'ü', 1.25, 'y', 0.1, 'text', 'ab', 4294967295, 0x6100, 5, 1, REPEAT('m', 300), 7), (2, NULL, '', '', NULL, NULL, NULL, NULL, '', NULL, NULL, NULL, 2, NULL, NULL)`,
      `CREATE TABLE shop.n (id INT PRIMARY KEY, a BIGINT, b VARCHAR(20), c INT, d DECIMAL(6,3), e ENUM('x','y'), f VARCHAR(9) COLLATE utf8mb4_bin, g INT NOT NULL, h TEXT) ${charset}`,
      `CREATE TABLE shop.o (id INT PRIMARY KEY, a INT) ${charset}`,
    );
    await runAll(
      target,
      "CREATE DATABASE shop",
      `CREATE TABLE shop.w (m TEXT, l INT, k BIT(9), j VARBINARY(5), i BIGINT, h VARCHAR(9), g LONGTEXT, f DOUBLE, e ENUM('x','y','z'), extra INT NOT NULL DEFAULT 4, d DECIMAL(9,2), more INT,
      c VARCHAR(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, b VARCHAR(40), a BIGINT, n INT UNSIGNED, id INT PRIMARY KEY) ${charset}`,
      `CREATE TABLE shop.n (id INT PRIMARY KEY, a INT, b VARCHAR(19), d DECIMAL(6,2), e ENUM('y','x'), f VARCHAR(9) COLLATE utf8mb4_unicode_ci, g INT NOT NULL, h TINYTEXT) ${charset}`,
      `CREATE TABLE shop.o (id BIGINT PRIMARY KEY, a INT NOT NULL, b INT NOT NULL) ${charset}`,
    );
    const both = { source: pair.source.url, target: pair.target.url };
    const { findings } = await preflight(specOf({ ...both, tables: ["shop.*"] }), {
      stateSchema: "_ferry",
      made: null,
      savedPosition: null,
    });
    const said = (subject: string) =>
      findings.filter((f) => f.level === "error" && f.subject === subject).map((f) =>
        `${f.code}: ${f.detail}`
      );
    assert.deepEqual(said("shop.w"), []);
    const [narrow, ...rest] = said("shop.n");
    assert.deepEqual(rest, []);
    for (
      const reason of [
        'column "a" is int, not bigint',
        'column "b" is varchar(19) utf8mb4 utf8mb4_general_ci, not varchar(20) utf8mb4 utf8mb4_general_ci',
        'no column "c"',
        'column "d" is decimal(6,2), not decimal(6,3)',
        `column "e" is enum('y','x') utf8mb4 utf8mb4_general_ci, not enum('x','y') utf8mb4 utf8mb4_general_ci`,
        'column "f" is varchar(9) utf8mb4 utf8mb4_unicode_ci, not varchar(9) utf8mb4 utf8mb4_bin',
        'column "h" is tinytext utf8mb4 utf8mb4_general_ci, not text utf8mb4 utf8mb4_general_ci',
      ]
    ) assert.ok(narrow.includes(reason), `${reason} in ${narrow}`);
    assert.match(narrow, /^target-columns-differ: /);
    assert.match(said("shop.o").join(), /"a" is NOT NULL.*further column "b" without a default/);

    const done = await ferried({ ...both, tables: ["shop.w"] }, () =>
      runAll(
        source,
        "INSERT INTO shop.w (id, i, k, l, c, h, j) VALUES (3, 1, 7, -1, '日本', 'x ', 'z')",
        "UPDATE shop.w SET a = 2147483647, f = -1e-30, e = 'x', g = REPEAT('g', 200) WHERE id = 2",
        "UPDATE shop.w SET id = 10 WHERE id = 1",
      ));
    assert.equal(done.state, "done", JSON.stringify([route, done.error]));
    assert.equal(done.verification.state, "passed");
    await assertEqual(pair.source.url, pair.target.url, ["shop.w"]);
    const [row] = await target.run("SELECT COUNT(*) AS n FROM shop.w WHERE extra = 4 AND more IS NULL");
    assert.equal(Number(row.n), 3, "columns of its own have their defaults");
  },
);

onEachCrossing(
  "new names: schemas, tables, the same name twice; and a zero in a counting column",
  async (pair) => {
    await using source = await Sql.open(pair.source.url);
    await using target = await Sql.open(pair.target.url);
    const table = "(id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, v INT, CHECK (v < 1000), KEY (v))";
    for (const schema of ["one", "two", "th`r.ee"]) {
      const name = `\`${schema.replaceAll("`", "``")}\``;
      await runAll(
        source,
        `CREATE DATABASE ${name}`,
        `USE ${name}`,
        `CREATE TABLE t ${table}`,
        `CREATE TABLE other ${table}`,
        `SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'`,
        `INSERT INTO t VALUES (0, ${schema.length}), (5, 1), (90, 2)`,
        `INSERT INTO other VALUES (1, 1)`,
        "DELETE FROM t WHERE id = 90",
      );
    }
    const done = await ferried({
      source: pair.source.url,
      target: pair.target.url,
      tables: [{ table: "two.other", to: "else.moved" }, "one.*", "two.*", "th`r.ee.*"].slice(0, 3),
      renameSchemas: { one: "uno" },
    }, () =>
      runAll(
        source,
        "INSERT INTO one.t VALUES (0 - 7, 7)",
        "UPDATE two.other SET v = 3",
        "UPDATE one.t SET v = v + 1 WHERE id = 0",
        "INSERT INTO two.t (v) VALUES (8)",
        "DELETE FROM two.t WHERE v = 8",
      ));
    assert.equal(done.state, "done", JSON.stringify(done.error));
    await assertEqual(pair.source.url, pair.target.url, [
      ["one.t", "uno.t"],
      ["one.other", "uno.other"],
      "two.t",
      ["two.other", "else.moved"],
    ]);
    const [zero] = await target.run("SELECT v FROM uno.t WHERE id = 0");
    assert.equal(zero.v, "one".length + 1);
    for (const [name, next] of [["uno.t", 91], ["two.t", 92]] as const) {
      await target.run(`INSERT INTO ${name} (v) VALUES (5)`);
      const [row] = await target.run("SELECT LAST_INSERT_ID() AS id");
      assert.equal(Number(row.id), next, `the next number of ${name}`);
    }
  },
);

onEachCrossing("names that the target does not tell apart by case", async (pair) => {
  await using source = await Sql.open(pair.source.url);
  await using target = await Sql.open(pair.target.url);
  await runAll(
    source,
    "CREATE DATABASE Shop",
    "CREATE TABLE Shop.Orders (Id INT PRIMARY KEY, V INT, KEY K (V))",
    "INSERT INTO Shop.Orders VALUES (1, 1), (2, 2)",
    "CREATE DATABASE twice",
    "CREATE TABLE twice.t (id INT PRIMARY KEY)",
    "CREATE TABLE twice.T (id INT PRIMARY KEY)",
  );
  const both = { source: pair.source.url, target: pair.target.url };
  const done = await ferried(
    { ...both, tables: ["Shop.*"] },
    () =>
      runAll(source, "UPDATE Shop.Orders SET V = 9 WHERE Id = 1", "INSERT INTO Shop.Orders VALUES (3, 3)"),
  );
  assert.equal(done.state, "done", JSON.stringify(done.error));
  assert.deepEqual(
    (await target.run("SELECT id, v FROM shop.orders ORDER BY id")).map((r) => `${r.id} ${r.v}`),
    ["1 9", "2 2", "3 3"],
  );
  const [index] = await target.run(
    "SELECT COUNT(*) AS n FROM information_schema.statistics WHERE table_schema = 'shop' AND index_name = 'k'",
  );
  assert.equal(Number(index.n), 1);
  const refused = await ferried({ ...both, tables: ["twice.*"] });
  assert.equal(refused.error?.code, "preflight-refused");
  assert.match(refused.error!.detail, /"twice.T", "twice.t" all go there|"twice.t", "twice.T" all go there/);
}, { target: { mariadb: { "lower-case-table-names": "1" } }, only: (route) => route.target === "mariadb" });
