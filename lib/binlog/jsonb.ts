/**
 * MySQL's binary JSON to the text that the server prints for it.
 * Source: MySQL, json_binary.h (format) and json_dom.cc (wrapper_to_string).
 * @module
 */
import type { Buffer } from "node:buffer";
import { Arena } from "../mysql/arena.ts";
import { FerryError } from "../errors.ts";
import { Type } from "../mysql/wire.ts";
import { decimalRoom, putDecimal } from "./decimal.ts";
import { doubleText } from "./json_number.ts";

/** Value types; an odd container is a large one. */
const SMALL_OBJECT = 0, LARGE_OBJECT = 1, LARGE_ARRAY = 3, LITERAL = 4;
const INT16 = 5,
  UINT16 = 6,
  INT32 = 7,
  UINT32 = 8,
  INT64 = 9,
  UINT64 = 10,
  DOUBLE = 11,
  STRING = 12,
  OPAQUE = 15;

/** The server nests no deeper than 100; a deeper value is damage and would exhaust our stack. */
const MAX_DEPTH = 101;

/** Appends the text of a whole JSON value to `out`. An empty one is what a failed write left: `null`. */
export function putJsonText(value: Buffer, out: Arena): void {
  if (value.length === 0) putAscii("null", out);
  else putValue(value, value[0], 1, out, 0);
}

function putValue(b: Buffer, type: number, o: number, out: Arena, depth: number): void {
  if (type <= LARGE_ARRAY) return putContainer(b, type, o, out, depth + 1);
  switch (type) {
    case LITERAL:
      return putAscii(b[o] === 0 ? "null" : b[o] === 1 ? "true" : "false", out);
    case INT16:
      return putAscii(String(b.readInt16LE(o)), out);
    case UINT16:
      return putAscii(String(b.readUInt16LE(o)), out);
    case INT32:
      return putAscii(String(b.readInt32LE(o)), out);
    case UINT32:
      return putAscii(String(b.readUInt32LE(o)), out);
    case INT64:
      return putAscii(String(b.readBigInt64LE(o)), out);
    case UINT64:
      return putAscii(String(b.readBigUInt64LE(o)), out);
    case DOUBLE:
      return putAscii(doubleText(b.readDoubleLE(o)), out);
    case STRING: {
      const length = varLength(b, o);
      o += varLengthSize(length);
      return putString(b, o, o + length, out);
    }
    case OPAQUE:
      return putOpaque(b, o, out);
  }
  throw damaged(`type ${type}`);
}

/** Object or array at `o`. Offsets inside count from there. */
function putContainer(b: Buffer, type: number, o: number, out: Arena, depth: number): void {
  if (depth > MAX_DEPTH) throw damaged("nested too deep");
  const large = (type & 1) === 1;
  const size = large ? 4 : 2;
  const number = (at: number) => large ? b.readUInt32LE(at) : b.readUInt16LE(at);
  const count = number(o);
  const isObject = type === SMALL_OBJECT || type === LARGE_OBJECT;
  const keys = o + 2 * size;
  const values = keys + (isObject ? count * (size + 2) : 0);
  putAscii(isObject ? "{" : "[", out);
  for (let i = 0; i < count; i++) {
    if (i > 0) putAscii(", ", out);
    if (isObject) {
      const entry = keys + i * (size + 2);
      const key = o + number(entry);
      putString(b, key, key + b.readUInt16LE(entry + size), out);
      putAscii(": ", out);
    }
    const entry = values + i * (1 + size);
    const valueType = b[entry];
    const inlined = valueType === LITERAL || valueType === INT16 || valueType === UINT16 ||
      (large && (valueType === INT32 || valueType === UINT32));
    putValue(b, valueType, inlined ? entry + 1 : o + number(entry + 1), out, depth);
  }
  putAscii(isObject ? "}" : "]", out);
}

