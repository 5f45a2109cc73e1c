/**
 * Changes of one table that wait to be written: the last image of each key.
 * @module
 */
import type { Buffer } from "node:buffer";
import { Arena } from "../mysql/arena.ts";
import { keyBytes, RowList } from "../mysql/row_list.ts";

/** One table's share of a flush. */
export class PendingChanges {
  /** Row of a key as slot number, or -1 for a delete. */
  readonly #last = new Map<string, number>();
  readonly #rows = new Arena();
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #keyBytes = 0;

  /** Keys that wait. */
  get size(): number {
    return this.#last.size;
  }

  /** Memory in use, roughly, in bytes. */
  get bytes(): number {
    return this.#rows.end + this.#keyBytes * 2 + this.#last.size * 48;
  }

  /** This row is the newest of its key. */
  put(key: string, b: Buffer, start: number, end: number): void {
    if (!this.#last.has(key)) this.#keyBytes += key.length;
    this.#last.set(key, this.#starts.length);
    this.#starts.push(this.#rows.append(b, start, end));
    this.#ends.push(this.#rows.end);
  }

  /** This key is no more. */
  remove(key: string): void {
    if (!this.#last.has(key)) this.#keyBytes += key.length;
    this.#last.set(key, -1);
  }

  /** Whether a row of this key waits. */
  holds(key: string): boolean {
    return (this.#last.get(key) ?? -1) >= 0;
  }

  /** What waited of this key is superseded by something that a read is still to see (I4, mayKeepPending). */
  drop(key: string): void {
    if (this.#last.delete(key)) this.#keyBytes -= key.length;
  }

  /** Every key that waits. */
  keys(): Iterable<string> {
    return this.#last.keys();
  }

  /** Rows to be written. */
  rows(): RowList {
    const list = new RowList(this.#rows);
    for (const slot of this.#last.values()) if (slot >= 0) list.note(this.#starts[slot], this.#ends[slot]);
    return list;
  }

  /** Keys to be deleted, as key bytes. */
  removals(): RowList {
    const list = new RowList();
    for (const [key, slot] of this.#last) {
      if (slot >= 0) continue;
      const bytes = keyBytes(key);
      list.push(bytes, 0, bytes.length);
    }
    return list;
  }
}
