import assert from "node:assert/strict";
import { MergeSql } from "../../lib/mysql/merge_writer.ts";
import { judgeMergedTogether, judgeRelations, judgeUniques } from "../../lib/preflight/merging.ts";
import { judgeCrossing, type Pair, planTables } from "../../lib/preflight/pairs.ts";
import type { Index } from "../../lib/schema/choose_key.ts";
import type { LoadedTable } from "../../lib/schema/load_tables.ts";
import { stageDefinition } from "../../lib/schema/stage_table.ts";
import type { Column } from "../../lib/schema/table.ts";
import { wireLayout } from "../../lib/schema/wire_layout.ts";
import { createOwnKeysSql, ownKeysTable, ownRowCondition } from "../../lib/state/own_keys.ts";

function column(name: string, columnType: string, more: Partial<Column> = {}): Column {
  return {
    name,
    ordinal: 0,
    dataType: /^\w+/.exec(columnType)![0],
    columnType,
    unsigned: false,
    charset: null,
    collation: null,
    octetLength: null,
    precision: null,
    scale: null,
    fraction: null,
    nullable: false,
    generated: false,
    ...more,
  };
}

const index = (name: string, columns: string[], more: Partial<Index> = {}): Index => ({
  name,
  unique: true,
  columns,
  whole: true,
  usable: true,
  ...more,
});

function loaded(name: string, columns: Column[], indexes: Index[], createSql: string): LoadedTable {
  const key = columns.filter((c) => indexes[0].columns.includes(c.name));
  return {
    table: {
      schema: "s",
      name,
      columns,
      keyName: indexes[0].name,
      key,
      hasOtherUnique: indexes.length > 1,
      rowsEstimated: null,
      bytesEstimated: null,
    },
    engine: "InnoDB",
    foreignKeys: [],
    children: [],
    triggers: [],
    generatedColumns: [],
    createSql,
    indexes,
    optionalColumns: [],
  };
}

const ORDERS =
  "CREATE TABLE `o` (\n  `id` int NOT NULL AUTO_INCREMENT,\n  `email` varchar(9) DEFAULT NULL,\n" +
  "  PRIMARY KEY (`id`),\n  UNIQUE KEY `email` (`email`),\n  KEY `k` (`email`,`id`)\n) ENGINE=InnoDB";

function pairOf(name: string, more: Partial<Pair> = {}, email = "varchar(9)"): Pair {
  const columns = [column("id", "int"), column("email", email, { nullable: true, ordinal: 1 })];
  const source = loaded(name, columns, [index("PRIMARY", ["id"]), index("email", ["email"])], ORDERS);
  const target = { schema: "t", name: "o" };
  return {
    source,
    target,
    place: "t.o",
    where: null,
    through: null,
    existing: null,
    createSql: ORDERS,
    ...more,
  };
}

Deno.test("tables of keys have a name of their own for every ferry and table, in any case and at any length", () => {
  const names = ["a", "A", "a.0", "x".repeat(64)].flatMap((id) =>
    [0, 1, 99_999].map((n) => ownKeysTable("_ferry", id, n).name)
  );
  assert.equal(new Set(names.map((name) => name.toLowerCase())).size, names.length);
  for (const name of names) assert.match(name, /^keys_[0-9a-f]{40}_\d+$/);
  assert.ok(Math.max(...names.map((name) => name.length)) <= 64);
});

Deno.test("a table of keys has the key's own types, charsets and collations, and no default that moves", () => {
  const key = [
    column("na`me", "varchar(40)", { charset: "utf8mb4", collation: "utf8mb4_bin" }),
    column("at", "timestamp(3)"),
    column("n", "bigint unsigned", { nullable: true }),
  ];
  assert.equal(
    createOwnKeysSql({ schema: "_ferry", name: "keys" }, key),
    "CREATE TABLE IF NOT EXISTS `_ferry`.`keys` (`na``me` varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, " +
      "`at` timestamp(3) NOT NULL DEFAULT '2000-01-01 00:00:00', `n` bigint unsigned NOT NULL, " +
      "PRIMARY KEY (`na``me`, `at`, `n`)) ENGINE=InnoDB ROW_FORMAT=DYNAMIC",
  );
  assert.equal(
    ownRowCondition({ schema: "_ferry", name: "keys" }, { schema: "s", name: "t" }, ["a", "b"]),
    "EXISTS (SELECT 1 FROM `_ferry`.`keys` AS own WHERE own.`a` = `s`.`t`.`a` AND own.`b` = `s`.`t`.`b`)",
  );
});

Deno.test("what waits has the target's columns and charset, its key, and nothing else of it", () => {
  const createSql = "CREATE TABLE `t` (\n  `n` int NOT NULL AUTO_INCREMENT COMMENT 'x, PRIMARY KEY',\n" +
    "  `a` enum('b),','c') NOT NULL,\n  `g` int GENERATED ALWAYS AS ((`n` + 1)) VIRTUAL,\n  PRIMARY KEY (`a`),\n" +
    "  UNIQUE KEY `n` (`n`),\n  CONSTRAINT `c` CHECK ((`n` > 0))\n) ENGINE=InnoDB AUTO_INCREMENT=5 " +
    "DEFAULT CHARSET=latin1 COLLATE=latin1_bin ROW_FORMAT=COMPRESSED COMMENT='DEFAULT CHARSET=big5'\n" +
    "/*!50100 PARTITION BY KEY (a) PARTITIONS 3 */";
  const stage = { schema: "_ferry", name: "stage_0" };
  const columns = "  `n` int NOT NULL  COMMENT 'x, PRIMARY KEY',\n  `a` enum('b),','c') NOT NULL,\n" +
    "  `g` int GENERATED ALWAYS AS ((`n` + 1)) VIRTUAL,\n";
  assert.equal(
    stageDefinition(createSql, stage, [column("a", "enum('b),','c')")]),
    `CREATE TEMPORARY TABLE IF NOT EXISTS \`_ferry\`.\`stage_0\` (\n${columns}  PRIMARY KEY (\`a\`)\n) ` +
      "ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_bin",
  );
  const nullable = stageDefinition(createSql, stage, [column("a", "enum('b),','c')", { nullable: true })]);
  assert.ok(nullable.includes("  UNIQUE KEY (`a`)\n)"));
});

