/**
 * What the tail notes of parents beside their last image: which keys went, came, or changed more than once. A last image
 * says nothing of what lies between, and it is there that children were changed.
 * @module
 */
import type { FerriedTable } from "../copy/ferried_table.ts";
import type { Dependencies } from "./dependencies.ts";

/** Notes of one table. */
export interface TableNotes {
  /** Keys whose children may have been changed by a cascade: they went, or were given to another row. */
  readonly gone: Set<string>;
  /** Keys that rows were changed to: children may have come along. */
  readonly came: Set<string>;
  /** Keys with an event. */
  readonly seen: Set<string>;
  /** Keys with several events, or with some that an earlier batch has written. */
  readonly again: Set<string>;
  /** Keys of rows that may be out of date. */
  readonly suspect: Set<string>;
}

/** Notes of a batch. */
export type Notes = ReadonlyMap<FerriedTable, TableNotes>;

/** What a batch takes along. */
export interface TakenNotes {
  /** Of transactions that were delivered whole. */
  readonly settled: Notes;
  /** Of the transaction that is being delivered: nobody can read its rows on the source yet. They come again. */
  readonly open: Notes;
}

/**
 * Gathers the notes. Those of a transaction count once it was delivered whole: before that a read of the source need not
 * see what it changed, and where a flush comes in its middle they wait for the next one. (The position that is saved with
 * such a flush lies before the transaction, so that after a crash they are gathered again.)
 */
export class KeyNotes {
  #settled = new Map<FerriedTable, TableNotes>();
  #open = new Map<FerriedTable, TableNotes>();

  /** For tables that depend on one another like this. */
  constructor(private readonly dependencies: Dependencies) {}

  /** Keys that wait to be followed though nothing else may wait. */
  get waiting(): number {
    let count = 0;
    for (const n of this.#settled.values()) {
      count += n.gone.size + n.came.size + n.again.size + n.suspect.size;
    }
    return count;
  }

  /** Rows that may be out of date wait. */
  get suspecting(): boolean {
    return [...this.#settled.values()].some((n) => n.suspect.size > 0);
  }

  /** Tables that following the notes may write. */
  tables(): Set<FerriedTable> {
    return this.dependencies.reach([...this.#settled.keys(), ...this.#open.keys()]);
  }

  /** A row with this key was inserted: the key was free just before. */
  inserted(table: FerriedTable, key: string): void {
    // If a row had it before, a cascade may have taken that one and its children away.
    if (this.dependencies.middles.has(table)) this.#of(table).gone.add(key);
    this.#saw(table, key);
  }

  /** The row with this key was changed and kept it. */
  changed(table: FerriedTable, key: string): void {
    this.#saw(table, key);
  }

  /** The row with this key was given another one. */
  moved(table: FerriedTable, from: string, to: string): void {
    if (this.dependencies.cascades.has(table)) {
      const notes = this.#of(table);
      notes.gone.add(from);
      notes.came.add(to);
    }
    this.#saw(table, from);
    this.#saw(table, to);
  }

  /** The row with this key was deleted. */
  removed(table: FerriedTable, key: string): void {
    if (this.dependencies.cascades.has(table)) this.#of(table).gone.add(key);
    this.#saw(table, key);
  }

  /** These rows may have been passed by: they are to be looked at again. */
  suspect(table: FerriedTable, keys: Iterable<string>): void {
    const notes = of(this.#settled, table);
    for (const key of keys) notes.suspect.add(key);
  }

  /** The transaction was delivered whole. */
  end(): void {
    for (const [table, notes] of this.#open) merge(of(this.#settled, table), notes);
    this.#open = new Map();
  }

  /** Takes what waits. */
  take(): TakenNotes {
    const taken = { settled: this.#settled, open: new Map<FerriedTable, TableNotes>() };
    for (const [table, notes] of this.#open) {
      merge(of(taken.open, table), notes);
      for (const key of notes.seen) notes.again.add(key);
    }
    this.#settled = new Map();
    return taken;
  }

  #saw(table: FerriedTable, key: string): void {
    if (!this.dependencies.throughs.has(table)) return;
    const notes = this.#of(table);
    if (notes.seen.has(key) || this.#settled.get(table)?.seen.has(key)) notes.again.add(key);
    else notes.seen.add(key);
  }

  #of(table: FerriedTable): TableNotes {
    return of(this.#open, table);
  }
}

function of(notes: Map<FerriedTable, TableNotes>, table: FerriedTable): TableNotes {
  let found = notes.get(table);
  if (found === undefined) {
    found = { gone: new Set(), came: new Set(), seen: new Set(), again: new Set(), suspect: new Set() };
    notes.set(table, found);
  }
  return found;
}

function merge(into: TableNotes, from: TableNotes): void {
  for (const name of ["gone", "came", "seen", "again", "suspect"] as const) {
    for (const key of from[name]) into[name].add(key);
  }
}
