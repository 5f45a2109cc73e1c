/**
 * Reads a range in key order, chunk by chunk, as wire rows.
 * @module
 */
import { Buffer } from "node:buffer";
import { quoteName, quoteTable } from "../mysql/identifier.ts";
import { keyBound } from "../mysql/key_sql.ts";
import { RowList } from "../mysql/row_list.ts";
import { keyEnd, RowReader } from "../mysql/row_reader.ts";
import type { Session } from "../mysql/session.ts";
import type { CopyRange } from "./copy_range.ts";
import type { FerriedTable } from "./ferried_table.ts";
import type { ReadPoint } from "./read_point.ts";

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
  /** Wire bytes of the last key; `null` without rows. */
  readonly lastKey: Buffer | null;
  /** The range holds nothing behind it. */
  readonly last: boolean;
}

/** Reads one table on one session. */
export class ChunkReader {
  readonly #readers = new Map<string, RowReader>();

  /** `session` is a data session that `readPoint` has dressed. */
  constructor(
    private readonly session: Session,
    private readonly table: FerriedTable,
    private readonly readPoint: ReadPoint,
  ) {}

  /** Reads the next chunk of at most `limit` rows. The chunk's watcher stays registered; {@linkcode forget} ends it. */
  async next(range: CopyRange, limit: number, signal: AbortSignal): Promise<Chunk> {
    const table = this.table;
    const rows = new RowList();
    const touched = new Set<string>();
    // Registration first, then the read point notes what was delivered (I1, I2).
    table.watchers.add(touched);
    range.beginRead();
    try {
      const from = range.readFrom;
      const keys: Buffer[] = [];
      if (from !== null) keys.push(from);
      if (range.stored.upper !== null) keys.push(range.stored.upper);
      const reader = this.#reader(from !== null, range.stored.upper !== null);
      const count = await this.readPoint.at(
        this.session,
        signal,
        () => reader.read(keys, limit, (b, start, end) => rows.push(b, start, end)),
      );
      const lastKey = count === 0 ? null : this.#lastKey(rows);
      const last = count < limit;
      range.endRead(lastKey, last);
      return { range, from, rows, touched, lastKey, last };
    } catch (e) {
      table.watchers.delete(touched);
      throw e;
    }
  }

  #lastKey(rows: RowList): Buffer {
    const { nullBytes } = this.table.layout;
    const start = rows.starts[rows.count - 1];
    const bytes = rows.arena.bytes;
    return Buffer.from(bytes.subarray(start + nullBytes, keyEnd(bytes, start, nullBytes, this.table.key)));
  }

  #reader(lower: boolean, upper: boolean): RowReader {
    const name = `${lower}${upper}`;
    let reader = this.#readers.get(name);
    if (reader === undefined) {
      const { table, layout, key } = this.table;
      const conditions = [...(lower ? [keyBound(key, ">")] : []), ...(upper ? [keyBound(key, "<=")] : [])];
      const where = conditions.length === 0 ? "" : ` WHERE ${conditions.map((c) => c.sql).join(" AND ")}`;
      const sql = `SELECT ${layout.columns.map((c) => c.select).join(",")} FROM ${quoteTable(table)} ` +
        `FORCE INDEX (${quoteName(table.keyName)})${where} ORDER BY ${
          key.map((c) => quoteName(c.column.name)).join(",")
        } ` +
        `LIMIT ?${this.readPoint.suffix}`;
      reader = new RowReader(this.session, sql, key, conditions, true);
      this.#readers.set(name, reader);
    }
    return reader;
  }
}

/** The chunk is committed, or given up: its keys are gathered no longer. */
export function forget(chunk: Chunk): void {
  chunk.range.table.watchers.delete(chunk.touched);
}
