/**
 * TABLE_MAP events: how the row images that follow are laid out, and whether that is the table we know.
 * Source: MySQL, rows_event.h (Table_map_event); MariaDB, Table_map_log_event.
 * @module
 */
import type { Buffer } from "node:buffer";
import type { Column, Table } from "../schema/table.ts";
import { FerryError } from "../errors.ts";
import { lenencAt, lenencSize, Type } from "../mysql/wire.ts";
import { expectedColumn, isOldHires } from "./column_check.ts";

/** One table as the binlog describes it. */
export interface TableMap {
  /** The id that rows events name; reused after a restart of the source. */
  readonly tableId: number;
  /** Schema. */
  readonly schema: string;
  /** Table. */
  readonly name: string;
  /** Columns in an image, generated and invisible ones included. */
  readonly columnCount: number;
  /** Type codes; ENUM and SET resolved from the STRING that the event says. */
  readonly types: Uint8Array;
  /** Per type: octets of a string, bytes of a length, fractional digits, precision << 8 | scale, … */
  readonly meta: Uint16Array;
  /** Signedness of the numeric columns (others `undefined`), or `null` where the event doesn't carry it. */
  readonly unsigned: readonly (boolean | undefined)[] | null;
  /** Column names, or `null` where the event doesn't carry them (`binlog_row_metadata=MINIMAL`). */
  readonly names: readonly string[] | null;
}

/** The table id of a TABLE_MAP or rows event whose body begins at `o`. */
export function tableIdAt(b: Buffer, o: number): number {
  return b.readUIntLE(o, 6);
}

/** Reads a TABLE_MAP body in `b[o, end)`; `end` is before the checksum. */
export function parseTableMap(b: Buffer, o: number, end: number): TableMap {
  const tableId = tableIdAt(b, o);
  o += 8;
  const schema = b.toString("utf8", o + 1, o + 1 + b[o]);
  o += b[o] + 2;
  const name = b.toString("utf8", o + 1, o + 1 + b[o]);
  o += b[o] + 2;
  const columnCount = lenencAt(b, o);
  o += lenencSize(b[o]);
  const types = new Uint8Array(b.subarray(o, o + columnCount));
  o += columnCount;
  const metaLength = lenencAt(b, o);
  o += lenencSize(b[o]);
  const meta = new Uint16Array(columnCount);
  if (readMeta(b, o, types, meta) !== o + metaLength) {
    throw new FerryError(
      "event-decode",
      `Cannot read the table map of "${schema}.${name}": its metadata is not ${metaLength} bytes long`,
    );
  }
  o += metaLength + ((columnCount + 7) >> 3); // the nullable bits say nothing about an image
  let unsigned: (boolean | undefined)[] | null = null;
  let names: string[] | null = null;
  while (o < end) {
    const field = b[o++];
    const length = lenencAt(b, o);
    o += lenencSize(b[o]);
    if (field === 1) unsigned = readSigns(b, o, types);
    else if (field === 4) names = readNames(b, o, o + length);
    o += length;
  }
  return { tableId, schema, name, columnCount, types, meta, unsigned, names };
}

function readMeta(b: Buffer, o: number, types: Uint8Array, meta: Uint16Array): number {
  for (let i = 0; i < types.length; i++) {
    switch (types[i]) {
      case Type.FLOAT:
      case Type.DOUBLE:
      case Type.TINY_BLOB:
      case Type.MEDIUM_BLOB:
      case Type.LONG_BLOB:
      case Type.BLOB:
      case Type.BLOB_COMPRESSED:
      case Type.GEOMETRY:
      case Type.JSON:
      case Type.VECTOR:
      case Type.TIMESTAMP2:
      case Type.DATETIME2:
      case Type.TIME2:
        meta[i] = b[o];
        o += 1;
        break;
      case Type.VARCHAR:
      case Type.VARCHAR_COMPRESSED:
      case Type.BIT: // odd bits | whole bytes << 8
        meta[i] = b[o] | (b[o + 1] << 8);
        o += 2;
        break;
      case Type.NEWDECIMAL:
        meta[i] = (b[o] << 8) | b[o + 1];
        o += 2;
        break;
      case Type.ENUM:
      case Type.SET:
      case Type.VAR_STRING:
      case Type.STRING: {
        const real = b[o];
        if (real === Type.ENUM || real === Type.SET) {
          types[i] = real;
          meta[i] = b[o + 1];
        } else meta[i] = b[o + 1] | (((real & 0x30) ^ 0x30) << 4); // lengths above 255 hide in the type byte
        o += 2;
        break;
      }
    }
  }
  return o;
}

function readSigns(b: Buffer, o: number, types: Uint8Array): (boolean | undefined)[] {
  const signs: (boolean | undefined)[] = [];
  let bit = 0;
  for (let i = 0; i < types.length; i++) {
    if (!SIGNED_TYPES.has(types[i])) continue;
    signs[i] = (b[o + (bit >> 3)] & (0x80 >> (bit & 7))) !== 0;
    bit++;
  }
  return signs;
}

/** Types that have a bit in the signedness field; YEAR is among them. */
const SIGNED_TYPES = new Set<number>([
  Type.TINY,
  Type.SHORT,
  Type.INT24,
  Type.LONG,
  Type.LONGLONG,
  Type.FLOAT,
  Type.DOUBLE,
  Type.YEAR,
  Type.NEWDECIMAL,
]);

function readNames(b: Buffer, o: number, end: number): string[] {
  const names: string[] = [];
  while (o < end) {
    const length = lenencAt(b, o);
    o += lenencSize(b[o]);
    names.push(b.toString("utf8", o, o + length));
    o += length;
  }
  return names;
}

/** Why row images under this map are not those of the table as it was when the ferry began; `null` when they are. */
export function checkTableMap(map: TableMap, table: Table): string | null {
  if (map.columnCount !== table.columns.length) {
    return `an image has ${map.columnCount} columns, the table had ${table.columns.length}`;
  }
  for (let i = 0; i < map.columnCount; i++) {
    const column = table.columns[i];
    const why = checkColumn(map, i, column);
    if (why !== null) return `column "${column.name}" (${column.columnType}): ${why}`;
  }
  return null;
}

function checkColumn(map: TableMap, i: number, column: Column): string | null {
  const name = map.names?.[i];
  if (name !== undefined && name !== column.name) return `its image is called "${name}"`;
  const type = map.types[i];
  const meta = map.meta[i];
  if (isOldHires(type, column)) {
    return "a temporal of MariaDB 5.3 with fractional digits, whose image can't be told apart from others; " +
      "ALTER TABLE … FORCE under mysql56_temporal_format=ON rewrites it";
  }
  if (!expectedColumn(column).some((e) => e.type === type && (e.meta === null || e.meta === meta))) {
    return `its image has type ${type} with metadata ${meta}`;
  }
  const unsigned = map.unsigned?.[i];
  if (unsigned !== undefined && column.dataType !== "year" && unsigned !== column.unsigned) {
    return `its image is ${unsigned ? "unsigned" : "signed"}`;
  }
  return null;
}
