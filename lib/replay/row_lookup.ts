/**
 * Finds rows by the values of some of their columns, on either side.
 * @module
 */
import type { FerriedTable } from "../copy/ferried_table.ts";
import { ownCondition } from "../copy/row_condition.ts";
import { quoteTable } from "../mysql/identifier.ts";
import { keyComparison } from "../mysql/key_sql.ts";
import { keyBytes, keyString, RowList } from "../mysql/row_list.ts";
import { RowReader, type RowSink } from "../mysql/row_reader.ts";
import type { Session } from "../mysql/session.ts";
import type { WireColumn } from "../schema/wire_layout.ts";

/** Values a statement, largest first; what is left over is filled up with the last value. */
const BATCHES = [200, 20, 1];

/** Lookups on one data session. Statements are prepared once. */
export class RowLookup {
  readonly #readers = new Map<string, RowReader>();

  /** `suffix` ends every SELECT (I1). */
  constructor(
    readonly session: Session,
    private readonly side: "source" | "target",
    private readonly suffix = "",
  ) {}

  /** Keys of the rows whose columns (places in the layout) hold one of `values` (their bytes behind one another). */
  async keys(
    table: FerriedTable,
    columns: readonly number[],
    values: Iterable<string>,
    condition: string | null = null,
  ): Promise<Set<string>> {
    const found = new Set<string>();
    const key = this.#columns(table).slice(0, table.layout.keyColumns);
    const nullBytes = (key.length + 9) >> 3;
    await this.#read(
      table,
      key,
      columns,
      values,
      condition,
      (b, start, end) => found.add(keyString(b, start + nullBytes, end)),
    );
    return found;
  }

  /** The source's rows of the filter whose columns hold one of `values`, whatever their parents. */
  async rows(table: FerriedTable, columns: readonly number[], values: Iterable<string>): Promise<RowList> {
    const rows = new RowList();
    const condition = ownCondition(table);
    const sink: RowSink = (b, start, end) => rows.push(b, start, end);
    await this.#read(table, this.#columns(table), columns, values, condition, sink);
    return rows;
  }

  #columns(table: FerriedTable): readonly WireColumn[] {
    return (this.side === "source" ? table.layout : table.targetLayout).columns;
  }

  async #read(
    table: FerriedTable,
    wanted: readonly WireColumn[],
    columns: readonly number[],
    values: Iterable<string>,
    condition: string | null,
    sink: RowSink,
  ): Promise<void> {
    const all = [...values];
    for (let o = 0; o < all.length;) {
      const left = all.length - o;
      const size = BATCHES.find((_, i) => left > (BATCHES[i + 1] ?? 0))!;
      const batch = Array.from({ length: size }, (_, i) => keyBytes(all[o + Math.min(i, left - 1)]));
      await this.#reader(table, wanted, columns, size, condition).read(batch, 0, sink);
      o += size;
    }
  }

  #reader(
    table: FerriedTable,
    wanted: readonly WireColumn[],
    columns: readonly number[],
    size: number,
    condition: string | null,
  ): RowReader {
    const by = columns.map((i) => this.#columns(table)[i]);
    const equal = `(${by.map((c) => keyComparison(c, "=")).join(" AND ")})`;
    const place = this.side === "source" ? table.table : table.target;
    const sql = `SELECT ${wanted.map((c) => c.select).join(",")} FROM ${quoteTable(place)} WHERE (${
      Array(size).fill(equal).join(" OR ")
    })${condition === null ? "" : ` AND ${condition}`}${this.suffix}`;
    let reader = this.#readers.get(sql);
    if (reader === undefined) {
      const parameters = by.map((_, i) => i);
      const conditions = Array.from({ length: size }, () => ({ sql: equal, parameters }));
      reader = new RowReader(this.session, sql, by, conditions, false);
      this.#readers.set(sql, reader);
    }
    return reader;
  }
}
