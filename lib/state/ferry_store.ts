/**
 * A ferry's rows in the state schema. Every write carries the lease's epoch and fails where a newer one exists (I8).
 * @module
 */
import { Buffer } from "node:buffer";
import { FerryError } from "../errors.ts";
import { quoteName, quoteText } from "../mysql/identifier.ts";
import type { Session } from "../mysql/session.ts";
import type { BinlogPosition } from "../binlog/position.ts";
import type { FerryEvent } from "../progress/resource.ts";

/** What one owner may write under. */
export interface Ownership {
  /** The ferry. */
  readonly id: string;
  /** Grows by one with every owner. */
  readonly epoch: number;
}

/** What is known of a ferry that was started once. */
export interface StoredFerry {
  /** Its id. */
  readonly id: string;
  /** SHA-256 of the spec without secrets. */
  readonly fingerprint: string;
  /** The spec as JSON, without secrets. */
  readonly spec: string;
  /** Its last state. */
  readonly state: string;
  /** The last snapshot, as JSON. */
  readonly snapshot: string;
  /** What the crossing has to know after a crash, as JSON; `null` before it began. */
  readonly crossing: string | null;
  /** The last owner's epoch. */
  readonly epoch: number;
}

/** A range of a table's key, and how far it is copied. Keys are wire bytes. */
export interface StoredRange {
  /** Which table of the plan. */
  readonly tableNo: number;
  /** Which range of it. */
  readonly rangeNo: number;
  /** Keys above this one; `null` from the first. */
  readonly lower: Buffer | null;
  /** Keys up to and with this one; `null` to the last. */
  readonly upper: Buffer | null;
  /** The last key that is committed; `null` before the first chunk. */
  readonly cursor: Buffer | null;
  /** Nothing is left. */
  readonly done: boolean;
  /** Rows copied. */
  readonly rows: number;
  /** Bytes copied. */
  readonly bytes: number;
}

/** Where replay stands. */
export interface StoredPosition extends BinlogPosition {
  /** GTIDs replayed, or `null`. */
  readonly gtids: string | null;
  /** Row changes replayed so far. */
  readonly changes: number;
}

/** A newer owner has taken the ferry. */
export function leaseLost(id: string): FerryError {
  return new FerryError("lease-lost", `Cannot write for ferry "${id}": another process owns it now`, {
    retryable: true,
    hint: "Watch it where it runs; nothing more is written from here",
  });
}

/** Statements on the state schema. Each takes the session it runs on, so that it may share a transaction with data. */
export class FerryStore {
  readonly #s: string;

  /** For the state schema of this name. */
  constructor(readonly schema: string) {
    this.#s = quoteName(schema);
  }

  /** The ferry, or `null`. */
  async find(session: Session, id: string): Promise<StoredFerry | null> {
    const r = await session.one(`SELECT * FROM ${this.#s}.ferries WHERE id = ?`, [id]);
    return r === null ? null : {
      id: r.id,
      fingerprint: r.fingerprint,
      spec: r.spec,
      state: r.state,
      snapshot: r.snapshot,
      crossing: r.crossing,
      epoch: Number(r.epoch),
    };
  }

  /** Ids of every ferry that is in none of `states`. */
  async idsNotIn(session: Session, states: readonly string[]): Promise<string[]> {
    const rows = await session.query(
      `SELECT id FROM ${this.#s}.ferries WHERE state NOT IN (?) ORDER BY created_at`,
      [states],
    );
    return rows.map((r) => r.id);
  }

  /** Ids of every ferry that is in one of `states`. */
  async idsIn(session: Session, states: readonly string[]): Promise<string[]> {
    const rows = await session.query(`SELECT id FROM ${this.#s}.ferries WHERE state IN (?)`, [states]);
    return rows.map((r) => r.id);
  }

  /** Makes the ferry's rows where there are none. */
  async create(
    session: Session,
    f: { id: string; fingerprint: string; spec: string; snapshot: string },
  ): Promise<void> {
    await session.run("START TRANSACTION");
    await session.run(
      `INSERT IGNORE INTO ${this.#s}.ferries VALUES (?, ?, ?, 'preflight', ?, NULL, 0, UTC_TIMESTAMP(3))`,
      [f.id, f.fingerprint, f.spec, f.snapshot],
    );
    await session.run(`INSERT IGNORE INTO ${this.#s}.leases VALUES (?, '', 0, '1970-01-02')`, [f.id]);
    await session.run("COMMIT");
  }

