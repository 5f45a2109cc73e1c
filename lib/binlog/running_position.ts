/**
 * Where a stream of events is in the binlog. Events say only the low 32 bits of where they end, or nothing at all.
 * @module
 */
import { EventType, FLAG_ARTIFICIAL } from "./event_header.ts";
import type { BinlogPosition } from "./position.ts";

const WRAP = 0x1_0000_0000;
/** Events that stand at the beginning of a file and nowhere else. */
const OPENING: ReadonlySet<number> = new Set<number>([
  EventType.FORMAT_DESCRIPTION,
  EventType.PREVIOUS_GTIDS,
]);

/** Adds up the events' lengths, and holds the sum against what the events say. */
export class RunningPosition {
  #file: string;
  #offset: number;

  /** Begins at `start`. */
  constructor(start: BinlogPosition) {
    this.#file = start.file;
    this.#offset = start.offset;
  }

  /** A copy of the position. */
  now(): BinlogPosition {
    return { file: this.#file, offset: this.#offset };
  }

  /** An event passed: `next` is the low half of its end, 0 where it doesn't say (MariaDB, inside a transaction). */
  advance(type: number, length: number, next: number, flags: number): void {
    if (flags & FLAG_ARTIFICIAL) return;
    if (type === EventType.HEARTBEAT || type === EventType.HEARTBEAT_V2) {
      // It takes no room, and may repeat a place that we are past.
      if (next !== 0 && this.#offset < WRAP && next > this.#offset) this.#offset = next;
      return;
    }
    if (next === 0) {
      // Begun in the middle of a file, the stream opens with that file's description, which stands elsewhere.
      if (type !== EventType.FORMAT_DESCRIPTION) this.#offset += length;
      return;
    }
    if (OPENING.has(type)) {
      // They open a file, and a stream that begins by GTIDs in the middle of one: what they say is all of it.
      this.#offset = Math.max(this.#offset, next);
      return;
    }
    const before = this.#offset;
    // Where the server left events out, the sum is short: what the event says counts, and it never goes back.
    const sum = before + length;
    let end = sum - (sum % WRAP) + next;
    if (end < before) end += WRAP;
    this.#offset = end;
  }

  /** A ROTATE passed: the next event stands at `offset` of `file`. */
  rotate(file: string, offset: number): void {
    // The server opens a stream with a made-up ROTATE to where it begins, of which only the low half may be true.
    if (file === this.#file && offset < this.#offset) return;
    this.#file = file;
    this.#offset = offset;
  }
}
