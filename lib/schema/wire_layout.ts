/**
 * How a table's row travels: which columns, in which order, as which protocol types.
 *
 * A **wire row** is a binary-protocol row without its first byte: a null bitmap of `(columns + 9) >> 3` bytes
 * (column i at bit i + 2), then the values that are not NULL, in the protocol's own encoding. The key's columns come
 * first and are never NULL, so the key is the run of bytes behind the bitmap. Rows read by a prepared SELECT have this
 * form as they arrive; row images are transcoded into it. Both must give the same bytes for the same key (I10).
 * @module
 */
import { Type } from "../mysql/wire.ts";
import type { Column, Table } from "./table.ts";
import { quoteName } from "../mysql/identifier.ts";

/** How a value is laid out behind the bitmap: a fixed number of bytes, one length byte, or a length-encoded string. */
export type Span = 1 | 2 | 4 | 8 | "counted" | "lenenc";

/** One travelling column. */
export interface WireColumn {
  /** The source's column. */
  readonly column: Column;
  /** Parameter type that its bytes are sent under. */
  readonly type: number;
  /** Sent with the unsigned flag. */
  readonly unsigned: boolean;
  /** How long its value is. */
  readonly span: Span;
  /** What stands in the SELECT list, so that the server sends these bytes. */
  readonly select: string;
  /** What stands in VALUES(…) for it. */
  readonly placeholder: string;
}

/** The travelling columns of a table: key first, then the others in the table's order; generated ones left out. */
export interface WireLayout {
  /** Key columns first. */
  readonly columns: readonly WireColumn[];
  /** How many of them are the key. */
  readonly keyColumns: number;
  /**
   * Stored generated columns whose values may be of the time zone of the session that wrote the row. Each side has computed
   * its own: they are compared, and do not travel.
   */
  readonly zoned: readonly WireColumn[];
  /** Bytes of a wire row's null bitmap. */
  readonly nullBytes: number;
}

const TYPES: Record<string, readonly [number, Span]> = {
  tinyint: [Type.TINY, 1],
  smallint: [Type.SHORT, 2],
  mediumint: [Type.LONG, 4],
  int: [Type.LONG, 4],
  bigint: [Type.LONGLONG, 8],
  year: [Type.SHORT, 2],
  float: [Type.FLOAT, 4],
  double: [Type.DOUBLE, 8],
  decimal: [Type.NEWDECIMAL, "lenenc"],
  date: [Type.DATE, "counted"],
  datetime: [Type.DATETIME, "counted"],
  timestamp: [Type.TIMESTAMP, "counted"],
  // As text: MySQL 9.7 refuses a TIME parameter of 838 hours with a fraction (error 1690), which its columns hold.
  time: [Type.VAR_STRING, "lenenc"],
  char: [Type.VAR_STRING, "lenenc"],
  varchar: [Type.VAR_STRING, "lenenc"],
  binary: [Type.VAR_STRING, "lenenc"],
  varbinary: [Type.VAR_STRING, "lenenc"],
  tinytext: [Type.BLOB, "lenenc"],
  text: [Type.BLOB, "lenenc"],
  mediumtext: [Type.BLOB, "lenenc"],
  longtext: [Type.BLOB, "lenenc"],
  tinyblob: [Type.BLOB, "lenenc"],
  blob: [Type.BLOB, "lenenc"],
  mediumblob: [Type.BLOB, "lenenc"],
  longblob: [Type.BLOB, "lenenc"],
  bit: [Type.BLOB, "lenenc"],
  // As numbers: a label may be in a charset that the server alone can compare, an index is exact.
  enum: [Type.LONGLONG, 8],
  set: [Type.LONGLONG, 8],
  json: [Type.VAR_STRING, "lenenc"],
  geometry: [Type.BLOB, "lenenc"],
  point: [Type.BLOB, "lenenc"],
  linestring: [Type.BLOB, "lenenc"],
  polygon: [Type.BLOB, "lenenc"],
  multipoint: [Type.BLOB, "lenenc"],
  multilinestring: [Type.BLOB, "lenenc"],
  multipolygon: [Type.BLOB, "lenenc"],
  geometrycollection: [Type.BLOB, "lenenc"],
  geomcollection: [Type.BLOB, "lenenc"],
  vector: [Type.BLOB, "lenenc"],
  uuid: [Type.VAR_STRING, "lenenc"],
  inet4: [Type.VAR_STRING, "lenenc"],
  inet6: [Type.VAR_STRING, "lenenc"],
};

/** Whether values of this `DATA_TYPE` can travel. */
export function isTravellingType(dataType: string): boolean {
  return dataType in TYPES;
}

/** How one column travels. */
export function wireColumn(column: Column): WireColumn {
  const [type, span] = TYPES[column.dataType];
  const name = quoteName(column.name);
  const counted = column.dataType === "enum" || column.dataType === "set";
  return {
    column,
    type,
    unsigned: column.unsigned || counted || column.dataType === "year",
    span,
    // Not CAST(… AS UNSIGNED): MariaDB sends that as 4 bytes where the labels are short (binlog_tail_rows_test).
    select: counted ? `(${name} | 0)` : column.dataType === "time" ? `CAST(${name} AS CHAR)` : name,
    placeholder: placeholder(column.dataType),
  };
}

/** A BINARY connection's parameter is bytes; these types want characters (drivers: "needs CONVERT"). */
function placeholder(dataType: string): string {
  if (dataType === "json") return "CONVERT(? USING utf8mb4)";
  if (["time", "uuid", "inet4", "inet6"].includes(dataType)) return "CONVERT(? USING latin1)";
  return "?";
}

/** The layout of a table's wire rows. */
export function wireLayout(table: Table): WireLayout {
  const inKey = new Set(table.key.map((c) => c.ordinal));
  const rest = table.columns.filter((c) => !c.generated && !inKey.has(c.ordinal));
  const columns = [...table.key, ...rest].map(wireColumn);
  const zoned = zonedColumns(table).map(wireColumn);
  return { columns, keyColumns: table.key.length, zoned, nullBytes: (columns.length + 9) >> 3 };
}

/**
 * Stored generated columns that may hold what the writing session's time zone made of a moment: both vendors store DATE(ts)
 * and the like of a TIMESTAMP; FROM_UNIXTIME() is what MySQL alone lets a column be made of (generated_zone_test).
 */
export function zonedColumns(table: Table): Column[] {
  const moments = table.columns.some((c) => c.dataType === "timestamp");
  return table.columns.filter((c) =>
    c.stored !== undefined && isTravellingType(c.dataType) && (moments || /from_unixtime/i.test(c.stored))
  );
}

/**
 * The layout of the same rows on another table: `target`'s column of each name stands for the source's, for whatever is
 * compared or written there in its own type, charset and collation. How bytes travel stays the source's. A column that is
 * not there stays the source's too; preflight has refused it.
 */
export function layoutOn(layout: WireLayout, target: Table): WireLayout {
  const there = new Map(target.columns.map((c) => [c.name.toLowerCase(), c]));
  const columns = layout.columns.map((c) => {
    const column = there.get(c.column.name.toLowerCase());
    if (column === undefined || !isTravellingType(column.dataType)) return c;
    const { select, placeholder } = wireColumn(column);
    return { ...c, column, select, placeholder };
  });
  const zoned = layout.zoned.flatMap((c) => {
    const column = there.get(c.column.name.toLowerCase());
    return column?.stored === undefined || !isTravellingType(column.dataType) ? [] : [wireColumn(column)];
  });
  return { ...layout, columns, zoned };
}
