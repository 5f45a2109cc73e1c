import assert from "node:assert/strict";
import type { Server } from "../../lib/mysql/server.ts";
import { columnText } from "../../lib/schema/column_fit.ts";
import { judgeBinlogFilter, judgeBinlogSettings, judgePosition } from "../../lib/preflight/binlog.ts";
import { inform, inOrder, refuse, warn } from "../../lib/preflight/finding.ts";
import { type Grants, holds, judgeLockTables } from "../../lib/preflight/privileges.ts";
import { parseConnectionUrl } from "../../lib/spec/connection_url.ts";
import { judgeDifferences, judgeEncryption, judgeVersion } from "../../lib/preflight/servers.ts";
import { judgeTable, judgeUnused } from "../../lib/preflight/tables.ts";
import { judgeTimestamps } from "../../lib/preflight/timestamps.ts";
import { judgeReadOnly, judgeTargetPrivileges, judgeTargetTable } from "../../lib/preflight/target.ts";
import type { LoadedTable } from "../../lib/schema/load_tables.ts";
import type { Column } from "../../lib/schema/table.ts";
import type { Finding } from "../../lib/progress/resource.ts";

const codes = (findings: readonly Finding[]) => findings.map((f) => `${f.level} ${f.code} ${f.subject}`);

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

function loaded(columns: Column[], more: Partial<LoadedTable> = {}): LoadedTable {
  const key = columns.slice(0, 1);
  return {
    table: {
      schema: "s",
      name: "t",
      columns,
      keyName: "PRIMARY",
      key,
      hasOtherUnique: false,
      rowsEstimated: null,
      bytesEstimated: null,
    },
    engine: "InnoDB",
    foreignKeys: [],
    children: [],
    triggers: [],
    generatedColumns: [],
    createSql: "CREATE TABLE `t` ()",
    indexes: [{ name: "PRIMARY", unique: true, columns: key.map((c) => c.name), whole: true, usable: true }],
    optionalColumns: [],
    ...more,
  };
}

function grants(more: Partial<Grants> = {}): Grants {
  return { everywhere: new Set(), schemas: [], tables: [], complete: true, ...more };
}

Deno.test("judgeUnused() warns of a pattern that leaves nothing out, and of a new name for no schema", () => {
  const there = ["shop.a", "shop.tmp_b", "crm.tmp_c", "old.d"].map((each) => {
    const [schema, name] = each.split(".");
    return { schema, name };
  });
  const judge = (table: string, exclude: string[], renameSchemas: Record<string, string> = {}) =>
    codes(judgeUnused({
      tables: [{ table, where: null, through: null, to: null }],
      exclude,
      renameSchemas,
    }, there));
  assert.deepEqual(judge("*.*", [], {}), []);
  assert.deepEqual(judge("*.*", ["*.tmp_*", "shop.tmp_b"], { shop: "x", old: "y" }), []);
  // What is there and not asked for anyway is left out by nobody; and names are told apart by their case.
  assert.deepEqual(judge("shop.*", ["crm.tmp_*", "shop.Tmp_b", "shop.tmp_b"]), [
    "warning exclude-unused crm.tmp_*",
    "warning exclude-unused shop.Tmp_b",
  ]);
  assert.deepEqual(judge("*.*", ["crm.*"], { shp: "x", crm: "y", Old: "z", toString: "w" }), [
    "warning rename-unused shp",
    "warning rename-unused crm",
    "warning rename-unused Old",
    "warning rename-unused toString",
  ]);
});

