/**
 * Numbers of the MySQL client protocol: column types and length-encoded integers.
 * Source: MySQL Internals, "Protocol::ColumnType" and "Protocol::LengthEncodedInteger".
 * @module
 */
import type { Buffer } from "node:buffer";

/** Column type codes, the same in result sets, in statement parameters and (mostly) in TABLE_MAP events. */
export const Type = {
  DECIMAL: 0,
  TINY: 1,
  SHORT: 2,
  LONG: 3,
  FLOAT: 4,
  DOUBLE: 5,
  NULL: 6,
  TIMESTAMP: 7,
  LONGLONG: 8,
  INT24: 9,
  DATE: 10,
  TIME: 11,
  DATETIME: 12,
  YEAR: 13,
  VARCHAR: 15,
  BIT: 16,
  TIMESTAMP2: 17,
  DATETIME2: 18,
  TIME2: 19,
  BLOB_COMPRESSED: 140,
  VARCHAR_COMPRESSED: 141,
  VECTOR: 242,
  JSON: 245,
  NEWDECIMAL: 246,
  ENUM: 247,
  SET: 248,
  TINY_BLOB: 249,
  MEDIUM_BLOB: 250,
  LONG_BLOB: 251,
  BLOB: 252,
  VAR_STRING: 253,
  STRING: 254,
  GEOMETRY: 255,
} as const;

/** Bytes that a length-encoded integer of this first byte takes, itself included. */
export function lenencSize(first: number): number {
  return first < 251 ? 1 : first === 252 ? 3 : first === 253 ? 4 : 9;
}

/** The value of the length-encoded integer at `offset`. 251 (NULL) and 255 (error) are the caller's to rule out. */
export function lenencAt(b: Buffer, offset: number): number {
  const first = b[offset];
  if (first < 251) return first;
  if (first === 252) return b[offset + 1] | (b[offset + 2] << 8);
  if (first === 253) return b[offset + 1] | (b[offset + 2] << 8) | (b[offset + 3] << 16);
  return Number(b.readBigUInt64LE(offset + 1));
}

/** Writes a length-encoded integer and returns the offset behind it. Needs up to 9 bytes. */
export function putLenenc(b: Buffer, offset: number, n: number): number {
  if (n < 251) {
    b[offset] = n;
    return offset + 1;
  }
  if (n < 0x10000) {
    b[offset] = 252;
    b[offset + 1] = n & 255;
    b[offset + 2] = n >>> 8;
    return offset + 3;
  }
  if (n < 0x1000000) {
    b[offset] = 253;
    b[offset + 1] = n & 255;
    b[offset + 2] = (n >>> 8) & 255;
    b[offset + 3] = n >>> 16;
    return offset + 4;
  }
  b[offset] = 254;
  b.writeBigUInt64LE(BigInt(n), offset + 1);
  return offset + 9;
}
