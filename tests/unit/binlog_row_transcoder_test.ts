import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { deflateRawSync, deflateSync } from "node:zlib";
import fc from "fast-check";
import { RowTranscoder } from "../../lib/binlog/row_transcoder.ts";
import { parseTableMap } from "../../lib/binlog/table_map.ts";
import { Arena } from "../../lib/mysql/arena.ts";
import { Type } from "../../lib/mysql/wire.ts";
import type { Column } from "../../lib/schema/table.ts";
import { wireLayout } from "../../lib/schema/wire_layout.ts";
import { column, table, tableMapBody } from "./binlog_events.ts";

type Shape = [type: number, meta: number[], column: Column];

function transcoder(shapes: readonly Shape[], key: readonly string[]): RowTranscoder {
  const body = tableMapBody(5, "shop", "t", shapes.map((s) => s[0]), shapes.flatMap((s) => s[1]));
  const t = table(shapes.map((s) => s[2]), key);
  return new RowTranscoder(parseTableMap(body, 0, body.length), t, wireLayout(t));
}

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const INT: Shape = [Type.LONG, [], column("id", "int")];

/** The wire row of one image, as hex, and where its key ends. */
function row(t: RowTranscoder, image: Buffer): { bytes: string; keyEnd: number } {
  const out = new Arena(8); // it has to grow
  out.append(Buffer.from("before"), 0, 6);
  assert.equal(t.row(image, 0, image.length, out), image.length);
  return { bytes: out.bytes.toString("hex", 6, out.end), keyEnd: t.keyEnd - 6 };
}

/** The wire value of a column's image behind an INT key. */
function value(type: number, meta: number[], c: Column, image: string): string {
  const { bytes, keyEnd } = row(transcoder([INT, [type, meta, c]], ["id"]), hex(`00 01000000 ${image}`));
  assert.equal(keyEnd, 5);
  return bytes.slice(10);
}

Deno.test("values become what a result row holds", () => {
  const cases: [number, number[], Column, image: string, wire: string][] = [
    [Type.INT24, [], column("c", "mediumint"), "ffffff", "ffffffff"],
    [Type.INT24, [], column("c", "mediumint", { unsigned: true }), "ffffff", "ffffff00"],
    [Type.YEAR, [], column("c", "year"), "00", "0000"],
    [Type.YEAR, [], column("c", "year"), "ff", "6b08"],
    [Type.DATE, [], column("c", "date"), "000000", "00"],
    [Type.DATE, [], column("c", "date"), "5dd00f", "04e807021d"],
    [Type.DATETIME2, [0], column("c", "datetime"), "99b27a0000", "04e807011d"],
    [Type.TIMESTAMP2, [0], column("c", "timestamp"), "00000000", "00"],
    [Type.TIMESTAMP2, [6], column("c", "timestamp"), "00000001000001", "0bb207010100000101000000"],
    [Type.TIME2, [0], column("c", "time"), "7fffff", "092d30303a30303a3031"],
    [Type.TIME2, [1], column("c", "time"), "7ffffff6", "0b2d30303a30303a30302e31"], // -0.1 s
    [Type.BIT, [1, 1], column("c", "bit"), "01ff", "0201ff"],
    [Type.STRING, [254, 4], column("c", "binary", { octetLength: 4 }), "02 6162", "0461620000"],
    [Type.STRING, [254, 4], column("c", "char", { octetLength: 4 }), "02 6162", "026162"],
    [Type.STRING, [Type.ENUM, 2], column("c", "enum"), "0102", "0102000000000000"],
    [Type.STRING, [Type.SET, 3], column("c", "set"), "010203", "0102030000000000"],
    [
      Type.STRING,
      [254, 4],
      column("c", "inet4"),
      "03 7f0000",
      "09" + Buffer.from("127.0.0.0").toString("hex"),
    ],
    [Type.STRING, [254, 16], column("c", "inet6"), "00", "02" + Buffer.from("::").toString("hex")],
    [Type.BLOB_COMPRESSED, [2], column("c", "text"), "0000", "00"],
    [Type.BLOB_COMPRESSED, [2], column("c", "text"), "0300 006162", "026162"],
    [Type.GEOMETRY, [4], column("c", "point"), "03000000 010203", "03010203"],
    [Type.JSON, [4], column("c", "json"), "00000000", "04" + Buffer.from("null").toString("hex")],
  ];
  for (const [type, meta, c, image, wire] of cases) {
    assert.equal(value(type, meta, c, image), wire, `${c.dataType} ${image}`);
  }
  // Old formats are decimal numbers: -12:34:56 and 2024-02-29 23:59:58.
  const time = Buffer.alloc(3);
  time.writeIntLE(-123456, 0, 3);
  assert.equal(value(Type.TIME, [], column("c", "time"), time.toString("hex")), "092d31323a33343a3536");
  const datetime = Buffer.alloc(8);
  datetime.writeBigUInt64LE(20240229235958n);
  assert.equal(
    value(Type.DATETIME, [], column("c", "datetime"), datetime.toString("hex")),
    "07e807021d173b3a",
  );
});