Deno.test("judgeEncryption() warns of what crosses a network in the clear, and of nothing else", () => {
  const judge = (rest: string) => codes(judgeEncryption(parseConnectionUrl(`mysql://u:p@${rest}`), "target"));
  const open = ["warning not-encrypted target"];
  for (
    const rest of ["db2", "10.0.0.7:3307", "[fd00::7]", "db2?ssl-mode=disabled", "db2?ssl-mode=preferred"]
  ) {
    assert.deepEqual(judge(rest), open, rest);
  }
  for (
    const rest of [
      "localhost",
      "127.0.0.1",
      "127.0.3.1:3307",
      "[::1]",
      "db2?ssl-mode=required",
      "db2?ssl-ca=/ca",
    ]
  ) {
    assert.deepEqual(judge(rest), [], rest);
  }
});

Deno.test("judgeTimestamps() names each column that a target could give a default, of tables that are to be made", () => {
  const createSql = [
    "CREATE TABLE `t` (",
    "  `id` int NOT NULL COMMENT 'timestamp NOT NULL',",
    "  `a` timestamp NOT NULL,",
    "  `DEFAULT` timestamp(3) NOT NULL COMMENT 'no DEFAULT',",
    "  `c` timestamp NOT NULL DEFAULT '2000-01-01 00:00:00',",
    "  `d` timestamp NULL DEFAULT NULL,",
    "  `e` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,",
    "  `f` timestamp GENERATED ALWAYS AS (`c`) STORED NOT NULL,",
    "  `g` datetime NOT NULL,",
    "  PRIMARY KEY (`id`)",
    ")",
  ].join("\n");
  const target = { schema: "shop", name: "t" };
  const [found, ...more] = judgeTimestamps([
    { target, existing: null, createSql },
    { target, existing: loaded([]), createSql },
    { target, existing: null, createSql: "" },
  ]);
  assert.deepEqual([found.level, found.code, found.subject, more], [
    "error",
    "timestamp-default",
    "shop.t",
    [],
  ]);
  assert.match(found.detail, /give `a`, `DEFAULT` a default/);
});

Deno.test("inOrder() puts errors first and keeps the order otherwise", () => {
  const found = [
    inform("a", "", "", ""),
    refuse("b", "", "", ""),
    warn("c", "", "", ""),
    refuse("d", "", "", ""),
  ];
  assert.deepEqual(inOrder(found).map((f) => f.code), ["b", "d", "c", "a"]);
});

Deno.test("judgeBinlogSettings() names each setting that is wrong", () => {
  const right = {
    log_bin: "ON",
    binlog_format: "ROW",
    binlog_row_image: "FULL",
    binlog_row_value_options: "",
  };
  const judge = (more: Record<string, string>) =>
    codes(judgeBinlogSettings(new Map(Object.entries({ ...right, ...more }))));
  assert.deepEqual(judge({}), []);
  assert.deepEqual(judge({ log_bin: "OFF", binlog_format: "MIXED" }), ["error binlog-off log_bin"]);
  assert.deepEqual(
    judge({ binlog_format: "MIXED", binlog_row_image: "NOBLOB", binlog_row_value_options: "PARTIAL_JSON" }),
    [
      "error binlog-format binlog_format",
      "error binlog-row-image binlog_row_image",
      "error binlog-row-value-options binlog_row_value_options",
    ],
  );
  assert.deepEqual(codes(judgeBinlogSettings(new Map([["log_bin", "ON"]]))), []);
});

Deno.test("judgeBinlogFilter() names the schemas that the binlog leaves out", () => {
  assert.deepEqual(codes(judgeBinlogFilter({ only: [], never: ["b"] }, ["a", "b"])), [
    "error binlog-filter b",
  ]);
  assert.deepEqual(codes(judgeBinlogFilter({ only: ["b"], never: [] }, ["a", "b"])), [
    "error binlog-filter a",
  ]);
});

Deno.test("judgePosition() refuses a file that is gone and an offset past its end", () => {
  const files = [{ name: "b.2", size: 100 }, { name: "b.3", size: 50 }];
  assert.deepEqual(judgePosition({ file: "b.3", offset: 50 }, files), []);
  for (const [file, offset] of [["b.1", 4], ["b.3", 51]] as const) {
    assert.deepEqual(codes(judgePosition({ file, offset }, files)), [
      `error binlog-purged ${file}:${offset}`,
    ]);
  }
});

