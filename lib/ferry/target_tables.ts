/**
 * The target's tables before anything is copied: made where they are missing, met as they are, and, where they are merged
 * into, set up so that our rows can be told from others'.
 * @module
 */
import type { FerriedTable } from "../copy/ferried_table.ts";
import { FerryError } from "../errors.ts";
import { quoteName } from "../mysql/identifier.ts";
import type { Merging } from "../mysql/merge_writer.ts";
import type { Session } from "../mysql/session.ts";
import { placeOf } from "../preflight/pairs.ts";
import type { FerryPlan } from "../preflight/preflight.ts";
import { defaultsAreExplicit } from "../preflight/timestamps.ts";
import { uniqueKeyName } from "../preflight/target.ts";
import { hasCounter, type TableName } from "../schema/create_table.ts";
import { type LoadedTable, loadTables } from "../schema/load_tables.ts";
import { stageDefinition } from "../schema/stage_table.ts";
import { tableLabel } from "../schema/table.ts";
import type { FerryStore } from "../state/ferry_store.ts";
import type { Ownership } from "../state/ownership.ts";
import { createOwnKeysSql, ownKeysTable, ownKeysThere, sweepOwnKeys } from "../state/own_keys.ts";
import type { CrossingMemory } from "./crossing_memory.ts";
import { sideBySide } from "./side_by_side.ts";

/** The note of CREATE TABLE IF NOT EXISTS about a table that is there. */
const TABLE_EXISTS = 1050;

/** Tables made at a time: each waits for the disk several times. */
const MADE_AT_A_TIME = 4;

/** What the target's tables are made and met with. */
export interface TargetTablesOptions {
  /** What preflight found. */
  readonly plan: FerryPlan;
  /** The tables with a key. */
  readonly tables: readonly FerriedTable[];
  /** Those and the ones without: all that are met. */
  readonly everyTable: readonly FerriedTable[];
  /** Rows go beside those of others. */
  readonly merge: boolean;
  /** Where state goes. */
  readonly store: FerryStore;
  /** Under which lease. */
  readonly own: Ownership;
  /** A talk session on the target. */
  readonly stateSession: Session;
  /** Runs DDL on the target and answers warnings by number, as {@linkcode runDdl} does. */
  readonly ddl: (sql: string) => Promise<number[]>;
  /** What must survive, as it is now. */
  readonly memory: () => CrossingMemory;
  /** Records what must survive. */
  readonly remember: (change: Partial<CrossingMemory>) => Promise<void>;
}

/** Makes and meets them. */
export class TargetTables {
  /** Nothing happens before {@linkcode make}. */
  constructor(private readonly options: TargetTablesOptions) {}

  /** Makes what is missing, and meets what is there then. */
  async make(): Promise<void> {
    const { plan, stateSession, merge } = this.options;
    const [appeared] = merge ? [] : this.options.memory().appeared ?? [];
    if (appeared !== undefined) throw tableAppeared(appeared, false);
    for (const { name, collation } of plan.missingSchemas) {
      const defaults = collation === null ? "" : ` COLLATE ${collation}`;
      await stateSession.run(`CREATE DATABASE IF NOT EXISTS ${quoteName(name)}${defaults}`);
    }
    const missing = [...plan.tables, ...plan.keyless].filter((t) => t.create !== null);
    await sideBySide(missing, MADE_AT_A_TIME, (t) => this.#make(t.target, t.create!));
    await this.#meetTargets();
  }

  /** Makes a target table, if nobody else has since the preflight: that one nobody has looked at, and it is not ours. */
  async #make(target: TableName, create: string): Promise<void> {
    const { ddl, remember, merge } = this.options;
    const warnings = await ddl(create);
    if (!warnings.includes(TABLE_EXISTS)) return;
    const label = tableLabel(target);
    const { made, appeared } = this.options.memory();
    await remember({ made: made.filter((name) => name !== label), appeared: [...appeared ?? [], label] });
    throw tableAppeared(label, merge);
  }

  /** The target's own columns, now that its tables are there, and which of their rows are ours. */
  async #meetTargets(): Promise<void> {
    const { plan: { source, target }, everyTable, merge, stateSession } = this.options;
    const lower = target.lowerCaseTableNames;
    const places = Map.groupBy(everyTable, (t) => placeOf(t.target, lower));
    const loaded = await loadTables(
      stateSession,
      (schema, name) => places.has(placeOf({ schema, name }, lower)),
    );
    const arrived = loaded.flatMap((there) =>
      places.get(placeOf(there.table, lower))!.map((table) => ({ table, there }))
    );
    const vendors = { source: source.vendor, target: target.vendor };
    for (const { table, there } of arrived) {
      table.arrive(there.table, vendors, hasCounter(there.createSql));
      if (table.merge) table.meetOthers(this.#merging(table, there));
    }
    if (merge) await this.#makeOwnKeys();
  }

  #merging(table: FerriedTable, there: LoadedTable): Merging {
    const { own, store: { schema } } = this.options;
    const key = table.targetLayout.columns.slice(0, table.key.length).map((c) => c.column);
    const keyIndex = uniqueKeyName(there, key)!;
    const stage = { schema, name: `stage_${table.index}` };
    return {
      keys: ownKeysTable(schema, own.id, table.index),
      stage,
      stageSql: stageDefinition(there.createSql, stage, key),
      keyIndex,
      uniques: there.indexes.filter((i) => i.unique && i.name !== keyIndex)
        .map((i) => ({ name: i.name, columns: i.columns as string[] })),
    };
  }

  /** Where this ferry notes which rows are its own. Once made and lost, nobody knows any more. */
  async #makeOwnKeys(): Promise<void> {
    const { stateSession, store, own, tables, memory, remember } = this.options;
    if (memory().ownKeys) {
      const there = await ownKeysThere(stateSession, store.schema, own.id);
      const lost = tables.find((t) => !there.has(t.merging!.keys.name));
      if (lost === undefined) return;
      throw new FerryError(
        "own-keys-lost",
        `Cannot go on merging into table "${tableLabel(lost.target)}": table "${
          tableLabel(lost.merging!.keys)
        }" is gone, and with it which rows are this ferry's`,
        { hint: "Start another ferry, when the rows that this one brought are removed" },
      );
    }
    await sweepOwnKeys(stateSession, store.schema, await store.idsIn(stateSession, ["done", "cancelled"]));
    for (const t of tables) {
      const key = t.targetLayout.columns.slice(0, t.key.length).map((c) => c.column);
      await stateSession.run(createOwnKeysSql(t.merging!.keys, key));
    }
    await remember({ ownKeys: true });
  }
}

/**
 * DDL on the target, in a session without what the source's definition might trip over, and of characters: labels are
 * text. Answers warnings by number. `open` opens a talk session there.
 */
export async function runDdl(open: () => Promise<Session>, sql: string): Promise<number[]> {
  const session = await open();
  try {
    await session.run(
      "SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', foreign_key_checks=0",
    );
    // Where it may not be set, preflight has refused the tables that it is about.
    await defaultsAreExplicit(session);
    const { warnings } = await session.run(sql);
    return warnings === 0 ? [] : (await session.query("SHOW WARNINGS")).map((w) => Number(w.Code));
  } finally {
    await session.close();
  }
}

/** `again`: preflight may look at it and go on. */
function tableAppeared(label: string, again: boolean): FerryError {
  return new FerryError(
    "target-table-appeared",
    `Cannot make table "${label}": somebody else made it since the preflight`,
    {
      retryable: again,
      hint: again
        ? "Nothing: it is looked at as any table that was there"
        : "Start another ferry, alone on its target tables",
    },
  );
}
