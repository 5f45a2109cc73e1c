import assert from "node:assert/strict";
import { planObject } from "../../lib/objects/rename_objects.ts";
import type { LoadedObject } from "../../lib/objects/schema_object.ts";
import { columnFits } from "../../lib/schema/column_fit.ts";
import { sortAlike } from "../../lib/schema/key_order.ts";
import type { Column } from "../../lib/schema/table.ts";
import { collationOn } from "../../lib/schema/translate/collations.ts";
import { type Reader, translateDefinition } from "../../lib/schema/translate/definition.ts";

const reader = (vendor: Reader["vendor"], ...collations: string[]): Reader => ({
  vendor,
  version: vendor === "mysql" ? [9, 7, 0] : [10, 11, 0],
  charsets: new Set(["utf8mb4", "utf8mb3", "latin1"]),
  collations: new Set(collations),
});

/** One item of a table, on the other family. */
function said(item: string, to: Reader["vendor"], tail = "ENGINE=InnoDB"): string {
  const { createSql } = translateDefinition(`CREATE TABLE \`t\` (\n  ${item}\n) ${tail}`, reader(to));
  return createSql.slice("CREATE TABLE `t` (\n  ".length).replace(" ENGINE=InnoDB", "").replace(/\n\)$/, "");
}

Deno.test("translate: what MariaDB says of a column, in MySQL's words", () => {
  const rules = [
    ["`a` int(11) NOT NULL", "`a` int NOT NULL"],
    ["`a` tinyint(1) DEFAULT 1", "`a` tinyint(1) DEFAULT 1"],
    ["`a` int(5) unsigned zerofill DEFAULT NULL", "`a` int(5) unsigned zerofill DEFAULT NULL"],
    ["`a` text DEFAULT 'x, DEFAULT ''y'''", "`a` text DEFAULT ('x, DEFAULT ''y''')"],
    ["`a` text DEFAULT NULL COMMENT 'COMPRESSED'", "`a` text DEFAULT NULL COMMENT 'COMPRESSED'"],
    ["`a` varchar(9) /*M!100301 COMPRESSED*/ DEFAULT 'x'", "`a` varchar(9) DEFAULT 'x'"],
    ["`a` varchar(9) DEFAULT concat('a',_utf8mb4'b')", "`a` varchar(9) DEFAULT (concat('a',_utf8mb4'b'))"],
    ["`a` date DEFAULT current_timestamp()", "`a` date DEFAULT (current_timestamp())"],
    [
      "`a` datetime(3) DEFAULT current_timestamp(3) ON UPDATE current_timestamp(3)",
      "`a` datetime(3) DEFAULT current_timestamp(3) ON UPDATE current_timestamp(3)",
    ],
    [
      "`a` longtext DEFAULT '{}' CHECK (json_valid(`a`))",
      "`a` longtext DEFAULT ('{}') CHECK (json_valid(`a`))",
    ],
    ["`a` bit(4) DEFAULT b'101'", "`a` bit(4) DEFAULT b'101'"],
    ["KEY `k` (`a`) IGNORED", "KEY `k` (`a`) INVISIBLE"],
    ["CONSTRAINT `CONSTRAINT_1` CHECK (`a` > 1)", "CHECK (`a` > 1)"],
    ["CONSTRAINT `own` CHECK (`a` > 1)", "CONSTRAINT `own` CHECK (`a` > 1)"],
  ];
  for (const [there, here] of rules) assert.equal(said(there, "mysql"), here);
});

Deno.test("translate: what MySQL says of a column, in MariaDB's words", () => {
  const rules = [
    ["`a` geomcollection DEFAULT NULL", "`a` geometrycollection DEFAULT NULL"],
    ["`a` point NOT NULL /*!80003 SRID 4326 */", "`a` point REF_SYSTEM_ID=4326 NOT NULL"],
    ["`a` int DEFAULT '3' /*!80023 INVISIBLE */", "`a` int DEFAULT '3' INVISIBLE"],
    ["`a` text DEFAULT (_utf8mb4'x')", "`a` text DEFAULT ('x')"],
    [
      "`a` int GENERATED ALWAYS AS ((`b` is not null)) STORED NOT NULL COMMENT 'NOT NULL'",
      "`a` int GENERATED ALWAYS AS ((`b` is not null)) STORED COMMENT 'NOT NULL'",
    ],
    [
      "`a` int /*!50606 STORAGE DISK */ /*!50606 COLUMN_FORMAT DYNAMIC */ DEFAULT NULL",
      "`a` int DEFAULT NULL",
    ],
    ["KEY `k` (`a`) /*!80000 INVISIBLE */", "KEY `k` (`a`) IGNORED"],
  ];
  for (const [there, here] of rules) assert.equal(said(there, "mariadb"), here);
});