Deno.test("judgeVersion() and judgeDifferences() look at versions and settings", () => {
  const server = (vendor: Server["vendor"], ...version: [number, number, number]): Server => ({
    vendor,
    version,
    versionText: version.join("."),
    identity: "",
    gtids: true,
    maxAllowedPacket: 100,
    lowerCaseTableNames: 0,
    clockAheadMs: 0,
  });
  assert.deepEqual(codes(judgeVersion(server("mysql", 5, 6, 51), "source")), [
    "error version-unsupported source",
  ]);
  assert.deepEqual(codes(judgeVersion(server("mariadb", 10, 4, 30), "target")), [
    "error version-unsupported target",
  ]);
  assert.deepEqual([
    judgeVersion(server("mysql", 5, 7, 0), ""),
    judgeVersion(server("mariadb", 10, 5, 0), ""),
  ], [[], []]);
  const one = server("mysql", 8, 0, 1);
  assert.deepEqual(judgeDifferences(one, one), []);
  assert.deepEqual(
    codes(
      judgeDifferences(one, { ...server("mariadb", 11, 4, 1), maxAllowedPacket: 99, lowerCaseTableNames: 1 }),
    ),
    [
      "warning vendors-differ target",
      "warning lower-case-table-names lower_case_table_names",
      "warning max-allowed-packet max_allowed_packet",
    ],
  );
});

Deno.test("holds() knows patterns, tables, and what it cannot know", () => {
  const some = grants({
    everywhere: new Set(["SELECT"]),
    schemas: [{ pattern: "shop\\_%", privilege: "INSERT" }, { pattern: "a.c", privilege: "DELETE" }],
    tables: [{ schema: "crm", name: "t", privilege: "INSERT" }],
  });
  assert.equal(holds(some, "SELECT", "any"), true);
  assert.equal(holds(some, "INSERT", "shop_1"), true);
  assert.equal(holds(some, "INSERT", "shopx1"), false);
  assert.equal(holds(some, "DELETE", "abc"), false);
  assert.equal(holds(some, "INSERT", "crm", "t"), true);
  assert.equal(holds(some, "INSERT", "crm"), false);
  assert.equal(holds({ ...some, complete: false }, "INSERT", "crm"), null);
});

Deno.test("judgeLockTables() and judgeTargetPrivileges() only warn where roles may give more", () => {
  const needs = [{ schema: "a", privileges: ["INSERT", "DELETE"] }];
  const unsure = grants({ complete: false });
  assert.deepEqual(codes(judgeLockTables(grants(), ["a"])), ["error lock-tables-denied a"]);
  assert.deepEqual(codes(judgeLockTables(unsure, ["a"])), ["warning lock-tables-denied a"]);
  assert.deepEqual(codes(judgeTargetPrivileges(grants(), needs)), ["error target-privilege a"]);
  assert.deepEqual(codes(judgeTargetPrivileges(unsure, needs)), ["warning target-privilege a"]);
  const all = grants({ everywhere: new Set(["INSERT", "DELETE", "LOCK TABLES"]) });
  assert.deepEqual([judgeLockTables(all, ["a"]), judgeTargetPrivileges(all, needs)], [[], []]);
});

Deno.test("judgeReadOnly() lets pass who may write to a server that is read_only, not super_read_only", () => {
  const strong = grants({ everywhere: new Set(["CONNECTION_ADMIN"]) });
  assert.deepEqual(codes(judgeReadOnly([], grants())), []);
  assert.deepEqual(codes(judgeReadOnly(["read_only"], grants())), ["error target-read-only read_only"]);
  assert.deepEqual(codes(judgeReadOnly(["read_only"], strong)), ["warning target-read-only read_only"]);
  assert.deepEqual(
    codes(judgeReadOnly(["read_only", "super_read_only"], strong)),
    ["error target-read-only read_only, super_read_only"],
  );
});

