/**
 * A tail's handler that keeps what it is told, and the same rows as a prepared SELECT gives them.
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Arena } from "../../lib/mysql/arena.ts";
import { quoteTable } from "../../lib/mysql/identifier.ts";
import { RowReader } from "../../lib/mysql/row_reader.ts";
import { Session } from "../../lib/mysql/session.ts";
import { type LoadedTable, loadTables } from "../../lib/schema/load_tables.ts";
import { type Table, tableLabel } from "../../lib/schema/table.ts";
import { type WireLayout, wireLayout } from "../../lib/schema/wire_layout.ts";
import { parseConnectionUrl } from "../../lib/spec/connection_url.ts";
import { type BinlogPosition, comparePositions } from "../../lib/binlog/position.ts";
import { RowTranscoder } from "../../lib/binlog/row_transcoder.ts";
import { checkTableMap, type TableMap } from "../../lib/binlog/table_map.ts";
import type { TailHandler, TransactionEnd } from "../../lib/binlog/tail.ts";

/** A table whose rows are recorded. */
export interface RecordedTable {
  /** Made at the first table map. */
  readonly transcoder: RowTranscoder;
  readonly table: Table;
  readonly layout: WireLayout;
}

/** Keeps everything as text: `insert shop.t <key hex> <row hex>`, `begin`, `commit`, … */
export class Recorder implements TailHandler<RecordedTable> {
  /** What was told, in order. */
  readonly log: string[] = [];
  /** Rows inserted and updated, in order, by table. */
  readonly rows = new Map<string, string[]>();
  /** Keys of rows deleted, and old keys of rows updated, in order, by table. */
  readonly keys = new Map<string, string[]>();
  readonly ends: TransactionEnd[] = [];
  readonly statements: string[] = [];
  readonly maps: TableMap[] = [];
  heartbeats = 0;
  position: BinlogPosition = { file: "", offset: 0 };
  /** Rows told, not only those kept. */
  count = 0;
  /** What is told behind this place is not kept. */
  until: BinlogPosition | null = null;
  /** Told of each commit. */
  onCommit: () => void = () => {};
  #waiting: (() => void)[] = [];

