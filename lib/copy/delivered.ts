/**
 * How far the tail has delivered, as read points need to know it (I1).
 * @module
 */
import type { BinlogPosition } from "../binlog/position.ts";
import { GtidSet } from "../binlog/gtid_set.ts";
import { countsAsDelivered } from "./rules.ts";

/** Written by replay, read by read points. */
export class Delivered {
  /** End of the last transaction that was delivered whole. */
  position: BinlogPosition;
  /** GTIDs delivered, by this tail or an earlier one, the open one included: what a read has to see (I1). */
  readonly gtids: GtidSet;
  /** Grows with every GTID. Above 0 from the start: what an earlier tail delivered may not be visible yet. */
  version = 0;
  readonly #complete: GtidSet | null;
  #open: string | null = null;
  /** A transaction has begun and not ended. */
  insideTransaction = false;
  #waiters: (() => void)[] = [];

  /** The tail begins here; `gtids` is what was saved, `null` without GTIDs. */
  constructor(start: BinlogPosition, gtids: string | null = null) {
    this.position = start;
    const earlier = gtids ?? "";
    this.#complete = gtids === null ? null : GtidSet.parse(gtids);
    this.gtids = GtidSet.parse(countsAsDelivered(true) ? earlier : "");
    if (earlier !== "") this.version = 1;
  }

  /** GTIDs of transactions that were delivered whole: what may be saved (I5). `null` without GTIDs. */
  get complete(): string | null {
    return this.#complete === null ? null : this.#complete.toString();
  }

  /** A transaction begins. */
  begin(gtid: string | null): void {
    this.insideTransaction = true;
    if (gtid !== null && gtid.includes(":")) {
      this.#open = gtid;
      this.gtids.addText(gtid);
      this.version++;
    }
  }

  /** A transaction, or whatever else, ends here. */
  end(position: BinlogPosition): void {
    this.position = position;
    this.insideTransaction = false;
    if (this.#open !== null) {
      this.#complete?.addText(this.#open);
      this.#open = null;
    }
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
