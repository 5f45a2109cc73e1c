/**
 * Tables without a usable key: replay cannot find their rows, so they are copied whole while writes are stopped. Each
 * try begins anew: the target's table is emptied first, which preflight has found empty or not there.
 * @module
 */
import type { FerriedTable } from "../copy/ferried_table.ts";
import { FerryError } from "../errors.ts";
import { quoteTable } from "../mysql/identifier.ts";
import { RowList } from "../mysql/row_list.ts";
import { RowReader } from "../mysql/row_reader.ts";
import { RowWriter } from "../mysql/row_writer.ts";
import type { Session } from "../mysql/session.ts";
import { isLockConflict } from "../mysql/passing_errors.ts";
import { tableLabel } from "../schema/table.ts";
import type { FerryStore } from "../state/ferry_store.ts";
import type { Ownership } from "../state/ownership.ts";

/** Bytes of rows written in one transaction; twice as many are in memory. */
const BATCH_BYTES = 4 << 20;
/** Rows taken out in one transaction. */
const BATCH_ROWS = 10_000;
/** Tries of one transaction against deadlocks and lock waits: a try before this one may still be rolled back. */
const TRIES = 10;

/** What a copy behind the fence works with. */
export interface KeylessCopyOptions {
  /** A data session that may read the source's tables now; nobody else uses it. */
  readonly source: Session;
  /** A data session on the target; nobody else uses it. */
  readonly target: Session;
  /** MariaDB target: bulk packets. */
  readonly bulk: boolean;
  /** Where the lease is. */
  readonly store: FerryStore;
  /** Under which lease. */
  readonly own: Ownership;
  /** Ends it between two batches. What waits for a server ends with its session. */
  readonly signal: AbortSignal;
  /** A batch was committed. */
  readonly onBatch: (rows: number, bytes: number) => void;
}

/** Empties the target's table and copies the source's into it, duplicates and all. */
export async function copyKeyless(table: FerriedTable, options: KeylessCopyOptions): Promise<void> {
  const { source, target, bulk } = options;
  await target.run("SET SESSION autocommit=0"); // see RawPipeline
  await empty(table, options);
  // A bulk packet that is refused half-way leaves half of its rows behind; an index 0 of an ENUM is refused first.
  const atomic = table.targetLayout.columns.some((c) => c.column.dataType === "enum");
  const place = { ...table.target, bulk: bulk && !atomic, verb: "INSERT" as const };
  const writer = new RowWriter(target, place, table.targetLayout);
  const condition = table.sourceCondition;
  const sql =
    `SELECT ${table.layout.columns.map((c) => c.select).join(",")} FROM ${quoteTable(table.table)}` +
    (condition === null ? "" : ` WHERE ${condition}`);
  const reader = new RowReader(source, sql, [], [], false);

  let rows = new RowList();
  let filled = Promise.withResolvers<void>();
  let ended = false;
  const reading = reader.read([], 0, (b, start, end) => {
    rows.push(b, start, end);
    if (rows.size < BATCH_BYTES) return;
    source.pause(); // the server waits until somebody reads on
    filled.resolve();
  }).then(() => {
    ended = true;
  });
  reading.catch(() => {}); // met at the next turn
  for (;;) {
    await Promise.race([reading, filled.promise]);
    const batch = rows;
    const last = ended;
    rows = new RowList();
    filled = Promise.withResolvers();
    if (!last) source.resume();
    if (batch.count > 0) {
      await transaction(options, () => writer.replace(batch, null));
      options.onBatch(batch.count, batch.size);
    }
    if (last) return;
  }
}

async function empty(table: FerriedTable, options: KeylessCopyOptions): Promise<void> {
  const sql = `DELETE FROM ${quoteTable(table.target)} LIMIT ${BATCH_ROWS}`;
  for (let left = BATCH_ROWS; left === BATCH_ROWS;) {
    left = (await transaction(options, () => options.target.run(sql))).affectedRows;
  }
}

/** One transaction on the target, of which nothing is left where another owner has the ferry by now (I8). */
async function transaction<T>(options: KeylessCopyOptions, work: () => Promise<T>): Promise<T> {
  const { target, store, own, signal } = options;
  for (let attempt = 1;; attempt++) {
    signal.throwIfAborted();
    try {
      await target.run("START TRANSACTION");
      const result = await work();
      await store.holdLease(target, own);
      await target.run("COMMIT");
      return result;
    } catch (e) {
      if (target.usable) await target.run("ROLLBACK");
      if (!isLockConflict(e) || attempt >= TRIES) throw e;
    }
  }
}

/** A table without a key holds other rows on the target than on the source. */
export function keylessDiffers(table: FerriedTable): FerryError {
  const label = tableLabel(table.table);
  return new FerryError(
    "verification-failed",
    `Cannot cut over: table "${label}" holds other rows on the target than on the source`,
    { hint: "It has no key to name them by; did anybody else write to the target?" },
  );
}
