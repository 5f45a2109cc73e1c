/**
 * Proves both sides equal while writes go on: every range once, then only what changed, and behind the fence the rest
 * (design, Verify).
 * @module
 */
import { FerryError } from "../errors.ts";
import type { Session } from "../mysql/session.ts";
import { DirtyKeys } from "./dirty_keys.ts";
import { type BothSides, compareLed, compareRange, type Lead, passesOf } from "./range_compare.ts";
import { compareKeys, recheck, RECHECK_KEYS } from "./recheck.ts";
import type { ReplayView } from "./replay_view.ts";
import { type KeyRange, TableReads, type VerifiedTable } from "./table_reads.ts";
import { chunkRowsOf, TableWalks } from "./table_walks.ts";
import { Findings, type VerifyProgress } from "./verify_progress.ts";
import { VerifyWorker } from "./verify_worker.ts";

export type { ReplayView } from "./replay_view.ts";
export type { VerifiedTable } from "./table_reads.ts";
export type { VerifyProgress } from "./verify_progress.ts";

/** How a verifier is made. */
export interface VerifierOptions {
  /** What is compared. */
  readonly tables: readonly VerifiedTable[];
  /** Opens a data session; the verifier closes it. */
  openSession(side: "source" | "target"): Promise<Session>;
  /** What was delivered, and what is applied. */
  readonly replay: ReplayView;
  /** Resolves when a range may be read; asked before each. Default at once. Behind the fence nothing is waited for. */
  readonly allowed?: (signal: AbortSignal) => Promise<void>;
  /** Ranges compared at the same time. Default 2. */
  readonly concurrency?: number;
  /** Rows of a range. Default by the size of the table's rows. */
  readonly chunkRows?: number;
  /** Called now and then, with numbers that go on changing. */
  readonly onProgress?: (p: VerifyProgress) => void;
  /** Changed keys of a table past which the whole table is compared again. Default 200,000. */
  readonly dirtyLimit?: number;
}

/** Dirty keys that may be left for behind the fence. */
const FEW = 1000;
/** Tries to get there; under heavy writing it may never be reached. */
const ROUNDS = 10;

/** Compares both sides of a ferry. One call at a time. */
export class Verifier {
  readonly #options: VerifierOptions;
  readonly #dirty: ReadonlyMap<VerifiedTable, DirtyKeys>;
  readonly #workers: VerifyWorker[];
  #findings = new Findings();
  #complete = false;
  #timer: ReturnType<typeof setInterval> | null = null;

