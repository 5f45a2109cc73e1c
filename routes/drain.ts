/**
 * The way out of the service: first no new work, then no more streams.
 * @module
 */
import { FerryError } from "../lib/errors.ts";

/** Tells the routes that the service is going. */
export class Drain {
  readonly #work = new AbortController();
  readonly #streams = new AbortController();

  /** Aborts when no more work is taken and held answers (`?wait`) are to be given. Its reason is the 503 `draining`. */
  get noWork(): AbortSignal {
    return this.#work.signal;
  }

  /** Aborts when event streams are to end, whatever their ferry does. */
  get noStreams(): AbortSignal {
    return this.#streams.signal;
  }

  /** Stops taking work. Streams go on: they tell how what is in flight is brought to its end. */
  stopWork(): void {
    this.#work.abort(
      new FerryError("draining", "Cannot take work: the service is stopping", { retryable: true }),
    );
  }

  /** Ends the streams. */
  endStreams(): void {
    this.stopWork();
    this.#streams.abort();
  }
}
