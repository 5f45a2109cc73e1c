/**
 * What verification has found so far.
 * @module
 */
import type { Difference } from "../progress/resource.ts";
import { keyBytes } from "../mysql/row_list.ts";
import { tableLabel } from "../schema/table.ts";
import { keyText } from "./key_text.ts";
import type { UnlikeKey } from "./recheck.ts";
import type { VerifiedTable } from "./table_reads.ts";

/** What verification has found so far. */
export interface VerifyProgress {
  /** Rows of the source compared. */
  rowsCompared: number;
  /** The first differences. */
  differences: Difference[];
  /** How many there are. */
  differenceCount: number;
  /** Indexes of the tables in which every range was compared and nothing differs. */
  tablesVerified: Set<number>;
  /** Rows of the source compared, by the index of their table. */
  rowsByTable: Map<number, number>;
  /** Rows that differ, by the index of their table. */
  unlike: Map<number, UnlikeRows>;
}

/** Rows of one table that differ. */
export interface UnlikeRows {
  /** How many there are. */
  count: number;
  /** Keys of the first of them, as latin1 strings. */
  readonly keys: string[];
}

/** Differences that are kept with their key: of all tables to be told, of each to be placed in its strip. */
const KEPT = 100;
/** Differences that are told apart from those found again. */
const KNOWN = 100_000;

/** Gathers differences, each once. */
export class Findings {
  /** The numbers. */
  readonly progress: VerifyProgress = {
    rowsCompared: 0,
    differences: [],
    differenceCount: 0,
    tablesVerified: new Set(),
    rowsByTable: new Map(),
    unlike: new Map(),
  };
  readonly #known = new Set<string>();

  /** Notes rows that differ. */
  add(t: VerifiedTable, found: readonly UnlikeKey[]): void {
    const columns = t.layout.columns.slice(0, t.layout.keyColumns);
    const rows = this.progress.unlike.get(t.index) ?? { count: 0, keys: [] };
    for (const { key, kind } of found) {
      const id = `${t.index} ${key}`;
      if (this.#known.has(id)) continue;
      if (this.#known.size < KNOWN) this.#known.add(id);
      this.progress.unlike.set(t.index, rows);
      this.progress.tablesVerified.delete(t.index);
      this.progress.differenceCount++;
      rows.count++;
      if (rows.keys.length < KEPT) rows.keys.push(key);
      if (this.progress.differences.length < KEPT) {
        const text = keyText(keyBytes(key), columns);
        this.progress.differences.push({ table: tableLabel(t.table), key: text, kind });
      }
    }
  }

  /** So many rows of the table were compared. */
  compared(table: number, rows: number): void {
    this.progress.rowsCompared += rows;
    this.progress.rowsByTable.set(table, (this.progress.rowsByTable.get(table) ?? 0) + rows);
  }

  /** Every range of the table was compared. */
  passed(table: number): void {
    if (!this.progress.unlike.has(table)) this.progress.tablesVerified.add(table);
  }
}
