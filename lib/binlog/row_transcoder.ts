/**
 * Row images to wire rows, without a JavaScript value in between (design, The idea).
 * @module
 */
import type { Buffer } from "node:buffer";
import type { Arena } from "../mysql/arena.ts";
import { FerryError } from "../errors.ts";
import { type Table, tableLabel } from "../schema/table.ts";
import type { WireLayout } from "../schema/wire_layout.ts";
import { putValue, skipValue } from "./row_value.ts";
import type { TableMap } from "./table_map.ts";
import { valueCodec } from "./value_codec.ts";

/**
 * Transcodes the full images of one table under one table map. An **image** is a null bitmap of `(columns + 7) >> 3`
 * bytes (column i at bit i), then the values that are not NULL, in the table's order. That every column is present is
 * the caller's to see to, and that {@link checkTableMap} found nothing.
 */
export class RowTranscoder {
  /** After {@link row}: where in `out` the key's bytes of that row end. They begin behind its bitmap. */
  keyEnd = 0;
  /** The layout that rows are written in. */
  readonly layout: WireLayout;

  readonly #label: string;
  readonly #imageNullBytes: number;
  readonly #columnCount: number;
  readonly #kinds: Uint8Array;
  readonly #args: Int32Array;
  /** Image column → its place in a wire row; -1 where it doesn't travel. */
  readonly #wireOf: Int32Array;
  /** Wire column → its place in an image. */
  readonly #imageOf: Int32Array;
  /** Whether the travelling columns come in the wire row's order anyway. */
  readonly #inOrder: boolean;
  /** Bytes that a row may take beyond its image's. */
  readonly #room: number;
  /** Where each value of the image begins; -1 is NULL. */
  readonly #starts: Int32Array;

  /** For images under `map` of `table`, whose rows travel as `layout`. */
  constructor(map: TableMap, table: Table, layout: WireLayout) {
    const n = map.columnCount;
    if (n !== table.columns.length) {
      throw new FerryError(
        "row-decode",
        `Cannot transcode rows of "${
          tableLabel(table)
        }": an image has ${n} columns, not ${table.columns.length}`,
      );
    }
    const codecs = table.columns.map((column, i) => valueCodec(map.types[i], map.meta[i], column));
    this.layout = layout;
    this.#label = tableLabel(table);
    this.#columnCount = n;
    this.#imageNullBytes = (n + 7) >> 3;
    this.#kinds = Uint8Array.from(codecs, (c) => c.kind);
    this.#args = Int32Array.from(codecs, (c) => c.arg);
    this.#imageOf = Int32Array.from(layout.columns, (c) => c.column.ordinal);
    this.#wireOf = new Int32Array(n).fill(-1);
    this.#imageOf.forEach((ordinal, wire) => this.#wireOf[ordinal] = wire);
    this.#inOrder = this.#imageOf.every((ordinal, wire) => wire === 0 || ordinal > this.#imageOf[wire - 1]);
    this.#room = layout.nullBytes + layout.columns.reduce((sum, c) => sum + codecs[c.column.ordinal].room, 0);
    this.#starts = new Int32Array(n);
  }

  /**
   * Appends the image at `o` as one whole wire row and returns the offset behind the image; `end` is the end of the
   * event's images. {@link keyEnd} then says where its key ends.
   */
  row(b: Buffer, o: number, end: number, out: Arena): number {
    out.reserve(this.#room + end - o);
    const bits = out.end;
    const nullBytes = this.layout.nullBytes;
    for (let i = 0; i < nullBytes; i++) out.bytes[bits + i] = 0;
    out.end += nullBytes;
    return this.#inOrder ? this.#rowInOrder(b, o, end, out, bits) : this.#rowReordered(b, o, end, out, bits);
  }

  /** Appends only the key's bytes, without a bitmap, of the image at `o` and returns the offset behind the image. */
  key(b: Buffer, o: number, end: number, out: Arena): number {
    out.reserve(this.#room + end - o);
    const behind = this.#locate(b, o, end);
    for (let wire = 0; wire < this.layout.keyColumns; wire++) {
      const i = this.#imageOf[wire];
      if (this.#starts[i] < 0) throw this.#nullKey(i);
      putValue(this.#kinds[i], this.#args[i], b, this.#starts[i], out, this.#room + end - o);
    }
    return behind;
  }

  /** The offset behind the image at `o`. */
  skip(b: Buffer, o: number, end: number): number {
    return this.#locate(b, o, end);
  }

  #rowInOrder(b: Buffer, o: number, end: number, out: Arena, bits: number): number {
    const image = o;
    const n = this.#columnCount;
    const keyColumns = this.layout.keyColumns;
    const wireOf = this.#wireOf;
    o += this.#imageNullBytes;
    for (let i = 0; i < n; i++) {
      const wire = wireOf[i];
      if (b[image + (i >> 3)] & (1 << (i & 7))) {
        if (wire < 0) continue;
        if (wire < keyColumns) throw this.#nullKey(i);
        out.bytes[bits + ((wire + 2) >> 3)] |= 1 << ((wire + 2) & 7);
        continue;
      }
      if (wire < 0) o = skipValue(this.#kinds[i], this.#args[i], b, o);
      else {
        o = putValue(this.#kinds[i], this.#args[i], b, o, out, this.#room + end - o);
        if (wire + 1 === keyColumns) this.keyEnd = out.end;
      }
    }
    return this.#within(o, end);
  }

  #rowReordered(b: Buffer, o: number, end: number, out: Arena, bits: number): number {
    const behind = this.#locate(b, o, end);
    const columns = this.#imageOf.length;
    for (let wire = 0; wire < columns; wire++) {
      const i = this.#imageOf[wire];
      const start = this.#starts[i];
      if (start >= 0) putValue(this.#kinds[i], this.#args[i], b, start, out, this.#room + end - o);
      else if (wire < this.layout.keyColumns) throw this.#nullKey(i);
      else out.bytes[bits + ((wire + 2) >> 3)] |= 1 << ((wire + 2) & 7);
      if (wire + 1 === this.layout.keyColumns) this.keyEnd = out.end;
    }
    return behind;
  }

  /** Notes where each value begins and returns the offset behind the image. */
  #locate(b: Buffer, o: number, end: number): number {
    const image = o;
    const starts = this.#starts;
    o += this.#imageNullBytes;
    for (let i = 0; i < starts.length; i++) {
      if (b[image + (i >> 3)] & (1 << (i & 7))) starts[i] = -1;
      else {
        starts[i] = o;
        o = skipValue(this.#kinds[i], this.#args[i], b, o);
      }
    }
    return this.#within(o, end);
  }

  /** A wrong column count or size shows here at the latest: images fill their event exactly. */
  #within(o: number, end: number): number {
    if (o <= end) return o;
    throw new FerryError("row-decode", `Cannot read a row image of "${this.#label}": it is cut off`);
  }

  #nullKey(i: number): FerryError {
    return new FerryError(
      "row-decode",
      `Cannot read a row image of "${this.#label}": key column ${i + 1} holds NULL`,
    );
  }
}
