import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { checkTableMap, parseTableMap } from "../../lib/binlog/table_map.ts";
import { countLabels } from "../../lib/binlog/column_check.ts";
import { Type } from "../../lib/mysql/wire.ts";
import type { Column } from "../../lib/schema/table.ts";
import { column, table, tableMapBody } from "./binlog_events.ts";

type Shape = [type: number, meta: number[], column: Column];

/** A column as the server describes it, and as a table map shows it. */
const FITTING: Shape[] = [
  [Type.TINY, [], column("c", "tinyint")],
  [Type.LONG, [], column("c", "int", { unsigned: true })],
  [Type.YEAR, [], column("c", "year")],
  [Type.FLOAT, [4], column("c", "float")],
  [Type.DOUBLE, [8], column("c", "double")],
  [Type.NEWDECIMAL, [10, 2], column("c", "decimal", { precision: 10, scale: 2 })],
  [Type.DATE, [], column("c", "date")],
  [Type.DATETIME2, [3], column("c", "datetime", { fraction: 3 })],
  [Type.DATETIME, [], column("c", "datetime", { fraction: 0 })],
  [Type.TIMESTAMP2, [0], column("c", "timestamp", { fraction: 0 })],
  [Type.TIMESTAMP, [], column("c", "timestamp", { fraction: 0 })],
  [Type.TIME2, [6], column("c", "time", { fraction: 6 })],
  [Type.TIME, [], column("c", "time", { fraction: 0 })],
  [Type.VARCHAR, [0x2c, 1], column("c", "varchar", { octetLength: 300 })],
  [Type.VARCHAR_COMPRESSED, [0x2d, 1], column("c", "varchar", { octetLength: 300 })],
  [Type.STRING, [254, 20], column("c", "char", { octetLength: 20 })],
  [Type.STRING, [0xce, 0xfc], column("c", "char", { octetLength: 1020 })], // 255 characters of 4 bytes
  [Type.STRING, [254, 16], column("c", "uuid")],
  [Type.STRING, [254, 4], column("c", "inet4")],
  [Type.STRING, [Type.ENUM, 1], column("c", "enum", { columnType: "enum('a','b')" })],
  [Type.STRING, [Type.SET, 2], column("c", "set", { columnType: `set(${Array(9).fill("'x'").join()})` })],
  [Type.BLOB, [1], column("c", "tinytext")],
  [Type.BLOB, [3], column("c", "mediumblob")],
  [Type.BLOB_COMPRESSED, [2], column("c", "text")],
  [Type.BIT, [1, 1], column("c", "bit", { precision: 9 })],
  [Type.JSON, [4], column("c", "json")],
  [Type.GEOMETRY, [4], column("c", "point")],
  [Type.VECTOR, [4], column("c", "vector", { octetLength: 12 })],
];

function mapOf(shapes: readonly Shape[], optional?: Buffer) {
  const body = tableMapBody(5, "shop", "t", shapes.map((s) => s[0]), shapes.flatMap((s) => s[1]), optional);
  return parseTableMap(body, 0, body.length);
}

const columnsOf = (shapes: readonly Shape[]) => shapes.map((s, i) => ({ ...s[2], name: `c${i}` }));

Deno.test("a table map is read with every type's metadata", () => {
  const map = mapOf(FITTING);
  assert.deepEqual([map.tableId, map.schema, map.name, map.columnCount], [5, "shop", "t", FITTING.length]);
  assert.equal(map.meta[FITTING.findIndex((s) => s[2].octetLength === 1020)], 1020);
  assert.deepEqual([map.unsigned, map.names], [null, null]);
  assert.equal(checkTableMap(map, table(columnsOf(FITTING), ["c0"])), null);
});

