/**
 * Writes wire rows into a table, and takes rows out by their keys: prepared statements of few fixed shapes, filled with
 * bytes that are sent as they came.
 * @module
 */
import type { Buffer } from "node:buffer";
import { FerryError } from "../errors.ts";
import type { WireColumn, WireLayout } from "../schema/wire_layout.ts";
import { keyText } from "../verify/key_text.ts";
import { BulkPacket, ExecutePacket, type RowPacket, valueSize } from "./execute_packet.ts";
import { countEnumZeros, enumZeroRows, mayBeEnumZero, writeEnumZeros } from "./enum_zero.ts";
import { quoteName, quoteTable } from "./identifier.ts";
import { keyComparison } from "./key_sql.ts";
import { RawWrite } from "./raw_commands.ts";
import type { RowList } from "./row_list.ts";
import type { TableWriter } from "./table_writer.ts";
import type { Outcome, Session } from "./session.ts";

/** Parameters that one statement may have, by protocol. */
const MAX_PARAMETERS = 65_535;
/** Rows of the largest shape: 500-1000 rows a statement was fastest (drivers 4.3). */
const MAX_ROWS = 512;
/** Rows of one bulk packet. */
const MAX_BULK_ROWS = 1024;
/** Bytes of one statement; a single larger row goes alone. */
const MAX_BYTES = 512 * 1024;

/** Which target, and what its server takes. */
export interface WriterTarget {
  /** Schema on the target. */
  readonly schema: string;
  /** Table on the target. */
  readonly name: string;
  /** MariaDB: COM_STMT_BULK_EXECUTE is there. */
  readonly bulk: boolean;
  /** Holds for rows that may be taken out; without it for all. */
  readonly removable?: string;
  /** `INSERT` puts rows beside those that are there. Default `REPLACE`. */
  readonly verb?: "REPLACE" | "INSERT";
}

/** Writer of one table on one session. Statements are prepared at first use and die with the session. */
export class RowWriter implements TableWriter {
  readonly #session: Session;
  readonly #target: WriterTarget;
  readonly #columns: readonly WireColumn[];
  readonly #key: readonly WireColumn[];
  readonly #statements = new Map<string, Promise<number>>();
  readonly #replacePacket: RowPacket;
  readonly #deletePacket: RowPacket;
  /** `max_allowed_packet` of the session, once it was asked for. */
  #maxPacket = 0;

  /** For rows of this layout. */
  constructor(session: Session, target: WriterTarget, layout: WireLayout) {
    this.#session = session;
    this.#target = target;
    this.#columns = layout.columns;
    this.#key = layout.columns.slice(0, layout.keyColumns);
    this.#replacePacket = target.bulk ? new BulkPacket(this.#columns) : new ExecutePacket(this.#columns);
    this.#deletePacket = new ExecutePacket(this.#key);
  }

  /** Nothing is needed beforehand. */
  prepare(): Promise<void> {
    return Promise.resolve();
  }

  /** REPLACEs rows `[from, to)` that `take` wants; the rest is left out. `take` is asked in the turn of sending (I2). */
  async replace(rows: RowList, take: ((index: number) => boolean) | null): Promise<number> {
    await this.#askMaxPacket();
    let written = 0;
    for (let i = 0; i < rows.count;) {
      const [next, count] = await this.#replaceSome(rows, i, take);
      i = next;
      written += count;
    }
    return written;
  }