Deno.test("translate: options that one family knows alone are left out, partitions stay", () => {
  const tail = (text: string, to: Reader["vendor"]) => said("`a` int", to, text).replace("`a` int\n) ", "");
  assert.equal(
    tail("ROW_FORMAT=DYNAMIC COMPRESSION='zlib' COMMENT=' COMPRESSION=''x'''", "mariadb"),
    "ROW_FORMAT=DYNAMIC COMMENT=' COMPRESSION=''x'''",
  );
  assert.equal(
    tail("STATS_PERSISTENT=1 `PAGE_COMPRESSED`=1 `ENCRYPTED`=NO TRANSACTIONAL=1", "mysql"),
    "STATS_PERSISTENT=1",
  );
  const partitioned = tail("MAX_ROWS=5\n/*!50100 PARTITION BY HASH (`a`)\nPARTITIONS 3 */", "mariadb");
  assert.equal(partitioned, "MAX_ROWS=5\nPARTITION BY HASH (`a`)\nPARTITIONS 3");
});

Deno.test("translate: what the reader lacks is told by name", () => {
  const remarks = (item: string, to: Reader["vendor"]) =>
    translateDefinition(`CREATE TABLE \`t\` (${item})`, reader(to)).remarks.map((r) =>
      `${r.level} ${r.code} ${r.detail}`
    );
  assert.deepEqual(remarks("`u` uuid", "mysql"), ['error target-lacks-type column "u" is of type uuid']);
  assert.deepEqual(remarks("`v` vector(3)", "mariadb"), [
    'error target-lacks-type column "v" is of type vector',
  ]);
  assert.deepEqual(remarks("`v` vector(3)", "mysql"), []);
  assert.deepEqual(remarks("`c` varchar(9) CHARACTER SET gb18030 COLLATE gb18030_bin", "mariadb"), [
    'error target-lacks-charset "c" has the character set gb18030',
  ]);
  assert.deepEqual(remarks("KEY `f` ((`a` + 1))", "mariadb"), [
    'error target-lacks-feature its index "f" is over an expression',
  ]);
  assert.deepEqual(remarks("CONSTRAINT `c` CHECK ((`a` > 1)) /*!80016 NOT ENFORCED */", "mariadb"), [
    'warning check-left-out the CHECK "c" is NOT ENFORCED, it is left out',
  ]);
});

Deno.test("translate: a collation is kept by name, or one that tells the same strings apart", () => {
  const all = [
    "utf8mb4_uca1400_nopad_ai_ci utf8mb4_uca1400_nopad_as_cs utf8mb4_uca1400_swedish_nopad_ai_ci utf8mb4_nopad_bin utf8mb4_bin",
    "utf8mb4_0900_ai_ci utf8mb4_0900_as_cs utf8mb4_sv_0900_ai_ci utf8mb4_0900_bin utf8mb4_unicode_520_ci utf8mb4_swedish_ci utf8mb4_croatian_ci",
  ].map((names) => new Set(names.split(" ")));
  const [mariadb, mysql] = all.map((collations) => (name: string) =>
    collationOn({ collations, charsets: new Set() }, name)
  );
  assert.equal(mariadb("utf8mb4_bin"), "utf8mb4_bin");
  assert.equal(mariadb("utf8mb4_0900_ai_ci"), "utf8mb4_uca1400_nopad_ai_ci");
  assert.equal(mariadb("utf8mb4_0900_as_cs"), "utf8mb4_uca1400_nopad_as_cs");
  assert.equal(mariadb("utf8mb4_sv_0900_ai_ci"), "utf8mb4_uca1400_swedish_nopad_ai_ci");
  assert.equal(mariadb("utf8mb4_0900_bin"), "utf8mb4_nopad_bin");
  assert.equal(mariadb("utf8mb4_ja_0900_as_cs"), null);
  assert.equal(mysql("utf8mb4_uca1400_nopad_as_cs"), "utf8mb4_0900_as_cs");
  assert.equal(mysql("utf8mb4_uca1400_swedish_nopad_ai_ci"), "utf8mb4_sv_0900_ai_ci");
  assert.equal(mysql("utf8mb4_uca1400_ai_ci"), "utf8mb4_unicode_520_ci");
  assert.equal(mysql("utf8mb4_uca1400_swedish_ai_ci"), "utf8mb4_swedish_ci");
  assert.equal(mysql("utf8mb4_uca1400_as_cs"), null, "no padded collation of MySQL tells accents apart");
  assert.equal(mysql("utf8mb4_general_nopad_ci"), "utf8mb4_0900_ai_ci");
  assert.equal(mysql("utf8mb4_croatian_mysql561_ci"), "utf8mb4_croatian_ci");
});

