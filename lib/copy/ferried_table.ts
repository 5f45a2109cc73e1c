/**
 * A table under way: what copy and replay share of it.
 * @module
 */
import type { Buffer } from "node:buffer";
import type { Merging } from "../mysql/merge_writer.ts";
import type { Server } from "../mysql/server.ts";
import { sortAlike } from "../schema/key_order.ts";
import type { Table } from "../schema/table.ts";
import { layoutOn, type WireColumn, type WireLayout, wireLayout } from "../schema/wire_layout.ts";
import { ownRowCondition } from "../state/own_keys.ts";
import { integerKey, isInteger } from "./integer_key.ts";
import { type KeyPlace, whereIsKey } from "./rules.ts";
import { rowCondition } from "./row_condition.ts";
import { TableGate } from "./table_gate.ts";
import type { CopyRange } from "./copy_range.ts";
import { TableStrip } from "./table_strip.ts";

/** What the plan says of a table. */
export interface FerriedPlan {
  /** The source's table. */
  readonly table: Table;
  /** Where it goes. */
  readonly target: { readonly schema: string; readonly name: string };
  /** Which rows; `null` for all. */
  readonly where: string | null;
  /** The target table may hold rows of others. */
  readonly merge: boolean;
  /** During the copy the target table has a unique index beside the key (I4). */
  readonly targetHasUnique: boolean;
}

/** One table of the plan. */
export class FerriedTable {
  /** The source's table. */
  readonly table: Table;
  /** Where it goes. */
  readonly target: { readonly schema: string; readonly name: string };
  /** Which rows, as a SQL expression over the source's columns; `null` for all. */
  readonly where: string | null;
  /** Only the rows of a parent's ferried rows; `null` for all. See {@link follow}. */
  through: { readonly column: string; readonly parent: FerriedTable } | null = null;
  /** Which rows, as a condition in a statement on the source. */
  sourceCondition: string | null;
  /** Cascades change its rows, and the binlog does not tell of it. */
  changesUnseen = false;
  /** Grows with each flush that has changed rows that no event names: chunks read before it are stale (I3). */
  epoch = 0;
  /** Which of the target's rows are the ferry's, as a condition in a statement there; `null` for all. */
  targetCondition: string | null = null;
  /** The target table may hold rows of others. */
  readonly merge: boolean;
  /** How its rows travel: the source's columns. */
  readonly layout: WireLayout;
  /** The same rows in the same order as the target's columns: what is compared and written there. See {@link arrive}. */
  targetLayout: WireLayout;
  /** Both servers have its keys in one order. See {@link arrive}. */
  sameOrder = true;
  /** Both servers tell -0 from 0. See {@link arrive}. */
  signedZero = true;
  /** A unique index of the target beside the key can be in a row's way (I4). */
  targetHasUnique: boolean;
  /** How it is merged, once the target's table is there; `null` where it is not. See {@link meetOthers}. */
  merging: Merging | null = null;
  /** Its key's columns, as they travel. */
  readonly key: readonly WireColumn[];
  /** Chunks share it, a flush has it alone. */
  readonly gate = new TableGate();
  /** Key sets that grow with each delivered change: one for each chunk between registration and commit (I2), and the verifier's. */
  readonly watchers = new Set<Set<string>>();
  /** Its ranges while they are being copied, in key order. */
  ranges: readonly CopyRange[] = [];
  /** How many of them may be written at a time, whoever wants more. See {@link arrive}. */
  sideBySide = Infinity;
  /** Whether the copy is through. */
  copied = false;
  /** Its key range as a picture. */
  readonly strip: TableStrip;
  /** JavaScript orders these keys as the server does (I4). */
  readonly comparable: boolean;

  /** For the table with this number in the plan. */
  constructor(readonly index: number, planned: FerriedPlan) {
    this.table = planned.table;
    this.target = planned.target;
    this.where = planned.where;
    this.sourceCondition = rowCondition(this);
    this.merge = planned.merge;
    this.targetHasUnique = planned.targetHasUnique;
    this.layout = wireLayout(this.table);
    this.targetLayout = this.layout;
    this.key = this.layout.columns.slice(0, this.layout.keyColumns);
    this.comparable = this.key.length === 1 && isInteger(this.key[0]);
    this.strip = new TableStrip(this);
  }

  /** The target's table is there, with these columns, on servers of these vendors. `counts`: it has AUTO_INCREMENT. */
  arrive(
    target: Table,
    vendors: { readonly source: Server["vendor"]; readonly target: Server["vendor"] },
    counts: boolean,
  ): void {
    // MariaDB keeps the counter in the index's root page and latches that for every row (btr_write_autoinc): a second
    // writer of the table takes two thirds more of the server's time and brings nothing (measured: 2.8 → 4.6 s a
    // million rows at the same 317,000 rows/s; without AUTO_INCREMENT two copy 406,000).
    if (vendors.target === "mariadb" && counts) this.sideBySide = 1;
    const sameVendor = vendors.source === vendors.target;
    this.signedZero = sameVendor && vendors.source === "mysql";
    this.targetLayout = layoutOn(this.layout, target);
    this.sameOrder = this.key.every((c, i) =>
      sortAlike(c.column, this.targetLayout.columns[i].column, sameVendor)
    );
  }

  /** Its rows are those whose `column` holds the key of a ferried row of `parent`. */
  follow(parent: FerriedTable, column: string): void {
    this.through = { parent, column };
    this.sourceCondition = rowCondition(this);
  }

  /** How many parents choose before it is its turn. */
  get level(): number {
    return this.through === null ? 0 : this.through.parent.level + 1;
  }

  /** A table that chooses its rows is being copied: nothing of this one was read yet, and all of it will be. */
  get waits(): boolean {
    if (this.through === null) return false;
    const { parent } = this.through;
    return (parent.ranges.length > 0 && !parent.copied) || parent.waits;
  }

  /** A flush may write rows of it that are newer than what it replays. */
  get readsAhead(): boolean {
    return this.through !== null || this.changesUnseen;
  }

  /** Some of its rows are ferried, or change without an event: what an event says is not the last word. */
  get partial(): boolean {
    return this.where !== null || this.through !== null || this.changesUnseen;
  }

  /** Its rows go beside those of others, in a table with these unique indexes. */
  meetOthers(merging: Merging): void {
    this.merging = merging;
    this.targetHasUnique = merging.uniques.length > 0;
    this.targetCondition = ownRowCondition(merging.keys, this.target, this.key.map((c) => c.column.name));
  }

  /** Tells every watcher that a change of this key was delivered. */
  touch(key: string): void {
    for (const keys of this.watchers) keys.add(key);
  }

  /** Where a key lies as seen from the copy (I4). */
  place(b: Buffer, start: number): KeyPlace {
    if (this.copied || !this.comparable) return "unknown";
    const key = integerKey(b, start, this.key[0]);
    let low = 0, high = this.ranges.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      const upper = this.ranges[middle].view.upper;
      if (upper === null || key <= upper) high = middle;
      else low = middle + 1;
    }
    return high < 0 ? "unknown" : whereIsKey(this.ranges[low].view, key);
  }
}
