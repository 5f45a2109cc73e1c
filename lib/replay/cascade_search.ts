/**
 * Finds the rows that cascades may have changed, from the parents' keys on: a search along the cascades, ending where
 * nothing new is found, so that trees and rings of tables are searched too.
 * @module
 */
import type { FerriedTable } from "../copy/ferried_table.ts";
import type { Dependencies } from "./dependencies.ts";
import { addAll, type KeySets } from "./key_sets.ts";
import type { RowLookup } from "./row_lookup.ts";

/** One search. */
export class CascadeSearch {
  readonly #found: KeySets = new Map();
  /** Keys that were followed, or are about to be. */
  readonly #gone: KeySets = new Map();
  readonly #came: KeySets = new Map();
  #todo = new Map<FerriedTable, { readonly gone: Set<string>; readonly came: Set<string> }>();

  /** Looks in both places. */
  constructor(
    private readonly dependencies: Dependencies,
    private readonly target: RowLookup,
    private readonly source: RowLookup,
  ) {}

  /** These rows are to be read again; `followed`: and their children be searched. */
  found(table: FerriedTable, keys: Iterable<string>, followed: boolean): void {
    const all = [...keys];
    if (all.length === 0) return;
    addAll(this.#found, table, all);
    if (followed) this.moved(table, all, []);
  }

  /** Parents' keys that went, and such that came. */
  moved(table: FerriedTable, gone: Iterable<string>, came: Iterable<string>): void {
    if (!this.dependencies.cascades.has(table)) return;
    const todo = this.#todo.get(table) ?? { gone: new Set(), came: new Set() };
    for (const key of came) note(this.#came, table, key, todo.came);
    // A key that came may have had children before, of a row that went.
    for (const key of [...gone, ...todo.came]) note(this.#gone, table, key, todo.gone);
    if (todo.gone.size + todo.came.size > 0) this.#todo.set(table, todo);
  }

  /** Every row that is to be read again. */
  async run(): Promise<KeySets> {
    while (this.#todo.size > 0) {
      const round = this.#todo;
      this.#todo = new Map();
      for (const [parent, { gone, came }] of round) {
        for (const link of this.dependencies.cascades.get(parent)!) {
          const left = await this.target.keys(link.child, link.columns, gone);
          const moved = link.follows
            ? await this.source.keys(link.child, link.columns, came)
            : new Set<string>();
          addAll(this.#found, link.child, left);
          addAll(this.#found, link.child, moved);
          if (link.passesOn) this.moved(link.child, left, moved);
        }
      }
    }
    return this.#found;
  }
}

function note(known: KeySets, table: FerriedTable, key: string, into: Set<string>): void {
  if (known.get(table)?.has(key)) return;
  addAll(known, table, [key]);
  into.add(key);
}
