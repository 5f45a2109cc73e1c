/**
 * What the servers compress in a binlog: whole transactions (MySQL), single events and column values (MariaDB).
 * @module
 */
import { Buffer } from "node:buffer";
import * as zlib from "node:zlib";
import { FerryError } from "../errors.ts";
import { lenencAt, lenencSize } from "../mysql/wire.ts";

/** Both are in Deno and in Node 22; older type packages, which others of our dependencies bring, don't know them. */
const { crc32: checksum, zstdDecompressSync } = zlib as unknown as {
  crc32(data: Uint8Array): number;
  zstdDecompressSync(data: Uint8Array): Buffer;
};

/** CRC-32 of bytes, as events carry it. */
export function crc32(data: Uint8Array): number {
  return checksum(data);
}

/** Events of a TRANSACTION_PAYLOAD body, one behind another, without checksums. May share memory with `b`. */
export function inflateTransaction(b: Buffer, o: number, end: number): Buffer {
  let size = -1;
  let algorithm = -1;
  let inflated = -1;
  while (o < end) {
    const field = lenencAt(b, o);
    o += lenencSize(b[o]);
    if (field === 0) break;
    const length = lenencAt(b, o);
    o += lenencSize(b[o]);
    const value = lenencAt(b, o);
    o += length;
    if (field === 1) size = value;
    else if (field === 2) algorithm = value;
    else if (field === 3) inflated = value;
  }
  if (size < 0 || o + size > end) throw corrupt("transaction", `its payload of ${size} bytes is cut off`);
  const payload = b.subarray(o, o + size);
  if (algorithm === 255) return payload;
  if (algorithm !== 0) throw corrupt("transaction", `algorithm ${algorithm} is not known`);
  const out = zstdDecompressSync(payload);
  if (inflated >= 0 && out.length !== inflated) {
    throw corrupt("transaction", `${out.length} bytes came out, ${inflated} were announced`);
  }
  return out;
}

/** The plain part of a MariaDB compressed event: `1aaa0lll`, `lll` bytes of length (big endian), zlib. */
export function inflateEvent(b: Buffer, o: number, end: number): Buffer {
  const head = b[o];
  const lengthBytes = head & 7;
  if (o >= end || (head & 0xf0) !== 0x80 || lengthBytes < 1 || lengthBytes > 4) {
    throw corrupt("event", `header ${head} is not known`);
  }
  const length = b.readUIntBE(o + 1, lengthBytes);
  const out = zlib.inflateSync(b.subarray(o + 1 + lengthBytes, end));
  if (out.length !== length) {
    throw corrupt("event", `${out.length} bytes came out, ${length} were announced`);
  }
  return out;
}

const NOTHING = Buffer.alloc(0);

/** The value of a MariaDB COMPRESSED column, which is `b[o, end)`. May share memory with `b`. */
export function inflateColumn(b: Buffer, o: number, end: number): Buffer {
  if (o === end) return NOTHING;
  const method = b[o] >> 4;
  if (method === 0) return b.subarray(o + 1, end);
  if (method !== 8) throw corrupt("column value", `method ${method} is not known`);
  // Low bits: how many bytes of length follow; bit 3: raw deflate, no zlib header.
  const data = b.subarray(o + 1 + (b[o] & 7), end);
  return b[o] & 8 ? zlib.inflateRawSync(data) : zlib.inflateSync(data);
}

/** Whether zlib threw this. */
export function isInflateError(e: unknown): boolean {
  const code = (e as { code?: unknown } | null)?.code;
  return typeof code === "string" && /^(Z_|ZSTD_|ERR_)/.test(code);
}

function corrupt(what: string, state: string): FerryError {
  return new FerryError("event-decode", `Cannot inflate a compressed ${what}: ${state}`);
}
