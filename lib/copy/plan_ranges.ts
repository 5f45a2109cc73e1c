/**
 * Cuts a table's key into ranges that can be copied side by side. The first begins at nothing and the last ends at
 * nothing, so that no key is outside.
 * @module
 */
import { Buffer } from "node:buffer";
import { quoteName, quoteTable } from "../mysql/identifier.ts";
import { keyBound } from "../mysql/key_sql.ts";
import { keyEnd, RowReader } from "../mysql/row_reader.ts";
import type { Session } from "../mysql/session.ts";
import type { StoredRange } from "../state/cursor_store.ts";
import type { FerriedTable } from "./ferried_table.ts";
import { integerKey } from "./integer_key.ts";

/** Bytes of rows that one range should have at least: few large rows are worth several ranges too. */
const BYTES_PER_RANGE = 16 << 20;
/** Rows that one range should have at least, unless they are large: below it, splitting costs more than it gives. */
const ROWS_PER_RANGE = 50_000;
/** Ranges that one table is cut into at most. */
const MAX_RANGES = 64;

/** Plans the ranges of a table. `session` is a data session on the source. */
export async function planRanges(
  session: Session,
  table: FerriedTable,
  signal: AbortSignal,
): Promise<StoredRange[]> {
  const rows = table.table.rowsEstimated ?? 0;
  const wanted = rangesFor(rows, table.table.bytesEstimated ?? 0);
  const bounds = wanted < 2
    ? []
    : table.comparable
    ? await arithmeticBounds(session, table, wanted)
    : await sampledBounds(session, table, Math.ceil(rows / wanted), signal);
  return [...bounds, null].map((upper, i) => ({
    tableNo: table.index,
    rangeNo: i,
    lower: i === 0 ? null : bounds[i - 1],
    upper,
    cursor: null,
    done: false,
    rows: 0,
    bytes: 0,
  }));
}

/** How many ranges a table of so many rows and bytes is cut into. */
export function rangesFor(rows: number, bytes: number): number {
  const wanted = Math.floor(Math.max(rows / ROWS_PER_RANGE, bytes / BYTES_PER_RANGE));
  return Math.max(1, Math.min(MAX_RANGES, wanted, rows));
}

/** Evenly between the smallest and the largest key. */
async function arithmeticBounds(session: Session, table: FerriedTable, wanted: number): Promise<Buffer[]> {
  const ends: bigint[] = [];
  for (const direction of ["ASC", "DESC"]) {
    const sql = `SELECT ${keyList(table)} FROM ${quoteTable(table.table)} ORDER BY ${
      keyList(table)
    } ${direction} LIMIT 1`;
    await new RowReader(session, sql, table.key, [], false).read([], 0, (b, start) => {
      ends.push(BigInt(integerKey(b, start + bitmapBytes(table), table.key[0])));
    });
  }
  if (ends.length < 2) return [];
  const [first, last] = ends;
  const bounds: Buffer[] = [];
  for (let i = 1n; i < BigInt(wanted); i++) {
    const value = first + (last - first) * i / BigInt(wanted);
    const bound = integerBytes(value, table);
    if (bounds.length === 0 || bounds[bounds.length - 1].compare(bound) !== 0) bounds.push(bound);
  }
  return bounds;
}

function integerBytes(value: bigint, table: FerriedTable): Buffer {
  const b = Buffer.alloc(8);
  b.writeBigUInt64LE(BigInt.asUintN(64, value));
  return b.subarray(0, table.key[0].span as number);
}

/** Every so many rows, found by walking the index on the server. */
async function sampledBounds(
  session: Session,
  table: FerriedTable,
  step: number,
  signal: AbortSignal,
): Promise<Buffer[]> {
  const bounds: Buffer[] = [];
  const tail = `ORDER BY ${keyList(table)} LIMIT 1 OFFSET ${step - 1}`;
  const from = `FROM ${quoteTable(table.table)} FORCE INDEX (${quoteName(table.table.keyName)})`;
  const bound = keyBound(table.key, ">");
  const first = new RowReader(session, `SELECT ${wireKeyList(table)} ${from} ${tail}`, table.key, [], false);
  const next = new RowReader(
    session,
    `SELECT ${wireKeyList(table)} ${from} WHERE ${bound.sql} ${tail}`,
    table.key,
    [bound],
    false,
  );
  while (bounds.length < MAX_RANGES * 2) {
    signal.throwIfAborted();
    let found: Buffer | null = null;
    const previous = bounds[bounds.length - 1];
    const reader = previous === undefined ? first : next;
    await reader.read(previous === undefined ? [] : [previous], 0, (b, start) => {
      const nulls = bitmapBytes(table);
      found = Buffer.from(b.subarray(start + nulls, keyEnd(b, start, nulls, table.key)));
    });
    if (found === null) break;
    bounds.push(found);
  }
  return bounds;
}

function bitmapBytes(table: FerriedTable): number {
  return (table.key.length + 9) >> 3;
}

function keyList(table: FerriedTable): string {
  return table.key.map((c) => quoteName(c.column.name)).join(",");
}

function wireKeyList(table: FerriedTable): string {
  return table.key.map((c) => c.select).join(",");
}
