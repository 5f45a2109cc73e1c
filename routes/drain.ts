/**
 * The way out of the service: first no new work, then no more streams.
 * @module
 */

/** Tells the routes that the service is going. */
export class Drain {
  readonly #work = new AbortController();
  readonly #streams = new AbortController();

  /** Aborts when no more work is taken and held answers (`?wait`) are to be given. */
  get noWork(): AbortSignal {
    return this.#work.signal;
  }

  /** Aborts when event streams are to end, whatever their ferry does. */
  get noStreams(): AbortSignal {
    return this.#streams.signal;
  }

  /** Stops taking work. Streams go on: they tell how what is in flight is brought to its end. */
  stopWork(): void {
    this.#work.abort();
  }

  /** Ends the streams. */
  endStreams(): void {
    this.stopWork();
    this.#streams.abort();
  }
}
