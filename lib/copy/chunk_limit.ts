/**
 * How many rows a chunk has. Rules only.
 * @module
 */
import type { Pace } from "../throttle/pacer.ts";

/** Rows of a range's first chunk at most: how large they are is only estimated. */
const FIRST_ROWS = 4096;
/** The same, where nobody knows. */
const BLIND_ROWS = 256;
/** How much larger a chunk may be than the one before it: their rows may be larger, too. */
const GROWTH = 8;
/** Rows of a chunk at most. */
const MAX_ROWS = 50_000;
/** Chunks of more rows than one statement has are whole statements: what is left over takes several small ones. */
const STATEMENT_ROWS = 1024;

/** What a chunk may have at most. */
export interface ChunkRoom {
  /** Rows. */
  readonly rows: number;
  /** Bytes on the wire. */
  readonly bytes: number;
}

/**
 * The room of each chunk, where so many ranges are copied side by side. Each of them reads one chunk ahead of the one that
 * it writes, and none counts before it is committed: all that is under way together is what a cap allows in a second.
 */
export function chunkRoom(chunkBytes: number, pace: Pace, sideBySide: number): ChunkRoom {
  const share = (most: number | null) => most === null ? Infinity : most / (2 * sideBySide);
  return { rows: Math.min(MAX_ROWS, share(pace.rows)), bytes: Math.min(chunkBytes, share(pace.bytes)) };
}

/** Rows of a range's first chunk; a table's rows and bytes as its server estimates them, `null` where it does not. */
export function firstLimit(rows: number | null, bytes: number | null, room: ChunkRoom): number {
  return rows !== null && bytes !== null && rows > 0 && bytes > 0
    ? limitOf(bytes / rows, FIRST_ROWS, room)
    : limitOf(1, BLIND_ROWS, room);
}

/** Rows of the next chunk behind one that was read with `limit` and had so many rows of so many bytes. */
export function nextLimit(limit: number, rows: number, bytes: number, room: ChunkRoom): number {
  return limitOf(rows === 0 ? 1 : bytes / rows, rows === 0 ? limit : limit * GROWTH, room);
}

/** Rows of a chunk where one has `average` bytes. */
function limitOf(average: number, most: number, room: ChunkRoom): number {
  const wanted = Math.min(room.bytes / Math.max(average, 1), most, room.rows);
  const rows = Math.max(1, Math.floor(wanted));
  return rows > STATEMENT_ROWS ? rows - rows % STATEMENT_ROWS : rows;
}
