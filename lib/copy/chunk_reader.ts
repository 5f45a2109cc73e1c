/**
 * Reads a range in key order, chunk by chunk, as wire rows.
 * @module
 */
import { Buffer } from "node:buffer";
import { quoteName, quoteTable } from "../mysql/identifier.ts";
import { keyBound, type KeyCondition } from "../mysql/key_sql.ts";
import type { RowList } from "../mysql/row_list.ts";
import { keyEnd, RowReader } from "../mysql/row_reader.ts";
import type { Session } from "../mysql/session.ts";
import type { WireColumn } from "../schema/wire_layout.ts";
import type { ChunkMemory } from "./chunk_memory.ts";
import type { CopyRange } from "./copy_range.ts";
import type { FerriedTable } from "./ferried_table.ts";
import type { ReadPoint } from "./read_point.ts";
import { rowCondition } from "./row_condition.ts";

/** Rows of a filtered table that one chunk looks at: however few of them are meant, its read comes to an end. */
const SPAN_ROWS = 20_000;

/** Rows read at one read point, not written yet. */
export interface Chunk {
  /** Where from. */
  readonly range: CopyRange;
  /** The key that it was read behind: where the range must be committed to before this chunk is (I5). */
  readonly from: Buffer | null;
  /** The rows. */
  readonly rows: RowList;
  /** Keys delivered since the chunk began to register; grows until the chunk is committed (I2). */
  readonly touched: Set<string>;
  /** Wire bytes of the key through which it was read; `null` where it has no rows and ends the range. */
  readonly lastKey: Buffer | null;
  /** The table's epoch when it began to register. */
  readonly epoch: number;
  /** The range holds nothing behind it. */
  readonly last: boolean;
}

/** Reads one table on one session. */
export class ChunkReader {
  readonly #readers = new Map<string, RowReader>();
  readonly #spanReaders = new Map<string, RowReader>();
  /** What is looked at of the range, while it is not read through. */
  #span: { readonly range: CopyRange; readonly end: Buffer | null } | null = null;
  /** Bytes that a row of the last chunk took on the wire. */
  #average = 0;

  /** `session` is a data session that `readPoint` has dressed. */
  constructor(
    private readonly session: Session,
    private readonly table: FerriedTable,
    private readonly readPoint: ReadPoint,
    private readonly memory: ChunkMemory,
  ) {}

  /** Reads the next chunk of at most `limit` rows. The chunk's watcher stays registered; {@linkcode forget} ends it. */
  async next(range: CopyRange, limit: number, signal: AbortSignal): Promise<Chunk> {
    const table = this.table;
    // Any key will do as a bound, so it may be looked up before the read point is fixed.
    if (table.sourceCondition !== null && this.#span?.range !== range) {
      this.#span = { range, end: await this.#spanEnd(range) };
    }
    const spanEnd = this.#span?.end ?? null;
    const rows = this.memory.take(Math.ceil(limit * this.#average) + SLACK);
    const touched = new Set<string>();
    // Registration first, then the read point notes what was delivered (I1, I2).
    table.watchers.add(touched);
    const { epoch } = table;
    range.beginRead();
    try {
      const from = range.readFrom;
      const keys: Buffer[] = [];
      if (from !== null) keys.push(from);
      const upper = spanEnd ?? range.stored.upper;
      if (upper !== null) keys.push(upper);
      const reader = this.#reader(from !== null, upper !== null);
      const count = await this.readPoint.at(
        this.session,
        signal,
        () => reader.readInto(keys, limit, rows),
      );
      if (count > 0) this.#average = rows.arena.end / count;
      const through = count < limit;
      if (through) this.#span = null;
      const lastKey = through && spanEnd !== null ? spanEnd : count === 0 ? null : this.#key(rows, count - 1);
      if (from === null && count > 0) range.first = this.#key(rows, 0);
      const last = through && spanEnd === null;
      range.endRead(lastKey, last);
      return { range, from, rows, touched, lastKey, epoch, last };
    } catch (e) {
      table.watchers.delete(touched);
      throw e;
    }
  }

  /** Nothing is read any more. */
  async release(): Promise<void> {
    for (const reader of [...this.#readers.values(), ...this.#spanReaders.values()]) await reader.release();
  }

  #key(rows: RowList, at: number): Buffer {
    const { nullBytes } = this.table.layout;
    const start = rows.starts[at];
    const bytes = rows.arena.bytes;
    return Buffer.from(bytes.subarray(start + nullBytes, keyEnd(bytes, start, nullBytes, this.table.key)));
  }

  #reader(lower: boolean, upper: boolean): RowReader {
    const name = `${lower}${upper}`;
    let reader = this.#readers.get(name);
    if (reader === undefined) {
      const { layout, key } = this.table;
      const { suffix } = this.readPoint;
      const conditions = this.#bounds(lower, upper);
      const sql = this.#select(layout.columns, conditions, rowCondition(this.table, suffix)) +
        `LIMIT ?${suffix}`;
      reader = new RowReader(this.session, sql, key, conditions, true);
      this.#readers.set(name, reader);
    }
    return reader;
  }

  /** The key of the row so many rows on, meant or not; `null` where the range ends before. */
  async #spanEnd(range: CopyRange): Promise<Buffer | null> {
    const [from, { upper }] = [range.readFrom, range.stored];
    const keys = [from, upper].filter((key) => key !== null);
    const name = `${from !== null}${upper !== null}`;
    let reader = this.#spanReaders.get(name);
    if (reader === undefined) {
      const { key } = this.table;
      const conditions = this.#bounds(from !== null, upper !== null);
      const sql = this.#select(key, conditions, null) + "LIMIT 1 OFFSET ?";
      reader = new RowReader(this.session, sql, key, conditions, true);
      this.#spanReaders.set(name, reader);
    }
    const nullBytes = (this.table.key.length + 9) >> 3;
    let end: Buffer | null = null;
    await reader.read(keys, SPAN_ROWS - 1, (b, start, stop) => {
      end = Buffer.from(b.subarray(start + nullBytes, stop));
    });
    return end;
  }

  #bounds(lower: boolean, upper: boolean): KeyCondition[] {
    const { key } = this.table;
    return [...(lower ? [keyBound(key, ">")] : []), ...(upper ? [keyBound(key, "<=")] : [])];
  }

  /** Up to where LIMIT begins. */
  #select(
    columns: readonly WireColumn[],
    conditions: readonly KeyCondition[],
    condition: string | null,
  ): string {
    const { table, key } = this.table;
    const terms = [...conditions.map((c) => c.sql), ...(condition === null ? [] : [condition])];
    const where = terms.length === 0 ? "" : ` WHERE ${terms.join(" AND ")}`;
    return `SELECT ${columns.map((c) => c.select).join(",")} FROM ${quoteTable(table)} ` +
      `FORCE INDEX (${quoteName(table.keyName)})${where} ORDER BY ${
        key.map((c) => quoteName(c.column.name)).join(",")
      } `;
  }
}

/** Bytes that the rows of a chunk may take above the last one's average. */
const SLACK = 256 << 10;

/** The chunk is committed, or given up: its keys are gathered no longer. `false` where that was said before. */
export function forget(chunk: Chunk): boolean {
  return chunk.range.table.watchers.delete(chunk.touched);
}
