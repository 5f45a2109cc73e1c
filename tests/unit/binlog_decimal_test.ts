import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { decimalRoom, decimalSize, putDecimal } from "../../lib/binlog/decimal.ts";
import { Arena } from "../../lib/mysql/arena.ts";

const BYTES = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];

/** The packed form, written the slow way: groups of 9 digits, odd groups outermost, inverted when negative. */
function pack(negative: boolean, whole: string, fraction: string): Buffer {
  const bytes: number[] = [];
  const group = (digits: string) => {
    const n = BYTES[digits.length];
    for (let i = n - 1; i >= 0; i--) bytes.push(Math.floor(Number(digits) / 256 ** i) % 256);
  };
  const odd = whole.length % 9;
  if (odd) group(whole.slice(0, odd));
  for (let i = odd; i < whole.length; i += 9) group(whole.slice(i, i + 9));
  for (let i = 0; i < fraction.length; i += 9) group(fraction.slice(i, i + 9));
  if (negative) bytes.forEach((x, i) => bytes[i] = x ^ 0xff);
  bytes[0] ^= 0x80;
  return Buffer.from(bytes);
}

function text(b: Buffer, precision: number, scale: number, zerofill = false): string {
  const out = new Arena(decimalRoom(precision));
  assert.equal(putDecimal(b, 0, precision, scale, zerofill, out), decimalSize(precision, scale));
  assert.equal(out.bytes[0], out.end - 1);
  return out.bytes.toString("latin1", 1, out.end);
}

Deno.test("a packed DECIMAL becomes the text that the server prints", () => {
  // From the source of decimal2bin: 1234567890.1234 as DECIMAL(14,4).
  assert.equal(text(Buffer.from("810dfb38d204d2", "hex"), 14, 4), "1234567890.1234");
  assert.equal(text(Buffer.from("7ef204c72dfb2d", "hex"), 14, 4), "-1234567890.1234");
  assert.equal(text(Buffer.from("80000000", "hex"), 5, 2), "0.00");
  assert.equal(text(Buffer.from("800c32", "hex"), 5, 2, true), "012.50");
});

Deno.test("every DECIMAL comes back with the digits it was packed from", () => {
  const digit = fc.constantFrom(..."0123456789");
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 65 }).chain((p) =>
        fc.tuple(fc.constant(p), fc.integer({ min: 0, max: Math.min(30, p) }))
      ),
      fc.array(digit, { minLength: 65, maxLength: 65 }),
      fc.boolean(),
      fc.boolean(),
      ([precision, scale], digits, negative, zerofill) => {
        const whole = digits.slice(0, precision - scale).join("");
        const fraction = digits.slice(precision - scale, precision).join("");
        const shown = (zerofill ? whole : whole.replace(/^0+(?=.)/, "")) || "0";
        const expected = `${negative ? "-" : ""}${shown}${scale > 0 ? `.${fraction}` : ""}`;
        assert.equal(text(pack(negative, whole, fraction), precision, scale, zerofill), expected);
      },
    ),
  );
});
