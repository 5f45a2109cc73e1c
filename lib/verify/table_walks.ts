/**
 * Hands out the ranges of all tables, one table after the other, in key order.
 * @module
 */
import type { Buffer } from "node:buffer";
import type { Table } from "../schema/table.ts";
import type { KeyRange, VerifiedTable } from "./table_reads.ts";
import type { VerifyWorker } from "./verify_worker.ts";

/** Bytes of rows that a server hashes for one answer. */
const CHUNK_BYTES = 4 << 20;

/** One range to compare. */
export interface WalkStep {
  /** Of which table. */
  readonly t: VerifiedTable;
  /** Which rows; the first range has no lower bound and the last no upper one. */
  readonly range: KeyRange;
  /** Rows that it had on the source, about. */
  readonly chunkRows: number;
}

interface Walk {
  readonly t: VerifiedTable;
  readonly chunkRows: number;
  lower: Buffer | null;
  open: number;
  ended: boolean;
}

/** Rows of a range, by the size of the table's rows. */
export function chunkRowsOf(table: Table): number {
  const { rowsEstimated, bytesEstimated } = table;
  if (!rowsEstimated || !bytesEstimated) return 2000;
  return Math.max(50, Math.min(10_000, Math.floor(CHUNK_BYTES * rowsEstimated / bytesEstimated)));
}

/** The walk over all tables, the largest first. Several workers may ask; answers are given one after the other. */
export class TableWalks {
  readonly #queue: Walk[];
  readonly #walks = new Map<VerifiedTable, Walk>();
  #turn: Promise<unknown> = Promise.resolve();

  /** `chunkRows` goes for every table, where it is not `null`. */
  constructor(tables: readonly VerifiedTable[], chunkRows: number | null) {
    const bySize = [...tables].sort((a, b) => (b.table.bytesEstimated ?? 0) - (a.table.bytesEstimated ?? 0));
    this.#queue = bySize.map((t) => ({
      t,
      chunkRows: chunkRows ?? chunkRowsOf(t.table),
      lower: null,
      open: 0,
      ended: false,
    }));
    for (const walk of this.#queue) this.#walks.set(walk.t, walk);
  }

  /** The next range, or `null` when all were handed out. Its end is looked up through `worker`. */
  next(worker: VerifyWorker, signal: AbortSignal): Promise<WalkStep | null> {
    const step = this.#turn.then(() => this.#step(worker, signal));
    this.#turn = step.catch(() => {});
    return step;
  }

  /** Notes that a range was compared; `true` when it was its table's last. */
  finish(step: WalkStep): boolean {
    const walk = this.#walks.get(step.t)!;
    walk.open--;
    return walk.ended && walk.open === 0;
  }

  async #step(worker: VerifyWorker, signal: AbortSignal): Promise<WalkStep | null> {
    const walk = this.#queue[0];
    if (walk === undefined) return null;
    const { source } = await worker.sides(walk.t, signal);
    if (walk.lower === null) await source.assertKeysFound();
    const upper = await source.nthKey({ lower: walk.lower, upper: null }, walk.chunkRows);
    const range = { lower: walk.lower, upper };
    walk.open++;
    walk.lower = upper;
    if (upper === null) {
      walk.ended = true;
      this.#queue.shift();
    }
    return { t: walk.t, range, chunkRows: walk.chunkRows };
  }
}
