/**
 * Keys by table.
 * @module
 */
import type { FerriedTable } from "../copy/ferried_table.ts";

/** Keys (latin1 key strings) by table. */
export type KeySets = Map<FerriedTable, Set<string>>;

/** Adds to a table's keys. */
export function addAll(sets: KeySets, table: FerriedTable, keys: Iterable<string>): void {
  let set = sets.get(table);
  if (set === undefined) sets.set(table, set = new Set());
  for (const key of keys) set.add(key);
}
