/**
 * Keys that JavaScript reads and orders as the server does.
 * @module
 */
import type { Buffer } from "node:buffer";
import type { WireColumn } from "../schema/wire_layout.ts";
import type { IntegerKey } from "./rules.ts";

const INTEGER = new Set(["tinyint", "smallint", "mediumint", "int", "bigint"]);

/** Whether a column holds integers. */
export function isInteger(c: WireColumn): boolean {
  return INTEGER.has(c.column.dataType);
}

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
