/**
 * Writing a table, whoever else has rows in it.
 * @module
 */
import type { RowList } from "./row_list.ts";

/** Writes wire rows into one table on one session, within the transaction that the caller has begun. */
export interface TableWriter {
  /** Makes what is needed and cannot be made inside a transaction. Called before each, a repeated one too. */
  prepare(): Promise<void>;
  /**
   * Makes these rows the table's, each in place of the row with its key. Rows that `take` does not want are left out; it
   * is asked in the turn of sending (I2). Answers how many were written.
   */
  replace(rows: RowList, take: ((index: number) => boolean) | null): Promise<number>;
  /** Takes the rows with these keys out. `keys` holds key bytes without a bitmap. */
  remove(keys: RowList): Promise<void>;
  /** Nothing is written any more: its statements are closed. */
  release(): void;
}
