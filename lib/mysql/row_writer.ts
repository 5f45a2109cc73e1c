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
import { RawPipeline, RawWrite } from "./raw_commands.ts";
import type { RowList } from "./row_list.ts";
import type { TableWriter } from "./table_writer.ts";
import type { Outcome, Session } from "./session.ts";

/** Parameters that one statement may have, by protocol. */
const MAX_PARAMETERS = 65_535;
/** Rows of the largest shape: 500-1000 rows a statement was fastest (drivers 4.3). */
const MAX_ROWS = 1024;
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

/** A statement of one shape. */
interface Prepared {
  readonly id: number;
  /** Its server knows the parameters' types. */
  typed: boolean;
}

/** A statement that was refused, with the rows that it had. */
interface Failed {
  readonly used: readonly number[];
  readonly error: unknown;
}

/** Writer of one table on one session. Statements are prepared at first use. */
export class RowWriter implements TableWriter {
  readonly #session: Session;
  readonly #target: WriterTarget;
  readonly #columns: readonly WireColumn[];
  readonly #key: readonly WireColumn[];
  readonly #shapes = new Map<number, Prepared>();
  readonly #deletes = new Map<number, number>();
  /** One is being filled while the one before it is on its way. */
  readonly #replacePackets: readonly RowPacket[];
  readonly #deletePacket: ExecutePacket;
  /** `max_allowed_packet` of the session, once it was asked for. */
  #maxPacket = 0;

  /** For rows of this layout. */
  constructor(session: Session, target: WriterTarget, layout: WireLayout) {
    this.#session = session;
    this.#target = target;
    this.#columns = layout.columns;
    this.#key = layout.columns.slice(0, layout.keyColumns);
    const packet = () => target.bulk ? new BulkPacket(this.#columns) : new ExecutePacket(this.#columns);
    this.#replacePackets = [packet(), packet()];
    this.#deletePacket = new ExecutePacket(this.#key);
  }

  /** Nothing is needed beforehand. */
  prepare(): Promise<void> {
    return Promise.resolve();
  }

  release(): void {
    this.#session.forget([...this.#shapes.values()].map((s) => s.id));
    this.#session.forget(this.#deletes.values());
    this.#shapes.clear();
    this.#deletes.clear();
  }

  /** REPLACEs rows that `take` wants; the rest is left out. `take` is asked in the turn of sending (I2). */
  async replace(rows: RowList, take: ((index: number) => boolean) | null): Promise<number> {
    await this.#askMaxPacket();
    const limit = this.#rowLimit(this.#columns.length);
    let from = 0, written = 0, statement = 0;
    while (from < rows.count) {
      /** What was sent and not answered yet, in order. */
      const open: number[][] = [];
      const failed: Failed[] = [];
      const warned: (readonly number[])[] = [];
      let unprepared = 0;
      const next = (): Buffer | null => {
        if (failed.length > 0 || warned.length > 0) return null;
        const picked: number[] = [];
        const behind = this.#pick(rows, from, limit, take, picked);
        const count = this.#target.bulk ? picked.length : shapeFor(picked.length, limit);
        if (picked.length === 0) {
          from = behind;
          return null;
        }
        const shape = this.#target.bulk ? 1 : count;
        const known = this.#shapes.get(shape);
        if (known === undefined) {
          unprepared = shape;
          return null;
        }
        const whole = count === picked.length;
        picked.length = count;
        from = whole ? behind : picked[count - 1] + 1;
        open.push(picked);
        written += count;
        const packet = this.#replacePackets[statement++ % this.#replacePackets.length];
        return this.#fill(packet, known, picked, rows);
      };
      const answered = (error: unknown, outcome: Outcome | null): void => {
        const used = open.shift()!;
        if (error !== null) failed.push({ used, error });
        else if (outcome!.warnings > 0) warned.push(used);
      };
      await this.#session.command<void>((done) => new RawPipeline(next, answered, done));
      if (warned.length > 0) await this.#refuseWarned(warned[0], rows);
      for (const one of failed) await this.#mend(one, rows);
      if (unprepared > 0) await this.#prepare(unprepared);
    }
    return written;
  }

  /** Picks the rows of the next statement and returns the index behind the last one looked at. */
  #pick(
    rows: RowList,
    from: number,
    limit: number,
    take: ((i: number) => boolean) | null,
    picked: number[],
  ): number {
    const most = Math.min(MAX_BYTES, this.#maxPacket / 2);
    let i = from;
    for (let bytes = 0; i < rows.count && picked.length < limit; i++) {
      if (take !== null && !take(i)) continue;
      const size = rows.ends[i] - rows.starts[i];
      if (picked.length > 0 && bytes + size > most) break;
      bytes += size;
      picked.push(i);
    }
    return i;
  }

  /** Says what the server warned of: it forgot that at the statement behind it, so it is asked once more. */
  async #refuseWarned(used: readonly number[], rows: RowList): Promise<never> {
    await this.#replaceRows(used, rows);
    this.#refuse("the server warned of a value, and not again when it was written again");
  }

