/**
 * What a tail tells whoever listens.
 * @module
 */
import type { Arena } from "../mysql/arena.ts";
import type { BinlogPosition } from "./position.ts";
import type { RowTranscoder } from "./row_transcoder.ts";
import type { TableMap } from "./table_map.ts";

/** Where and when a transaction ended. */
export interface TransactionEnd {
  /** The end of the transaction: a tail begun from here continues behind it. */
  readonly position: BinlogPosition;
  /** MySQL `uuid:n` or `uuid:tag:n`, MariaDB `domain-server-n`; `null` where the source has none. */
  readonly gtid: string | null;
  /** When its last statement began, in seconds since 1970. */
  readonly timestamp: number;
  /** XA transactions that are prepared here and hold no row of a bound table: their commits are no matter. */
  readonly prepared: readonly string[];
}

/** What a table that is ferried is bound to. */
export interface BoundTable {
  /** Made for the table map that was bound. */
  readonly transcoder: RowTranscoder;
}

/**
 * What the tail tells. Calls are synchronous and in binlog order; a throw stops the tail and becomes its failure.
 * `out` is the tail's scratch memory and is overwritten by the next row: copy what is kept.
 */
export interface TailHandler<T extends BoundTable> {
  /** A table map that was not seen before. `null`: not ferried, its rows are passed over undecoded. */
  bind(map: TableMap): T | null;
  /** A row was inserted: the wire row `out[rowStart, rowEnd)`, its key's bytes ending at `keyEnd`. */
  insert(table: T, out: Arena, rowStart: number, keyEnd: number, rowEnd: number): void;
  /** A row was changed: the old key's bytes, and the new wire row. */
  update(
    table: T,
    out: Arena,
    oldKeyStart: number,
    oldKeyEnd: number,
    rowStart: number,
    keyEnd: number,
    rowEnd: number,
  ): void;
  /** A row was deleted: its key's bytes. */
  remove(table: T, out: Arena, keyStart: number, keyEnd: number): void;
  /** A transaction begins; from now on it may be delivered. Before any of its rows. */
  begin(gtid: string | null): void;
  /** A transaction is complete: XID, COMMIT, or behind a statement that is its own transaction. */
  commit(end: TransactionEnd): void;
  /**
   * Every query event that is no transaction control: DDL, and DML in statement format. Called once for each text that
   * its bytes may stand for, where that cannot be told; a letter that cannot be read is U+FFFD.
   * Where it is its own transaction, `end` is its end and {@link commit} follows; inside a transaction
   * (CREATE TABLE … SELECT) the position is where the last complete one ended.
   */
  statement(text: string, schema: string, end: TransactionEnd): void;
  /** Nothing new up to here. Never inside a transaction. */
  heartbeat(position: BinlogPosition): void;
}
