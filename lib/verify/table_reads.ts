/**
 * The questions that verification asks one server about one table. Each names the table once and without an alias, so
 * that a session that holds LOCK TABLES on it may ask them too.
 * @module
 */
import type { Buffer } from "node:buffer";
import { FerryError } from "../errors.ts";
import { quoteName, quoteTable } from "../mysql/identifier.ts";
import { keyBound, keyComparison, type KeyCondition } from "../mysql/key_sql.ts";
import { keyBytes, keyString } from "../mysql/row_list.ts";
import { keyEnd, RowReader, type RowSink } from "../mysql/row_reader.ts";
import type { Session } from "../mysql/session.ts";
import { counted } from "../progress/wording.ts";
import type { WireColumn, WireLayout } from "../schema/wire_layout.ts";
import { type Table, tableLabel } from "../schema/table.ts";
import { rowHashSql } from "./row_hash.ts";

/** One ferried table, as it is verified. */
export interface VerifiedTable {
  /** What replay knows it by. */
  readonly index: number;
  /** The source's table. */
  readonly table: Table;
  /** Where it is on the target. */
  readonly target: { readonly schema: string; readonly name: string };
  /** How its rows travel. */
  readonly layout: WireLayout;
  /** The same on the target. */
  readonly targetLayout: WireLayout;
  /** Both servers have its keys in one order, so that a range of keys holds the same rows on both. */
  readonly sameOrder: boolean;
  /** Both servers tell -0 from 0. */
  readonly signedZero: boolean;
  /** Which of the source's rows are compared, as a SQL condition; `null` for all. */
  readonly sourceCondition: string | null;
  /** Which of the target's rows are compared, as a SQL condition; `null` for all. */
  readonly targetCondition: string | null;
}

/** Rows above `lower` up to and with `upper`; `null` is unbounded. Wire key bytes. */
export interface KeyRange {
  /** Not in the range. */
  readonly lower: Buffer | null;
  /** In the range. */
  readonly upper: Buffer | null;
}

/** Row hashes by key; both as latin1 strings. */
export type RowHashes = Map<string, string>;

/** Keys a statement, largest first; what is left over is filled up with its last key. */
const BATCHES = [200, 20, 1];
/** Keeps the servers from merging the derived table, which would make each hash three times (measured: 1.6-2x). */
const UNMERGED = "LIMIT 18446744073709551615";

/** Reads of one table through one data session. Calls go behind one another. */
export class TableReads {
  readonly #readers = new Map<string, RowReader>();
  readonly #key: readonly WireColumn[];
  readonly #from: string;
  readonly #keyList: string;
  readonly #hash: string;

  private constructor(
    private readonly session: Session,
    verified: VerifiedTable,
    private readonly label: string,
    layout: WireLayout,
    other: WireLayout,
    from: string,
    private readonly condition: string | null,
  ) {
    this.#key = layout.columns.slice(0, layout.keyColumns);
    this.#keyList = this.#key.map((c) => c.select).join(", ");
    this.#hash = rowHashSql(layout, verified.table, other, verified.signedZero);
    this.#from = from;
  }

  /** Reads of the source's table, or of the target's. */
  static async open(
    session: Session,
    verified: VerifiedTable,
    side: "source" | "target",
  ): Promise<TableReads> {
    const place = side === "source" ? verified.table : verified.target;
    const index = verified.table.keyName;
    let from = quoteTable(place);
    // A table that was there before may hold the same key under another name.
    const named = side === "source" || index === "PRIMARY" ||
      (await session.query(`SHOW INDEX FROM ${from} WHERE Key_name = ?`, [index])).length > 0;
    if (named) from += ` FORCE INDEX (${quoteName(index)})`;
    const { layout, targetLayout } = verified;
    const [own, other] = side === "source" ? [layout, targetLayout] : [targetLayout, layout];
    const condition = side === "source" ? verified.sourceCondition : verified.targetCondition;
    return new TableReads(session, verified, tableLabel(place), own, other, from, condition);
  }

  /**
   * The key of the `count`th row of the range, or `null` where there are fewer. Rows that are not compared count too:
   * where few are, a range must not grow to the whole table.
   */
  async nthKey(range: KeyRange, count: number): Promise<Buffer | null> {
    let found: Buffer | null = null;
    const order = this.#key.map((c) => quoteName(c.column.name)).join(", ");
    const nullBytes = (this.#key.length + 9) >> 3;
    await this.#readRange(
      "nth",
      range,
      (where) => `SELECT ${this.#keyList} FROM ${this.#from}${where} ORDER BY ${order} LIMIT 1 OFFSET ?`,
      (b, start, end) => found = keyBytes(keyString(b, start + nullBytes, end)),
      null,
      count - 1,
    );
    if (found !== null && range.lower?.equals(found)) throw this.#lost("a key comes after itself");
    return found;
  }