  /** Nothing is asked or watched before {@link full}. */
  constructor(options: VerifierOptions) {
    this.#options = options;
    const limit = options.dirtyLimit ?? 200_000;
    this.#dirty = new Map(options.tables.map((t) => [t, new DirtyKeys(options.replay, t.index, limit)]));
    const count = Math.max(1, options.concurrency ?? 2);
    this.#workers = Array.from(
      { length: count },
      () => new VerifyWorker((side) => options.openSession(side)),
    );
  }

  /** What was found since {@link full} began. */
  get progress(): VerifyProgress {
    return this.#findings.progress;
  }

  /** `null` before {@link full} has compared everything; then whether nothing was found to differ. */
  get passed(): boolean | null {
    return this.#complete ? this.progress.differenceCount === 0 : null;
  }

  /** Keys that changed since they were last found equal; a whole table counts as infinitely many. */
  get dirtyCount(): number {
    let count = 0;
    for (const dirty of this.#dirty.values()) count += dirty.whole ? Infinity : dirty.count;
    return count;
  }

  /**
   * Full pass over every table while writes go on. Keys that change meanwhile are dirty. Resolves when every range was
   * compared and what differed was re-checked; differences don't throw. Begins anew each time.
   */
  async full(signal: AbortSignal): Promise<void> {
    this.#complete = false;
    this.#findings = new Findings();
    this.#timer ??= setInterval(() => this.#trim(), 1000);
    for (const dirty of this.#dirty.values()) dirty.start();
    await this.#scan(this.#options.tables, signal);
    this.#complete = true;
    this.#report();
  }

  /** Compares dirty keys again until at most 1000 are left or 10 rounds are over. Needs {@link full}. */
  async settle(signal: AbortSignal): Promise<void> {
    if (!this.#complete) return;
    for (let round = 0; round < ROUNDS; round++) {
      if (this.dirtyCount === 0 || (round > 0 && this.dirtyCount <= FEW)) return;
      for (const [t, dirty] of this.#dirty) {
        if (dirty.whole || dirty.count > 0) await this.#settleTable(t, dirty, signal);
      }
      this.#report();
    }
  }

  /**
   * Behind the fence, everything replayed: compares every key still dirty, the source through the session that holds the
   * locks. Differences don't throw; {@link passed} says it.
   */
  async final(source: Session, target: Session, signal: AbortSignal): Promise<void> {
    if (!this.#complete) {
      throw new FerryError(
        "verify-incomplete",
        "Cannot verify behind the fence: not every range was compared before",
      );
    }
    for (const session of [source, target]) await mustBeBinary(session);
    for (const [t, dirty] of this.#dirty) {
      if (!dirty.whole && dirty.count === 0) continue;
      await keepOnFailure(dirty, async (whole, keys) => {
        const sides = {
          source: await TableReads.open(source, t, "source"),
          target: await TableReads.open(target, t, "target"),
        };
        if (whole) await this.#finalPass(t, sides, signal);
        for (const part of parts(keys)) {
          signal.throwIfAborted();
          this.#findings.add(t, await compareKeys(sides, part));
        }
      });
    }
    this.#report();
  }

  /** Watches no more and closes its sessions. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    for (const dirty of this.#dirty.values()) dirty.stop();
    await Promise.all(this.#workers.map((worker) => worker.close()));
  }

  async #scan(tables: readonly VerifiedTable[], signal: AbortSignal): Promise<void> {
    // What was delivered before the watches began is on the target before it is read.
    await this.#options.replay.caughtUp(signal);
    const failed = new AbortController();
    const both = AbortSignal.any([signal, failed.signal]);
    const walks = new TableWalks(tables, this.#options.chunkRows ?? null);
    const onAbort = () => this.#workers.forEach((worker) => worker.destroy());
    both.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.all(this.#workers.map(async (worker) => {
        try {
          await this.#work(worker, walks, both);
        } catch (e) {
          failed.abort(e);
        }
      }));
    } finally {
      both.removeEventListener("abort", onAbort);
    }
    both.throwIfAborted();
  }

  async #work(worker: VerifyWorker, walks: TableWalks, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      await this.#options.allowed?.(signal);
      const step = await walks.next(worker, signal);
      if (step === null) return;
      const { t, range, lead, chunkRows } = step;
      const sides = await worker.sides(t, signal);
      const rows = await compare(
        sides,
        lead,
        range,
        chunkRows,
        signal,
        (keys) => this.#recheck(t, sides, keys, signal),
      );
      this.#findings.compared(t.index, rows);
      if (walks.finish(step)) this.#findings.passed(t.index);
      this.#dirty.get(t)!.trim();
      this.#report();
    }
  }

  async #recheck(
    t: VerifiedTable,
    sides: BothSides,
    keys: Iterable<string>,
    signal: AbortSignal,
  ): Promise<void> {
    for (const part of parts(keys)) {
      await this.#options.allowed?.(signal);
      const found = await recheck(sides, this.#options.replay, t.index, part, signal);
      this.#dirty.get(t)!.keep(found.dirty);
      this.#findings.add(t, found.unlike);
    }
  }

  async #settleTable(t: VerifiedTable, dirty: DirtyKeys, signal: AbortSignal): Promise<void> {
    await keepOnFailure(dirty, async (whole, keys) => {
      if (whole) return await this.#scan([t], signal);
      const worker = this.#workers[0];
      const onAbort = () => worker.destroy();
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        signal.throwIfAborted();
        await this.#recheck(t, await worker.sides(t, signal), keys, signal);
      } catch (e) {
        signal.throwIfAborted();
        throw e;
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
    });
  }

  async #finalPass(t: VerifiedTable, sides: BothSides, signal: AbortSignal): Promise<void> {
    const chunkRows = this.#options.chunkRows ?? chunkRowsOf(t.table);
    for (const lead of passesOf(t)) {
      for (let lower: KeyRangeLower = null;;) {
        const reads = sides[lead ?? "source"];
        const upper: KeyRangeLower = await reads.nthKey({ lower, upper: null }, chunkRows);
        await compare(sides, lead, { lower, upper }, chunkRows, signal, async (keys) => {
          for (const part of parts(keys)) this.#findings.add(t, await compareKeys(sides, part));
        });
        if (upper === null) break;
        lower = upper;
      }
    }
  }

  #trim(): void {
    for (const dirty of this.#dirty.values()) dirty.trim();
  }

  #report(): void {
    this.#options.onProgress?.(this.progress);
  }
}

type KeyRangeLower = Awaited<ReturnType<TableReads["nthKey"]>>;

function compare(
  sides: BothSides,
  lead: Lead,
  ...rest: [
    range: KeyRange,
    chunkRows: number,
    signal: AbortSignal,
    unequal: (keys: string[]) => Promise<void>,
  ]
): Promise<number> {
  return lead === null ? compareRange(sides, ...rest) : compareLed(sides, lead, ...rest);
}

/** Takes what is dirty; if looking at it fails, it is dirty still. */
async function keepOnFailure(
  dirty: DirtyKeys,
  look: (whole: boolean, keys: Set<string>) => Promise<void>,
): Promise<void> {
  const { whole, keys } = dirty.take();
  try {
    await look(whole, keys);
  } catch (e) {
    if (whole) dirty.keepWhole();
    else dirty.keep(keys);
    throw e;
  }
}

function* parts(keys: Iterable<string>): Generator<string[]> {
  let part: string[] = [];
  for (const key of keys) {
    part.push(key);
    if (part.length === RECHECK_KEYS) {
      yield part;
      part = [];
    }
  }
  if (part.length > 0) yield part;
}

/** Keys go and come as they are only on sessions that convert neither parameters nor results. */
async function mustBeBinary(session: Session): Promise<void> {
  const row = await session.one(
    "SELECT @@character_set_client = 'binary' AND @@character_set_results = 'binary' AS yes",
  );
  if (Number(row!.yes) === 1) return;
  throw new FerryError("verify-session", "Cannot verify behind the fence: the session is not a data session");
}
