/**
 * Replays the binlog: collects the last image of each key, and writes it in one transaction with the position.
 * @module
 */
import type { BinlogPosition } from "../binlog/position.ts";
import { comparePositions } from "../binlog/position.ts";
import { RowTranscoder } from "../binlog/row_transcoder.ts";
import { checkTableMap, type TableMap } from "../binlog/table_map.ts";
import type { TailHandler, TransactionEnd } from "../binlog/tail.ts";
import type { Delivered } from "../copy/delivered.ts";
import type { FerriedTable } from "../copy/ferried_table.ts";
import { mayDropChange, mayKeepPending, positionToCommit } from "../copy/rules.ts";
import { FerryError } from "../errors.ts";
import type { Arena } from "../mysql/arena.ts";
import { keyString } from "../mysql/row_list.ts";
import { tableLabel } from "../schema/table.ts";
import type { KeyNotes, TakenNotes } from "./key_notes.ts";
import { PendingChanges } from "./pending_changes.ts";
import { anyIs, judgeStatement } from "./statement_rules.ts";

/** A ferried table as one table map shows it. */
export interface BoundTable {
  /** Makes wire rows of its images. */
  readonly transcoder: RowTranscoder;
  /** The table. */
  readonly table: FerriedTable;
}

/** What a flush takes along. */
export interface Batch {
  /** Changes by table. */
  readonly changes: ReadonlyMap<FerriedTable, PendingChanges>;
  /** What is to be followed to other tables' rows. */
  readonly notes: TakenNotes;
  /** Row events in it, the superseded ones counted too. */
  readonly count: number;
  /** Timestamp (seconds, source clock) of the oldest change in it, or `null`. */
  readonly oldest: number | null;
  /** The position that is committed with it. */
  readonly position: BinlogPosition;
  /** The GTIDs that are committed with it: those of `position`, whatever ends meanwhile (I5). `null` without GTIDs. */
  readonly gtids: string | null;
  /** XA transactions that were prepared before `position`, that are open there and hold nothing of ours. */
  readonly prepared: readonly string[];
}

/** Bytes that may wait before the tail is held (design, backpressure). */
export const PENDING_LIMIT = 32 << 20;

/** What the tail tells goes in, batches come out. No I/O. */
export class Replayer implements TailHandler<BoundTable> {
  #pending = new Map<FerriedTable, PendingChanges>();
  #count = 0;
  #bytes = 0;
  #complete: BinlogPosition;
  #prepared: readonly string[];
  #oldest: number | null = null;
  #wake: (() => void) | null = null;
  /** As `schema.name` in lower case: with lower_case_table_names a statement may write them in any. */
  readonly #names: ReadonlySet<string>;
  #heard = false;

  /** `tables` by `schema.name` on the source. Starts at `delivered.position`. */
  constructor(
    private readonly tables: ReadonlyMap<string, FerriedTable>,
    private readonly delivered: Delivered,
    private readonly notes: KeyNotes,
    private readonly onPressure: (full: boolean) => void,
    /** Tables of which only the definition is watched, by the same names. */
    watched: ReadonlySet<string> = new Set(),
    /** XA transactions that are prepared at the start and hold nothing of ours. */
    prepared: readonly string[] = [],
  ) {
    this.#names = new Set([...tables.keys(), ...watched].map((name) => name.toLowerCase()));
    this.#complete = delivered.position;
    this.#prepared = prepared;
  }

  /** Row changes that wait, and what is left to do for those of an earlier flush. */
  get pendingChanges(): number {
    return this.#count + this.notes.waiting;
  }

  /** Bytes that wait. */
  get pendingBytes(): number {
    return this.#bytes;
  }

  /** Timestamp (seconds, source clock) of the oldest change that waits, or `null`. */
  get oldestTimestamp(): number | null {
    return this.#oldest;
  }

  /** End of the last transaction that was delivered whole. */
  get complete(): BinlogPosition {
    return this.#complete;
  }

  /** A transaction has come, or a heartbeat: before that nobody knows how far the source has gone on meanwhile. */
  get heard(): boolean {
    return this.#heard;
  }

  /** GTIDs of the transactions up to {@linkcode complete}, or `null`. */
  get gtids(): string | null {
    return this.delivered.complete;
  }

  /** XA transactions that are prepared at {@linkcode complete} and hold nothing of ours. */
  get prepared(): readonly string[] {
    return this.#prepared;
  }

