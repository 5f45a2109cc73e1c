/**
 * A ferry's rows in the state schema. Every write carries the lease's epoch and fails where a newer one exists (I8).
 * @module
 */
import { quoteName, quoteText } from "../mysql/identifier.ts";
import type { Session } from "../mysql/session.ts";
import type { FerryEvent } from "../progress/resource.ts";
import { CursorStore } from "./cursor_store.ts";
import { leaseLost, type Ownership, writeOwned } from "./ownership.ts";

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

/** Statements on the state schema. Each takes the session it runs on, so that it may share a transaction with data. */
export class FerryStore {
  /** How far copy and replay are. */
  readonly cursors: CursorStore;
  readonly #s: string;

  /** For the state schema of this name. */
  constructor(readonly schema: string) {
    this.cursors = new CursorStore(schema);
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

  /** Ids of every ferry that is in one of `states`, in the order in which they were begun. */
  async idsIn(session: Session, states: readonly string[]): Promise<string[]> {
    const rows = await session.query(
      `SELECT id FROM ${this.#s}.ferries WHERE state IN (?) ORDER BY created_at`,
      [states],
    );
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
    await writeOwned(
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
    await writeOwned(
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
    await writeOwned(session, own, `UPDATE ${this.#s}.ferries SET crossing = ? WHERE id = ? AND epoch = ?`, [
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
}