Deno.test("judgeTable() names types that cannot travel and tables that keep their past", () => {
  const id = column("id", "int");
  assert.deepEqual(judgeTable(loaded([id, column("e", "enum('/* mariadb-5.3 */')")])), []);
  assert.deepEqual(codes(judgeTable(loaded([id, column("x", "xmltype")]))), ["error type-unsupported s.t"]);
  const old = column("d", "datetime(3) /* mariadb-5.3 */");
  assert.deepEqual(codes(judgeTable(loaded([id, { ...old, fraction: 0 }]))), []);
  assert.deepEqual(codes(judgeTable(loaded([id, { ...old, fraction: 3 }]))), ["error type-unsupported s.t"]);
  assert.deepEqual(
    codes(
      judgeTable(
        loaded([id], { createSql: "CREATE TABLE `t` (`a` int COMMENT 'PERIOD FOR') WITH SYSTEM VERSIONING" }),
      ),
    ),
    ["error temporal-table s.t"],
  );
  assert.deepEqual(
    judgeTable(loaded([id], { createSql: "CREATE TABLE `t` (`PERIOD FOR` int COMMENT 'PERIOD FOR')" })),
    [],
  );
});

Deno.test("columnText() is the same for old and new servers", () => {
  const text = (type: string, charset: string | null = null, collation: string | null = null) =>
    columnText(column("a", type, { charset, collation }));
  assert.equal(text("int(11) unsigned"), text("int unsigned"));
  assert.equal(text("tinyint(1)"), text("tinyint"));
  assert.equal(text("year(4)"), text("year"));
  assert.equal(text("varchar(9)", "utf8", "utf8_bin"), text("varchar(9)", "utf8mb3", "utf8mb3_bin"));
  assert.notEqual(text("varchar(9)"), text("varchar(10)"));
  assert.notEqual(text("enum('A')"), text("enum('a')"));
  assert.notEqual(
    text("varchar(9)", "utf8mb4", "utf8mb4_bin"),
    text("varchar(9)", "utf8mb4", "utf8mb4_general_ci"),
  );
});

Deno.test("judgeTargetTable() tells each difference", () => {
  const id = column("id", "int");
  const judge = (target: LoadedTable, source = loaded([id, column("a", "int", { nullable: true })])) =>
    judgeTargetTable(source, target).map((f) =>
      `${f.code}: ${f.detail.slice('Cannot copy into table "s.t": '.length)}`
    );
  const a = column("a", "int", { nullable: true });
  assert.deepEqual(judge(loaded([id, a])), []);
  assert.deepEqual(judge(loaded([column("ID", "int(11)"), a])), []);
  assert.deepEqual(judge(loaded([id, a, column("more", "int")], { optionalColumns: ["more"] })), []);
  assert.deepEqual(judge(loaded([id, a, column("more", "int")])), [
    'target-columns-differ: further column "more" without a default',
  ]);
  assert.deepEqual(judge(loaded([id, column("a", "int")])), [
    'target-columns-differ: column "a" is NOT NULL',
  ]);
  assert.deepEqual(judge(loaded([id, column("a", "int", { generated: true, nullable: true })])), [
    'target-columns-differ: column "a" is generated',
  ]);
  assert.deepEqual(judge(loaded([id, a], { indexes: [] })), ["target-columns-differ: no unique key on (id)"]);
  assert.deepEqual(judge(loaded([id, a], { engine: "MyISAM", triggers: ["x"] })), [
    "engine-not-transactional: its engine is MyISAM",
    'target-triggers: its triggers "x" would run for every row',
  ]);
  // A column that the source computes needs no like on the target.
  assert.deepEqual(judge(loaded([id]), loaded([id, column("g", "int", { generated: true })])), []);
});
