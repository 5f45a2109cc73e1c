/**
 * The rules of order between copy and replay (I1-I5): when a chunk may be read, which of its rows may be written, what
 * may be left out, what may wait on whom, and what may be committed together. Rules only: no I/O, no time, no state.
 * The engine asks them before it acts; `tests/model/model_test.ts` searches every interleaving of a small instance
 * over these same functions, and loses a row as soon as one of them answers otherwise.
 *
 * ```
 *  chunk    idle ──► registered ──► reading ──► read ──► sent ──► committed
 *           │        │              │           │        └ rows and cursor in one transaction (I3, I5)
 *           │        │              │           └ rows minus touched keys, filtered in the turn of sending (I2)
 *           │        │              └ at a read point that sees everything delivered by the noting (I1)
 *           │        └ touched keys are gathered from here on, THEN the delivered position is noted (I1, I2)
 *           └ a change that falls here may be left out (I4)
 *
 *  replay   delivered ──► pending (last image per key) ──► flush: deletes, replaces, position in one transaction (I3, I5)
 * ```
 * @module
 */

/** What the tail delivered about a key: a new image, a delete, or the key that a key-changing update has left. */
export type ChangeKind = "put" | "delete" | "oldKey";

/**
 * Where a key lies as seen from the copy. `unread`: in a part of a range for which no chunk has begun to register.
 * `reading`: a chunk that may hold it is between registration and rows at hand. `read`: it was read, or would have been.
 * `unknown`: not in this range, or not to be told.
 */
export type KeyPlace = "unread" | "reading" | "read" | "unknown";

/** A key that JavaScript orders as the server does. */
export type IntegerKey = bigint | number;

/** How far the reading of a range has come. All of it is memory: after a crash it begins again from the cursor. */
export interface RangeView {
  /** The range begins behind this key; null: at the table's first. */
  readonly lower: IntegerKey | null;
  /** The range ends with this key; null: behind the table's last. */
  readonly upper: IntegerKey | null;
  /** The last key of the last chunk whose rows are at hand (not: are written); null: none yet. */
  readonly readThrough: IntegerKey | null;
  /**
   * True from the moment the next chunk begins to register until its rows are at hand; it must turn false in the same
   * turn in which `readThrough` moves. A chunk's end is known only then, so all behind `readThrough` counts as reading.
   */
  readonly readInProgress: boolean;
  /** The last chunk's rows are at hand: what is inserted behind `readThrough` from now on will not be read. */
  readonly readToEnd: boolean;
}

/** Ends of transactions that the tail has passed, as the flush that is about to begin finds them. */
export interface TailEnds<Position> {
  /** End of the last transaction that was delivered whole. */
  readonly complete: Position;
  /** How far the tail is, perhaps inside a transaction. */
  readonly delivered: Position;
}

/** The rules as one value, so that the model can switch a single one off. */
export interface Rules {
  /** {@linkcode countsAsDelivered} */
  countsAsDelivered(beforeThisTail: boolean): boolean;
  /** {@linkcode mayNotePosition} */
  mayNotePosition(insideTransaction: boolean): boolean;
  /** {@linkcode mayBeginRead} */
  mayBeginRead(visible: boolean): boolean;
  /** {@linkcode mayWriteRow} */
  mayWriteRow(touched: ReadonlySet<string>, key: string): boolean;
  /** {@linkcode maySendChunk} */
  maySendChunk(flushHoldsTable: boolean): boolean;
  /** {@linkcode mayKeepChunk} */
  mayKeepChunk(epochWhenRegistered: number, epoch: number): boolean;
  /** {@linkcode mayBeginFlush} */
  mayBeginFlush(chunkWritesInFlight: number): boolean;
  /** {@linkcode mayDropChange} */
  mayDropChange(
    change: ChangeKind,
    place: KeyPlace,
    keysComparable: boolean,
    targetHasUnique: boolean,
    filtered: boolean,
  ): boolean;
  /** {@linkcode mayKeepPending} */
  mayKeepPending(newerDropped: boolean): boolean;
  /** {@linkcode whereIsKey} */
  whereIsKey(range: RangeView, key: IntegerKey): KeyPlace;
  /** {@linkcode mayCommitCursor} */
  mayCommitCursor(withItsRows: boolean, earlierCommitted: boolean): boolean;
  /** {@linkcode mayCommitPosition} */
  mayCommitPosition(withItsChanges: boolean): boolean;
  /** {@linkcode positionToCommit} */
  positionToCommit<Position>(ends: TailEnds<Position>): Position;
}

/**
 * I1: whether a transaction counts as delivered that a read point would have to include. All do, those too that were
 * delivered before this tail began: the first position, or the one that an earlier owner saved, may lie behind commits
 * that no reader sees yet, and nobody will deliver them again.
 *
 * Enforced by: model_test "beginning a tail without what lies before it, after a crash, …", "… at the start, …".
 */
export function countsAsDelivered(_beforeThisTail: boolean): boolean {
  return true;
}

/**
 * I1: whether the delivered position may be noted now. Not inside a transaction: its first changes were delivered
 * before the chunk began to register, perhaps flushed or left out already, and the end of the last complete
 * transaction would not make the read see them. Register, wait for the transaction's end, then note. (A position that
 * already contains the open transaction, as a GTID set may, counts as being at its end.)
 *
 * Enforced by: model_test "noting the position inside a transaction loses a row".
 */
export function mayNotePosition(insideTransaction: boolean): boolean {
  return !insideTransaction;
}

