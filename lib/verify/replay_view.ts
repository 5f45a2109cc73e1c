/**
 * What the verifier has to know of replay.
 * @module
 */

/** The replay side as the verifier sees it. */
export interface ReplayView {
  /**
   * From now on keys that the tail delivers for this table are noted; `keys` are latin1 key strings (`keyString` of
   * the wire key bytes).
   */
  watch(table: number): { readonly keys: ReadonlySet<string>; stop(): void };
  /** Resolves when everything that was committed on the source before this call is on the target. */
  caughtUp(signal: AbortSignal): Promise<void>;
}