Deno.test("MariaDB's compressed values are inflated, with and without zlib's header", () => {
  const text = Buffer.from("abc".repeat(100));
  const c = column("c", "varchar", { octetLength: 1000 });
  for (const [head, data] of [[0x82, deflateSync(text)], [0x8a, deflateRawSync(text)]] as const) {
    const stored = Buffer.concat([Buffer.from([head, 300 >> 8, 300 & 255]), data]);
    const image = `${stored.length.toString(16).padStart(2, "0")}00${stored.toString("hex")}`;
    assert.equal(value(Type.VARCHAR_COMPRESSED, [0xe9, 3], c, image), "fc2c01" + text.toString("hex"));
  }
  assert.throws(() => value(Type.VARCHAR_COMPRESSED, [0xe9, 3], c, "0200 3000"), { code: "event-decode" });
});

/** Key last and in another order, a generated column between, 11 columns: two bytes of NULLs each. */
const MIXED: Shape[] = [
  [Type.VARCHAR, [10, 0], column("a", "varchar", { octetLength: 10 })],
  [Type.LONG, [], column("g", "int", { generated: true })],
  ...Array.from({ length: 7 }, (_, i): Shape => [Type.TINY, [], column(`n${i}`, "tinyint")]),
  [Type.SHORT, [], column("k2", "smallint")],
  [Type.BLOB, [1], column("k1", "tinyblob")],
];

Deno.test("the key comes first, generated columns stay out, NULLs move with their columns", () => {
  const t = transcoder(MIXED, ["k1", "k2"]);
  // NULL: a, n0, n6.
  const image = hex("0501 07000000 f1 f2 f3 f4 f5 0200 02 6b6b");
  const { bytes, keyEnd } = row(t, image);
  // Wire columns: k1 k2 a n0..n6, at bits 2..11; NULL are the third, fourth and tenth.
  assert.equal(bytes, "3008" + "026b6b" + "0200" + "f1f2f3f4f5");
  assert.equal(keyEnd, 2 + 3 + 2);
  const out = new Arena(1);
  assert.equal(t.key(image, 0, image.length, out), image.length);
  assert.equal(out.bytes.toString("hex", 0, out.end), "026b6b0200");
  assert.equal(t.skip(image, 0, image.length), image.length);
});

Deno.test("in the table's order or not, the same values give the same bytes", () => {
  const straight = transcoder([INT, MIXED[0], MIXED[1], MIXED[2]], ["id"]);
  const turned = transcoder([MIXED[0], MIXED[1], INT, MIXED[2]], ["id"]);
  const [id, a, g, n] = ["2a000000", "03 616263", "09000000", "ff"];
  assert.deepEqual(
    row(straight, hex(`f0 ${id} ${a} ${g} ${n}`)),
    row(turned, hex(`f0 ${a} ${g} ${id} ${n}`)),
  );
  assert.deepEqual(row(straight, hex(`f2 ${id} ${g} ${n}`)), row(turned, hex(`f1 ${g} ${id} ${n}`)));
  assert.deepEqual(row(straight, hex(`f4 ${id} ${a} ${n}`)), row(turned, hex(`f2 ${a} ${id} ${n}`)));
});

Deno.test("a key that is NULL, an image cut off, a type not known: refused", () => {
  const t = transcoder(MIXED, ["k1", "k2"]);
  const image = hex("0501 07000000 f1 f2 f3 f4 f5 0200 02 6b6b");
  const out = new Arena();
  for (let n = 2; n < image.length; n++) {
    for (const act of ["row", "key", "skip"] as const) {
      const cut = image.subarray(0, n);
      assert.throws(() => act === "skip" ? t.skip(cut, 0, n) : t[act](cut, 0, n, out), `${act} ${n}`);
    }
  }
  image[1] |= 2; // k2
  for (const act of ["row", "key"] as const) {
    assert.throws(() => t[act](image, 0, image.length, out), { code: "row-decode", message: /NULL/ });
  }
  assert.throws(() => transcoder([[200, [], column("c", "int")]], ["c"]), { code: "row-decode" });
  const narrow = table([INT[2]], ["id"]);
  const body = tableMapBody(5, "shop", "t", [3, 3]);
  const map = parseTableMap(body, 0, body.length);
  assert.throws(() => new RowTranscoder(map, narrow, wireLayout(narrow)), { code: "row-decode" });
});

Deno.test("strings of every length arrive whole", () => {
  const t = transcoder([INT, [Type.BLOB, [4], column("c", "longblob")]], ["id"]);
  fc.assert(
    fc.property(
      fc.constantFrom(0, 1, 159, 160, 250, 251, 252, 65535, 65536, 70000),
      fc.nat(255),
      (n, fill) => {
        const head = Buffer.alloc(9);
        head.writeUInt32LE(n, 5);
        const data = Buffer.alloc(n, fill);
        const { bytes } = row(t, Buffer.concat([head, data]));
        assert(bytes.endsWith(data.toString("hex")));
        const lenenc = n < 251 ? 1 : n < 65536 ? 3 : 4;
        assert.equal(bytes.length / 2, 5 + lenenc + n);
      },
    ),
  );
});
