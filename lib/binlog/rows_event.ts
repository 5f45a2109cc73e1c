/**
 * WRITE, UPDATE and DELETE_ROWS events: which table, and where the images are.
 * Source: MySQL, rows_event.h (Rows_event); MariaDB, Rows_log_event and its compressed forms.
 * @module
 */
import type { Buffer } from "node:buffer";
import { lenencAt, lenencSize } from "../mysql/wire.ts";
import { EventType } from "./event_header.ts";

/** What a rows event does. */
export type RowsAction = "insert" | "update" | "delete";

/** The shape of a rows event, told by its type code alone. */
export interface RowsShape {
  /** What it does; an update has two images a row. */
  readonly action: RowsAction;
  /** Further data stands in front of the column count. */
  readonly v2: boolean;
  /** MariaDB: the images are deflated. */
  readonly compressed: boolean;
}

const shape = (action: RowsAction, v2: boolean, compressed = false): RowsShape => ({
  action,
  v2,
  compressed,
});

/** Rows event types → their shape. */
export const ROWS_EVENTS: ReadonlyMap<number, RowsShape> = new Map([
  [EventType.WRITE_ROWS_V1, shape("insert", false)],
  [EventType.UPDATE_ROWS_V1, shape("update", false)],
  [EventType.DELETE_ROWS_V1, shape("delete", false)],
  [EventType.WRITE_ROWS, shape("insert", true)],
  [EventType.UPDATE_ROWS, shape("update", true)],
  [EventType.DELETE_ROWS, shape("delete", true)],
  [EventType.MARIADB_WRITE_ROWS_COMPRESSED_V1, shape("insert", false, true)],
  [EventType.MARIADB_UPDATE_ROWS_COMPRESSED_V1, shape("update", false, true)],
  [EventType.MARIADB_DELETE_ROWS_COMPRESSED_V1, shape("delete", false, true)],
  [EventType.MARIADB_WRITE_ROWS_COMPRESSED, shape("insert", true, true)],
  [EventType.MARIADB_UPDATE_ROWS_COMPRESSED, shape("update", true, true)],
  [EventType.MARIADB_DELETE_ROWS_COMPRESSED, shape("delete", true, true)],
]);

/** What stands in front of the images. */
export interface RowsHead {
  /** Columns that the event speaks of. */
  readonly columnCount: number;
  /** Every column is present in every image (`binlog_row_image=FULL`). */
  readonly full: boolean;
  /** Where the images begin. */
  readonly images: number;
}

/** Reads the head of a rows event whose body begins at `o`. */
export function parseRowsHead(b: Buffer, o: number, { action, v2 }: RowsShape): RowsHead {
  o += 8; // table id, flags
  if (v2) o += b.readUInt16LE(o); // its length counts itself
  const columnCount = lenencAt(b, o);
  o += lenencSize(b[o]);
  const bytes = (columnCount + 7) >> 3;
  let full = allOnes(b, o, columnCount);
  o += bytes;
  if (action === "update") {
    full = full && allOnes(b, o, columnCount);
    o += bytes;
  }
  return { columnCount, full, images: o };
}

function allOnes(b: Buffer, o: number, bits: number): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (b[o + i] !== 0xff) return false;
  const rest = (1 << (bits & 7)) - 1;
  return (b[o + whole] & rest) === rest;
}
