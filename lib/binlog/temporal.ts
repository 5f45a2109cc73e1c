/**
 * Dates and times: packed in an image; in a wire row a date is counted fields, a TIME is text. The counted form drops
 * what is zero at its end, as both servers do: 0 bytes for all zero, 4 for a date, 7 with a time of day, 11 with
 * microseconds.
 * Source: MySQL, my_time.cc (…_from_packed) and protocol_classic.cc (store_datetime, store_time); the same in MariaDB.
 * @module
 */
import type { Buffer } from "node:buffer";
import type { Arena } from "../mysql/arena.ts";

/** Most bytes that any of these writes: a length and `-838:59:59.999999`. */
export const TEMPORAL_ROOM = 18;

/** Bytes of a fraction of so many digits. */
export function fractionBytes(digits: number): number {
  return (digits + 1) >> 1;
}

/** Microseconds of a fraction at `o`. */
function microseconds(b: Buffer, o: number, digits: number): number {
  switch (fractionBytes(digits)) {
    case 0:
      return 0;
    case 1:
      return b[o] * 10_000;
    case 2:
      return ((b[o] << 8) | b[o + 1]) * 100;
    default:
      return (b[o] << 16) | (b[o + 1] << 8) | b[o + 2];
  }
}

/** DATE, 3 bytes. */
export function putDate(b: Buffer, o: number, out: Arena): number {
  const v = b[o] | (b[o + 1] << 8) | (b[o + 2] << 16);
  putCounted(out, v >>> 9, (v >>> 5) & 15, v & 31, 0, 0, 0, 0);
  return o + 3;
}

/** DATETIME of so many fractional digits, 5-8 bytes. */
export function putDatetime(b: Buffer, o: number, digits: number, out: Arena): number {
  const v = ((b[o + 1] << 24) | (b[o + 2] << 16) | (b[o + 3] << 8) | b[o + 4]) >>> 0;
  const months = ((b[o] & 0x7f) << 10) | (v >>> 22);
  const year = (months / 13) | 0;
  const micro = microseconds(b, o + 5, digits);
  putCounted(
    out,
    year,
    months - year * 13,
    (v >>> 17) & 31,
    (v >>> 12) & 31,
    (v >>> 6) & 63,
    v & 63,
    micro,
  );
  return o + 5 + fractionBytes(digits);
}

/** DATETIME as it was before fractions, 8 bytes: the decimal number YYYYMMDDhhmmss. */
export function putOldDatetime(b: Buffer, o: number, out: Arena): number {
  const v = b.readUInt32LE(o) + b.readUInt32LE(o + 4) * 0x100000000;
  const date = Math.floor(v / 1_000_000);
  const time = v - date * 1_000_000;
  putCounted(
    out,
    (date / 10_000) | 0,
    ((date / 100) | 0) % 100,
    date % 100,
    (time / 10_000) | 0,
    ((time / 100) | 0) % 100,
    time % 100,
    0,
  );
  return o + 8;
}

/** TIMESTAMP of so many fractional digits, 4-7 bytes, as the datetime it is in UTC. */
export function putTimestamp(b: Buffer, o: number, digits: number, out: Arena): number {
  const seconds = ((b[o] << 24) | (b[o + 1] << 16) | (b[o + 2] << 8) | b[o + 3]) >>> 0;
  putSeconds(out, seconds, microseconds(b, o + 4, digits));
  return o + 4 + fractionBytes(digits);
}

/** TIMESTAMP as it was before fractions, 4 bytes. */
export function putOldTimestamp(b: Buffer, o: number, out: Arena): number {
  putSeconds(out, b.readUInt32LE(o), 0);
  return o + 4;
}