  /** Tables with waiting changes, and those that these may reach. */
  pendingTables(): FerriedTable[] {
    return [...new Set([...this.#pending.keys(), ...this.notes.tables()])];
  }

  /** These rows may be out of date: they are read again with the next flush. */
  suspect(table: FerriedTable, keys: Iterable<string>): void {
    this.notes.suspect(table, keys);
    this.#wake?.();
  }

  /** Rows that may be out of date wait for the next flush. */
  get suspecting(): boolean {
    return this.notes.suspecting;
  }

  /** Takes everything that waits. */
  take(): Batch {
    const position = positionToCommit({ complete: this.#complete, delivered: this.delivered.position });
    const batch = {
      changes: this.#pending,
      notes: this.notes.take(),
      count: this.#count,
      oldest: this.#oldest,
      position,
      gtids: this.gtids,
      prepared: this.#prepared,
    };
    this.#pending = new Map();
    this.#count = 0;
    this.#bytes = 0;
    this.#oldest = null;
    this.onPressure(false);
    return batch;
  }

  /** Resolves when there is something to flush: changes, or a new position. */
  async next(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.pendingChanges > 0) return;
    await new Promise<void>((resolve, reject) => {
      const aborted = () => reject(signal.reason);
      signal.addEventListener("abort", aborted, { once: true });
      this.#wake = () => {
        signal.removeEventListener("abort", aborted);
        this.#wake = null;
        resolve();
      };
    });
  }

  bind(map: TableMap): BoundTable | null {
    const table = this.tables.get(`${map.schema}.${map.name}`);
    if (table === undefined) return null;
    const misfit = checkTableMap(map, table.table);
    if (misfit !== null) {
      throw new FerryError("schema-changed", `Cannot replay table "${tableLabel(table.table)}": ${misfit}`, {
        hint: "The table is not as it was when the ferry began; start another ferry",
      });
    }
    return { transcoder: new RowTranscoder(map, table.table, table.layout), table };
  }

  begin(gtid: string | null): void {
    this.delivered.begin(gtid);
  }

  insert(bound: BoundTable, out: Arena, rowStart: number, keyEnd: number, rowEnd: number): void {
    this.notes.inserted(bound.table, this.#put(bound.table, out, rowStart, keyEnd, rowEnd));
  }

  update(
    bound: BoundTable,
    out: Arena,
    oldKeyStart: number,
    oldKeyEnd: number,
    rowStart: number,
    keyEnd: number,
    rowEnd: number,
  ): void {
    const keyStart = rowStart + bound.table.layout.nullBytes;
    if (out.bytes.compare(out.bytes, keyStart, keyEnd, oldKeyStart, oldKeyEnd) !== 0) {
      const from = this.#remove(bound.table, out, oldKeyStart, oldKeyEnd);
      const to = this.#put(bound.table, out, rowStart, keyEnd, rowEnd);
      this.notes.moved(bound.table, from, to);
    } else this.notes.changed(bound.table, this.#put(bound.table, out, rowStart, keyEnd, rowEnd));
  }

  remove(bound: BoundTable, out: Arena, keyStart: number, keyEnd: number): void {
    this.notes.removed(bound.table, this.#remove(bound.table, out, keyStart, keyEnd));
  }

  commit(end: TransactionEnd): void {
    this.notes.end();
    this.#complete = end.position;
    this.#heard = true;
    this.#prepared = end.prepared;
    if (this.#count > 0) this.#oldest ??= end.timestamp;
    this.delivered.end(end.position);
    this.#wake?.();
  }

  statement(text: string, schema: string, end: TransactionEnd): void {
    const verdict = judgeStatement(
      text,
      schema,
      (s, n) => anyIs(this.#names, `${s}.${n}`.toLowerCase(), "$"),
      (s) => anyIs(this.#names, `${s}.`.toLowerCase(), ""),
    );
    if (verdict.stop) {
      const at = `${end.position.file}:${end.position.offset}`;
      throw verdict.code === "ddl-on-ferried-table"
        ? new FerryError(
          verdict.code,
          `Cannot replay the binlog at ${at}: DDL on a ferried table: ${excerpt(text)}`,
          {
            hint: "Tables must keep their definition while they are ferried; start another ferry",
          },
        )
        : new FerryError(
          verdict.code,
          `Cannot replay the binlog at ${at}: a change was logged as a statement: ${excerpt(text)}`,
          {
            hint: "Every session on the source has to keep binlog_format=ROW; start another ferry",
          },
        );
    }
    // Nothing ends here: commit() follows, at once or behind the transaction that the statement is in (I1, I5).
  }

  heartbeat(position: BinlogPosition): void {
    this.#heard = true;
    if (this.delivered.insideTransaction || comparePositions(position, this.#complete) <= 0) return;
    this.#complete = position;
    this.delivered.end(position);
    this.#wake?.();
  }

  /** Answers the key. */
  #put(table: FerriedTable, out: Arena, rowStart: number, keyEnd: number, rowEnd: number): string {
    const keyStart = rowStart + table.layout.nullBytes;
    // Whether its parent is ferried cannot be said yet; that an earlier process has written the row can.
    if (table.waits) return this.#remove(table, out, keyStart, keyEnd);
    const key = keyString(out.bytes, keyStart, keyEnd);
    table.touch(key);
    const drop = mayDropChange(
      "put",
      table.place(out.bytes, keyStart),
      table.comparable,
      table.targetHasUnique,
      table.partial,
    );
    if (drop) {
      const pending = this.#pending.get(table);
      if (pending !== undefined && !mayKeepPending(true)) pending.drop(key);
      return key;
    }
    const pending = this.#of(table);
    const before = pending.bytes;
    pending.put(key, out.bytes, rowStart, rowEnd);
    this.#grown(pending.bytes - before);
    return key;
  }

  /** Answers the key. */
  #remove(table: FerriedTable, out: Arena, keyStart: number, keyEnd: number): string {
    const key = keyString(out.bytes, keyStart, keyEnd);
    table.touch(key);
    const pending = this.#of(table);
    const before = pending.bytes;
    pending.remove(key);
    this.#grown(pending.bytes - before);
    return key;
  }

  #of(table: FerriedTable): PendingChanges {
    let pending = this.#pending.get(table);
    if (pending === undefined) {
      pending = new PendingChanges();
      this.#pending.set(table, pending);
    }
    return pending;
  }

  #grown(bytes: number): void {
    this.#count++;
    this.#bytes += bytes;
    if (this.#bytes > PENDING_LIMIT) {
      this.onPressure(true);
      this.#wake?.();
    }
  }
}

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 120 ? line.slice(0, 117) + "..." : line;
}