  /**
   * Makes sure that rows are found under the keys they were read with. Where they were not, every re-check would find
   * nothing on either side and call it equal.
   */
  async assertKeysFound(): Promise<void> {
    // A row may be deleted between the two reads, hardly so three times.
    for (let i = 0; i < 3; i++) {
      const key = await this.nthKey({ lower: null, upper: null }, 1);
      if (key === null) return;
      const text = keyString(key, 0, key.length);
      if ((await this.#hashesOf([text], false, null)).has(text)) return;
    }
    throw this.#lost("a row is not found under its own key");
  }

  /** Number of rows, and an order-independent sum of their hashes. Equal sums mean equal rows. */
  async sum(range: KeyRange): Promise<{ rows: number; sum: string }> {
    let rows = 0, hashes = 0, sum = "";
    await this.#readRange(
      "sum",
      range,
      (where) =>
        `SELECT COUNT(*), COUNT(h), ${digits(1)}, ${digits(17)} ` +
        `FROM (SELECT ${this.#hash} AS h FROM ${this.#from}${where} ${UNMERGED}) AS d`,
      (b, start, end) => {
        rows = Number(b.readBigUInt64LE(start + 1));
        hashes = Number(b.readBigUInt64LE(start + 9));
        sum = keyString(b, start + 1, end);
      },
      this.condition,
    );
    if (hashes !== rows) throw this.#noHash(rows - hashes);
    return { rows, sum };
  }

  /** Every row's hash. */
  async hashes(range: KeyRange): Promise<RowHashes> {
    const found: RowHashes = new Map();
    await this.#readRange(
      "hashes",
      range,
      (where) => `SELECT ${this.#keyList}, ${this.#hash} FROM ${this.#from}${where}`,
      this.#collect(found),
      this.condition,
    );
    return this.#whole(found);
  }

  /**
   * The hashes of the rows that the server finds under these keys: in a case-insensitive key `FOO` is found under
   * `foo`, and comes back as `FOO`. With `locking` the read waits for writers whose commit is not visible yet (I1).
   */
  hashesOf(keys: readonly string[], locking = false): Promise<RowHashes> {
    return this.#hashesOf(keys, locking, this.condition);
  }

  async #hashesOf(keys: readonly string[], locking: boolean, condition: string | null): Promise<RowHashes> {
    const found: RowHashes = new Map();
    const sink = this.#collect(found);
    const parameters = this.#key.map((_, i) => i);
    const equal = this.#key.map((c) => keyComparison(c, "=")).join(" AND ");
    for (let o = 0; o < keys.length;) {
      const left = keys.length - o;
      const size = BATCHES.find((_, i) => left > (BATCHES[i + 1] ?? 0))!;
      const batch = Array.from({ length: size }, (_, i) => keyBytes(keys[o + Math.min(i, left - 1)]));
      const reader = this.#reader(
        `keys ${size} ${locking} ${condition !== null}`,
        () =>
          `SELECT ${this.#keyList}, ${this.#hash} FROM ${this.#from} WHERE (${
            Array(size).fill(`(${equal})`).join(" OR ")
          })${condition === null ? "" : ` AND ${condition}`}` +
          (locking ? " LOCK IN SHARE MODE" : ""),
        Array.from({ length: size }, () => ({ sql: "", parameters })),
        false,
      );
      await reader.read(batch, 0, sink);
      o += size;
    }
    return this.#whole(found);
  }

  async #readRange(
    name: string,
    range: KeyRange,
    sql: (where: string) => string,
    sink: RowSink,
    condition: string | null,
    offset?: number,
  ): Promise<void> {
    const conditions: KeyCondition[] = [];
    const keys: Buffer[] = [];
    if (range.lower !== null) {
      conditions.push(keyBound(this.#key, ">"));
      keys.push(range.lower);
    }
    if (range.upper !== null) {
      conditions.push(keyBound(this.#key, "<="));
      keys.push(range.upper);
    }
    const terms = [...conditions.map((c) => c.sql), ...(condition === null ? [] : [condition])];
    const where = terms.length === 0 ? "" : ` WHERE ${terms.join(" AND ")}`;
    const shape = `${name} ${range.lower !== null} ${range.upper !== null}`;
    const reader = this.#reader(shape, () => sql(where), conditions, offset !== undefined);
    await reader.read(keys, offset ?? 0, sink);
  }

  #reader(
    shape: string,
    sql: () => string,
    conditions: readonly KeyCondition[],
    limited: boolean,
  ): RowReader {
    let reader = this.#readers.get(shape);
    if (reader === undefined) {
      reader = new RowReader(this.session, sql(), this.#key, conditions, limited);
      this.#readers.set(shape, reader);
    }
    return reader;
  }

  #collect(found: RowHashes): RowSink {
    const columns = this.#key.length + 1;
    const nullBytes = (columns + 9) >> 3;
    const bit = columns - 1 + 2;
    return (b, start, end) => {
      const o = keyEnd(b, start, nullBytes, this.#key);
      const missing = (b[start + (bit >> 3)] & (1 << (bit & 7))) !== 0;
      // One length byte before 64 hex digits.
      found.set(keyString(b, start + nullBytes, o), missing ? "" : keyString(b, o + 1, end));
    };
  }

  #whole(found: RowHashes): RowHashes {
    let missing = 0;
    for (const hash of found.values()) if (hash === "") missing++;
    if (missing > 0) throw this.#noHash(missing);
    return found;
  }

  #lost(state: string): FerryError {
    return new FerryError("verify-key", `Cannot verify "${this.label}": ${state}`, {
      hint: "The key's type is not compared as the server does; please report the table's definition",
    });
  }

  #noHash(rows: number): FerryError {
    return new FerryError(
      "verify-no-hash",
      `Cannot verify "${this.label}": the server made no hash of ${counted(rows, "row")}`,
      { hint: "A row's text is larger than max_allowed_packet; raise it on both servers" },
    );
  }
}

/** 16 hex digits of the hash from `start` on, as one 64-bit number, XORed over the rows. */
function digits(start: number): string {
  return `BIT_XOR(CAST(CONV(SUBSTR(h,${start},16),16,10) AS UNSIGNED))`;
}