  async #replaceSome(
    rows: RowList,
    from: number,
    take: ((i: number) => boolean) | null,
  ): Promise<[number, number]> {
    const picked: number[] = [];
    const limit = this.#rowLimit(this.#columns.length);
    let i = from;
    for (let bytes = 0; i < rows.count && picked.length < limit; i++) {
      if (take !== null && !take(i)) continue;
      const size = rows.ends[i] - rows.starts[i];
      if (picked.length > 0 && bytes + size > Math.min(MAX_BYTES, this.#maxPacket / 2)) break;
      bytes += size;
      picked.push(i);
    }
    if (picked.length === 0) return [i, 0];
    const used = this.#target.bulk ? picked : picked.slice(0, shapeFor(picked.length, limit));
    try {
      await this.#replaceRows(used, rows);
    } catch (e) {
      if (!mayBeEnumZero(e, this.#columns)) throw e;
      await this.#replaceEnumZeros(used, rows, e);
    }
    return [used.length === picked.length ? i : used[used.length - 1] + 1, used.length];
  }

  /** One statement for these rows; there is a shape for their number. */
  async #replaceRows(used: readonly number[], rows: RowList): Promise<void> {
    const outcome = await this.#sendRows(used, rows);
    if (outcome.warnings > 0) this.#refuse((await this.#session.one("SHOW WARNINGS"))?.Message);
  }

  #sendRows(used: readonly number[], rows: RowList): Promise<Outcome> {
    const sql = this.#replaceSql(this.#target.bulk ? 1 : used.length);
    return this.#send(this.#replacePacket, sql, used, rows, false);
  }

  /** The same rows, those with an ENUM of index 0 apart; `cause` is why they were refused. */
  async #replaceEnumZeros(used: readonly number[], rows: RowList, cause: unknown): Promise<void> {
    const zeros = new Map<number, number>();
    for (const i of used) {
      const n = countEnumZeros(rows.arena.bytes, rows.starts[i], this.#columns);
      if (n > 0) zeros.set(i, n);
    }
    if (zeros.size === 0) throw cause;
    const groups = [used.filter((i) => !zeros.has(i)), [...zeros.keys()]];
    for (const [k, group] of groups.entries()) {
      const limit = k === 0 ? this.#rowLimit(this.#columns.length) : enumZeroRows(this.#columns);
      for (let o = 0; o < group.length;) {
        const part = group.slice(o, o + shapeFor(group.length - o, limit));
        o += part.length;
        if (k === 0) await this.#replaceRows(part, rows);
        else {
          const expected = part.reduce((sum, i) => sum + zeros.get(i)!, 0);
          const warning = await writeEnumZeros(this.#session, expected, () => this.#sendRows(part, rows));
          if (warning !== null) this.#refuse(warning);
        }
      }
    }
  }

  #refuse(warning: unknown): never {
    throw new FerryError(
      "write-warning",
      `Cannot write table "${this.#target.schema}.${this.#target.name}": ${warning}`,
      {
        hint: "The target would hold another value than the source; compare both definitions",
      },
    );
  }

  async #askMaxPacket(): Promise<void> {
    if (this.#maxPacket > 0) return;
    const row = await this.#session.one("SELECT @@max_allowed_packet AS bytes");
    this.#maxPacket = Number(row!.bytes);
  }

  /** The server would cut the connection, and the row be lost in an endless retry. */
  #refuseTooLarge(size: number, b: Buffer, start: number): never {
    let end = start + ((this.#columns.length + 9) >> 3);
    const from = end;
    for (const c of this.#key) end += valueSize(b, end, c);
    const key = Object.entries(keyText(b.subarray(from, end), this.#key)).map((e) => e.join("=")).join(", ");
    throw new FerryError(
      "row-too-large",
      `Cannot write the row ${key} of table "${this.#target.schema}.${this.#target.name}": it takes ${size} bytes, ` +
        `the target's max_allowed_packet is ${this.#maxPacket}`,
      { hint: "Raise max_allowed_packet on the target, and retry" },
    );
  }

  /** DELETEs by key. `keys` holds key bytes without a bitmap. */
  async remove(keys: RowList): Promise<void> {
    const limit = Math.min(128, this.#rowLimit(this.#key.length));
    for (let i = 0; i < keys.count;) {
      const shape = shapeFor(keys.count - i, limit);
      const picked = Array.from({ length: shape }, (_, k) => i + k);
      await this.#send(this.#deletePacket, this.#deleteSql(shape), picked, keys, true);
      i += shape;
    }
  }

  #rowLimit(columns: number): number {
    return Math.min(this.#target.bulk ? MAX_BULK_ROWS : MAX_ROWS, Math.floor(MAX_PARAMETERS / columns));
  }

  async #send(
    packet: RowPacket,
    sql: string,
    picked: readonly number[],
    rows: RowList,
    values: boolean,
  ): Promise<Outcome> {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#session.prepare(sql);
      this.#statements.set(sql, statement);
    }
    const id = await statement;
    // From here to the socket in one turn.
    const bytes = rows.arena.bytes;
    packet.begin(id, picked.length);
    for (const i of picked) {
      if (values) packet.addValues(bytes, rows.starts[i], rows.ends[i]);
      else packet.addRow(bytes, rows.starts[i], rows.ends[i]);
    }
    const payload = packet.finish();
    if (!values && payload.length - 4 >= this.#maxPacket) {
      this.#refuseTooLarge(payload.length - 4, bytes, rows.starts[picked[0]]);
    }
    return await this.#session.command<Outcome>((done) => new RawWrite(payload, done));
  }

  #replaceSql(rows: number): string {
    const names = this.#columns.map((c) => quoteName(c.column.name)).join(",");
    const one = `(${this.#columns.map((c) => c.placeholder).join(",")})`;
    return `${this.#target.verb ?? "REPLACE"} INTO ${quoteTable(this.#target)} (${names}) VALUES ${
      new Array(rows).fill(one).join(",")
    }`;
  }

  #deleteSql(rows: number): string {
    const one = `(${this.#key.map((c) => keyComparison(c, "=")).join(" AND ")})`;
    const { removable } = this.#target;
    return `DELETE FROM ${quoteTable(this.#target)} WHERE (${new Array(rows).fill(one).join(" OR ")})` +
      (removable === undefined ? "" : ` AND ${removable}`);
  }
}

/** The largest shape (a power of two, or the limit) that `rows` fill: few statements serve every number. */
export function shapeFor(rows: number, limit: number): number {
  if (rows >= limit) return limit;
  return 2 ** Math.floor(Math.log2(rows));
}
