/**
 * How a tail is begun at the place that was saved.
 * @module
 */
import { MAX_START } from "../binlog/binlog_stream.ts";
import type { BinlogPosition } from "../binlog/position.ts";
import type { StoredPosition } from "../state/cursor_store.ts";

/** What a tail is given. */
export interface TailStart {
  /** The place, which the stream's own offsets are added up from. */
  readonly start: BinlogPosition;
  /** The server is asked by this set of transactions instead. */
  readonly startGtids?: string;
}

/**
 * By the place in the file where it can be asked for. By GTIDs where no place was seen yet (offset 0), and where the
 * protocol has no room for it: one large transaction may take a file beyond 4 GiB.
 */
export function tailStart(saved: StoredPosition): TailStart {
  const { file, offset, gtids } = saved;
  const start = { file, offset };
  const bySet = offset === 0 || (offset > MAX_START && gtids !== null);
  return bySet ? { start, startGtids: gtids ?? "" } : { start };
}
