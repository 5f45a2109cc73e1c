/**
 * The order in which a person wants to see tables: trouble first, then what moves, what is to come, and what is through.
 * @module
 */
import type { TableProgress } from "./resource.ts";

/** States that are missing are through. */
const ORDER: readonly TableProgress["state"][] = ["differing", "copying", "indexing", "verifying", "waiting"];

/** Whether nothing is under way with a table, nothing to come and nothing wrong. */
export function isThrough({ state }: TableProgress): boolean {
  return !ORDER.includes(state);
}

/** All of them; those that are alike stay in the order that they came in. */
export function inOrder(tables: readonly TableProgress[]): readonly TableProgress[] {
  const place = (table: TableProgress) => isThrough(table) ? ORDER.length : ORDER.indexOf(table.state);
  return tables.toSorted((a, b) => place(a) - place(b));
}
