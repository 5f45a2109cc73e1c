/**
 * DECIMAL: packed base-10⁹ digits in an image, decimal text in a wire row.
 * Source: MySQL, strings/decimal.cc (decimal2bin), decimal2string.
 * @module
 */
import type { Buffer } from "node:buffer";
import type { Arena } from "../mysql/arena.ts";

/** Bytes that 0-9 digits take. */
const BYTES = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];

/** Bytes of a packed DECIMAL(precision, scale). */
export function decimalSize(precision: number, scale: number): number {
  const whole = precision - scale;
  return ((whole / 9) | 0) * 4 + BYTES[whole % 9] + ((scale / 9) | 0) * 4 + BYTES[scale % 9];
}

/** Most bytes that {@link putDecimal} writes: length, sign, zero, point, digits. */
export function decimalRoom(precision: number): number {
  return precision + 4;
}

/**
 * Writes the value at `o` as the server prints it, behind a length byte; `zerofill` pads the whole digits.
 * `out` must have {@link decimalRoom}. Returns the offset behind the value.
 */
export function putDecimal(
  b: Buffer,
  o: number,
  precision: number,
  scale: number,
  zerofill: boolean,
  out: Arena,
): number {
  const to = out.bytes;
  const start = out.end;
  const whole = precision - scale;
  const mask = b[o] & 0x80 ? 0 : -1; // a negative number is stored inverted
  let p = start + 1;
  if (mask !== 0) to[p++] = 45;
  const digits = p;
  let sign = 0x80; // the first byte's top bit is inverted once more
  for (let left = whole; left > 0;) {
    const n = left % 9 || 9; // an odd group comes first
    const value = group(b, o, BYTES[n], mask, sign);
    sign = 0;
    o += BYTES[n];
    left -= n;
    if (p > digits || zerofill) p = putPadded(to, p, value, n);
    else if (value !== 0) p = putPadded(to, p, value, width(value));
  }
  if (p === digits) to[p++] = 48;
  if (scale > 0) {
    to[p++] = 46;
    for (let left = scale; left > 0;) {
      const n = left >= 9 ? 9 : left; // an odd group comes last
      p = putPadded(to, p, group(b, o, BYTES[n], mask, sign), n);
      sign = 0;
      o += BYTES[n];
      left -= n;
    }
  }
  to[start] = p - start - 1;
  out.end = p;
  return o;
}

function group(b: Buffer, o: number, bytes: number, mask: number, sign: number): number {
  let value = (b[o] ^ sign ^ mask) & 0xff;
  for (let i = 1; i < bytes; i++) value = (value << 8) | ((b[o + i] ^ mask) & 0xff);
  return value;
}

function width(value: number): number {
  let n = 1;
  for (let limit = 10; value >= limit; limit *= 10) n++;
  return n;
}

function putPadded(to: Buffer, p: number, value: number, n: number): number {
  for (let i = p + n - 1; i >= p; i--) {
    const tens = (value / 10) | 0;
    to[i] = 48 + value - tens * 10;
    value = tens;
  }
  return p + n;
}