function column(columnType: string, more: Partial<Column> = {}): Column {
  const [, dataType, digits] = /^(\w+)(?:\((\d+))?/.exec(columnType)!;
  const text = /char|text|enum|set/.test(dataType);
  return {
    name: "c",
    ordinal: 0,
    dataType,
    columnType,
    unsigned: /unsigned/.test(columnType),
    charset: text ? "utf8mb4" : null,
    collation: text ? "utf8mb4_bin" : null,
    octetLength: text ? Number(digits ?? 1) * 4 : digits === undefined ? null : Number(digits),
    precision: digits === undefined ? null : Number(digits),
    scale: 0,
    fraction: null,
    nullable: false,
    generated: false,
    ...more,
  };
}

Deno.test("columnFits(): equal or wider, and for keys as it travels", () => {
  const fits = (a: string, b: string, inKey = false) =>
    columnFits(column(a), column(b), { collation: (name) => name, inKey });
  const wider = [
    ["int", "bigint"],
    ["int unsigned", "bigint"],
    ["varchar(20)", "varchar(40)"],
    ["char(5)", "varchar(5)"],
    ["varchar(20)", "text"],
    ["binary(2)", "varbinary(2)"],
    ["enum('a')", "enum('a','b')"],
    ["bit(3)", "bit(9)"],
    ["decimal(5)", "decimal(9)"],
    ["float", "double"],
  ];
  for (const [a, b] of wider) {
    assert.ok(fits(a, b), `${a} into ${b}`);
    assert.ok(!fits(b, a), `${b} into ${a}`);
  }
  const never = [["int", "int unsigned"], ["binary(2)", "binary(3)"], ["varchar(5)", "char(5)"], [
    "int",
    "varchar(20)",
  ]];
  for (const [a, b] of never) assert.ok(!fits(a, b), `${a} into ${b}`);
  assert.ok(
    !fits("int", "bigint", true) && !fits("bit(3)", "bit(9)", true) && fits("varchar(2)", "varchar(9)", true),
  );
});

Deno.test("sortAlike(): names of collations prove nothing between vendors, bytes do", () => {
  const text = (collation: string) => column("varchar(9)", { collation });
  const croatian = text("utf8mb4_croatian_ci");
  assert.ok(sortAlike(croatian, croatian, true) && !sortAlike(croatian, croatian, false));
  assert.ok(sortAlike(text("utf8mb4_0900_bin"), text("utf8mb4_nopad_bin"), false));
  assert.ok(sortAlike(column("int"), column("int"), false));
});

Deno.test("planObject(): views are rewritten by name, bodies only where they speak of nothing renamed", () => {
  const object = (
    kind: LoadedObject["kind"],
    createSql: string,
    table: string | null = null,
  ): LoadedObject => ({
    kind,
    schema: "shop",
    name: "o",
    table,
    createSql,
    definer: "a@b",
    sqlMode: null,
    charset: null,
    collation: null,
    timeZone: null,
    harmless: true,
  });
  const plan = (o: LoadedObject) => {
    const names = { source: { schema: "shop", name: "t" }, target: { schema: "new", name: "t" } };
    const planned = planObject(o, { schemas: { shop: "new" }, tables: [names] });
    return "reason" in planned ? `! ${planned.reason}` : `${planned.schema}: ${planned.createSql}`;
  };
  assert.equal(
    plan(
      object(
        "view",
        "CREATE VIEW `shop`.`o` AS select `shop`.`t`.`shop` AS `a`,'`shop`.x' AS `b` from `shop`.`t`",
      ),
    ),
    '! "shop" in it may be the schema, which has another name on the target',
  );
  assert.equal(
    plan(
      object(
        "view",
        "CREATE VIEW `shop`.`o` AS select `shop`.`t`.`id` AS `a`,'`shop`.x' AS `b` from `shop`.`t`",
      ),
    ),
    "new: CREATE VIEW `new`.`o` AS select `new`.`t`.`id` AS `a`,'`shop`.x' AS `b` from `new`.`t`",
  );
  assert.equal(
    plan(
      object(
        "trigger",
        "CREATE DEFINER=`a`@`b` TRIGGER shop.o BEFORE INSERT ON shop.t FOR EACH ROW SET NEW.v = 1",
        "t",
      ),
    ),
    "new: CREATE DEFINER=`a`@`b` TRIGGER `new`.`o` BEFORE INSERT ON `new`.`t` FOR EACH ROW SET NEW.v = 1",
  );
  assert.match(
    plan(object("trigger", "CREATE TRIGGER o BEFORE INSERT ON t FOR EACH ROW DELETE FROM Shop.x", "t")),
    /^! it speaks of "shop"/,
  );
  assert.equal(
    plan(object("procedure", "CREATE PROCEDURE `o`() SELECT workshop FROM t")),
    "new: CREATE PROCEDURE `o`() SELECT workshop FROM t",
  );
  assert.match(plan({ ...object("event", ""), createSql: null }), /^! its definition may not be read/);
});