Deno.test("only own rows make way, and what clashes is looked for among others' rows by each unique index", () => {
  const { source } = pairOf("a");
  const sql = new MergeSql({ schema: "t", name: "o" }, wireLayout(source.table), {
    keys: { schema: "_ferry", name: "keys" },
    stage: { schema: "_ferry", name: "stage" },
    stageSql: "",
    keyIndex: "PRIMARY",
    uniques: [{ name: "email", columns: ["email"] }],
  });
  assert.deepEqual(sql.makeWay, [
    "DELETE `t`.`o` FROM `_ferry`.`stage` STRAIGHT_JOIN `_ferry`.`keys` ON `_ferry`.`keys`.`id` = `_ferry`.`stage`.`id` " +
    "STRAIGHT_JOIN `t`.`o` FORCE INDEX (`PRIMARY`) ON `t`.`o`.`id` = `_ferry`.`stage`.`id`",
    "DELETE `t`.`o`, `_ferry`.`keys` FROM `_ferry`.`stage` " +
    "STRAIGHT_JOIN `t`.`o` FORCE INDEX (`email`) ON `t`.`o`.`email` = `_ferry`.`stage`.`email` " +
    "STRAIGHT_JOIN `_ferry`.`keys` ON `_ferry`.`keys`.`id` = `t`.`o`.`id`",
  ]);
  assert.ok(
    sql.insert.startsWith("INSERT INTO `t`.`o` (`id`, `email`) SELECT"),
    "neither REPLACE nor IGNORE",
  );
  assert.deepEqual(sql.clashes.map((c) => c.index), [null, "email"]);
  for (const { sql: text } of sql.clashes) {
    assert.match(text, /LEFT JOIN `_ferry`.`keys` ON .* WHERE `_ferry`.`keys`.`id` IS NULL/);
  }
});

Deno.test("unique indexes over prefixes or expressions, or invisible ones, are refused by name", () => {
  const judge = (...indexes: Index[]) => judgeUniques("t.o", { indexes }).map((f) => `${f.code} ${f.detail}`);
  const fine = index("PRIMARY", ["id"]);
  assert.deepEqual(judge(fine, index("k", ["a"], { unique: false, whole: false, usable: false })), []);
  for (const odd of [index("p", ["a"], { whole: false }), index("p", ["a"], { usable: false })]) {
    assert.match(judge(fine, odd)[0], /^merge-unique-index .*"t.o": its unique indexes "p" are/);
  }
});

Deno.test("several tables go into one only when they merge, and only where they are alike", () => {
  const pairs = [pairOf("a"), pairOf("b")];
  assert.deepEqual(judgeCrossing(pairs, false, 0).map((f) => f.code), ["target-table-twice"]);
  assert.deepEqual(judgeCrossing(pairs, false, 0, "merge"), []);
  assert.deepEqual(judgeMergedTogether(pairs), []);
  const unlike = judgeMergedTogether([pairOf("a"), pairOf("b", {}, "varchar(10)")]);
  assert.deepEqual(unlike.map((f) => f.code), ["target-columns-differ"]);
  assert.match(
    unlike[0].detail,
    /^Cannot copy into table "t.o": column "email" is varchar\(9\), not varchar\(10\)/,
  );
});

Deno.test("a merged table is made once, with every index, and its unique indexes are known", () => {
  const copy = { concurrency: 1, chunkBytes: 65536, deferIndexes: true };
  const plan = (existingRows: "merge" | "refuse") =>
    planTables([pairOf("a"), pairOf("b")], { copy, existingRows }, new Set(["t.o"]), () => [], () => []);
  const [first, second] = plan("merge");
  assert.match(first.create!, /UNIQUE KEY `email`/);
  assert.equal(second.create, null);
  for (const t of [first, second]) {
    assert.deepEqual([t.merge, t.deferred.length, t.targetHasUnique], [true, 0, true]);
  }
  assert.equal(plan("refuse")[0].deferred.length, 2, "otherwise indexes are built after the copy");
});

Deno.test("tables that follow other rows are not merged", () => {
  const { source } = pairOf("a");
  assert.deepEqual(judgeRelations({ source, through: null }), []);
  const foreignKeys = [{ name: "fk" }] as unknown as LoadedTable["foreignKeys"];
  const through = { column: "p", parent: "s.p" };
  assert.deepEqual(
    judgeRelations({ source: { ...source, foreignKeys }, through }).map((f) => [f.level, f.code, f.subject]),
    [["error", "merge-foreign-key", "s.a"], ["error", "merge-through", "s.a"]],
  );
});
