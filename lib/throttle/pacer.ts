/**
 * Holds a copy to so many rows and bytes a second, on the average of a second.
 * @module
 */

/** What may be copied a second; `null` as much as goes. */
export interface Pace {
  /** Rows. */
  readonly rows: number | null;
  /** Bytes. */
  readonly bytes: number | null;
}

/** How long a copy has to wait, and for which of both. */
export interface PaceWait {
  /** Milliseconds; 0 when there is an allowance. */
  readonly ms: number;
  /** What is waited for. */
  readonly cap: keyof Pace;
}

/** An allowance that fills up as time goes. What is taken beyond it has to be waited for. */
export class Pacer {
  #rows = 0;
  #bytes = 0;
  #at: number;

  /** `now`: a clock in milliseconds. */
  constructor(private readonly now: () => number) {
    this.#at = now();
  }

  /** So much was copied. */
  take(rows: number, bytes: number): void {
    this.#rows += rows;
    this.#bytes += bytes;
  }

  /** How long it is until there is an allowance again under this pace. */
  wait(pace: Pace): PaceWait {
    const now = this.now();
    const passed = (now - this.#at) / 1000;
    this.#at = now;
    const left = (taken: number, most: number | null) =>
      most === null ? 0 : Math.max(0, taken - most * passed);
    this.#rows = left(this.#rows, pace.rows);
    this.#bytes = left(this.#bytes, pace.bytes);
    const ms = (taken: number, most: number | null) => most === null ? 0 : Math.ceil(1000 * taken / most);
    const rows = ms(this.#rows, pace.rows);
    const bytes = ms(this.#bytes, pace.bytes);
    return bytes > rows ? { ms: bytes, cap: "bytes" } : { ms: rows, cap: "rows" };
  }
}
