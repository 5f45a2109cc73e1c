/**
 * The two packets that carry wire rows to a server: COM_STMT_EXECUTE of a statement prepared for a fixed number of rows
 * (any server), and COM_STMT_BULK_EXECUTE of a one-row statement (MariaDB).
 * Source: drivers 5; MySQL Internals "COM_STMT_EXECUTE"; MariaDB "COM_STMT_BULK_EXECUTE".
 * @module
 */
import type { Buffer } from "node:buffer";
import { Arena, copyShort } from "./arena.ts";
import { lenencAt, lenencSize } from "./wire.ts";
import type { WireColumn } from "../schema/wire_layout.ts";

/** One packet in the making; its memory is used again for the next. */
export interface RowPacket {
  /**
   * Starts a packet for `rows` rows of statement `statement`. `typed`: says the parameters' types, which a server then
   * knows for every later packet of that statement.
   */
  begin(statement: number, rows: number, typed: boolean): void;
  /** Adds a wire row: bitmap and values at `[start, end)`. */
  addRow(rows: Arena, start: number, end: number): void;
  /** The packet, with 4 free bytes in front. Valid until the next `begin`. */
  finish(): Buffer;
}

function parameterType(c: WireColumn): number {
  return c.type | (c.unsigned ? 0x8000 : 0);
}

/** COM_STMT_EXECUTE with the parameters of several rows. */
export class ExecutePacket implements RowPacket {
  readonly #types: readonly number[];
  readonly #nullBytes: number;
  readonly #out = new Arena(1 << 18);
  #row = 0;

  /** For rows of these columns, and one row's bitmap. */
  constructor(columns: readonly WireColumn[]) {
    this.#types = columns.map(parameterType);
    this.#nullBytes = (columns.length + 9) >> 3;
  }

  begin(statement: number, rows: number, typed: boolean): void {
    const out = this.#out;
    const n = this.#types.length;
    const bitmap = (rows * n + 7) >> 3;
    out.clear();
    out.reserve(15 + bitmap + rows * n * 2);
    const b = out.bytes;
    b[4] = 0x17;
    b.writeUInt32LE(statement, 5);
    b[9] = 0; // no cursor
    b.writeUInt32LE(1, 10);
    b.fill(0, 14, 14 + bitmap);
    let o = 14 + bitmap;
    b[o++] = typed ? 1 : 0;
    for (let r = 0; typed && r < rows; r++) {
      for (let i = 0; i < n; i++) {
        const t = this.#types[i];
        b[o++] = t & 255;
        b[o++] = t >> 8;
      }
    }
    out.end = o;
    this.#row = 0;
  }

  addRow(rows: Arena, start: number, end: number): void {
    const n = this.#types.length;
    const bits = this.#row++ * n;
    const out = this.#out.bytes;
    const b = rows.bytes;
    for (let k = 0; k < this.#nullBytes; k++) {
      // The bitmap of a row leaves out its first two bits.
      for (let left = b[start + k]; left !== 0; left &= left - 1) {
        const bit = bits + k * 8 + (31 - Math.clz32(left & -left)) - 2;
        out[14 + (bit >> 3)] |= 1 << (bit & 7);
      }
    }
    this.#out.appendFrom(rows, start + this.#nullBytes, end);
  }

  /** Adds values that are all there, without a bitmap: a key. */
  addValues(b: Buffer, start: number, end: number): void {
    this.#out.append(b, start, end);
  }

  finish(): Buffer {
    return this.#out.bytes.subarray(0, this.#out.end);
  }
}

/** COM_STMT_BULK_EXECUTE: an indicator byte before each value, any number of rows. */
export class BulkPacket implements RowPacket {
  readonly #types: readonly number[];
  /** Bytes of each column's values, or how those say it themselves. */
  readonly #spans: Int32Array;
  readonly #nullBytes: number;
  readonly #out = new Arena(1 << 18);

  /** For rows of these columns. */
  constructor(columns: readonly WireColumn[]) {
    this.#types = columns.map(parameterType);
    this.#spans = Int32Array.from(
      columns,
      ({ span }) => span === "counted" ? COUNTED : span === "lenenc" ? LENENC : span,
    );
    this.#nullBytes = (columns.length + 9) >> 3;
  }

  begin(statement: number, _rows: number, typed: boolean): void {
    const out = this.#out;
    out.clear();
    out.reserve(11 + this.#types.length * 2);
    const b = out.bytes;
    b[4] = 0xfa;
    b.writeUInt32LE(statement, 5);
    b.writeUInt16LE(typed ? 128 : 0, 9);
    let o = 11;
    for (const type of typed ? this.#types : []) {
      b[o++] = type & 255;
      b[o++] = type >> 8;
    }
    out.end = o;
  }

  addRow(rows: Arena, start: number, end: number): void {
    const spans = this.#spans;
    const out = this.#out;
    out.reserve(end - start + spans.length);
    const [to, b] = [out.bytes, rows.bytes];
    let p = out.end, o = start + this.#nullBytes;
    for (let i = 0; i < spans.length; i++) {
      if (b[start + ((i + 2) >> 3)] & (1 << ((i + 2) & 7))) {
        to[p++] = 1;
        continue;
      }
      to[p++] = 0;
      let size = spans[i];
      if (size === LENENC) size = lenencSize(b[o]) + lenencAt(b, o);
      else if (size === COUNTED) size = 1 + b[o];
      if (size < 8) { for (let k = 0; k < size; k++) to[p + k] = b[o + k]; }
      else if (size < 128) copyShort(rows, o, out, p, size);
      else to.set(b.subarray(o, o + size), p);
      p += size;
      o += size;
    }
    out.end = p;
  }

  finish(): Buffer {
    return this.#out.bytes.subarray(0, this.#out.end);
  }
}

/** How {@linkcode BulkPacket} notes that a value says its length. */
const COUNTED = -1;
const LENENC = -2;

/** Bytes of the value at `o`, its length prefix included. */
export function valueSize(b: Buffer, o: number, column: WireColumn): number {
  switch (column.span) {
    case "counted":
      return 1 + b[o];
    case "lenenc":
      return lenencSize(b[o]) + lenencAt(b, o);
    default:
      return column.span;
  }
}
