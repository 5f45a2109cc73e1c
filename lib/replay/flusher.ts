/**
 * Writes batches of changes: deletes, then replaces, then the position, in one transaction (I3, I5, I6, I10).
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { type BinlogPosition, comparePositions } from "../binlog/position.ts";
import type { FerriedTable } from "../copy/ferried_table.ts";
import { mayCommitPosition } from "../copy/rules.ts";
import type { Release } from "../copy/table_gate.ts";
import { writerFor } from "../copy/writer_for.ts";
import type { Session } from "../mysql/session.ts";
import { isLockConflict } from "../mysql/passing_errors.ts";
import type { TableWriter } from "../mysql/table_writer.ts";
import type { CursorStore, StoredPosition } from "../state/cursor_store.ts";
import type { Ownership } from "../state/ownership.ts";
import type { Dependents } from "./dependents.ts";
import type { ImageFilter } from "./image_filter.ts";
import type { Batch, Replayer } from "./replayer.ts";

/** Tries of one flush against deadlocks and lock waits. */
const TRIES = 10;
/** Tables whose statements are kept on the target; each has up to twenty. */
const WRITERS = 100;
/** Milliseconds that chunks get between two flushes at least, where a flush makes them be read again (I3). */
const STALE_GAP_MS = 25;
/** Milliseconds between two writes of a position that brings no changes. */
const IDLE_POSITION_MS = 1000;

/** What a flusher works with. */
export interface FlusherOptions {
  /** Where changes come from. */
  readonly replayer: Replayer;
  /** Judges the images of filtered tables (I6). */
  readonly filter: ImageFilter;
  /** A data session on the target, used by nobody else but `dependents`. */
  readonly session: Session;
  /** Follows changes to other tables' rows. */
  readonly dependents: Dependents;
  /** MariaDB target: bulk packets. */
  readonly bulk: boolean;
  /** Where the position goes. */
  readonly cursors: CursorStore;
  /** Under which lease. */
  readonly own: Ownership;
  /** The position as it is saved. */
  readonly saved: StoredPosition;
  /** Resolves when something may be flushed; what comes meanwhile waits, and the tail with it when that is too much. */
  readonly allowed: (signal: AbortSignal) => Promise<void>;
}

/** A place in the source's binlog. */
interface Applied {
  readonly position: BinlogPosition;
  /** The GTIDs up to there, or `null` without GTIDs. */
  readonly gtids: string | null;
}

/** The loop that empties the replayer. */
export class Flusher {
  #saved: StoredPosition;
  #applied: Applied;
  #savedAt = 0;
  #flushing: Batch | null = null;
  #busy = false;
  #held: Promise<void> | null = null;
  readonly #writers = new Map<FerriedTable, TableWriter>();
  #waiters: { position: BinlogPosition; resolve: () => void }[] = [];
  /** Milliseconds between the beginnings of two flushes: long while copying, so that chunks get their turn. */
  intervalMs = 100;

  /** Nothing happens before {@linkcode run}. */
  constructor(private readonly options: FlusherOptions) {
    this.#saved = options.saved;
    this.#applied = { position: options.replayer.complete, gtids: options.saved.gtids };
  }

  /** Everything up to here is on the target. */
  get applied(): Applied {
    const { replayer } = this.options;
    const { complete: position } = replayer;
    // The set is made into text only where it has moved: a long one takes its time.
    if (position !== this.#applied.position && this.#nothingLeft()) {
      this.#applied = { position, gtids: replayer.gtids };
    }
    return this.#applied;
  }

  /** Row changes replayed so far, over all owners. */
  get changes(): number {
    return this.#saved.changes;
  }

  /** Row changes in the flush that is under way. */
  get inFlight(): number {
    return this.#flushing?.count ?? 0;
  }

  /** Timestamp (seconds, source clock) of the oldest change that is not on the target, or `null`. */
  get oldestTimestamp(): number | null {
    return this.#flushing?.oldest ?? this.options.replayer.oldestTimestamp;
  }

