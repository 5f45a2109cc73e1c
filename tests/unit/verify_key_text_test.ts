import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Column } from "../../lib/schema/table.ts";
import { wireColumn } from "../../lib/schema/wire_layout.ts";
import { keyText } from "../../lib/verify/key_text.ts";

function text(dataType: string, bytes: readonly number[], more: Partial<Column> = {}): string {
  const column = { name: "k", dataType, unsigned: false, charset: null, fraction: null, ...more } as Column;
  return keyText(Buffer.from(bytes), [wireColumn(column)]).k;
}

const counted = (bytes: readonly number[]) => [bytes.length, ...bytes];
const utf8 = { charset: "utf8mb4" };

Deno.test("key text: integers", () => {
  assert.equal(text("tinyint", [0xff]), "-1");
  assert.equal(text("tinyint", [0xff], { unsigned: true }), "255");
  assert.equal(text("int", [0, 0, 0, 0x80]), "-2147483648");
  assert.equal(text("bigint", Array(8).fill(0xff), { unsigned: true }), "18446744073709551615");
  assert.equal(text("bigint", Array(8).fill(0xff)), "-1");
  assert.equal(text("year", [0xe8, 0x07]), "2024");
  assert.equal(text("enum", [3, 0, 0, 0, 0, 0, 0, 0]), "3");
});

Deno.test("key text: strings, and bytes that are none", () => {
  assert.equal(text("varchar", counted([...new TextEncoder().encode("häß")]), utf8), "häß");
  assert.equal(text("varchar", counted([0x61, 0xff]), utf8), "0x61FF");
  assert.equal(text("varchar", counted([0x61]), { charset: "latin1" }), "a");
  assert.equal(text("varchar", counted([0xe9]), { charset: "latin1" }), "0xE9");
  assert.equal(text("varchar", counted([0, 0x61]), { charset: "utf16" }), "0x0061");
  assert.equal(text("varbinary", counted([0x61])), "0x61");
  assert.equal(text("varchar", [0], utf8), "");
  assert.equal(text("varchar", [252, 4, 0, 0x61, 0x62, 0x63, 0x64], utf8), "abcd");
  assert.equal(text("uuid", counted([0x61, 0x2d])), "a-");
});

Deno.test("key text: moments", () => {
  assert.equal(text("date", [4, 0xe8, 7, 2, 29]), "2024-02-29");
  assert.equal(text("date", [0]), "0000-00-00");
  assert.equal(text("datetime", [7, 0xe8, 7, 2, 29, 1, 2, 3]), "2024-02-29 01:02:03");
  assert.equal(text("datetime", [4, 0xe8, 7, 2, 29], { fraction: 3 }), "2024-02-29 00:00:00.000");
  const micros = [0x40, 0xe2, 1, 0];
  assert.equal(
    text("timestamp", [11, 0xe8, 7, 2, 29, 1, 2, 3, ...micros], { fraction: 6 }),
    "2024-02-29 01:02:03.123456",
  );
  assert.equal(text("time", counted([...new TextEncoder().encode("-26:03:04.500")])), "-26:03:04.500");
});

Deno.test("key text: numbers with a point", () => {
  const double = Buffer.alloc(8);
  double.writeDoubleLE(-0.1);
  assert.equal(text("double", [...double]), "-0.1");
  assert.equal(text("decimal", counted([...new TextEncoder().encode("-1.50")])), "-1.50");
});

Deno.test("key text: a composite key has a text for each column", () => {
  const a = { name: "a", dataType: "int", unsigned: false } as Column;
  const b = { name: "b", dataType: "varchar", unsigned: false, charset: "utf8mb4" } as Column;
  const key = Buffer.from([7, 0, 0, 0, 1, 0x78]);
  assert.deepEqual(keyText(key, [wireColumn(a), wireColumn(b)]), { a: "7", b: "x" });
});