  get #past(): boolean {
    return this.until !== null && this.position.file !== "" &&
      comparePositions(this.position, this.until) >= 0;
  }

  constructor(readonly tables: ReadonlyMap<string, Table>) {}

  bind(map: TableMap): RecordedTable | null {
    const table = this.#past ? undefined : this.tables.get(tableLabel(map));
    if (table === undefined) return null;
    this.maps.push(map);
    const misfit = checkTableMap(map, table);
    if (misfit !== null) throw new Error(`${tableLabel(map)}: ${misfit}`);
    const layout = wireLayout(table);
    return { transcoder: new RowTranscoder(map, table, layout), table, layout };
  }

  insert(t: RecordedTable, out: Arena, rowStart: number, keyEnd: number, rowEnd: number): void {
    if (this.#past) return;
    this.#row(t, out, rowStart, keyEnd, rowEnd);
    this.log.push("insert");
  }

  update(
    t: RecordedTable,
    out: Arena,
    oldKeyStart: number,
    oldKeyEnd: number,
    rowStart: number,
    keyEnd: number,
    rowEnd: number,
  ): void {
    if (this.#past) return;
    put(this.keys, t, hex(out, oldKeyStart, oldKeyEnd));
    this.#row(t, out, rowStart, keyEnd, rowEnd);
    this.log.push("update");
  }

  remove(t: RecordedTable, out: Arena, keyStart: number, keyEnd: number): void {
    if (this.#past) return;
    this.count++;
    put(this.keys, t, hex(out, keyStart, keyEnd));
    this.log.push("delete");
  }

  begin(): void {
    if (this.#past) return;
    this.log.push("begin");
  }

  commit(end: TransactionEnd): void {
    if (this.#past) return;
    this.ends.push(end);
    this.log.push("commit");
    this.#reached(end.position);
    this.onCommit();
  }

  statement(text: string, schema: string): void {
    if (this.#past) return;
    this.statements.push(`${schema}: ${text}`);
    this.log.push("statement");
  }

  heartbeat(position: BinlogPosition): void {
    this.heartbeats++;
    this.#reached(position);
  }

  /** Resolves when everything before `position` was told; rejects when `done` does, and after a minute. */
  async reach(position: BinlogPosition, done: Promise<void>): Promise<void> {
    const end = performance.now() + 60_000;
    while (this.position.file === "" || comparePositions(this.position, position) < 0) {
      await this.next(done); // a heartbeat at the latest
      assert(
        performance.now() < end,
        `${JSON.stringify(position)} is not reached: ${JSON.stringify(this.position)}`,
      );
    }
  }

  /** Resolves at the next commit or heartbeat; rejects when `done` does, and where that has ended before. */
  async next(done: Promise<void>): Promise<void> {
    const ended = done.then(() => assert.fail("the tail has ended"));
    await Promise.race([new Promise<void>((resolve) => this.#waiting.push(resolve)), ended]);
  }

  #reached(position: BinlogPosition): void {
    this.position = position;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #row(t: RecordedTable, out: Arena, rowStart: number, keyEnd: number, rowEnd: number): void {
    this.count++;
    const keyStart = rowStart + t.layout.nullBytes;
    put(
      this.rows,
      t,
      `${hex(out, rowStart, keyStart)} ${hex(out, keyStart, keyEnd)} ${hex(out, keyEnd, rowEnd)}`,
    );
  }
}

function put(to: Map<string, string[]>, t: RecordedTable, text: string): void {
  const label = tableLabel(t.table);
  const list = to.get(label);
  if (list) list.push(text);
  else to.set(label, [text]);
}

/** Bytes as hex; long ones by their digest, so that a failure can be read. */
function hex(out: { readonly bytes: Buffer }, start: number, end: number): string {
  if (end - start < 600) return out.bytes.toString("hex", start, end);
  return `${end - start}-bytes-${digest(out.bytes.subarray(start, end))}`;
}

function digest(bytes: Buffer): string {
  let h = 2166136261;
  for (let i = 0; i < bytes.length; i++) h = Math.imul(h ^ bytes[i], 16777619) >>> 0;
  return `fnv-${h.toString(16)}`;
}

/** Every row of a table in key order, as a prepared SELECT on a BINARY connection sends it, in the recorder's words. */
export async function selectRows(session: Session, table: Table, where = "TRUE"): Promise<string[]> {
  const layout = wireLayout(table);
  const key = layout.columns.slice(0, layout.keyColumns);
  const list = layout.columns.map((c) => c.select).join(", ");
  const sql = `SELECT ${list} FROM ${quoteTable(table)} WHERE ${where} ORDER BY ${
    key.map((c) => c.select).join(", ")
  }`;
  const rows: string[] = [];
  await new RowReader(session, sql, key, [], false).read([], 0, (b, start, end) => {
    const keyStart = start + layout.nullBytes;
    let keyEnd = keyStart;
    for (const c of key) keyEnd += size(b, keyEnd, c.span);
    const bytes = { bytes: b };
    rows.push(`${hex(bytes, start, keyStart)} ${hex(bytes, keyStart, keyEnd)} ${hex(bytes, keyEnd, end)}`);
  });
  return rows;
}

function size(b: Buffer, o: number, span: number | "counted" | "lenenc"): number {
  if (typeof span === "number") return span;
  if (span === "counted" || b[o] < 251) return 1 + b[o];
  return b[o] === 252 ? 3 + b.readUInt16LE(o + 1) : 4 + b.readUIntLE(o + 1, 3);
}

/** The tables of a schema, by label. */
export async function tablesOf(url: string, schema: string): Promise<Map<string, Table>> {
  const session = await Session.open(parseConnectionUrl(url), { side: "source" });
  try {
    const loaded: LoadedTable[] = await loadTables(session, (s) => s === schema);
    return new Map(loaded.map((l) => [tableLabel(l.table), l.table]));
  } finally {
    await session.close();
  }
}

/** A session that rows come through as bytes. */
export async function dataSession(url: string): Promise<Session> {
  return await Session.open(parseConnectionUrl(url), { side: "source", data: true });
}
