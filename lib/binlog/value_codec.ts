/**
 * Which transcoding a column's values need, decided once per table map.
 * @module
 */
import { FerryError } from "../errors.ts";
import { Type } from "../mysql/wire.ts";
import type { Column } from "../schema/table.ts";
import { ADDRESS_ROOM } from "./address_text.ts";
import { decimalRoom } from "./decimal.ts";
import { TEMPORAL_ROOM } from "./temporal.ts";

/** How a column's values are transcoded: a small integer to switch on, and one number that it needs. */
export interface ValueCodec {
  /** One of {@link Kind}. */
  readonly kind: number;
  /** Sizes, digits or precision, by kind. */
  readonly arg: number;
  /** Bytes that a value may take beyond those it has in the image. */
  readonly room: number;
}

/** Kinds of values. */
export const Kind = {
  /** `arg` bytes, as they are. */
  FIXED: 0,
  INT24: 1,
  UINT24: 2,
  YEAR: 3,
  /** `arg`: precision << 9 | scale << 1 | zerofill. */
  DECIMAL: 4,
  DATE: 5,
  /** The next three: `arg` fractional digits. */
  DATETIME: 6,
  TIMESTAMP: 7,
  TIME: 8,
  OLD_DATETIME: 9,
  OLD_TIMESTAMP: 10,
  OLD_TIME: 11,
  /** `arg` bytes of length, then text. */
  STRING: 12,
  /** One byte of length (two from `arg` = 256 on), then bytes whose trailing zeros up to `arg` were cut off. */
  BINARY: 13,
  /** `arg` bytes. */
  BIT: 14,
  /** `arg` bytes of an integer that is 8 bytes in a wire row. */
  LABELS: 15,
  /** The next two: `arg` bytes of length. */
  JSON: 16,
  COMPRESSED: 17,
  UUID: 18,
  INET4: 19,
  INET6: 20,
} as const;

/** Bytes of a length-encoded integer at most. */
const LENENC = 9;

/** How values under this type and metadata of a TABLE_MAP become values of `column`. */
export function valueCodec(type: number, meta: number, column: Column): ValueCodec {
  const codec = (kind: number, arg = 0, room = 0) => ({ kind, arg, room });
  switch (type) {
    case Type.TINY:
      return codec(Kind.FIXED, 1);
    case Type.SHORT:
      return codec(Kind.FIXED, 2);
    case Type.LONG:
    case Type.FLOAT:
      return codec(Kind.FIXED, 4);
    case Type.LONGLONG:
    case Type.DOUBLE:
      return codec(Kind.FIXED, 8);
    case Type.INT24:
      return codec(column.unsigned ? Kind.UINT24 : Kind.INT24, 0, 4);
    case Type.YEAR:
      return codec(Kind.YEAR, 0, 2);
    case Type.NEWDECIMAL: {
      const zerofill = / zerofill/.test(column.columnType) ? 1 : 0;
      return codec(Kind.DECIMAL, ((meta >> 8) << 9) | ((meta & 255) << 1) | zerofill, decimalRoom(meta >> 8));
    }
    case Type.DATE:
      return codec(Kind.DATE, 0, TEMPORAL_ROOM);
    case Type.DATETIME2:
      return codec(Kind.DATETIME, meta, TEMPORAL_ROOM);
    case Type.TIMESTAMP2:
      return codec(Kind.TIMESTAMP, meta, TEMPORAL_ROOM);
    case Type.TIME2:
      return codec(Kind.TIME, meta, TEMPORAL_ROOM);
    case Type.DATETIME:
      return codec(Kind.OLD_DATETIME, 0, TEMPORAL_ROOM);
    case Type.TIMESTAMP:
      return codec(Kind.OLD_TIMESTAMP, 0, TEMPORAL_ROOM);
    case Type.TIME:
      return codec(Kind.OLD_TIME, 0, TEMPORAL_ROOM);
    case Type.VARCHAR:
    case Type.VAR_STRING:
      return codec(Kind.STRING, meta > 255 ? 2 : 1, LENENC);
    case Type.STRING:
      if (column.dataType === "uuid") return codec(Kind.UUID, meta, ADDRESS_ROOM);
      if (column.dataType === "inet4") return codec(Kind.INET4, meta, ADDRESS_ROOM);
      if (column.dataType === "inet6") return codec(Kind.INET6, meta, ADDRESS_ROOM);
      if (column.dataType === "binary") return codec(Kind.BINARY, meta, meta + LENENC);
      return codec(Kind.STRING, meta > 255 ? 2 : 1, LENENC);
    case Type.BIT:
      return codec(Kind.BIT, (meta >> 8) + (meta & 255 ? 1 : 0), 1);
    case Type.ENUM:
    case Type.SET:
      return codec(Kind.LABELS, meta, 8);
    case Type.TINY_BLOB:
    case Type.MEDIUM_BLOB:
    case Type.LONG_BLOB:
    case Type.BLOB:
    case Type.GEOMETRY:
    case Type.VECTOR:
      return codec(Kind.STRING, meta, LENENC);
    case Type.JSON:
      return codec(Kind.JSON, meta);
    case Type.BLOB_COMPRESSED:
      return codec(Kind.COMPRESSED, meta);
    case Type.VARCHAR_COMPRESSED:
      return codec(Kind.COMPRESSED, meta > 255 ? 2 : 1);
  }
  throw new FerryError("row-decode", `Cannot read column "${column.name}": its image has type ${type}`);
}
