/**
 * Hands out the ranges of all tables, one table after the other, in key order.
 * @module
 */
import type { Buffer } from "node:buffer";
import type { Table } from "../schema/table.ts";
import { type Lead, passesOf } from "./range_compare.ts";
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
  /** In whose order. */
  readonly lead: Lead;
  /** Rows that it had there, about. */
  readonly chunkRows: number;
}

interface Walk {
  readonly t: VerifiedTable;
  readonly lead: Lead;
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
  readonly #walks = new Map<VerifiedTable, Walk[]>();
  #turn: Promise<unknown> = Promise.resolve();

  /** `chunkRows` goes for every table, where it is not `null`. */
  constructor(tables: readonly VerifiedTable[], chunkRows: number | null) {
    const bySize = [...tables].sort((a, b) => (b.table.bytesEstimated ?? 0) - (a.table.bytesEstimated ?? 0));
    this.#queue = bySize.flatMap((t) => {
      const walks = passesOf(t).map((lead) => ({
        t,
        lead,
        chunkRows: chunkRows ?? chunkRowsOf(t.table),
        lower: null,
        open: 0,
        ended: false,
      }));
      this.#walks.set(t, walks);
      return walks;
    });
  }

  /** The next range, or `null` when all were handed out. Its end is looked up through `worker`. */
  next(worker: VerifyWorker, signal: AbortSignal): Promise<WalkStep | null> {
    const step = this.#turn.then(() => this.#step(worker, signal));
    this.#turn = step.catch(() => {});
    return step;
  }

  /** Notes that a range was compared; `true` when it was its table's last, in every order. */
  finish(step: WalkStep): boolean {
    const walks = this.#walks.get(step.t)!;
    walks.find((walk) => walk.lead === step.lead)!.open--;
    return walks.every((walk) => walk.ended && walk.open === 0);
  }

  async #step(worker: VerifyWorker, signal: AbortSignal): Promise<WalkStep | null> {
    const walk = this.#queue[0];
    if (walk === undefined) return null;
    const sides = await worker.sides(walk.t, signal);
    const reads = sides[walk.lead ?? "source"];
    if (walk.lower === null) await reads.assertKeysFound();
    const upper = await reads.nthKey({ lower: walk.lower, upper: null }, walk.chunkRows);
    const range = { lower: walk.lower, upper };
    walk.open++;
    walk.lower = upper;
    if (upper === null) {
      walk.ended = true;
      this.#queue.shift();
    }
    return { t: walk.t, range, lead: walk.lead, chunkRows: walk.chunkRows };
  }
}
