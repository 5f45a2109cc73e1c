import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { putJsonText } from "../../lib/binlog/jsonb.ts";
import { doubleText } from "../../lib/binlog/json_number.ts";
import { Arena } from "../../lib/mysql/arena.ts";

function textOf(b: Buffer): string {
  const out = new Arena(16);
  putJsonText(b, out);
  return out.bytes.toString("utf8", 0, out.end);
}

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

Deno.test("JSONB scalars are printed as the server does", () => {
  for (
    const [bytes, text] of [
      ["", "null"],
      ["04 00", "null"],
      ["04 01", "true"],
      ["04 02", "false"],
      ["05 ffff", "-1"],
      ["06 ffff", "65535"],
      ["07 00000080", "-2147483648"],
      ["08 ffffffff", "4294967295"],
      ["09 0000000000000080", "-9223372036854775808"],
      ["0a ffffffffffffffff", "18446744073709551615"],
      ["0b 000000000000f03f", "1.0"],
      ["0c 06 61 22 5c 01 7f 0a", '"a\\"\\\\\\u0001\x7f\\n"'],
    ] as const
  ) assert.equal(textOf(hex(bytes)), text);
});

Deno.test("JSONB values of SQL's own types are printed as the server does", () => {
  assert.equal(textOf(hex("0f f6 04 03 02 81 0a")), "1.10"); // DECIMAL(3,2)
  const date = (2024n * 13n + 2n) << 5n | 29n;
  const packed = (v: bigint) => {
    const b = Buffer.alloc(8);
    b.writeBigInt64LE(v);
    return b.toString("hex");
  };
  assert.equal(textOf(hex(`0f 0a 08 ${packed((date << 17n) << 24n)}`)), '"2024-02-29"');
  const clock = 23n << 12n | 59n << 6n | 1n;
  assert.equal(
    textOf(hex(`0f 0c 08 ${packed((date << 17n | clock) << 24n | 5n)}`)),
    '"2024-02-29 23:59:01.000005"',
  );
  assert.equal(textOf(hex(`0f 0b 08 ${packed(-(clock << 24n | 500000n))}`)), '"-23:59:01.500000"');
  assert.equal(textOf(hex("0f fc 02 00ff")), '"base64:type252:AP8="');
  const long = textOf(Buffer.concat([hex("0f fc 3a"), Buffer.alloc(58, 97)]));
  assert.equal(long, `"base64:type252:${"YWFh".repeat(19)}\\nYQ=="`);
});

Deno.test("JSONB containers keep the stored order and may have holes", () => {
  // {"b": 1, "aa": [true, 65536]}: keys by length, an inlined literal, an int32 that is not inlined in a small array.
  const array = "0200 1200 04 0100 07 0a00 00000100 ffffffff";
  const object = `0200 2900 1200 0100 1300 0200 05 0100 02 1500 62 6161 ${array}`;
  assert.equal(textOf(hex(`00 ${object}`)), '{"b": 1, "aa": [true, 65536]}');
  assert.equal(textOf(hex("02 0000 0400")), "[]");
  assert.equal(textOf(hex("00 0000 0400")), "{}");
  // A large array inlines its int32.
  assert.equal(textOf(hex("03 01000000 0d000000 07 fbffffff")), "[-5]");
});

Deno.test("damaged JSONB is refused", () => {
  for (
    const bytes of [
      "0d",
      "0c 80 80 80 80 80 80",
      "0c 05 61",
      "0f fc 05 61",
      "0b 0000",
      "00 0100 2900 0900 ff00 05 0100",
    ]
  ) {
    assert.throws(
      () => textOf(hex(bytes)),
      (e) => e instanceof RangeError || (e as { code?: string }).code === "row-decode",
      bytes,
    );
  }
  const loop = hex("02 0100 0700 02 0000"); // an array that holds itself
  assert.throws(() => textOf(loop), { code: "row-decode" });
});

Deno.test("doubles are printed as the server does", () => {
  for (
    const [v, text] of [
      [0, "0.0"],
      [-0, "-0.0"],
      [1, "1.0"],
      [-1.5, "-1.5"],
      [1e14, "100000000000000.0"],
      [1e15, "1e15"],
      [123456789012345680, "1.2345678901234568e17"],
      [1234567890123456.8, "1234567890123456.8"],
      [1e308, "1e308"],
      [5e-324, "5e-324"],
      [0.1, "0.1"],
      [1e-5, "0.00001"],
      [1e-14, "0.00000000000001"],
      [1.5e-15, "0.0000000000000015"],
      [1.5e-16, "1.5e-16"],
    ] as const
  ) assert.equal(doubleText(v), text);
});

Deno.test("doubles read back as what they were", () => {
  fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (v) => {
    assert(Object.is(Number(doubleText(v)), v));
  }));
});
