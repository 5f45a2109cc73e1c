/**
 * How far copy and replay are: a cursor for each range of a table, a binlog position for the ferry. Both move in the
 * transaction of the rows that they speak of (I5), under the owner's epoch (I8).
 * @module
 */
import type { Buffer } from "node:buffer";
import type { BinlogPosition } from "../binlog/position.ts";
import { quoteName, quoteText } from "../mysql/identifier.ts";
import type { Session } from "../mysql/session.ts";
import { type Ownership, writeOwned } from "./ownership.ts";

/** A range of a table's key, and how far it is copied. Keys are wire bytes. */
export interface StoredRange {
  /** Which table of the plan. */
  readonly tableNo: number;
  /** Which range of it. */
  readonly rangeNo: number;
  /** Keys above this one; `null` from the first. */
  readonly lower: Buffer | null;
  /** Keys up to and with this one; `null` to the last. */
  readonly upper: Buffer | null;
  /** The last key that is committed; `null` before the first chunk. */
  readonly cursor: Buffer | null;
  /** Nothing is left. */
  readonly done: boolean;
  /** Rows copied. */
  readonly rows: number;
  /** Bytes copied. */
  readonly bytes: number;
}

/** Where replay stands. */
export interface StoredPosition extends BinlogPosition {
  /** GTIDs replayed, or `null`. */
  readonly gtids: string | null;
  /** XA transactions that were prepared before it, by this ferry's tail: open ones that hold nothing of the ferry's. */
  readonly prepared: readonly string[];
  /** Row changes replayed so far. */
  readonly changes: number;
}

/** Statements on the ranges and positions of the state schema. */
export class CursorStore {
  readonly #s: string;

  /** For the state schema of this name. */
  constructor(schema: string) {
    this.#s = quoteName(schema);
  }

  /** Where replay stands, or `null` before it began. */
  async position(session: Session, id: string): Promise<StoredPosition | null> {
    const r = await session.one(
      `SELECT file, log_offset, gtids, changes, xids FROM ${this.#s}.positions ` +
        `LEFT JOIN ${this.#s}.prepared USING (ferry_id) WHERE ferry_id = ?`,
      [id],
    );
    return r === null ? null : {
      file: r.file,
      offset: Number(r.log_offset),
      gtids: r.gtids,
      prepared: (r.xids ?? "").split(" ").filter((xid: string) => xid !== ""),
      changes: Number(r.changes),
    };
  }

  /** Notes where replay begins; nothing is known to be prepared there. */
  async createPosition(
    session: Session,
    own: Ownership,
    p: Omit<StoredPosition, "prepared">,
  ): Promise<void> {
    await session.run(`INSERT INTO ${this.#s}.positions VALUES (?, ?, ?, ?, ?, ?)`, [
      own.id,
      p.file,
      p.offset,
      p.gtids,
      p.changes,
      own.epoch,
    ]);
  }

  /**
   * Moves the position, in the transaction of the changes that it covers (I5). Runs on a data session. `before`: what was
   * prepared at the position saved last, by the same list where nothing has changed.
   */
  async savePosition(
    session: Session,
    own: Ownership,
    p: StoredPosition,
    before: readonly string[],
  ): Promise<void> {
    await writeOwned(
      session,
      own,
      `UPDATE ${this.#s}.positions SET file = ${quoteText(p.file)}, log_offset = ${p.offset}, ` +
        `gtids = ${p.gtids === null ? "NULL" : quoteText(p.gtids)}, changes = ${p.changes} ` +
        `WHERE ferry_id = ${quoteText(own.id)} AND epoch = ${own.epoch}`,
    );
    if (p.prepared === before) return;
    // Behind the position's own row, which only the owner could change and has until the transaction ends (I8).
    await session.run(
      `REPLACE INTO ${this.#s}.prepared VALUES (${quoteText(own.id)}, ${quoteText(p.prepared.join(" "))})`,
    );
  }

  /** The ranges of every table. */
  async ranges(session: Session, id: string): Promise<StoredRange[]> {
    const rows = await session.query(
      `SELECT * FROM ${this.#s}.ranges WHERE ferry_id = ? ORDER BY table_no, range_no`,
      [id],
    );
    return rows.map((r) => ({
      tableNo: Number(r.table_no),
      rangeNo: Number(r.range_no),
      lower: r.lower_key,
      upper: r.upper_key,
      cursor: r.cursor_key,
      done: Number(r.done) === 1,
      rows: Number(r.copied_rows),
      bytes: Number(r.copied_bytes),
    }));
  }

  /** Notes the ranges of one table, all at once. */
  async createRanges(session: Session, own: Ownership, ranges: readonly StoredRange[]): Promise<void> {
    await session.run(`INSERT INTO ${this.#s}.ranges VALUES ?`, [
      ranges.map((
        r,
      ) => [
        own.id,
        r.tableNo,
        r.rangeNo,
        r.lower,
        r.upper,
        r.cursor,
        r.done ? 1 : 0,
        r.rows,
        r.bytes,
        own.epoch,
      ]),
    ]);
  }

  /** Moves a range's cursor, in the transaction of its rows (I5). Runs on a data session. */
  async saveCursor(session: Session, own: Ownership, r: StoredRange): Promise<void> {
    const cursor = r.cursor === null ? "NULL" : `x'${r.cursor.toString("hex")}'`;
    await writeOwned(
      session,
      own,
      `UPDATE ${this.#s}.ranges SET cursor_key = ${cursor}, done = ${
        r.done ? 1 : 0
      }, copied_rows = ${r.rows}, ` +
        `copied_bytes = ${r.bytes} WHERE ferry_id = ${quoteText(own.id)} AND table_no = ${r.tableNo} ` +
        `AND range_no = ${r.rangeNo} AND epoch = ${own.epoch}`,
    );
  }
}
