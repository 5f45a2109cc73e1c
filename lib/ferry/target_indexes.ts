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
    const { planned, stateSession, ddl, logbook } = this.options;
    const { deferred } = planned(table);
    if (!this.#made(table) || deferred.length === 0) return;
    const missing = await missingIndexes(stateSession, table.target, deferred);
    if (missing.length === 0) return;
    logbook.indexing(table);
    const sql = `ALTER TABLE ${quoteTable(table.target)} ${
      missing.map((m) => `ADD ${m.definition}`).join(", ")
    }`;
    // While a unique index is being built, two rows of one flush may hold a value for a moment: nothing is flushed then.
    if (missing.some((m) => m.unique)) {
      await this.#buildUnique(table, sql);
      table.targetHasUnique = true;
    } else await ddl(sql);
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
      const missing = await missingForeignKeys(stateSession, table.target, foreignKeys);
      if (missing.length === 0) continue;
      const sql = `ALTER TABLE ${quoteTable(table.target)} ${
        missing.map((m) => `ADD ${m.definition}`).join(", ")
      }`;
      // It locks the parents too; a flush that holds one table of the two and wants the other would be in its way.
      await held(() => ddl(sql));
    }
  }

  /** This ferry made its target table. */
  #made(table: FerriedTable): boolean {
    return this.options.memory().made.includes(tableLabel(table.target));
  }
}