/** TIME of so many fractional digits, 3-6 bytes. */
export function putTime(b: Buffer, o: number, digits: number, out: Arena): number {
  const n = fractionBytes(digits);
  const unit = 2 ** (8 * n);
  // Seconds and fraction are one number, offset to be positive: -0.5 s is not -0 s and +0.5 s.
  let v = b.readUIntBE(o, 3 + n) - 0x800000 * unit;
  const negative = v < 0;
  if (negative) v = -v;
  const whole = Math.floor(v / unit);
  const micro = (v - whole * unit) * (n === 1 ? 10_000 : n === 2 ? 100 : 1);
  putTimeText(out, negative, (whole >> 12) & 0x3ff, (whole >> 6) & 63, whole & 63, micro, digits);
  return o + 3 + n;
}

/** TIME as it was before fractions, 3 bytes: the decimal number hhmmss. */
export function putOldTime(b: Buffer, o: number, out: Arena): number {
  const v = b.readIntLE(o, 3);
  const t = v < 0 ? -v : v;
  putTimeText(out, v < 0, (t / 10_000) | 0, ((t / 100) | 0) % 100, t % 100, 0, 0);
  return o + 3;
}

/** A point in UTC. Days to a civil date: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
function putSeconds(out: Arena, seconds: number, micro: number): void {
  if (seconds === 0 && micro === 0) return putCounted(out, 0, 0, 0, 0, 0, 0, 0);
  const days = (seconds / 86_400) | 0;
  const rest = seconds - days * 86_400;
  const z = days + 719_468;
  const era = (z / 146_097) | 0;
  const dayOfEra = z - era * 146_097;
  const yearOfEra =
    ((dayOfEra - ((dayOfEra / 1460) | 0) + ((dayOfEra / 36_524) | 0) - ((dayOfEra / 146_096) | 0)) / 365) | 0;
  const dayOfYear = dayOfEra - (365 * yearOfEra + (yearOfEra >> 2) - ((yearOfEra / 100) | 0));
  const mp = ((5 * dayOfYear + 2) / 153) | 0;
  const day = dayOfYear - (((153 * mp + 2) / 5) | 0) + 1;
  const month = mp < 10 ? mp + 3 : mp - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  putCounted(out, year, month, day, (rest / 3600) | 0, ((rest / 60) | 0) % 60, rest % 60, micro);
}

function putCounted(
  out: Arena,
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
  micro: number,
): void {
  const to = out.bytes;
  const p = out.end;
  const n = micro !== 0 ? 11 : (hour | minute | second) !== 0 ? 7 : (year | month | day) !== 0 ? 4 : 0;
  to[p] = n;
  if (n >= 4) {
    to[p + 1] = year & 255;
    to[p + 2] = year >> 8;
    to[p + 3] = month;
    to[p + 4] = day;
  }
  if (n >= 7) {
    to[p + 5] = hour;
    to[p + 6] = minute;
    to[p + 7] = second;
  }
  if (n === 11) putMicro(to, p + 8, micro);
  out.end = p + 1 + n;
}

/** `-hh:mm:ss.ffffff` with its length in front, as the servers print it. */
function putTimeText(
  out: Arena,
  negative: boolean,
  hours: number,
  minute: number,
  second: number,
  micro: number,
  digits: number,
): void {
  const to = out.bytes;
  let p = out.end + 1;
  if (negative) to[p++] = 45;
  if (hours > 99) to[p++] = 48 + ((hours / 100) | 0);
  p = putTwo(to, p, hours % 100);
  to[p++] = 58;
  p = putTwo(to, p, minute);
  to[p++] = 58;
  p = putTwo(to, p, second);
  if (digits > 0) {
    to[p++] = 46;
    for (let i = 0, unit = 100_000; i < digits; i++, unit /= 10) to[p++] = 48 + ((micro / unit) | 0) % 10;
  }
  to[out.end] = p - out.end - 1;
  out.end = p;
}

function putTwo(to: Buffer, p: number, n: number): number {
  to[p] = 48 + ((n / 10) | 0);
  to[p + 1] = 48 + n % 10;
  return p + 2;
}

function putMicro(to: Buffer, p: number, micro: number): void {
  to[p] = micro & 255;
  to[p + 1] = (micro >> 8) & 255;
  to[p + 2] = micro >> 16;
  to[p + 3] = 0;
}
