/**
 * The next AUTO_INCREMENT value, carried over where the source's is ahead: rows with the highest values may be gone, and
 * their numbers must not be given out again.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { quoteTable } from "../mysql/identifier.ts";
import type { Session } from "../mysql/session.ts";
import { isLockConflict } from "../mysql/passing_errors.ts";
import type { TableName } from "../schema/create_table.ts";

/** Seconds that one ALTER may wait: readers of the target wait behind it meanwhile. */
const LOCK_WAIT_SECONDS = 2;

/** A table, and where it goes. */
export interface CountedTable {
  /** On the source. */
  readonly table: TableName;
  /** On the target. */
  readonly target: TableName;
}

/** Sets the target's next values, behind the fence, from what the source says now. Talk sessions. */
export async function carryCounters(
  source: Session,
  target: Session,
  tables: readonly CountedTable[],
  signal: AbortSignal,
): Promise<void> {
  const there = await nextValues(source, tables.map((t) => t.table));
  const here = await nextValues(target, tables.map((t) => t.target));
  await target.run(`SET SESSION lock_wait_timeout=${LOCK_WAIT_SECONDS}`);
  for (const [i, t] of tables.entries()) {
    const next = there[i];
    if (next === null || here[i] !== null && here[i] >= next) continue;
    await altered(target, `ALTER TABLE ${quoteTable(t.target)} AUTO_INCREMENT = ${next}`, signal);
  }
}

/** The next value of each table, `null` where it counts nothing. */
async function nextValues(session: Session, tables: readonly TableName[]): Promise<(bigint | null)[]> {
  // MySQL answers from a cache that may be a day old.
  await session.run(
    "SET SESSION sql_quote_show_create = 1 /*!80000 , SESSION information_schema_stats_expiry = 0 */",
  );
  const values: (bigint | null)[] = [];
  for (const t of tables) {
    const row = await session.one(
      "SELECT AUTO_INCREMENT AS next FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?",
      [t.schema, t.name],
    );
    values.push(row === null || row.next === null ? null : BigInt(row.next));
  }
  return values;
}

async function altered(session: Session, sql: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    try {
      await session.run(sql);
      return;
    } catch (e) {
      if (!isLockConflict(e)) throw e;
      await delay(100, undefined, { signal });
    }
  }
}
