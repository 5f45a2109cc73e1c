/**
 * Waiting no longer than a signal allows for what knows no signal itself.
 * @module
 */

/** Rejects with the signal's reason when it aborts, to be raced with something else; never resolves. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