Deno.test("a column that is not as the table was is named with what differs", () => {
  for (const [i, [type, meta, c]] of FITTING.entries()) {
    const others: Shape[] = FITTING.filter((s) =>
      s[2].dataType !== c.dataType && !(s[0] === type && String(s[1]) === String(meta))
    );
    for (const [otherType, otherMeta] of others) {
      // A column of 16 bytes may be a UUID's or a CHAR's: the event cannot tell.
      const why = checkTableMap(mapOf([[otherType, otherMeta, c]]), table([c], ["c"]));
      assert.match(
        why ?? "",
        /^column "c" \(.*\): its image has type \d+ with metadata \d+|5\.3/,
        `${i} ${c.dataType}`,
      );
    }
    if (meta.length === 0) continue;
    const changed = meta.with(meta.length - 1, meta.at(-1)! ^ 3);
    assert.notEqual(checkTableMap(mapOf([[type, changed, c]]), table([c], ["c"])), null, c.dataType);
  }
});

Deno.test("columns added or dropped are seen", () => {
  const t = table(columnsOf(FITTING.slice(0, 2)), ["c0"]);
  assert.equal(checkTableMap(mapOf(FITTING.slice(0, 3)), t), "an image has 3 columns, the table had 2");
});

Deno.test("MariaDB 5.3 temporals with fractions are refused with what to do", () => {
  for (
    const [type, dataType] of [[Type.DATETIME, "datetime"], [Type.TIMESTAMP, "timestamp"], [
      Type.TIME,
      "time",
    ]] as const
  ) {
    const c = column("c", dataType, { fraction: 3 });
    assert.match(checkTableMap(mapOf([[type, [], c]]), table([c], ["c"]))!, /MariaDB 5\.3.*FORCE/);
  }
});

Deno.test("signs and names are held against the table where the event has them", () => {
  const shapes: Shape[] = [
    [Type.YEAR, [], column("y", "year")],
    [Type.LONG, [], column("a", "int", { unsigned: true })],
    [Type.VARCHAR, [10, 0], column("b", "varchar", { octetLength: 10 })],
    [Type.NEWDECIMAL, [5, 0], column("d", "decimal", { precision: 5, scale: 0 })],
  ];
  const optional = (signs: number, names: string[]) => {
    const text = Buffer.concat(names.map((n) => Buffer.concat([Buffer.from([n.length]), Buffer.from(n)])));
    return Buffer.concat([Buffer.from([1, 1, signs, 2, 1, 0x2d, 4, text.length]), text]);
  };
  const t = table(shapes.map((s) => s[2]), ["a"]);
  // Bits from the top, of numeric columns only, YEAR among them: y unsigned, a unsigned, d signed.
  const map = mapOf(shapes, optional(0b11000000, ["y", "a", "b", "d"]));
  assert.deepEqual([...map.unsigned!], [true, true, undefined, false]);
  assert.deepEqual(map.names, ["y", "a", "b", "d"]);
  assert.equal(checkTableMap(map, t), null);
  assert.match(checkTableMap(mapOf(shapes, optional(0b10000000, ["y", "a", "b", "d"])), t)!, /"a".*signed/);
  assert.match(checkTableMap(mapOf(shapes, optional(0b11100000, ["y", "a", "b", "d"])), t)!, /"d".*unsigned/);
  assert.match(
    checkTableMap(mapOf(shapes, optional(0b11000000, ["y", "b", "a", "d"])), t)!,
    /"a".*called "b"/,
  );
});

Deno.test("metadata of another length than announced is refused", () => {
  const body = tableMapBody(5, "shop", "t", [Type.VARCHAR, Type.LONG], [1]);
  assert.throws(() => parseTableMap(body, 0, body.length), { code: "event-decode" });
});

Deno.test("labels are counted whatever is in them", () => {
  for (
    const [type, n] of [["enum('a')", 1], ["enum('a,b','c''d','')", 3], ["set('''','x')", 2], [
      "set('\\\\','y')",
      2,
    ]] as const
  ) {
    assert.equal(countLabels(type), n);
  }
});
