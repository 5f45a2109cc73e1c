/**
 * The copy, from wherever its ranges stand: planned where they are not, read back where they are, and copied level by level.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { Copier } from "../copy/copier.ts";
import { CopyRange } from "../copy/copy_range.ts";
import type { FerriedTable } from "../copy/ferried_table.ts";
import { planRanges } from "../copy/plan_ranges.ts";
import type { StoredRange } from "../state/cursor_store.ts";
import type { Crossing } from "./crossing.ts";

/** Ranges whose plan is stored at a time. */
const RANGES_AT_A_TIME = 500;

/** One attempt's copy. */
export class CopyPhase {
  #copier: Copier | null = null;

  /** Nothing happens before {@linkcode run}. */
  constructor(private readonly crossing: Crossing) {}

  /** Takes up what an earlier attempt has planned and copied, so that it is told from the first word on. */
  async recall(): Promise<void> {
    if (this.crossing.memory.planned) await this.#load();
  }

  /** Copies every table with a key; what was planned before is {@linkcode recall recalled} already. */
  async run(signal: AbortSignal): Promise<void> {
    const { crossing } = this;
    const { tables } = crossing;
    if (!crossing.memory.planned) {
      await this.#plan(signal);
      await this.#load();
    }
    const levels = Math.max(...tables.map((t) => t.level));
    for (let level = 0; level <= levels; level++) {
      // What was delivered while a parent was being copied is on the target before its children are read.
      if (level > 0) await crossing.caughtUp(signal);
      await this.#copy(tables.filter((t) => t.level === level), signal);
    }
  }

  /** Resolves when the writes that are in flight now have committed. */
  async drain(): Promise<void> {
    while ((this.#copier?.writing ?? 0) > 0) await delay(5);
  }

  async #copy(tables: readonly FerriedTable[], signal: AbortSignal): Promise<void> {
    const { crossing } = this;
    const { store, own, plan, logbook, orders } = crossing.options;
    const { throttle } = crossing;
    this.#copier = new Copier({
      ranges: tables.flatMap((t) => t.ranges.filter((r) => !r.stored.done)),
      open: (side) => crossing.open(side),
      readPoint: crossing.replay!.readPoint,
      bulk: plan.target.vendor === "mariadb",
      cursors: store.cursors,
      own,
      settings: () => orders.copy,
      held: () => orders.copyHeld,
      pace: () => throttle.pace,
      allowed: async (s) => {
        await orders.copyAllowed(s);
        await throttle.allowed(s);
      },
      onChunk: (table, rows, bytes) => {
        throttle.copied(rows, bytes);
        logbook.copied(table, rows, bytes);
        table.copied = table.ranges.every((r) => r.stored.done);
      },
    });
    await this.#copier.run(signal);
    this.#copier = null;
    throttle.copyEnded();
  }

  async #load(): Promise<void> {
    const { tables, options: { logbook, store, stateSession, own } } = this.crossing;
    for (const stored of await store.cursors.ranges(stateSession, own.id)) {
      const table = tables[stored.tableNo];
      table.ranges = [...table.ranges, new CopyRange(table, stored)];
    }
    for (const t of tables) {
      t.copied = t.ranges.every((r) => r.stored.done);
      const sum = (of: (stored: StoredRange) => number) => t.ranges.reduce((n, r) => n + of(r.stored), 0);
      logbook.stands(t, sum((r) => r.rows), sum((r) => r.bytes));
    }
  }

  async #plan(signal: AbortSignal): Promise<void> {
    const { tables, options: { store, stateSession, own } } = this.crossing;
    const known = new Set((await store.cursors.ranges(stateSession, own.id)).map((r) => r.tableNo));
    const session = await this.crossing.open("source");
    try {
      let planned: StoredRange[] = [];
      for (const table of tables) {
        if (known.has(table.index)) continue;
        planned.push(...await planRanges(session, table, signal));
        if (planned.length < RANGES_AT_A_TIME && table !== tables.at(-1)) continue;
        await store.cursors.createRanges(stateSession, own, planned);
        planned = [];
      }
    } finally {
      await session.close();
    }
    await this.crossing.remember({ planned: true });
  }
}
