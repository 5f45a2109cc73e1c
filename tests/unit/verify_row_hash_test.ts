import assert from "node:assert/strict";
import { type Column, type Table } from "../../lib/schema/table.ts";
import { wireLayout } from "../../lib/schema/wire_layout.ts";
import { rowHashSql } from "../../lib/verify/row_hash.ts";

function column(dataType: string, more: Partial<Column> = {}): Column {
  return {
    name: "c",
    ordinal: 1,
    dataType,
    columnType: dataType,
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

function tableOf(...columns: Column[]): Table {
  const key = column("int", { name: "id", ordinal: 0 });
  return {
    schema: "s",
    name: "t",
    columns: [key, ...columns],
    keyName: "PRIMARY",
    key: [key],
    hasOtherUnique: false,
    rowsEstimated: null,
    bytesEstimated: null,
  };
}

/** What stands for `columns` between the key and the end. */
function textOf(...columns: Column[]): string {
  const table = tableOf(...columns);
  const sql = rowHashSql(wireLayout(table), table);
  const head = "SHA2(CONCAT(`id`,',',", tail = ",','),256)";
  assert(sql.startsWith(head) && sql.endsWith(tail), sql);
  return sql.slice(head.length, -tail.length);
}

Deno.test("row hash: numbers and moments are their own text", () => {
  for (
    const t of ["tinyint", "int", "bigint", "decimal", "year", "date", "datetime", "timestamp", "time"]
  ) {
    assert.equal(textOf(column(t)), "`c`");
  }
});

Deno.test("row hash: floats are their eight bytes, labels and bits are numbers", () => {
  assert.equal(textOf(column("float")), "HEX(SUBSTR(CAST(POINT(`c`,0) AS BINARY),10,8))");
  assert.equal(textOf(column("double")), "HEX(SUBSTR(CAST(POINT(`c`,0) AS BINARY),10,8))");
  for (const t of ["enum", "set", "bit"]) assert.equal(textOf(column(t)), "CAST(`c` AS UNSIGNED)");
});

Deno.test("row hash: short strings are length and bytes, long ones their own hash", () => {
  const short = "CONCAT(LENGTH(`c`),':',CAST(`c` AS BINARY))";
  const long = "CONCAT(LENGTH(`c`),':',SHA2(CAST(`c` AS BINARY),256))";
  for (const t of ["char", "varchar", "binary", "varbinary"]) {
    assert.equal(textOf(column(t, { octetLength: 1024 })), short);
    assert.equal(textOf(column(t, { octetLength: 1025 })), long);
    assert.equal(textOf(column(t)), long);
  }
  for (const t of ["tinytext", "longtext", "tinyblob", "longblob", "point", "geometry", "vector"]) {
    assert.equal(textOf(column(t, { octetLength: 255 })), long);
  }
});

Deno.test("row hash: NULL is N, only where it may be", () => {
  assert.equal(textOf(column("int", { nullable: true })), "IF(`c` IS NULL,'N',`c`)");
});

Deno.test("row hash: JSON is hashed as it would be carried", () => {
  const sql = textOf(column("json"));
  assert.match(sql, /^SHA2\(CAST\(CAST\(CAST\(`c` AS CHAR CHARACTER SET utf8mb4\) AS JSON\) AS CHAR/);
});

Deno.test("row hash: names are quoted, generated columns left out, unknown types refused", () => {
  assert.equal(textOf(column("int", { name: "a`b" })), "`a``b`");
  assert.equal(textOf(column("int"), column("int", { name: "g", generated: true })), "`c`");
  const odd = tableOf(column("json"));
  const layout = wireLayout(odd);
  const changed = { ...layout.columns[1], column: column("hologram") };
  assert.throws(() => rowHashSql({ ...layout, columns: [layout.columns[0], changed] }, odd), {
    code: "verify-unknown-type",
    message: 'Cannot verify "s.t": column "c" has the type hologram',
  });
});

Deno.test("row hash: every travelling type has a text", () => {
  const all = ["uuid", "inet4", "inet6", "linestring", "polygon", "multipoint", "multilinestring"];
  all.push("multipolygon", "geometrycollection", "geomcollection", "mediumint", "smallint", "text", "blob");
  for (const t of all) assert(textOf(column(t)).includes("`c`"));
});
