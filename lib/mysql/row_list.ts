/**
 * Many wire rows in one run of memory: what a chunk is made of, and what a flush writes.
 * @module
 */
import { Buffer } from "node:buffer";
import { Arena } from "./arena.ts";

/** Wire rows behind one another. Row i lies at `[starts[i], ends[i])` of `arena.bytes`. */
export class RowList {
  /** The memory. */
  readonly arena: Arena;
  /** Where each row begins; as many as {@linkcode count} count. */
  readonly starts: number[] = [];
  /** Where each row ends. */
  readonly ends: number[] = [];
  #count = 0;
  #size = 0;

  /** An empty list; rows are appended to `arena`. */
  constructor(arena: Arena = new Arena()) {
    this.arena = arena;
  }

  /** Bytes of all rows: less than the arena holds where there is something between them. */
  get size(): number {
    return this.#size;
  }

  /** How many rows. */
  get count(): number {
    return this.#count;
  }

  /** Copies a row to the end. */
  push(b: Buffer, start: number, end: number): void {
    this.note(this.arena.append(b, start, end), this.arena.end);
  }

  /** Notes a row that already lies in the arena. */
  note(start: number, end: number): void {
    this.starts[this.#count] = start;
    this.ends[this.#count++] = end;
    this.#size += end - start;
  }

  /** Forgets the rows and keeps the memory for others, up to `keep` bytes. */
  clear(keep: number): void {
    this.arena.clear(keep);
    this.#count = 0;
    this.#size = 0;
  }
}

/** Key bytes as a map key: one character a byte. */
export function keyString(b: Buffer, start: number, end: number): string {
  return b.toString("latin1", start, end);
}

/** The bytes of a {@link keyString}. */
export function keyBytes(key: string): Buffer {
  return Buffer.from(key, "latin1");
}
