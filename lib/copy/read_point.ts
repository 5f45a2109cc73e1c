/**
 * Reads that see everything the tail has delivered (I1). The server sends a transaction to the binlog stream before its
 * commit is visible, so a plain SELECT may be older than an event that is here already; each kind of server offers
 * another way to wait for it. Enforced by: `fresh_reads_test.ts` (semi-sync AFTER_SYNC, no replica answering).
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { comparePositions } from "../binlog/position.ts";
import type { BinlogPosition } from "../binlog/position.ts";
import type { Session } from "../mysql/session.ts";
import { isAtLeast, type Server } from "../mysql/server.ts";
import { FerryError } from "../errors.ts";
import type { Delivered } from "./delivered.ts";
import { mayBeginRead, mayNotePosition } from "./rules.ts";

/** One way to read freshly. */
export interface ReadPoint {
  /** What every SELECT of it ends with. */
  readonly suffix: string;
  /** Prepares a session that will read. */
  dress(session: Session): Promise<void>;
  /**
   * Runs `read` so that its SELECT sees all that was delivered before the call; with `upTo` perhaps only all up to there,
   * which needs no transaction to be delivered to its end (whoever holds the tail up may ask for no more).
   */
  at<T>(session: Session, signal: AbortSignal, read: () => Promise<T>, upTo?: BinlogPosition): Promise<T>;
}

/** The way that this source offers. */
export function readPointFor(source: Server, delivered: Delivered): ReadPoint {
  if (source.vendor === "mariadb") return new SnapshotReadPoint(delivered);
  if (source.gtids) return new GtidReadPoint(delivered);
  return new LockingReadPoint(isAtLeast(source, 8, 0, 1) ? " FOR SHARE" : " LOCK IN SHARE MODE");
}

/** MySQL with GTIDs: `gtid_executed` gains a transaction when it is visible. */
class GtidReadPoint implements ReadPoint {
  readonly suffix = "";
  #seen = 0;

  constructor(private readonly delivered: Delivered) {}

  dress(): Promise<void> {
    return Promise.resolve();
  }

  async at<T>(session: Session, signal: AbortSignal, read: () => Promise<T>): Promise<T> {
    // The set contains the open transaction too, so it may be noted at any moment (I1, mayNotePosition).
    const version = this.delivered.version;
    let visible = version <= this.#seen;
    const wanted = visible ? "" : this.delivered.gtids.toString();
    while (!mayBeginRead(visible)) {
      signal.throwIfAborted();
      const row = await session.one("SELECT WAIT_FOR_EXECUTED_GTID_SET(?, 1) AS missing", [wanted]);
      visible = Number(row!.missing) === 0;
    }
    this.#seen = Math.max(this.#seen, version);
    return await read();
  }
}

/** MariaDB: a consistent snapshot tells the binlog position that it stands at. */
class SnapshotReadPoint implements ReadPoint {
  readonly suffix = "";
  #seen: BinlogPosition | null = null;

  constructor(private readonly delivered: Delivered) {}

  async dress(session: Session): Promise<void> {
    // WITH CONSISTENT SNAPSHOT is ignored below REPEATABLE READ.
    await session.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
  }

  async at<T>(
    session: Session,
    signal: AbortSignal,
    read: () => Promise<T>,
    upTo?: BinlogPosition,
  ): Promise<T> {
    while (upTo === undefined && !mayNotePosition(this.delivered.insideTransaction)) {
      await this.delivered.nextEnd(signal);
    }
    const wanted = upTo ?? this.delivered.position;
    // What one view has seen, every later one sees.
    if (this.#seen !== null && mayBeginRead(comparePositions(this.#seen, wanted) >= 0)) return await read();
    for (;;) {
      signal.throwIfAborted();
      await session.run("START TRANSACTION WITH CONSISTENT SNAPSHOT");
      try {
        const at = await snapshotPosition(session);
        if (mayBeginRead(comparePositions(at, wanted) >= 0)) {
          if (this.#seen === null || comparePositions(at, this.#seen) > 0) this.#seen = at;
          return await read();
        }
      } finally {
        if (session.usable) await session.run("COMMIT");
      }
      await delay(5, undefined, { signal });
    }
  }
}

/** Inside a consistent snapshot on MariaDB: where in the binlog it stands. */
export async function snapshotPosition(session: Session): Promise<BinlogPosition> {
  const rows = await session.query("SHOW STATUS LIKE 'binlog\\_snapshot\\_%'");
  const status = new Map(rows.map((r) => [String(r.Variable_name).toLowerCase(), String(r.Value)]));
  const file = status.get("binlog_snapshot_file");
  if (!file) {
    throw new FerryError("binlog-off", "Cannot read the source's snapshot position: the server tells none", {
      hint: "Turn the binlog on",
    });
  }
  return { file, offset: Number(status.get("binlog_snapshot_position")) };
}

/** Any other server: a locking read waits for the writer of each row. READ COMMITTED and autocommit keep it short. */
class LockingReadPoint implements ReadPoint {
  constructor(readonly suffix: string) {}

  dress(): Promise<void> {
    return Promise.resolve();
  }

  at<T>(_session: Session, signal: AbortSignal, read: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    return read();
  }
}
