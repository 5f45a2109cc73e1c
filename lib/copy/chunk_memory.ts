/**
 * Memory that chunks lie in: one that is written leaves its own to the next one, whichever worker reads that, of
 * whichever table. Left to the collector it would stay for long, since little else is collected while rows are copied.
 * @module
 */
import { RowList } from "../mysql/row_list.ts";

/** Bytes that a list keeps, and bytes that are made room for, at most. */
const KEPT = 16 << 20;

/** The memory of one copy: as many lists as were in use at once. */
export class ChunkMemory {
  readonly #spare: RowList[] = [];

  /** An empty list with room for so many bytes: growing step by step leaves several times as much to the collector. */
  take(bytes: number): RowList {
    const rows = this.#spare.pop() ?? new RowList();
    rows.arena.reserve(Math.min(bytes, KEPT));
    return rows;
  }

  /** These rows are needed no more. */
  give(rows: RowList): void {
    rows.clear(KEPT);
    this.#spare.push(rows);
  }
}
