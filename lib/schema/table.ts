/**
 * A table as the ferry knows it: its columns in the source's order, and the key that it is copied by.
 * @module
 */

/** One column as `information_schema.COLUMNS` tells it. */
export interface Column {
  /** Its name. */
  readonly name: string;
  /** 0-based position in the table, which is its position in a row image. */
  readonly ordinal: number;
  /** `DATA_TYPE`, lower case: `int`, `varchar`, … */
  readonly dataType: string;
  /** `COLUMN_TYPE`: `int unsigned`, `enum('a','b')`, … */
  readonly columnType: string;
  /** Integer, decimal or float without a sign. */
  readonly unsigned: boolean;
  /** `CHARACTER_SET_NAME`, or `null` for bytes and numbers. */
  readonly charset: string | null;
  /** `COLLATION_NAME`, or `null` for bytes and numbers. */
  readonly collation: string | null;
  /** `CHARACTER_OCTET_LENGTH` in bytes, or `null`. */
  readonly octetLength: number | null;
  /** `NUMERIC_PRECISION`, or `null`. */
  readonly precision: number | null;
  /** `NUMERIC_SCALE`, or `null`. */
  readonly scale: number | null;
  /** `DATETIME_PRECISION` (fractional digits), or `null`. */
  readonly fraction: number | null;
  /** May hold NULL. */
  readonly nullable: boolean;
  /** Computed by the server: read past in row images, never written. */
  readonly generated: boolean;
  /** Its expression, where the server stores what it computes; otherwise left out. */
  readonly stored?: string;
}

/** A base table that can be ferried. */
export interface Table {
  /** Schema on the source. */
  readonly schema: string;
  /** Name on the source. */
  readonly name: string;
  /** All columns, in the table's order. */
  readonly columns: readonly Column[];
  /** Name of the index the table is copied by: `PRIMARY` or a unique one whose columns are NOT NULL. */
  readonly keyName: string;
  /** Columns of that index, in its order. */
  readonly key: readonly Column[];
  /** Another unique index exists beside the key. */
  readonly hasOtherUnique: boolean;
  /** `TABLE_ROWS`, the server's guess, or `null`. */
  readonly rowsEstimated: number | null;
  /** `DATA_LENGTH` in bytes, or `null`. */
  readonly bytesEstimated: number | null;
}

/** `schema.name`, for people; quoted for SQL elsewhere. */
export function tableLabel(t: { readonly schema: string; readonly name: string }): string {
  return `${t.schema}.${t.name}`;
}
