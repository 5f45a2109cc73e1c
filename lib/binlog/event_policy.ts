/**
 * Which events may pass, and in what form they come: the parts of I9 that need no state.
 * @module
 */
import type { Buffer } from "node:buffer";
import { EventType, HEADER_LENGTH } from "./event_header.ts";

/** Bytes of the checksum behind an event. */
export const CHECKSUM_LENGTH = 4;

/** Known, and nothing in them concerns rows. */
export const SILENT: ReadonlySet<number> = new Set<number>([
  EventType.STOP,
  EventType.IGNORABLE,
  EventType.ROWS_QUERY,
  EventType.PREVIOUS_GTIDS,
  EventType.TRANSACTION_CONTEXT,
  EventType.VIEW_CHANGE,
  EventType.MARIADB_ANNOTATE_ROWS,
  EventType.MARIADB_BINLOG_CHECKPOINT,
  EventType.MARIADB_GTID_LIST,
  EventType.MARIADB_START_ENCRYPTION, // the server sends the events themselves decrypted
]);

/** They announce a change in statement format. */
export const ANNOUNCES_STATEMENT: ReadonlySet<number> = new Set<number>([
  EventType.INTVAR,
  EventType.RAND,
  EventType.USER_VAR,
  EventType.LOAD,
  EventType.NEW_LOAD,
  EventType.CREATE_FILE,
  EventType.APPEND_BLOCK,
  EventType.EXEC_LOAD,
  EventType.DELETE_FILE,
  EventType.BEGIN_LOAD_QUERY,
  EventType.EXECUTE_LOAD_QUERY,
]);

/** What a FORMAT_DESCRIPTION event says of the events behind it. */
export interface EventFormat {
  /** They are laid out as this reader knows them. */
  readonly known: boolean;
  /** They end in a CRC32. */
  readonly checksum: boolean;
}

/** Reads the FORMAT_DESCRIPTION event `b[o, end)`, checksum included: it always has one. */
export function readFormat(b: Buffer, o: number, end: number): EventFormat {
  const body = o + HEADER_LENGTH;
  const sizes = body + 57; // of the fixed parts of bodies, by type code - 1
  return {
    known: b[body + 56] === HEADER_LENGTH && b[sizes + EventType.TABLE_MAP - 1] === 8,
    checksum: b[end - CHECKSUM_LENGTH - 1] === 1,
  };
}