  /** Resolves when everything up to `position` is on the target. */
  async reached(position: BinlogPosition, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (comparePositions(this.applied.position, position) >= 0) return;
    await new Promise<void>((resolve, reject) => {
      const aborted = () => reject(signal.reason);
      signal.addEventListener("abort", aborted, { once: true });
      this.#waiters.push({
        position,
        resolve: () => {
          signal.removeEventListener("abort", aborted);
          resolve();
        },
      });
    });
  }

  /** Runs `work` while no flush is on. */
  async held<T>(work: () => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<void>();
    while (this.#held !== null) await this.#held;
    this.#held = promise;
    try {
      while (this.#busy) await delay(2);
      return await work();
    } finally {
      this.#held = null;
      resolve();
    }
  }

  /** Flushes until `signal` aborts; throws what went wrong. */
  async run(signal: AbortSignal): Promise<never> {
    await this.options.session.run("SET SESSION autocommit=0"); // see RawPipeline
    for (;;) {
      // In one turn: what ended since the last flush without waking anybody is told, and whatever ends later wakes.
      this.#tell();
      await this.options.replayer.next(signal);
      await this.options.allowed(signal);
      while (this.#held !== null) await this.#held;
      const began = performance.now();
      this.#busy = true;
      try {
        await this.#once(signal);
      } finally {
        this.#busy = false;
      }
      const rest = this.intervalMs - (performance.now() - began);
      const gap = this.options.dependents.copying ? STALE_GAP_MS : 0;
      const pause = Math.max(gap, this.#hurried() ? 0 : rest);
      if (pause > 0) await delay(pause, undefined, { signal });
    }
  }

  #nothingLeft(): boolean {
    return this.#flushing === null && this.options.replayer.pendingChanges === 0;
  }

  /** Somebody waits for a position: no pause between flushes then. */
  #hurried(): boolean {
    return this.#waiters.length > 0;
  }

  #tell(): void {
    const applied = this.applied.position;
    const open = this.#waiters;
    this.#waiters = [];
    for (const w of open) {
      if (comparePositions(applied, w.position) >= 0) w.resolve();
      else this.#waiters.push(w);
    }
  }

  async #once(signal: AbortSignal): Promise<void> {
    const { replayer } = this.options;
    if (replayer.pendingChanges === 0) {
      if (performance.now() - this.#savedAt >= IDLE_POSITION_MS) await this.#savePosition();
      return;
    }
    const held = new Map<FerriedTable, Release>();
    try {
      // Chunks hold one gate at a time and never wait for another, so taking several cannot lock up.
      for (let missing = replayer.pendingTables(); missing.length > 0;) {
        for (const table of missing) held.set(table, await table.gate.flush(signal));
        missing = replayer.pendingTables().filter((t) => !held.has(t));
      }
      const batch = replayer.take();
      this.#flushing = batch;
      await this.options.filter.judge(batch.changes);
      await this.#write(batch, signal);
      this.#applied = { position: batch.position, gtids: batch.gtids };
    } finally {
      this.#flushing = null;
      for (const release of held.values()) release();
    }
  }

  async #write(batch: Batch, signal: AbortSignal): Promise<void> {
    const { session, dependents } = this.options;
    const writer = (table: FerriedTable) => this.#writer(table);
    const saved = this.#position(batch);
    for (let attempt = 1;; attempt++) {
      try {
        for (const table of batch.changes.keys()) await this.#writer(table).prepare();
        await session.run("START TRANSACTION");
        const before = await dependents.before(batch);
        for (const [table, changes] of batch.changes) await this.#writer(table).remove(changes.removals());
        for (const [table, changes] of batch.changes) await this.#writer(table).replace(changes.rows(), null);
        await dependents.follow(batch, before, writer, signal);
        // In the transaction of the changes, behind the last of them.
        if (mayCommitPosition(true)) {
          await this.options.cursors.savePosition(session, this.options.own, saved, this.#saved.prepared);
        }
        await session.run("COMMIT");
        this.#saved = saved;
        this.#savedAt = performance.now();
        for (const [table, changes] of batch.changes) table.strip.replayed(changes.keys(), this.#savedAt);
        this.#letGo();
        return;
      } catch (e) {
        if (session.usable) await session.run("ROLLBACK");
        if (!isLockConflict(e) || attempt >= TRIES) throw e;
      }
    }
  }

  async #savePosition(): Promise<void> {
    const { complete: position, gtids, prepared } = this.options.replayer;
    const saved = this.#position({ position, gtids, prepared, count: 0 });
    this.#savedAt = performance.now();
    const { cursors, session, own } = this.options;
    await cursors.savePosition(session, own, saved, this.#saved.prepared);
    await session.run("COMMIT");
    this.#saved = saved;
  }

  #position(
    { position, gtids, prepared, count }: Pick<Batch, "position" | "gtids" | "prepared" | "count">,
  ): StoredPosition {
    return { ...position, gtids, prepared, changes: this.#saved.changes + count };
  }

  #writer(table: FerriedTable): TableWriter {
    const writer = this.#writers.get(table) ?? writerFor(this.options.session, table, this.options.bulk);
    // The one that was used last stands last.
    this.#writers.delete(table);
    this.#writers.set(table, writer);
    return writer;
  }

  /** Between two transactions: writers of tables that have not changed for long are let go. */
  #letGo(): void {
    for (const [table, writer] of this.#writers) {
      if (this.#writers.size <= WRITERS) return;
      writer.release();
      this.#writers.delete(table);
    }
  }
}
