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

  /** Milliseconds until there is an allowance again under this pace; 0 when there is. */
  wait(pace: Pace): number {
    const now = this.now();
    const passed = (now - this.#at) / 1000;
    this.#at = now;
    const left = (taken: number, most: number | null) =>
      most === null ? 0 : Math.max(0, taken - most * passed);
    this.#rows = left(this.#rows, pace.rows);
    this.#bytes = left(this.#bytes, pace.bytes);
    const seconds = (taken: number, most: number | null) => most === null ? 0 : taken / most;
    return Math.ceil(1000 * Math.max(seconds(this.#rows, pace.rows), seconds(this.#bytes, pace.bytes)));
  }
}
