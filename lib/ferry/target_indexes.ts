/**
 * Indexes and foreign keys of the target tables that the ferry made: built when the copy is through, not row by row.
 * @module
 */
import type { FerriedTable } from "../copy/ferried_table.ts";
import { errorNumber } from "../errors.ts";
import { quoteTable } from "../mysql/identifier.ts";
import type { Session } from "../mysql/session.ts";
import type { PlannedTable } from "../preflight/preflight.ts";
import { missingForeignKeys, missingIndexes } from "../schema/create_table.ts";
import { tableLabel } from "../schema/table.ts";
import type { CrossingMemory } from "./crossing_memory.ts";
import type { Logbook } from "./logbook.ts";
import { sideBySide } from "./side_by_side.ts";

/** Tables whose indexes are built at a time. */
const BUILT_AT_A_TIME = 2;
/** Tries of building a unique index of a table whose rows may be newer than what is replayed. */
const UNIQUE_TRIES = 50;
/** 1061 an index of that name is there · 1826 a foreign key · 1005, 1022 likewise, where the server copies the table for it. */
const THERE_ALREADY = new Set([1005, 1022, 1061, 1826]);

/** What indexes are built with. */
export interface TargetIndexesOptions {
  /** The tables with a key. */
  readonly tables: readonly FerriedTable[];
  /** Tables without one. */
  readonly keyless: readonly FerriedTable[];
  /** What the plan says of a table. */
  readonly planned: (table: FerriedTable) => PlannedTable;
  /** A talk session on the target. */
  readonly stateSession: Session;
  /** Runs DDL on the target, in a session of its own. */
  readonly ddl: (sql: string) => Promise<unknown>;
  /** What must survive, as it is now. */
  readonly memory: () => CrossingMemory;
  /** Where it is told how it goes. */
  readonly logbook: Pick<Logbook, "indexing" | "keyless">;
  /** Runs `work` while nothing is flushed. */
  readonly held: (work: () => Promise<unknown>) => Promise<unknown>;
  /** Replays to the end of the binlog as it is now, then resolves. */
  readonly caughtUp: () => Promise<void>;
}

/** Builds them. What is there already is left as it is. */
export class TargetIndexes {
  /** Nothing happens before {@linkcode build}. */
  constructor(private readonly options: TargetIndexesOptions) {}

  /** Secondary indexes, one ALTER a table. Replay has passed every read point by now, so unique values cannot clash. */
  async build(): Promise<void> {
    const { tables, keyless, stateSession, logbook } = this.options;
    await sideBySide([...tables, ...keyless], BUILT_AT_A_TIME, (table) => this.#build(table));
    for (const table of keyless) logbook.keyless(table, "waiting");
    for (const table of tables) {
      await stateSession.query(`ANALYZE TABLE ${quoteTable(table.target)}`);
    }
  }

  async #build(table: FerriedTable): Promise<void> {
    const { planned, stateSession, logbook } = this.options;
    const { deferred } = planned(table);
    if (!this.#made(table) || deferred.length === 0) return;
    await this.#add(
      table,
      () => missingIndexes(stateSession, table.target, deferred),
      async (missing, sql) => {
        logbook.indexing(table);
        // While a unique index is being built, two rows of one flush may hold a value for a moment: nothing is flushed then.
        if (missing.some((m) => m.unique)) await this.#buildUnique(table, sql);
        else await this.options.ddl(sql);
      },
    );
    // Whoever has built it.
    if (deferred.some((d) => d.unique)) table.targetHasUnique = true;
  }

  /**
   * Adds what `look` finds missing. An ALTER outlives the session that it came from, since the server does not look at
   * its socket meanwhile: that of an earlier attempt may still be under way, and what it has added is there by the time
   * that this one may begin. Only what is left is added then.
   */
  async #add<T extends { readonly definition: string }>(
    table: FerriedTable,
    look: () => Promise<T[]>,
    add: (missing: readonly T[], sql: string) => Promise<unknown>,
  ): Promise<void> {
    for (let missing = await look(); missing.length > 0;) {
      const added = missing.map((m) => `ADD ${m.definition}`).join(", ");
      try {
        await add(missing, `ALTER TABLE ${quoteTable(table.target)} ${added}`);
        return;
      } catch (e) {
        if (!THERE_ALREADY.has(errorNumber(e) ?? 0)) throw e;
        const left = await look();
        // It was not about what is ours to add.
        if (left.length >= missing.length) throw e;
        missing = left;
      }
    }
  }

  /**
   * Rows that were read again may be newer than what is replayed: a value that one of them has taken over already is its
   * former owner's still. Replay mends that, so it is tried again further on.
   */
  async #buildUnique(table: FerriedTable, sql: string): Promise<void> {
    const { held, ddl, caughtUp } = this.options;
    for (let attempt = 1;; attempt++) {
      try {
        await held(() => ddl(sql));
        return;
      } catch (e) {
        // 1062 duplicate entry · 1586 likewise, with the index named
        const duplicate = [1062, 1586].includes(errorNumber(e) ?? 0);
        if (!duplicate || !table.readsAhead || attempt >= UNIQUE_TRIES) throw e;
        await caughtUp();
      }
    }
  }

  /** Once every row has its parent again: the constraints, without looking at the rows, which are the source's. */
  async buildForeignKeys(): Promise<void> {
    const { tables, planned, stateSession, ddl, held } = this.options;
    for (const table of tables) {
      const { foreignKeys } = planned(table);
      if (!this.#made(table)) continue;
      await this.#add(
        table,
        () => missingForeignKeys(stateSession, table.target, foreignKeys),
        // It locks the parents too; a flush that holds one table of the two and wants the other would be in its way.
        (_, sql) => held(() => ddl(sql)),
      );
    }
  }

  /** This ferry made its target table. */
  #made(table: FerriedTable): boolean {
    return this.options.memory().made.includes(tableLabel(table.target));
  }
}
