/**
 * How far the tail has delivered, as read points need to know it (I1).
 * @module
 */
import type { BinlogPosition } from "../binlog/position.ts";
import { GtidSet } from "../binlog/gtid_set.ts";

/** Written by replay, read by read points. */
export class Delivered {
  /** End of the last transaction that was delivered whole. */
  position: BinlogPosition;
  /** GTIDs delivered since the tail began, the open one included. */
  readonly gtids = new GtidSet();
  /** Grows with every GTID. */
  version = 0;
  /** A transaction has begun and not ended. */
  insideTransaction = false;
  #waiters: (() => void)[] = [];

  /** The tail begins here. */
  constructor(start: BinlogPosition) {
    this.position = start;
  }

  /** A transaction begins. */
  begin(gtid: string | null): void {
    this.insideTransaction = true;
    if (gtid !== null && gtid.includes(":")) {
      this.gtids.addText(gtid);
      this.version++;
    }
  }

  /** A transaction, or whatever else, ends here. */
  end(position: BinlogPosition): void {
    this.position = position;
    this.insideTransaction = false;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  /** Resolves at the next end. */
  nextEnd(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const aborted = () => reject(signal.reason);
      signal.addEventListener("abort", aborted, { once: true });
      this.#waiters.push(() => {
        signal.removeEventListener("abort", aborted);
        resolve();
      });
    });
  }
}
