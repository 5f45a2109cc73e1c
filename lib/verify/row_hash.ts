/**
 * The text that stands for a whole row, and its hash, as SQL that both vendors understand and answer alike.
 *
 * Every value is written so that its end is known (numbers and dates hold no comma, everything else says its length
 * first) and NULL is `N`, which no value begins with: different rows have different texts. Long values go in as their own
 * SHA2, so that a row near `max_allowed_packet` still has a text. CONCAT, not CONCAT_WS: what the server cannot make
 * becomes a NULL hash, which is counted, instead of a value left out.
 *
 * What differs on purpose: NULL, `''` and `'NULL'`; -0 and 0; floats in their last bit; trailing spaces and zero bytes;
 * letters that the collation holds equal. What does not: JSON whose texts parse to the same document (a DECIMAL inside
 * JSON, printed `1.10`, is carried as text and comes back as the number 1.1).
 * @module
 */
import { FerryError } from "../errors.ts";
import { quoteName } from "../mysql/identifier.ts";
import { type Table, tableLabel } from "../schema/table.ts";
import type { WireColumn, WireLayout } from "../schema/wire_layout.ts";

/** Strings that may be longer than this (bytes) go in as their own hash. */
const SHORT_BYTES = 1024;

/** SQL for the hash of a row: 64 hex digits, or NULL where the server could not make it. Columns in layout order. */
export function rowHashSql(layout: WireLayout, table: Table): string {
  const values = layout.columns.map((c) => nullable(c, table));
  // A single argument would leave a lone number to SHA2; the comma makes it a string.
  return `SHA2(CONCAT(${values.join(",',',")},','),256)`;
}

function nullable(c: WireColumn, table: Table): string {
  const value = valueSql(c, table);
  return c.column.nullable ? `IF(${quoteName(c.column.name)} IS NULL,'N',${value})` : value;
}

function valueSql(c: WireColumn, table: Table): string {
  const name = quoteName(c.column.name);
  switch (c.column.dataType) {
    case "tinyint":
    case "smallint":
    case "mediumint":
    case "int":
    case "bigint":
    case "decimal":
    case "year":
    case "date":
    case "datetime":
    case "timestamp":
    case "time":
      return name;
    case "float":
    case "double":
      // A FLOAT's own text has six digits, a FLOAT(7,2)'s two; as a DOUBLE it is exact.
      return `CAST(${name} AS DOUBLE)`;
    case "enum":
    case "set":
    case "bit":
      return `CAST(${name} AS UNSIGNED)`;
    case "char":
    case "varchar":
    case "binary":
    case "varbinary": {
      const { octetLength } = c.column;
      return octetLength !== null && octetLength <= SHORT_BYTES ? shortBytes(name) : longBytes(name);
    }
    case "uuid":
    case "inet4":
    case "inet6":
      return shortBytes(`CAST(${name} AS CHAR CHARACTER SET latin1)`);
    case "json": {
      const text = `CAST(${name} AS CHAR CHARACTER SET utf8mb4)`;
      return `SHA2(CAST(CAST(${text} AS JSON) AS CHAR CHARACTER SET utf8mb4),256)`;
    }
    case "tinytext":
    case "text":
    case "mediumtext":
    case "longtext":
    case "tinyblob":
    case "blob":
    case "mediumblob":
    case "longblob":
    case "geometry":
    case "point":
    case "linestring":
    case "polygon":
    case "multipoint":
    case "multilinestring":
    case "multipolygon":
    case "geometrycollection":
    case "geomcollection":
    case "vector":
      return longBytes(name);
    default:
      throw new FerryError(
        "verify-unknown-type",
        `Cannot verify "${tableLabel(table)}": column "${c.column.name}" has the type ${c.column.dataType}`,
        { hint: "Exclude the table" },
      );
  }
}

/** Length and bytes. The cast keeps the server from converting between the charsets of two columns. */
function shortBytes(sql: string): string {
  return `CONCAT(LENGTH(${sql}),':',CAST(${sql} AS BINARY))`;
}

function longBytes(sql: string): string {
  return `CONCAT(LENGTH(${sql}),':',SHA2(CAST(${sql} AS BINARY),256))`;
}
