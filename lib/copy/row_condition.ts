/**
 * The filter of a table, as it stands in a statement on the source.
 * @module
 */
import { quoteName, quoteTable } from "../mysql/identifier.ts";
import type { Table } from "../schema/table.ts";

/** What decides which rows of a table are ferried. */
export interface Chosen {
  /** The source's table. */
  readonly table: Pick<Table, "schema" | "name" | "key">;
  /** A SQL expression over its columns, or `null`. */
  readonly where: string | null;
  /** Its rows are those of the parent's ferried rows, or `null`. */
  readonly through: { readonly column: string; readonly parent: Chosen } | null;
}

/**
 * The table's own expression alone, or `null`. The line break keeps a comment at the expression's end from swallowing the
 * parenthesis; that the expression cannot get out of it is preflight's to see to.
 */
export function ownCondition(table: { readonly where: string | null }): string | null {
  return table.where === null ? null : `(${table.where}\n)`;
}

/**
 * A condition that holds for the rows that are ferried, or `null` for all rows. Each table is named once and without an
 * alias, so that a session that holds LOCK TABLES may ask it too. `lock` is what a locking read ends with: that of the
 * statement around it reaches no subquery (MySQL, "Locking Reads"), and a parent that nobody sees yet has to be waited for.
 */
export function rowCondition(table: Chosen, lock = ""): string | null {
  const own = ownCondition(table);
  if (table.through === null) return own;
  const { column, parent } = table.through;
  const key = `${quoteTable(parent.table)}.${quoteName(parent.table.key[0].name)}`;
  const theirs = rowCondition(parent, lock);
  const exists = `EXISTS (SELECT 1 FROM ${quoteTable(parent.table)} WHERE ${key} = ${
    quoteTable(table.table)
  }.${quoteName(column)}${theirs === null ? "" : ` AND ${theirs}`}${lock})`;
  return own === null ? exists : `${own} AND ${exists}`;
}