/** A quoted string. Its bytes are utf8mb4 and stay so; only `"`, `\` and control characters are escaped. */
function putString(b: Buffer, o: number, end: number, out: Arena): void {
  if (o > end || end > b.length) throw damaged("a string is cut off");
  out.reserve((end - o) * 6 + 2);
  const to = out.bytes;
  let p = out.end;
  to[p++] = 34;
  while (o < end) {
    const c = b[o++];
    if (c >= 32 && c !== 34 && c !== 92) {
      to[p++] = c;
      continue;
    }
    to[p++] = 92;
    const short = SHORT_ESCAPES[c];
    if (short !== undefined) to[p++] = short;
    else {
      p += to.write(`u00${c < 16 ? "0" : ""}${c.toString(16)}`, p, "latin1");
    }
  }
  to[p++] = 34;
  out.end = p;
}

/** `"` `\` \b \t \n \f \r → the character behind the backslash. */
const SHORT_ESCAPES: Record<number, number> = { 34: 34, 92: 92, 8: 98, 9: 116, 10: 110, 12: 102, 13: 114 };

/** A value of an SQL type that JSON doesn't have: field type, length, bytes. */
function putOpaque(b: Buffer, o: number, out: Arena): void {
  const type = b[o];
  const length = varLength(b, o + 1);
  o += 1 + varLengthSize(length);
  switch (type) {
    case Type.NEWDECIMAL: {
      out.reserve(decimalRoom(b[o]));
      const at = out.end;
      putDecimal(b, o + 2, b[o], b[o + 1], false, out);
      out.bytes.copyWithin(at, at + 1, out.end); // no length in front of it here
      out.end--;
      return;
    }
    case Type.DATE:
    case Type.DATETIME:
    case Type.TIMESTAMP:
    case Type.TIME:
      return putAscii(temporalText(b.readBigInt64LE(o), type), out);
    default:
      if (o + length > b.length) throw damaged("a value is cut off");
      return putAscii(`"base64:type${type}:${base64(b, o, o + length)}"`, out);
  }
}

/** Packed `(year * 13 + month, day, h, m, s) << 24 | microseconds`, negative for a negative time. */
function temporalText(packed: bigint, type: number): string {
  const magnitude = packed < 0n ? -packed : packed;
  const micro = two(Number(magnitude & 0xffffffn), 6);
  const whole = magnitude >> 24n;
  const clock = (hours: number) =>
    `${two(hours)}:${two(Number((whole >> 6n) & 63n))}:${two(Number(whole & 63n))}.${micro}`;
  if (type === Type.TIME) return `"${packed < 0n ? "-" : ""}${clock(Number((whole >> 12n) & 0x3ffn))}"`;
  const months = Number(whole >> 22n);
  const date = `${two(Math.floor(months / 13), 4)}-${two(months % 13)}-${two(Number((whole >> 17n) & 31n))}`;
  return type === Type.DATE ? `"${date}"` : `"${date} ${clock(Number((whole >> 12n) & 31n))}"`;
}

function two(n: number, digits = 2): string {
  return String(n).padStart(digits, "0");
}

/** The server breaks its base64 into lines of 76 characters; the breaks are escaped, being inside a JSON string. */
function base64(b: Buffer, o: number, end: number): string {
  return b.toString("base64", o, end).replace(/(.{76})(?=.)/g, "$1\\n");
}

/** 7 bits a byte, low ones first. */
function varLength(b: Buffer, o: number): number {
  let n = 0;
  for (let i = 0, unit = 1; i < 5; i++, unit *= 128) {
    n += (b[o + i] & 127) * unit;
    if (b[o + i] < 128) return n;
  }
  throw damaged("a length has no end");
}

function varLengthSize(n: number): number {
  let size = 1;
  for (; n >= 128; n = Math.floor(n / 128)) size++;
  return size;
}

function putAscii(text: string, out: Arena): void {
  out.reserve(text.length);
  if (text.length > 32) out.bytes.write(text, out.end, "latin1");
  else for (let i = 0; i < text.length; i++) out.bytes[out.end + i] = text.charCodeAt(i);
  out.end += text.length;
}

function damaged(state: string): FerryError {
  return new FerryError("row-decode", `Cannot read a JSON value: ${state}`);
}