  /** What a statement of the pipeline has failed with is mended where it may be, else thrown. */
  async #mend(failed: Failed, rows: RowList): Promise<void> {
    for (const statement of this.#shapes.values()) statement.typed = false;
    if (!mayBeEnumZero(failed.error, this.#columns)) throw failed.error;
    await this.#replaceEnumZeros(failed.used, rows, failed.error);
  }

  /** One statement for these rows; there is a shape for their number. */
  async #replaceRows(used: readonly number[], rows: RowList): Promise<void> {
    const outcome = await this.#sendRows(used, rows);
    if (outcome.warnings > 0) this.#refuse((await this.#session.one("SHOW WARNINGS"))?.Message);
  }

  async #sendRows(used: readonly number[], rows: RowList): Promise<Outcome> {
    const statement = await this.#prepare(this.#target.bulk ? 1 : used.length);
    const payload = this.#fill(this.#replacePackets[0], statement, used, rows);
    return await this.#session.command<Outcome>((done) => new RawWrite(payload, done));
  }

  /** The statement for so many rows (any number in bulk). */
  async #prepare(shape: number): Promise<Prepared> {
    let known = this.#shapes.get(shape);
    if (known === undefined) {
      known = { id: await this.#session.prepare(this.#replaceSql(shape)), typed: false };
      this.#shapes.set(shape, known);
    }
    return known;
  }

  /** The packet that writes these rows. From here to the socket in one turn. */
  #fill(packet: RowPacket, statement: Prepared, picked: readonly number[], rows: RowList): Buffer {
    packet.begin(statement.id, picked.length, !statement.typed);
    statement.typed = true;
    for (const i of picked) packet.addRow(rows.arena, rows.starts[i], rows.ends[i]);
    const payload = packet.finish();
    if (payload.length - 4 >= this.#maxPacket) {
      this.#refuseTooLarge(payload.length - 4, rows.arena.bytes, rows.starts[picked[0]]);
    }
    return payload;
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
    this.#maxPacket ||= await this.#session.maxPacket();
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
      await this.#removeSome(shape, picked, keys);
      i += shape;
    }
  }

  async #removeSome(shape: number, picked: readonly number[], keys: RowList): Promise<void> {
    let id = this.#deletes.get(shape);
    if (id === undefined) {
      id = await this.#session.prepare(this.#deleteSql(shape));
      this.#deletes.set(shape, id);
    }
    const packet = this.#deletePacket;
    packet.begin(id, shape, true);
    for (const i of picked) packet.addValues(keys.arena.bytes, keys.starts[i], keys.ends[i]);
    await this.#session.command<Outcome>((done) => new RawWrite(packet.finish(), done));
  }

  #rowLimit(columns: number): number {
    return Math.min(this.#target.bulk ? MAX_BULK_ROWS : MAX_ROWS, Math.floor(MAX_PARAMETERS / columns));
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
