/**
 * Which type code and metadata a TABLE_MAP must show for a column of `information_schema`.
 * @module
 */
import type { Column } from "../schema/table.ts";
import { Type } from "../mysql/wire.ts";

/** One way in which a column may be stored; `meta` is `null` where any will do. */
export interface ExpectedColumn {
  /** Type code. */
  readonly type: number;
  /** Metadata as {@link TableMap} holds it. */
  readonly meta: number | null;
}

const INTEGERS: Record<string, number> = {
  tinyint: Type.TINY,
  smallint: Type.SHORT,
  mediumint: Type.INT24,
  int: Type.LONG,
  bigint: Type.LONGLONG,
};

/** Bytes of a length, by the blob's size class. */
const LENGTH_BYTES: Record<string, number> = {
  tinytext: 1,
  tinyblob: 1,
  text: 2,
  blob: 2,
  mediumtext: 3,
  mediumblob: 3,
  longtext: 4,
  longblob: 4,
};

/** Every type and metadata under which images of this column may arrive. Empty for a type that nobody knows. */
export function expectedColumn(c: Column): ExpectedColumn[] {
  const { dataType } = c;
  const integer = INTEGERS[dataType];
  if (integer !== undefined) return [{ type: integer, meta: 0 }];
  const lengthBytes = LENGTH_BYTES[dataType];
  if (lengthBytes !== undefined) {
    return [{ type: Type.BLOB, meta: lengthBytes }, { type: Type.BLOB_COMPRESSED, meta: lengthBytes }];
  }
  switch (dataType) {
    case "year":
      return [{ type: Type.YEAR, meta: 0 }];
    case "float":
      return [{ type: Type.FLOAT, meta: 4 }];
    case "double":
      return [{ type: Type.DOUBLE, meta: 8 }];
    case "decimal":
      return [{ type: Type.NEWDECIMAL, meta: ((c.precision ?? 0) << 8) | (c.scale ?? 0) }];
    case "date":
      return [{ type: Type.DATE, meta: 0 }];
    case "datetime":
      return [{ type: Type.DATETIME2, meta: c.fraction ?? 0 }, { type: Type.DATETIME, meta: 0 }];
    case "timestamp":
      return [{ type: Type.TIMESTAMP2, meta: c.fraction ?? 0 }, { type: Type.TIMESTAMP, meta: 0 }];
    case "time":
      return [{ type: Type.TIME2, meta: c.fraction ?? 0 }, { type: Type.TIME, meta: 0 }];
    case "char":
    case "binary":
      return [{ type: Type.STRING, meta: c.octetLength }];
    case "varchar":
    case "varbinary":
      // A COMPRESSED column's stored form is one byte longer than what it may hold.
      return [
        { type: Type.VARCHAR, meta: c.octetLength },
        { type: Type.VARCHAR_COMPRESSED, meta: c.octetLength },
        { type: Type.VARCHAR_COMPRESSED, meta: c.octetLength === null ? null : c.octetLength + 1 },
      ];
    case "bit": {
      const bits = c.precision ?? 0;
      return [{ type: Type.BIT, meta: (bits & 7) | ((bits >> 3) << 8) }];
    }
    case "enum":
      return [{ type: Type.ENUM, meta: countLabels(c.columnType) < 256 ? 1 : 2 }];
    case "set": {
      const bytes = (countLabels(c.columnType) + 7) >> 3;
      return [{ type: Type.SET, meta: bytes > 4 ? 8 : bytes }];
    }
    case "json":
      return [{ type: Type.JSON, meta: 4 }];
    case "vector": // MySQL; MariaDB's is a VARBINARY
      return [{ type: Type.VECTOR, meta: 4 }, { type: Type.VARCHAR, meta: c.octetLength }];
    case "uuid":
    case "inet6":
      return [{ type: Type.STRING, meta: 16 }];
    case "inet4":
      return [{ type: Type.STRING, meta: 4 }];
    case "geometry":
    case "point":
    case "linestring":
    case "polygon":
    case "multipoint":
    case "multilinestring":
    case "multipolygon":
    case "geometrycollection":
    case "geomcollection":
      return [{ type: Type.GEOMETRY, meta: 4 }];
    default:
      return [];
  }
}

/** A MariaDB 5.3 temporal with a fraction: the event shows the old type and not how many bytes a value takes. */
export function isOldHires(type: number, c: Column): boolean {
  return (type === Type.TIMESTAMP || type === Type.TIME || type === Type.DATETIME) && (c.fraction ?? 0) > 0;
}

/** Labels of `enum('a','b''c')`: a quote inside a label is doubled. */
export function countLabels(columnType: string): number {
  return columnType.match(/'(?:[^']|'')*'/g)?.length ?? 0;
}