  /**
   * Takes the lease if it is free, by the target's own clock, and lifts the epoch in every row of the ferry, which waits
   * for writes under way: after it an older owner's transaction cannot commit. `null` where another owner is alive.
   */
  async acquire(session: Session, id: string, owner: string, seconds: number): Promise<Ownership | null> {
    await session.run("START TRANSACTION");
    try {
      const taken = await session.run(
        `UPDATE ${this.#s}.leases SET owner = ?, epoch = epoch + 1, until = UTC_TIMESTAMP(3) + INTERVAL ? SECOND ` +
          "WHERE ferry_id = ? AND (until < UTC_TIMESTAMP(3) OR owner = ?)",
        [owner, seconds, id, owner],
      );
      if (taken.affectedRows !== 1) {
        await session.run("ROLLBACK");
        return null;
      }
      const row = await session.one(`SELECT epoch FROM ${this.#s}.leases WHERE ferry_id = ?`, [id]);
      const epoch = Number(row!.epoch);
      for (const table of ["positions", "ranges", "events"]) {
        await session.run(`UPDATE ${this.#s}.${table} SET epoch = ? WHERE ferry_id = ?`, [epoch, id]);
      }
      await session.run(`UPDATE ${this.#s}.ferries SET epoch = ? WHERE id = ?`, [epoch, id]);
      await session.run("COMMIT");
      return { id, epoch };
    } catch (e) {
      if (session.usable) await session.run("ROLLBACK");
      throw e;
    }
  }

