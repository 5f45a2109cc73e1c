/**
 * How fast something grows, over the last seconds.
 * @module
 */

/** Milliseconds that a rate looks back. */
const WINDOW_MS = 10_000;

/** Samples of a growing number. */
export class Rate {
  #samples: { at: number; value: number }[] = [];

  /** Notes the number of now; `at` in milliseconds. */
  note(value: number, at: number): void {
    this.#samples.push({ at, value });
    while (this.#samples.length > 2 && this.#samples[0].at < at - WINDOW_MS) this.#samples.shift();
  }

  /** Growth a second, or `null` before two samples a second apart. */
  perSecond(): number | null {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.at - first.at < 1000) return null;
    return (last.value - first.value) * 1000 / (last.at - first.at);
  }
}
