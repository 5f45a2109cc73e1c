/**
 * Cuts a binary result set into rows where it lies: what the socket brings is appended whole to the rows' memory, and
 * only each packet's header is looked at. A driver that makes a packet of every row takes most of a copy's time.
 * Source: MySQL Internals, "Binary Protocol Resultset", "MySQL Packets".
 * @module
 */
import { Buffer } from "node:buffer";
import { FerryError } from "../errors.ts";
import type { RowList } from "./row_list.ts";

/** Length of a packet behind which the payload goes on in the next one. */
const CONTINUED = 0xffffff;

/** Rows of one result set, from behind its column definitions. */
export class RowScan {
  /** Where the first packet begins that is not a row of the list yet. */
  #at: number;
  #sequence: number;

  /** `sequence`: the number that the first row's packet has. */
  constructor(private readonly rows: RowList, sequence: number) {
    this.#at = rows.arena.end;
    this.#sequence = sequence;
  }

  /** The number of the packet that comes next. */
  get sequence(): number {
    return this.#sequence;
  }

  /**
   * Adds what has arrived. Answers `null` while rows go on, else the bytes from the packet on that is none: the end of
   * the result, or an error. Throws `protocol-broken` where packets are missing.
   */
  feed(chunk: Buffer): Buffer | null {
    const { rows } = this;
    const { arena } = rows;
    arena.append(chunk, 0, chunk.length);
    const { bytes: b, end } = arena;
    let at = this.#at;
    // 4 bytes header, and the byte that tells a row from an end.
    while (end - at >= 5) {
      const length = b[at] | (b[at + 1] << 8) | (b[at + 2] << 16);
      const first = b[at + 4];
      if (first !== 0) {
        if (first !== 0xff && !(first === 0xfe && length < 9)) {
          throw broken(`a row begins with byte ${first}`);
        }
        arena.end = at;
        return Buffer.from(b.subarray(at, end));
      }
      if (length === CONTINUED) {
        const behind = this.#joined(at);
        if (behind < 0) break;
        at = behind;
        continue;
      }
      const behind = at + 4 + length;
      if (behind > end) break;
      this.#count(b[at + 3]);
      rows.note(at + 5, behind);
      at = behind;
    }
    this.#at = at;
    return null;
  }

  /** The rows so far are used; what there is of the next one is kept. */
  drained(): void {
    const { arena } = this.rows;
    const left = arena.end - this.#at;
    arena.bytes.copyWithin(0, this.#at, arena.end);
    this.rows.clear(arena.bytes.length);
    arena.end = left;
    this.#at = 0;
  }

  /** Puts a row of several packets together in its place. Answers where the last one ends, or -1 while it is not there. */
  #joined(at: number): number {
    const { bytes: b, end } = this.rows.arena;
    const lengthAt = (p: number) => b[p] | (b[p + 1] << 8) | (b[p + 2] << 16);
    let behind = at;
    for (let length = CONTINUED; length === CONTINUED;) {
      if (end - behind < 4) return -1;
      length = lengthAt(behind);
      behind += 4 + length;
      if (behind > end) return -1;
    }
    let to = at + 4;
    for (let p = at; p < behind;) {
      const length = lengthAt(p);
      this.#count(b[p + 3]);
      if (p > at) b.copyWithin(to, p + 4, p + 4 + length);
      to += length;
      p += 4 + length;
    }
    this.rows.note(at + 5, to);
    return behind;
  }

  #count(sequence: number): void {
    if (sequence !== this.#sequence) {
      throw broken(`packet ${sequence} has come in place of ${this.#sequence}`);
    }
    this.#sequence = (sequence + 1) & 255;
  }
}

function broken(state: string): FerryError {
  return new FerryError("protocol-broken", `Cannot read rows: ${state}`, {
    hint: "Something between the ferry and the server changes or drops data; look at proxies",
  });
}
