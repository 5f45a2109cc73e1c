/**
 * One value of a row image: how long it is, and how it becomes a value of a wire row.
 * Source: MySQL, field.cc (pack) against protocol_classic.cc; MariaDB, the same two.
 * @module
 */
import type { Buffer } from "node:buffer";
import { Arena } from "../mysql/arena.ts";
import { FerryError } from "../errors.ts";
import { putLenenc } from "../mysql/wire.ts";
import { putInet4, putInet6, putUuid } from "./address_text.ts";
import { inflateColumn } from "./compression.ts";
import { decimalSize, putDecimal } from "./decimal.ts";
import { putJsonText } from "./jsonb.ts";
import * as temporal from "./temporal.ts";
import { Kind } from "./value_codec.ts";

/** Bytes of a length-encoded integer at most. */
const LENENC = 9;

/** The offset behind the value at `o`. */
export function skipValue(kind: number, arg: number, b: Buffer, o: number): number {
  switch (kind) {
    case Kind.FIXED:
    case Kind.BIT:
    case Kind.LABELS:
      return o + arg;
    case Kind.STRING:
    case Kind.JSON:
    case Kind.COMPRESSED:
      return o + arg + lengthAt(b, o, arg);
    case Kind.BINARY:
      return arg > 255 ? o + 2 + lengthAt(b, o, 2) : o + 1 + b[o];
    case Kind.UUID:
    case Kind.INET4:
    case Kind.INET6:
      return o + 1 + b[o];
    case Kind.YEAR:
      return o + 1;
    case Kind.DECIMAL:
      return o + decimalSize(arg >> 9, (arg >> 1) & 255);
    case Kind.INT24:
    case Kind.UINT24:
    case Kind.DATE:
    case Kind.OLD_TIME:
      return o + 3;
    case Kind.DATETIME:
      return o + 5 + temporal.fractionBytes(arg);
    case Kind.TIMESTAMP:
      return o + 4 + temporal.fractionBytes(arg);
    case Kind.TIME:
      return o + 3 + temporal.fractionBytes(arg);
    case Kind.OLD_DATETIME:
      return o + 8;
    case Kind.OLD_TIMESTAMP:
      return o + 4;
  }
  throw new Error(`Cannot skip a value: kind ${kind}`);
}

/**
 * Appends the value at `o` as a wire row's value and returns the offset behind it. `out` has room for the image's own
 * bytes and the codec's `room`; JSON and COMPRESSED values, which grow, make their own and leave `left` bytes more.
 */
export function putValue(kind: number, arg: number, b: Buffer, o: number, out: Arena, left: number): number {
  switch (kind) {
    case Kind.FIXED: {
      const to = out.bytes;
      const p = out.end;
      for (let i = 0; i < arg; i++) to[p + i] = b[o + i];
      out.end = p + arg;
      return o + arg;
    }
    case Kind.STRING: {
      const n = arg === 1 ? b[o] : lengthAt(b, o, arg);
      return putBytes(b, o + arg, n, out);
    }
    case Kind.INT24:
    case Kind.UINT24: {
      const to = out.bytes;
      const p = out.end;
      to[p] = b[o];
      to[p + 1] = b[o + 1];
      to[p + 2] = b[o + 2];
      to[p + 3] = kind === Kind.INT24 && b[o + 2] > 127 ? 255 : 0;
      out.end = p + 4;
      return o + 3;
    }
    case Kind.YEAR: {
      const year = b[o] === 0 ? 0 : 1900 + b[o];
      out.bytes[out.end] = year & 255;
      out.bytes[out.end + 1] = year >> 8;
      out.end += 2;
      return o + 1;
    }
    case Kind.DECIMAL:
      return putDecimal(b, o, arg >> 9, (arg >> 1) & 255, (arg & 1) === 1, out);
    case Kind.DATE:
      return temporal.putDate(b, o, out);
    case Kind.DATETIME:
      return temporal.putDatetime(b, o, arg, out);
    case Kind.TIMESTAMP:
      return temporal.putTimestamp(b, o, arg, out);
    case Kind.TIME:
      return temporal.putTime(b, o, arg, out);
    case Kind.OLD_DATETIME:
      return temporal.putOldDatetime(b, o, out);
    case Kind.OLD_TIMESTAMP:
      return temporal.putOldTimestamp(b, o, out);
    case Kind.OLD_TIME:
      return temporal.putOldTime(b, o, out);
    case Kind.BINARY: {
      const head = arg > 255 ? 2 : 1;
      const n = lengthAt(b, o, head);
      const p = putLenenc(out.bytes, out.end, arg);
      b.copy(out.bytes, p, o + head, o + head + n);
      out.bytes.fill(0, p + n, p + arg);
      out.end = p + arg;
      return o + head + n;
    }
    case Kind.BIT:
      out.bytes[out.end++] = arg;
      return putRaw(b, o, arg, out);
    case Kind.LABELS: {
      const to = out.bytes;
      const p = out.end;
      for (let i = 0; i < 8; i++) to[p + i] = i < arg ? b[o + i] : 0;
      out.end = p + 8;
      return o + arg;
    }
    case Kind.UUID:
      putUuid(b, o + 1, b[o], out);
      return o + 1 + b[o];
    case Kind.INET4:
      putInet4(b, o + 1, b[o], out);
      return o + 1 + b[o];
    case Kind.INET6:
      putInet6(b, o + 1, b[o], out);
      return o + 1 + b[o];
    case Kind.JSON: {
      const end = o + arg + lengthAt(b, o, arg);
      inRange(b, end);
      text.clear();
      putJsonText(b.subarray(o + arg, end), text);
      putGrown(text.bytes, text.end, out, left);
      return end;
    }
    case Kind.COMPRESSED: {
      const end = o + arg + lengthAt(b, o, arg);
      inRange(b, end);
      const plain = inflateColumn(b, o + arg, end);
      putGrown(plain, plain.length, out, left);
      return end;
    }
  }
  throw new Error(`Cannot transcode a value: kind ${kind}`);
}

/** Where JSON text is made: its length stands in front of it and is known only behind it. */
const text = new Arena();

function putGrown(source: Buffer, n: number, out: Arena, left: number): void {
  out.reserve(n + LENENC + left);
  putBytes(source, 0, n, out);
}

/** A length-encoded string of `n` bytes at `o`. */
function putBytes(b: Buffer, o: number, n: number, out: Arena): number {
  inRange(b, o + n);
  if (n < 251) out.bytes[out.end++] = n;
  else out.end = putLenenc(out.bytes, out.end, n);
  return putRaw(b, o, n, out);
}

function putRaw(b: Buffer, o: number, n: number, out: Arena): number {
  const to = out.bytes;
  const p = out.end;
  // A call into the runtime costs as much as copying some hundred bytes here.
  if (n < 160) { for (let i = 0; i < n; i++) to[p + i] = b[o + i]; }
  else b.copy(to, p, o, o + n);
  out.end = p + n;
  return o + n;
}

function lengthAt(b: Buffer, o: number, bytes: number): number {
  switch (bytes) {
    case 1:
      return b[o];
    case 2:
      return b[o] | (b[o + 1] << 8);
    case 3:
      return b[o] | (b[o + 1] << 8) | (b[o + 2] << 16);
    default:
      return b.readUInt32LE(o);
  }
}

/** A length that points behind the memory is damage; copying would stop short in silence. */
function inRange(b: Buffer, end: number): void {
  if (!(end <= b.length)) throw new FerryError("row-decode", "Cannot read a row image: a value is cut off");
}