/**
 * I1: whether a chunk may be read at this read point, `visible` being: it sees everything up to the noted position.
 * The server sends an event before its commit is visible to readers.
 *
 * Enforced by: model_test "reading before the delivered changes are visible loses a row".
 */
export function mayBeginRead(visible: boolean): boolean {
  return visible;
}

/**
 * I2: whether a chunk's row may be written, `touched` being the keys delivered since the chunk began to register
 * (canonical key bytes as latin1). To be asked in the turn in which the transaction is sent, and again when it is sent
 * again: between two attempts a flush may have written something newer.
 *
 * Enforced by: model_test "writing rows that were touched since they were read loses a row".
 */
export function mayWriteRow(touched: ReadonlySet<string>, key: string): boolean {
  return !touched.has(key);
}

/**
 * I3: whether a chunk's transaction may be sent; not while a flush holds its table.
 *
 * Enforced by: model_test "sending a chunk while a flush is in flight loses a row".
 */
export function maySendChunk(flushHoldsTable: boolean): boolean {
  return !flushHoldsTable;
}

/**
 * I3: whether a chunk that was read may still be sent, the epoch being that of its table: how often a flush has changed
 * rows of it that no event names, when the chunk began to register and now. Behind such a flush nothing would mend what
 * the chunk has read before it. To be asked where {@linkcode mayWriteRow} is.
 *
 * Enforced by: model_test "sending a chunk that a flush has made stale loses a row".
 */
export function mayKeepChunk(epochWhenRegistered: number, epoch: number): boolean {
  return epochWhenRegistered === epoch;
}

/**
 * I3: whether a flush may begin on a table; not while chunk writes of it are in flight, that is sent and not yet known
 * to be committed or rolled back.
 *
 * Enforced by: model_test "flushing while a chunk write is in flight loses a row".
 */
export function mayBeginFlush(chunkWritesInFlight: number): boolean {
  return chunkWritesInFlight === 0;
}

/**
 * I4: whether a change may be left out, because a read that is still to come will see it. Only an image (after a crash
 * the target may hold a row that the second reading doesn't see, so its delete must arrive), only where no read point
 * has been fixed, only where keys can be placed exactly, never where the target has a secondary unique key (an older
 * chunk's REPLACE may remove another row, which only that row's event brings back), and never of a filtered table (an
 * image that the filter does not hold for is a delete).
 *
 * Enforced by: model_test "dropping a delete …", "dropping while the range is read …", "dropping where it was read …",
 * "dropping where the target has a unique key …", "dropping where there is a filter …"; rules_test for the table of answers.
 */
export function mayDropChange(
  change: ChangeKind,
  place: KeyPlace,
  keysComparable: boolean,
  targetHasUnique: boolean,
  filtered: boolean,
): boolean {
  return change === "put" && place === "unread" && keysComparable && !targetHasUnique && !filtered;
}

/**
 * I4: whether an older pending image (or delete) of a key may stay in the batch when a newer change of it arrives.
 * Not when the newer one is dropped: flushed after the chunk that read the newer row, it would undo it. (When the newer
 * one is kept, it takes the older one's place anyway.)
 *
 * Enforced by: model_test "leaving an older image pending when a newer one is dropped loses a row".
 */
export function mayKeepPending(newerDropped: boolean): boolean {
  return !newerDropped;
}

/**
 * I4: where a key lies in a range. Whatever cannot be told exactly is `unknown`, which drops nothing.
 *
 * Enforced by: rules_test "whereIsKey …"; the model asks it for every change.
 */
export function whereIsKey(range: RangeView, key: IntegerKey): KeyPlace {
  if (!isExact(key)) return "unknown";
  for (const bound of [range.lower, range.upper, range.readThrough]) {
    if (bound !== null && !isExact(bound)) return "unknown";
  }
  if (range.lower !== null && key <= range.lower) return "unknown";
  if (range.upper !== null && key > range.upper) return "unknown";
  if (range.readToEnd || (range.readThrough !== null && key <= range.readThrough)) return "read";
  return range.readInProgress ? "reading" : "unread";
}

/** A number past 2^53 may stand for its neighbour. */
function isExact(key: IntegerKey): boolean {
  return typeof key === "bigint" || Number.isSafeInteger(key);
}

/**
 * I5: whether a chunk's cursor may be committed: in the transaction of its rows, and when every earlier chunk of the
 * range is committed, because a cursor speaks for all that lies before it.
 *
 * Enforced by: model_test "committing a cursor before its rows loses a row", "… before an earlier chunk …".
 */
export function mayCommitCursor(withItsRows: boolean, earlierCommitted: boolean): boolean {
  return withItsRows && earlierCommitted;
}

/**
 * I5: whether a position may be committed: in the transaction of the changes that it covers, or after them.
 *
 * Enforced by: model_test "committing the position before its changes loses a row".
 */
export function mayCommitPosition(withItsChanges: boolean): boolean {
  return withItsChanges;
}

/**
 * I5: the position that goes with a flush of everything pending: the end of the last transaction that was delivered
 * whole. A flush in the middle of a huge transaction keeps the older position; what is replayed twice changes nothing.
 *
 * Enforced by: model_test "committing a position inside a transaction loses a row".
 */
export function positionToCommit<Position>(ends: TailEnds<Position>): Position {
  return ends.complete;
}

/** All rules, as they hold. */
export const RULES: Rules = {
  countsAsDelivered,
  mayNotePosition,
  mayBeginRead,
  mayWriteRow,
  maySendChunk,
  mayKeepChunk,
  mayBeginFlush,
  mayDropChange,
  mayKeepPending,
  whereIsKey,
  mayCommitCursor,
  mayCommitPosition,
  positionToCommit,
};
