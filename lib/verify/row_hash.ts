/**
 * The text that stands for a whole row, and its hash, as SQL that both vendors understand and answer alike.
 *
 * Every value is written so that its end is known (numbers and dates hold no comma, everything else says its length
 * first) and NULL is `N`, which no value begins with: different rows have different texts. Long values go in as their own
 * SHA2, so that a row near `max_allowed_packet` still has a text. CONCAT, not CONCAT_WS: what the server cannot make
 * becomes a NULL hash, which is counted, instead of a value left out.
 *
 * What differs on purpose: NULL, `''` and `'NULL'`; -0 and 0 between MySQL servers; floats in their last bit; trailing spaces and zero bytes;
 * letters that the collation holds equal. What does not: JSON whose texts parse to the same document (a DECIMAL inside
 * JSON, printed `1.10`, is carried as text and comes back as the number 1.1).
 * @module
 */
import { FerryError } from "../errors.ts";
import { quoteName } from "../mysql/identifier.ts";
import { type Column, type Table, tableLabel } from "../schema/table.ts";
import type { WireColumn, WireLayout } from "../schema/wire_layout.ts";

/** Strings that may be longer than this (bytes) go in as their own hash. */
const SHORT_BYTES = 1024;

/** How a value becomes text. Both sides must use one form, whatever their columns' own types. */
type Form =
  | "plain"
  | "unpadded"
  | "real"
  | "unsignedReal"
  | "index"
  | "short"
  | "long"
  | "address"
  | "json"
  | "jsonText";

/**
 * SQL for the hash of a row: 64 hex digits, or NULL where the server could not make it. Columns in layout order, then what
 * both have stored of a time zone; `other` is the same row on the other server. `signedZero`: both servers can hold -0, which MariaDB makes 0.
 */
export function rowHashSql(
  layout: WireLayout,
  table: Table,
  other: WireLayout = layout,
  signedZero = true,
): string {
  const pairs = layout.columns.map((c, i) => [c, other.columns[i]]);
  for (const c of layout.zoned) {
    const same = other.zoned.find((o) => o.column.name.toLowerCase() === c.column.name.toLowerCase());
    if (same !== undefined) pairs.push([c, same]);
  }
  const values = pairs.map(([c, o]) => {
    const form = formOf(c.column, o.column, table);
    return nullable(c, form === "real" && !signedZero ? "unsignedReal" : form);
  });
  // A single argument would leave a lone number to SHA2; the comma makes it a string.
  return `SHA2(CONCAT(${values.join(",',',")},','),256)`;
}

function nullable(c: WireColumn, form: Form): string {
  const value = valueSql(c, form);
  return c.column.nullable ? `IF(${quoteName(c.column.name)} IS NULL,'N',${value})` : value;
}

/** The form that two columns share. */
function formOf(a: Column, b: Column, table: Table): Form {
  const forms = [ownForm(a), ownForm(b)];
  const [one, two] = forms;
  if (one !== null && one === two) return one;
  const both = (...allowed: Form[]) => forms.every((form) => form !== null && allowed.includes(form));
  if (both("plain", "unpadded")) return "unpadded";
  if (both("short", "long")) return "long";
  // What MySQL prints of a document is what a server of the other vendor was given.
  if (both("json", "short", "long")) return "jsonText";
  const odd = one === null ? a : b;
  throw new FerryError(
    "verify-unknown-type",
    `Cannot verify "${tableLabel(table)}": column "${odd.name}" has the type ${odd.dataType}`,
    { hint: "Exclude the table" },
  );
}

function ownForm({ dataType, columnType, octetLength }: Column): Form | null {
  switch (dataType) {
    case "tinyint":
    case "smallint":
    case "mediumint":
    case "int":
    case "bigint":
    case "decimal":
      // As many zeros as the column's own width says.
      return / zerofill\b/i.test(columnType) ? "unpadded" : "plain";
    case "year":
    case "date":
    case "datetime":
    case "timestamp":
    case "time":
      return "plain";
    case "float":
    case "double":
      return "real";
    case "enum":
    case "set":
    case "bit":
      return "index";
    case "char":
    case "varchar":
    case "binary":
    case "varbinary":
      return octetLength !== null && octetLength <= SHORT_BYTES ? "short" : "long";
    case "uuid":
    case "inet4":
    case "inet6":
      return "address";
    case "json":
      return "json";
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
      return "long";
    default:
      return null;
  }
}

function valueSql(c: WireColumn, form: Form): string {
  const name = quoteName(c.column.name);
  const document = c.column.dataType === "json";
  const text = `CAST(${name} AS CHAR CHARACTER SET utf8mb4)`;
  switch (form) {
    case "plain":
      return name;
    case "unpadded":
      return `(${name}+0)`;
    case "real":
      return doubleBytes(name);
    case "unsignedReal":
      return doubleBytes(`${name}+0e0`);
    case "index":
      return `CAST(${name} AS UNSIGNED)`;
    case "short":
      return shortBytes(name);
    case "long":
      return longBytes(name);
    case "address":
      return shortBytes(`CAST(${name} AS CHAR CHARACTER SET latin1)`);
    case "json":
      return `SHA2(CAST(CAST(${text} AS JSON) AS CHAR CHARACTER SET utf8mb4),256)`;
    case "jsonText":
      return longBytes(document ? text : name);
  }
}

/** No text of a double is exact on both vendors, nor alike; the eight bytes in a point are. */
function doubleBytes(sql: string): string {
  return `HEX(SUBSTR(CAST(POINT(${sql},0) AS BINARY),10,8))`;
}

/** Length and bytes. The cast keeps the server from converting between the charsets of two columns. */
function shortBytes(sql: string): string {
  return `CONCAT(LENGTH(${sql}),':',CAST(${sql} AS BINARY))`;
}

function longBytes(sql: string): string {
  return `CONCAT(LENGTH(${sql}),':',SHA2(CAST(${sql} AS BINARY),256))`;
}
