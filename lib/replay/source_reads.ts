/**
 * Reads of the source in the middle of a flush: fresh ones, through a session of their own, or through the one that
 * holds the tables locked.
 * @module
 */
import type { BinlogPosition } from "../binlog/position.ts";
import type { ReadPoint } from "../copy/read_point.ts";
import type { Session } from "../mysql/session.ts";
import { RowLookup } from "./row_lookup.ts";

/** Fresh lookups on the source. */
export class SourceReads {
  #own: RowLookup | null = null;
  #fence: RowLookup | null = null;

  /** `open` gives a data session on the source. */
  constructor(private readonly open: () => Promise<Session>, private readonly readPoint: ReadPoint) {}

  /**
   * A fence is up that lets nobody but this session read, or (`null`) it will be down. Behind a fence everything that was
   * committed is visible. A read that waits for the fence is given up and asked again through its session.
   */
  fenced(session: Session | null): void {
    this.#fence = session === null ? null : new RowLookup(session, "source");
    this.#own?.session.destroy();
    this.#own = null;
  }

  /** Runs `read` so that it sees everything up to `upTo`. It may be run again. */
  async at<T>(
    upTo: BinlogPosition,
    signal: AbortSignal,
    read: (source: RowLookup) => Promise<T>,
  ): Promise<T> {
    for (;;) {
      signal.throwIfAborted();
      const fence = this.#fence;
      const lookup = fence ?? await this.#opened();
      // Opened while the fence went up: its reads would wait for it.
      if (fence !== this.#fence) continue;
      try {
        if (fence !== null) return await read(fence);
        return await this.readPoint.at(lookup.session, signal, () => read(lookup), upTo);
      } catch (e) {
        // Lost because the fence went up or down meanwhile, and for no other reason.
        if (lookup.session.usable || (lookup === this.#own && fence === this.#fence)) throw e;
        if (lookup === fence && fence === this.#fence) throw e;
      }
    }
  }

  async #opened(): Promise<RowLookup> {
    if (this.#own !== null) return this.#own;
    const session = await this.open();
    await this.readPoint.dress(session);
    this.#own = new RowLookup(session, "source", this.readPoint.suffix);
    return this.#own;
  }
}
