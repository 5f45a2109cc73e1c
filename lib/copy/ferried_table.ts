/**
 * A table under way: what copy and replay share of it.
 * @module
 */
import type { Buffer } from "node:buffer";
import type { Table } from "../schema/table.ts";
import { type WireColumn, type WireLayout, wireLayout } from "../schema/wire_layout.ts";
import { type IntegerKey, type KeyPlace, whereIsKey } from "./rules.ts";
import { TableGate } from "./table_gate.ts";
import type { CopyRange } from "./copy_range.ts";

/** One table of the plan. */
export class FerriedTable {
  /** How its rows travel. */
  readonly layout: WireLayout;
  /** Its key's columns, as they travel. */
  readonly key: readonly WireColumn[];
  /** Chunks share it, a flush has it alone. */
  readonly gate = new TableGate();
  /** Key sets that grow with each delivered change: one for each chunk between registration and commit (I2), and the verifier's. */
  readonly watchers = new Set<Set<string>>();
  /** Its ranges while they are being copied, in key order. */
  ranges: readonly CopyRange[] = [];
  /** Whether the copy is through. */
  copied = false;
  /** JavaScript orders these keys as the server does (I4). */
  readonly comparable: boolean;

  /** For the table with this number in the plan. */
  constructor(
    readonly index: number,
    readonly table: Table,
    readonly target: { readonly schema: string; readonly name: string },
    public targetHasUnique: boolean,
  ) {
    this.layout = wireLayout(table);
    this.key = this.layout.columns.slice(0, this.layout.keyColumns);
    this.comparable = this.key.length === 1 && INTEGER.has(this.key[0].column.dataType);
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

const INTEGER = new Set(["tinyint", "smallint", "mediumint", "int", "bigint"]);

/** The value of an integer key's wire bytes. */
export function integerKey(b: Buffer, o: number, c: WireColumn): IntegerKey {
  switch (c.span) {
    case 1:
      return c.unsigned ? b[o] : b.readInt8(o);
    case 2:
      return c.unsigned ? b.readUInt16LE(o) : b.readInt16LE(o);
    case 4:
      return c.unsigned ? b.readUInt32LE(o) : b.readInt32LE(o);
    default: {
      const high = b.readInt32LE(o + 4);
      if (high >= 0 && high < 0x200000) return high * 4294967296 + b.readUInt32LE(o);
      return c.unsigned ? b.readBigUInt64LE(o) : b.readBigInt64LE(o);
    }
  }
}
