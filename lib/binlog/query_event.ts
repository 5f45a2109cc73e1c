/**
 * QUERY events: statements as text, and which of them steer a transaction.
 * Source: MySQL Internals, "QUERY_EVENT"; log_event.cc for the texts that the servers write themselves.
 * @module
 */
import type { Buffer } from "node:buffer";
import { inflateEvent } from "./compression.ts";
import { clientCollation, readings } from "./statement_charset.ts";

/** A statement in the binlog. */
export interface QueryEvent {
  /** Its text; further ones where its bytes may stand for another one too. */
  readonly texts: readonly string[];
  /** Default schema, or `""`. */
  readonly schema: string;
}

/** Reads the body in `b[o, end)`; `compressed` is MariaDB's `log_bin_compress`. */
export function parseQuery(b: Buffer, o: number, end: number, compressed: boolean): QueryEvent {
  const schemaLength = b[o + 8];
  const statusLength = b.readUInt16LE(o + 11);
  const status = o + 13;
  o = status + statusLength;
  const schema = b.toString("utf8", o, o + schemaLength);
  o += schemaLength + 1;
  const bytes = compressed ? inflateEvent(b, o, end) : b.subarray(o, end);
  return { texts: readings(bytes, clientCollation(b, status, status + statusLength)), schema };
}

/** What a statement does to the transaction it is in. */
export type QueryRole =
  | "begin"
  | "commit"
  | "rollback"
  | "rollback-to"
  | "savepoint"
  | "xa-begin"
  | "xa-end"
  | "xa-commit"
  | "xa-rollback"
  | "statement";

const ROLES: [RegExp, QueryRole][] = [
  [/^(BEGIN|START\s+TRANSACTION)$/i, "begin"],
  [/^COMMIT$/i, "commit"],
  [/^ROLLBACK$/i, "rollback"],
  [/^ROLLBACK\s+(WORK\s+)?TO\s/i, "rollback-to"],
  [/^(RELEASE\s+)?SAVEPOINT\s/i, "savepoint"],
  [/^XA\s+(START|BEGIN)\s/i, "xa-begin"],
  [/^XA\s+END\s/i, "xa-end"],
  [/^XA\s+COMMIT\s/i, "xa-commit"],
  [/^XA\s+ROLLBACK\s/i, "xa-rollback"],
];

/** Reads the role off the text, which for all but `statement` the server wrote itself. */
export function queryRole(text: string): QueryRole {
  // Nearly every query event of a live source; statements may be megabytes long.
  if (text === "BEGIN") return "begin";
  if (text.length > 1024) return "statement";
  const trimmed = text.trim();
  return ROLES.find(([pattern]) => pattern.test(trimmed))?.[1] ?? "statement";
}

/** The transaction that an XA statement names, in the notation of {@link xaPrepareXid}. */
export function xaStatementXid(text: string): string {
  return text.trim().split(/\s+/).slice(2).join("").replace(/ONEPHASE$/i, "").toLowerCase();
}

/** What an XA_PREPARE event's body at `o` says. */
export function xaPrepare(b: Buffer, o: number): { readonly xid: string; readonly onePhase: boolean } {
  const format = b.readInt32LE(o + 1);
  const global = b.readUInt32LE(o + 5);
  const branch = b.readUInt32LE(o + 9);
  const data = o + 13;
  const hex = (from: number, n: number) => `x'${b.toString("hex", from, from + n)}'`;
  return { xid: `${hex(data, global)},${hex(data + global, branch)},${format}`, onePhase: b[o] !== 0 };
}