  /** Makes the lease last. Throws `lease-lost`. */
  async renew(session: Session, own: Ownership, seconds: number): Promise<void> {
    await this.#must(
      session,
      own,
      `UPDATE ${this.#s}.leases SET until = UTC_TIMESTAMP(3) + INTERVAL ${
        Number(seconds)
      } SECOND WHERE ferry_id = ? AND epoch = ?`,
      [own.id, own.epoch],
    );
  }

  /** Gives the lease up, so that the next owner need not wait. */
  async release(session: Session, own: Ownership): Promise<void> {
    await session.run(
      `UPDATE ${this.#s}.leases SET until = '1970-01-02', owner = '' WHERE ferry_id = ? AND epoch = ?`,
      [
        own.id,
        own.epoch,
      ],
    );
  }

  /** Fails where a newer owner exists, and keeps others from becoming it until the transaction ends. On any session. */
  async holdLease(session: Session, own: Ownership): Promise<void> {
    const row = await session.one(
      `SELECT 1 AS held FROM ${this.#s}.leases WHERE ferry_id = ${
        quoteText(own.id)
      } AND epoch = ${own.epoch} LOCK IN SHARE MODE`,
    );
    if (row === null) throw leaseLost(own.id);
  }

  /** Writes state and snapshot. */
  async saveSnapshot(session: Session, own: Ownership, state: string, snapshot: string): Promise<void> {
    await this.#must(
      session,
      own,
      `UPDATE ${this.#s}.ferries SET state = ?, snapshot = ? WHERE id = ? AND epoch = ?`,
      [
        state,
        snapshot,
        own.id,
        own.epoch,
      ],
    );
  }

  /** Writes what the crossing has to know after a crash. */
  async saveCrossing(session: Session, own: Ownership, crossing: string): Promise<void> {
    await this.#must(session, own, `UPDATE ${this.#s}.ferries SET crossing = ? WHERE id = ? AND epoch = ?`, [
      crossing,
      own.id,
      own.epoch,
    ]);
  }

  /** What was changed of the ferry's settings, as JSON without secrets; `null` where nothing was. */
  async settings(session: Session, id: string): Promise<string | null> {
    const r = await session.one(`SELECT changed FROM ${this.#s}.settings WHERE ferry_id = ?`, [id]);
    return r?.changed ?? null;
  }

  /** Writes what was changed of the ferry's settings. */
  async saveSettings(session: Session, own: Ownership, changed: string): Promise<void> {
    // One statement: other transactions of the ferry's state share the session.
    const outcome = await session.run(
      `INSERT INTO ${this.#s}.settings SELECT ferry_id, ?, epoch FROM ${this.#s}.leases ` +
        "WHERE ferry_id = ? AND epoch = ? ON DUPLICATE KEY UPDATE changed = VALUES(changed), epoch = VALUES(epoch)",
      [changed, own.id, own.epoch],
    );
    if (outcome.affectedRows === 0) throw leaseLost(own.id);
  }

  /** Where replay stands, or `null` before it began. */
  async position(session: Session, id: string): Promise<StoredPosition | null> {
    const r = await session.one(
      `SELECT file, log_offset, gtids, changes FROM ${this.#s}.positions WHERE ferry_id = ?`,
      [id],
    );
    return r === null
      ? null
      : { file: r.file, offset: Number(r.log_offset), gtids: r.gtids, changes: Number(r.changes) };
  }

  /** Notes where replay begins. */
  async createPosition(session: Session, own: Ownership, p: StoredPosition): Promise<void> {
    await session.run(`INSERT INTO ${this.#s}.positions VALUES (?, ?, ?, ?, ?, ?)`, [
      own.id,
      p.file,
      p.offset,
      p.gtids,
      p.changes,
      own.epoch,
    ]);
  }

  /** Moves the position, in the transaction of the changes that it covers (I5). Runs on a data session. */
  async savePosition(session: Session, own: Ownership, p: StoredPosition): Promise<void> {
    await this.#must(
      session,
      own,
      `UPDATE ${this.#s}.positions SET file = ${quoteText(p.file)}, log_offset = ${p.offset}, ` +
        `gtids = ${p.gtids === null ? "NULL" : quoteText(p.gtids)}, changes = ${p.changes} ` +
        `WHERE ferry_id = ${quoteText(own.id)} AND epoch = ${own.epoch}`,
    );
  }

  /** The ranges of every table. */
  async ranges(session: Session, id: string): Promise<StoredRange[]> {
    const rows = await session.query(
      `SELECT * FROM ${this.#s}.ranges WHERE ferry_id = ? ORDER BY table_no, range_no`,
      [id],
    );
    return rows.map((r) => ({
      tableNo: Number(r.table_no),
      rangeNo: Number(r.range_no),
      lower: r.lower_key,
      upper: r.upper_key,
      cursor: r.cursor_key,
      done: Number(r.done) === 1,
      rows: Number(r.copied_rows),
      bytes: Number(r.copied_bytes),
    }));
  }

  /** Notes the ranges of one table, all at once. */
  async createRanges(session: Session, own: Ownership, ranges: readonly StoredRange[]): Promise<void> {
    await session.run(`INSERT INTO ${this.#s}.ranges VALUES ?`, [
      ranges.map((
        r,
      ) => [
        own.id,
        r.tableNo,
        r.rangeNo,
        r.lower,
        r.upper,
        r.cursor,
        r.done ? 1 : 0,
        r.rows,
        r.bytes,
        own.epoch,
      ]),
    ]);
  }

  /** Moves a range's cursor, in the transaction of its rows (I5). Runs on a data session. */
  async saveCursor(session: Session, own: Ownership, r: StoredRange): Promise<void> {
    const cursor = r.cursor === null ? "NULL" : `x'${r.cursor.toString("hex")}'`;
    await this.#must(
      session,
      own,
      `UPDATE ${this.#s}.ranges SET cursor_key = ${cursor}, done = ${
        r.done ? 1 : 0
      }, copied_rows = ${r.rows}, ` +
        `copied_bytes = ${r.bytes} WHERE ferry_id = ${quoteText(own.id)} AND table_no = ${r.tableNo} ` +
        `AND range_no = ${r.rangeNo} AND epoch = ${own.epoch}`,
    );
  }

  /** Stored events above `after`, oldest first: the first ones or the last ones, at most `limit`. */
  async events(
    session: Session,
    id: string,
    which: "first" | "last",
    after: number,
    limit: number,
  ): Promise<FerryEvent[]> {
    const rows = await session.query(
      `SELECT id, type, data FROM ${this.#s}.events WHERE ferry_id = ? AND id > ? ` +
        `ORDER BY id ${which === "last" ? "DESC" : ""} LIMIT ?`,
      [id, after, limit],
    );
    const events = rows.map((r) => ({ id: Number(r.id), type: r.type, data: JSON.parse(r.data) }));
    return which === "last" ? events.reverse() : events;
  }

  /**
   * Stores events; of `progress` only the latest stays. Guarded by the lease in the same transaction, so `session` is for
   * this alone: what another writes meanwhile would be undone with it.
   */
  async saveEvents(session: Session, own: Ownership, events: readonly FerryEvent[]): Promise<void> {
    await session.run("START TRANSACTION");
    try {
      const lease = await session.one(`SELECT epoch FROM ${this.#s}.leases WHERE ferry_id = ? FOR UPDATE`, [
        own.id,
      ]);
      if (Number(lease?.epoch) !== own.epoch) throw leaseLost(own.id);
      const first = events[0].id;
      if (events.some((e) => e.type === "progress")) {
        await session.run(
          `DELETE FROM ${this.#s}.events WHERE ferry_id = ? AND type = 'progress' AND id < ?`,
          [own.id, first],
        );
      }
      // Where a connection was lost behind a COMMIT, they are there already.
      await session.run(
        `INSERT INTO ${this.#s}.events VALUES ? ON DUPLICATE KEY UPDATE ` +
          "type = VALUES(type), data = VALUES(data), epoch = VALUES(epoch)",
        [events.map((e) => [own.id, e.id, e.type, JSON.stringify(e.data), own.epoch])],
      );
      await session.run("COMMIT");
    } catch (e) {
      if (session.usable) await session.run("ROLLBACK");
      throw e;
    }
  }

  async #must(session: Session, own: Ownership, sql: string, values: readonly unknown[] = []): Promise<void> {
    const outcome = await session.run(sql, values);
    if (outcome.affectedRows !== 1) throw leaseLost(own.id);
  }
}
