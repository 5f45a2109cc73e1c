/**
 * The 19 bytes in front of every binlog event, and what their type byte says.
 * Source: MySQL Internals, "Binlog Event Header"; MariaDB, log_event.h (codes from 160 on).
 * @module
 */
import type { Buffer } from "node:buffer";

/** Bytes of the header. */
export const HEADER_LENGTH = 19;

/** Event type codes of both families. */
export const EventType = {
  QUERY: 2,
  STOP: 3,
  ROTATE: 4,
  INTVAR: 5,
  LOAD: 6,
  CREATE_FILE: 8,
  APPEND_BLOCK: 9,
  EXEC_LOAD: 10,
  DELETE_FILE: 11,
  NEW_LOAD: 12,
  RAND: 13,
  USER_VAR: 14,
  FORMAT_DESCRIPTION: 15,
  XID: 16,
  BEGIN_LOAD_QUERY: 17,
  EXECUTE_LOAD_QUERY: 18,
  TABLE_MAP: 19,
  WRITE_ROWS_V1: 23,
  UPDATE_ROWS_V1: 24,
  DELETE_ROWS_V1: 25,
  INCIDENT: 26,
  HEARTBEAT: 27,
  IGNORABLE: 28,
  ROWS_QUERY: 29,
  WRITE_ROWS: 30,
  UPDATE_ROWS: 31,
  DELETE_ROWS: 32,
  GTID: 33,
  ANONYMOUS_GTID: 34,
  PREVIOUS_GTIDS: 35,
  TRANSACTION_CONTEXT: 36,
  VIEW_CHANGE: 37,
  XA_PREPARE: 38,
  PARTIAL_UPDATE_ROWS: 39,
  TRANSACTION_PAYLOAD: 40,
  HEARTBEAT_V2: 41,
  GTID_TAGGED: 42,
  MARIADB_ANNOTATE_ROWS: 160,
  MARIADB_BINLOG_CHECKPOINT: 161,
  MARIADB_GTID: 162,
  MARIADB_GTID_LIST: 163,
  MARIADB_START_ENCRYPTION: 164,
  MARIADB_QUERY_COMPRESSED: 165,
  MARIADB_WRITE_ROWS_COMPRESSED_V1: 166,
  MARIADB_UPDATE_ROWS_COMPRESSED_V1: 167,
  MARIADB_DELETE_ROWS_COMPRESSED_V1: 168,
  MARIADB_WRITE_ROWS_COMPRESSED: 169,
  MARIADB_UPDATE_ROWS_COMPRESSED: 170,
  MARIADB_DELETE_ROWS_COMPRESSED: 171,
} as const;

/** Made up by the server for this stream: it takes no room in the binlog. */
export const FLAG_ARTIFICIAL = 0x20;
/** A replica that doesn't know the type may pass over it. */
export const FLAG_IGNORABLE = 0x80;

const NAMES = new Map<number, string>(Object.entries(EventType).map(([name, code]) => [code, name]));

/** `TABLE_MAP`, … or `type 99` for a code that no one told us of. */
export function eventName(type: number): string {
  return NAMES.get(type) ?? `type ${type}`;
}

/** Seconds since 1970 at which the statement began; 0 in artificial events. */
export function eventTimestamp(b: Buffer, o: number): number {
  return b.readUInt32LE(o);
}

/** The type code. */
export function eventType(b: Buffer, o: number): number {
  return b[o + 4];
}

/** `server_id` of the server that the event comes from. */
export function eventServerId(b: Buffer, o: number): number {
  return b.readUInt32LE(o + 5);
}

/** Bytes of the whole event: header, body and checksum. */
export function eventLength(b: Buffer, o: number): number {
  return b.readUInt32LE(o + 9);
}

/** Low 32 bits of the offset behind the event; 0 where the server doesn't say. */
export function eventNextPosition(b: Buffer, o: number): number {
  return b.readUInt32LE(o + 13);
}

/** Flags. */
export function eventFlags(b: Buffer, o: number): number {
  return b[o + 17] | (b[o + 18] << 8);
}
