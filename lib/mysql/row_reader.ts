/**
 * Prepared reads whose parameters are key bytes and whose rows stay bytes.
 * @module
 */
import { Buffer } from "node:buffer";
import { ExecutePacket, valueSize } from "./execute_packet.ts";
import type { KeyCondition } from "./key_sql.ts";
import { RawRead } from "./raw_commands.ts";
import { RowList } from "./row_list.ts";
import type { Session } from "./session.ts";
import type { WireColumn } from "../schema/wire_layout.ts";
import { Type } from "./wire.ts";
import type { Column } from "../schema/table.ts";

/** Gets each row's wire bytes; they are valid during the call only. */
export type RowSink = (b: Buffer, start: number, end: number) => void;

const COUNT: WireColumn = {
  column: { name: "", dataType: "bigint" } as Column,
  type: Type.LONGLONG,
  unsigned: true,
  span: 8,
  select: "?",
  placeholder: "?",
};

/** One prepared read on one data session. */
export class RowReader {
  #statement: Promise<number> | null = null;
  readonly #packet: ExecutePacket;

  /**
   * `sql` has the parameters of `conditions`, in order, and then, with `limited`, one more for LIMIT.
   */
  constructor(
    private readonly session: Session,
    private readonly sql: string,
    private readonly key: readonly WireColumn[],
    private readonly conditions: readonly KeyCondition[],
    private readonly limited: boolean,
  ) {
    const types = conditions.flatMap((c) => c.parameters.map((k) => key[k]));
    this.#packet = new ExecutePacket(limited ? [...types, COUNT] : types);
  }

  /** Reads with one key (its wire bytes) a condition, and returns how many rows there were. */
  read(keys: readonly Buffer[], limit: number, sink: RowSink): Promise<number> {
    const rows = new RowList();
    return this.#read(keys, limit, rows, () => {
      for (let i = 0; i < rows.count; i++) sink(rows.arena.bytes, rows.starts[i], rows.ends[i]);
    });
  }

  /** The same, with the rows appended to a list. */
  readInto(keys: readonly Buffer[], limit: number, rows: RowList): Promise<number> {
    return this.#read(keys, limit, rows, null);
  }

  /** Nothing is read any more: its statement is closed. */
  async release(): Promise<void> {
    if (this.#statement !== null) this.session.forget([await this.#statement]);
    this.#statement = null;
  }

  async #read(
    keys: readonly Buffer[],
    limit: number,
    rows: RowList,
    drain: (() => void) | null,
  ): Promise<number> {
    this.#statement ??= this.session.prepare(this.sql);
    const id = await this.#statement;
    this.#packet.begin(id, this.limited || this.conditions.length > 0 ? 1 : 0, true);
    for (let i = 0; i < this.conditions.length; i++) {
      const values = splitKey(keys[i], this.key);
      for (const k of this.conditions[i].parameters) this.#packet.addValues(values[k], 0, values[k].length);
    }
    if (this.limited) {
      const n = Buffer.alloc(8);
      n.writeBigUInt64LE(BigInt(limit));
      this.#packet.addValues(n, 0, 8);
    }
    return await this.session.command<number>((done) =>
      new RawRead(this.#packet.finish(), rows, drain, done)
    );
  }
}

/** The values of a key, one buffer a column. */
export function splitKey(b: Buffer, key: readonly WireColumn[]): Buffer[] {
  const values: Buffer[] = [];
  let o = 0;
  for (const c of key) {
    const size = valueSize(b, o, c);
    values.push(b.subarray(o, o + size));
    o += size;
  }
  return values;
}

/** Where the key of the wire row at `start` ends. */
export function keyEnd(b: Buffer, start: number, nullBytes: number, key: readonly WireColumn[]): number {
  let o = start + nullBytes;
  for (const c of key) o += valueSize(b, o, c);
  return o;
}
