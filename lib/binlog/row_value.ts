/**
 * One value of a row image: how long it is, and how it becomes a value of a wire row.
 * Source: MySQL, field.cc (pack) against protocol_classic.cc; MariaDB, the same two.
 * @module
 */
import type { Buffer } from "node:buffer";
import { Arena } from "../mysql/arena.ts";
import { FerryError } from "../errors.ts";
import { putLenenc, Type } from "../mysql/wire.ts";
import type { Column } from "../schema/table.ts";
import { ADDRESS_ROOM, putInet4, putInet6, putUuid } from "./address_text.ts";
import { inflateColumn } from "./compression.ts";
import { decimalRoom, decimalSize, putDecimal } from "./decimal.ts";
import { putJsonText } from "./jsonb.ts";
import * as temporal from "./temporal.ts";

/** How a column's values are transcoded: a small integer to switch on, and one number that it needs. */
export interface ValueCodec {
  /** One of {@link Kind}. */
  readonly kind: number;
  /** Sizes, digits or precision, by kind. */
  readonly arg: number;
  /** Bytes that a value may take beyond those it has in the image. */
  readonly room: number;
}

/** Kinds of values. */
export const Kind = {
  /** `arg` bytes, as they are. */
  FIXED: 0,
  INT24: 1,
  UINT24: 2,
  YEAR: 3,
  /** `arg`: precision << 9 | scale << 1 | zerofill. */
  DECIMAL: 4,
  DATE: 5,
  /** The next three: `arg` fractional digits. */
  DATETIME: 6,
  TIMESTAMP: 7,
  TIME: 8,
  OLD_DATETIME: 9,
  OLD_TIMESTAMP: 10,
  OLD_TIME: 11,
  /** `arg` bytes of length, then text. */
  STRING: 12,
  /** One byte of length (two from `arg` = 256 on), then bytes whose trailing zeros up to `arg` were cut off. */
  BINARY: 13,
  /** `arg` bytes. */
  BIT: 14,
  /** `arg` bytes of an integer that is 8 bytes in a wire row. */
  LABELS: 15,
  /** The next two: `arg` bytes of length. */
  JSON: 16,
  COMPRESSED: 17,
  UUID: 18,
  INET4: 19,
  INET6: 20,
} as const;

const TEMPORAL = temporal.TEMPORAL_ROOM;

/** Bytes of a length-encoded integer at most. */
const LENENC = 9;

/** How values under this type and metadata of a TABLE_MAP become values of `column`. */
export function valueCodec(type: number, meta: number, column: Column): ValueCodec {
  const codec = (kind: number, arg = 0, room = 0) => ({ kind, arg, room });
  switch (type) {
    case Type.TINY:
      return codec(Kind.FIXED, 1);
    case Type.SHORT:
      return codec(Kind.FIXED, 2);
    case Type.LONG:
    case Type.FLOAT:
      return codec(Kind.FIXED, 4);
    case Type.LONGLONG:
    case Type.DOUBLE:
      return codec(Kind.FIXED, 8);
    case Type.INT24:
      return codec(column.unsigned ? Kind.UINT24 : Kind.INT24, 0, 4);
    case Type.YEAR:
      return codec(Kind.YEAR, 0, 2);
    case Type.NEWDECIMAL: {
      const zerofill = / zerofill/.test(column.columnType) ? 1 : 0;
      return codec(Kind.DECIMAL, ((meta >> 8) << 9) | ((meta & 255) << 1) | zerofill, decimalRoom(meta >> 8));
    }
    case Type.DATE:
      return codec(Kind.DATE, 0, TEMPORAL);
    case Type.DATETIME2:
      return codec(Kind.DATETIME, meta, TEMPORAL);
    case Type.TIMESTAMP2:
      return codec(Kind.TIMESTAMP, meta, TEMPORAL);
    case Type.TIME2:
      return codec(Kind.TIME, meta, TEMPORAL);
    case Type.DATETIME:
      return codec(Kind.OLD_DATETIME, 0, TEMPORAL);
    case Type.TIMESTAMP:
      return codec(Kind.OLD_TIMESTAMP, 0, TEMPORAL);
    case Type.TIME:
      return codec(Kind.OLD_TIME, 0, TEMPORAL);
    case Type.VARCHAR:
    case Type.VAR_STRING:
      return codec(Kind.STRING, meta > 255 ? 2 : 1, LENENC);
    case Type.STRING:
      if (column.dataType === "uuid") return codec(Kind.UUID, meta, ADDRESS_ROOM);
      if (column.dataType === "inet4") return codec(Kind.INET4, meta, ADDRESS_ROOM);
      if (column.dataType === "inet6") return codec(Kind.INET6, meta, ADDRESS_ROOM);
      if (column.dataType === "binary") return codec(Kind.BINARY, meta, meta + LENENC);
      return codec(Kind.STRING, meta > 255 ? 2 : 1, LENENC);
    case Type.BIT:
      return codec(Kind.BIT, (meta >> 8) + (meta & 255 ? 1 : 0), 1);
    case Type.ENUM:
    case Type.SET:
      return codec(Kind.LABELS, meta, 8);
    case Type.TINY_BLOB:
    case Type.MEDIUM_BLOB:
    case Type.LONG_BLOB:
    case Type.BLOB:
    case Type.GEOMETRY:
    case Type.VECTOR:
      return codec(Kind.STRING, meta, LENENC);
    case Type.JSON:
      return codec(Kind.JSON, meta);
    case Type.BLOB_COMPRESSED:
      return codec(Kind.COMPRESSED, meta);
    case Type.VARCHAR_COMPRESSED:
      return codec(Kind.COMPRESSED, meta > 255 ? 2 : 1);
  }
  throw new FerryError("row-decode", `Cannot read column "${column.name}": its image has type ${type}`);
}

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
      putJsonText(b, o + arg, end, text);
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
