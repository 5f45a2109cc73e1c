/**
 * Who may write a table now: chunks share it, a flush has it alone (I3). In-process only; the lease keeps others out.
 * @module
 */
import { mayBeginFlush, maySendChunk } from "./rules.ts";

/** Gives the gate back. */
export type Release = () => void;

/** One table's gate. A waiting flush goes before later chunks, so that copying never starves replay. */
export class TableGate {
  #chunks = 0;
  #flush = false;
  #flushWaiting = 0;
  #waiters: (() => void)[] = [];

  /** Waits until no flush holds or awaits the table. */
  async chunk(signal: AbortSignal): Promise<Release> {
    while (!maySendChunk(this.#flush) || this.#flushWaiting > 0) await this.#turn(signal);
    this.#chunks++;
    return () => {
      this.#chunks--;
      this.#wake();
    };
  }

  /** Waits until no chunk write is in flight. */
  async flush(signal: AbortSignal): Promise<Release> {
    this.#flushWaiting++;
    try {
      while (this.#flush || !mayBeginFlush(this.#chunks)) await this.#turn(signal);
      this.#flush = true;
    } finally {
      this.#flushWaiting--;
      if (!this.#flush) this.#wake();
    }
    return () => {
      this.#flush = false;
      this.#wake();
    };
  }

  #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const done = () => {
        signal.removeEventListener("abort", aborted);
        resolve();
      };
      const aborted = () => reject(signal.reason);
      signal.addEventListener("abort", aborted, { once: true });
      this.#waiters.push(done);
    });
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}
