/**
 * How many ranges are copied side by side: one more as long as that makes the copy faster, and no more than that, since
 * what a further connection does not bring it still costs the servers (measured: on two processors the fourth connection
 * took 8 % more of the target's time and copied 5 % less).
 * @module
 */

/** Ranges side by side to begin with. */
const BEGIN = 2;
/** Milliseconds after a change that are not measured: connections open and statements are prepared. */
const SETTLE_MS = 300;
/** A rate is measured over at least so many milliseconds and chunks; chunks are large, and come in steps. */
const MEASURE_MS = 2000;
const MEASURE_CHUNKS = 16;
/** One more has to bring so much. */
const GAIN = 1.08;
/** Milliseconds until one more is tried again, the first time; doubled after each attempt that brought nothing. */
const REST_MS = 20_000;
const LONGEST_REST_MS = 320_000;

/** Finds that number while the copy runs. */
export class Tuner {
  #workers = BEGIN;
  /** Bytes a millisecond with one range less, while one more is being tried. */
  #before: number | null = null;
  #rest = REST_MS;
  #restUntil = 0;
  #from: number;
  #bytes = 0;
  #chunks = 0;

  /** `now`: a clock in milliseconds. */
  constructor(private readonly now: () => number) {
    this.#from = now() + SETTLE_MS;
  }

  /** Ranges to copy side by side now, `most` at most. */
  workers(most: number): number {
    return Math.min(this.#workers, most);
  }

  /** A chunk of so many bytes was committed, with so many ranges under way; `most` may be at most. */
  note(bytes: number, underWay: number, most: number): void {
    const now = this.now();
    // A rate of fewer ranges than meant (the tables that are left take no more) says nothing.
    if (underWay < this.workers(most) || now < this.#from) {
      return this.#measureFrom(Math.max(now, this.#from));
    }
    this.#bytes += bytes;
    this.#chunks++;
    const took = now - this.#from;
    if (took < MEASURE_MS || this.#chunks < MEASURE_CHUNKS) return;
    this.#decide(this.#bytes / took, now, most);
  }

  #decide(rate: number, now: number, most: number): void {
    if (this.#before !== null && rate < this.#before * GAIN) {
      this.#workers--;
      this.#before = null;
      this.#restUntil = now + this.#rest;
      this.#rest = Math.min(this.#rest * 2, LONGEST_REST_MS);
      return this.#measureFrom(now + SETTLE_MS);
    }
    if (this.#workers >= most || now < this.#restUntil) return this.#measureFrom(now);
    this.#before = rate;
    this.#workers++;
    this.#measureFrom(now + SETTLE_MS);
  }

  #measureFrom(at: number): void {
    this.#from = at;
    this.#bytes = 0;
    this.#chunks = 0;
  }
}
