/**
 * Who stops the writes on the source, and how it is known that they have stopped (I7).
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { FerryError } from "../errors.ts";
import { quoteTable } from "../mysql/identifier.ts";
import type { Session } from "../mysql/session.ts";
import { isLockConflict } from "../mysql/passing_errors.ts";
import type { Table } from "../schema/table.ts";

/** Seconds that one try of LOCK TABLES may wait: it blocks the application behind it meanwhile. */
const LOCK_WAIT_SECONDS = 2;

/** Milliseconds that KILL may take. */
const KILL_MS = 2000;

/** Writes stopped, or not. */
export interface Fence {
  /** Stops the writes and returns when no writer is left. `stoppedAt` is `performance.now()` when the first writer could be held. */
  raise(signal: AbortSignal): Promise<{ readonly stoppedAt: number | null }>;
  /** A session that may read the ferried tables while the fence is up; `null`: any. */
  readonly session: Session | null;
  /** Throws `fence-lost` where writers may have gone on since it was raised. */
  assertUp(): Promise<void>;
  /** Lets writers go on. Never throws: at worst the connection is cut, which releases too. */
  release(): Promise<void>;
  /** Done: writes stay stopped for as long as this process lives. */
  keep(): Promise<void>;
}

/** The operator has stopped the writes already. */
export class NoFence implements Fence {
  readonly session = null;
  raise(): Promise<{ readonly stoppedAt: null }> {
    return Promise.resolve({ stoppedAt: null });
  }
  assertUp(): Promise<void> {
    return Promise.resolve();
  }
  release(): Promise<void> {
    return Promise.resolve();
  }
  keep(): Promise<void> {
    return Promise.resolve();
  }
}

/** `LOCK TABLES … WRITE`: waits for open writers, lets none in after them, and dies with its connection. */
export class LockTablesFence implements Fence {
  #killer: Session | null;

  private constructor(
    readonly session: Session,
    killer: Session,
    private readonly tables: readonly Table[],
    private readonly onWait: (text: string) => void,
  ) {
    this.#killer = killer;
  }

  /** Opens the fence's own connection, and a second one that can cut it. `open` gives data sessions on the source. */
  static async open(
    open: () => Promise<Session>,
    tables: readonly Table[],
    seconds: number,
    onWait: (text: string) => void,
  ): Promise<LockTablesFence> {
    const session = await open();
    try {
      // Should this machine vanish without a goodbye, the server itself lets go after wait_timeout.
      await session.run(`SET SESSION lock_wait_timeout=${LOCK_WAIT_SECONDS}, wait_timeout=${seconds + 30}`);
      return new LockTablesFence(session, await open(), tables, onWait);
    } catch (e) {
      session.destroy();
      throw e;
    }
  }

  async raise(signal: AbortSignal): Promise<{ readonly stoppedAt: number }> {
    const list = this.tables.map((t) => `${quoteTable(t)} WRITE`).join(", ");
    for (;;) {
      signal.throwIfAborted();
      const stoppedAt = performance.now();
      try {
        await this.session.run(`LOCK TABLES ${list}`);
        signal.throwIfAborted();
        return { stoppedAt };
      } catch (e) {
        if (!isLockConflict(e)) throw e;
        this.onWait(`Waiting for the source's tables: ${await this.#blockers()}`);
      }
    }
  }

  async assertUp(): Promise<void> {
    try {
      // The locks live and die with their connection: whoever kills that lets every writer through.
      await this.session.run("DO 1");
    } catch (cause) {
      throw new FerryError(
        "fence-lost",
        "Cannot cut over: the connection that locked the source's tables was cut, and writers may have gone on",
        { retryable: true, hint: "Nothing: the ferry catches up and can be cut over again", cause },
      );
    }
  }

  async #blockers(): Promise<string> {
    const row = await this.#killer?.one(
      "SELECT COUNT(*) AS n, GROUP_CONCAT(trx_mysql_thread_id) AS ids FROM information_schema.innodb_trx",
    ).catch(() => null);
    return row
      ? `${row.n} open transactions (connections ${row.ids ?? "none"})`
      : "another connection holds them";
  }

  async release(): Promise<void> {
    const killer = this.#killer;
    this.#killer = null;
    const patience = new AbortController();
    try {
      // The fence's connection may be in the middle of something; KILL does not wait for it. That of the killer itself
      // may be dead without having said so.
      const killed = killer?.usable ? killer.run(`KILL ${this.session.id}`) : Promise.resolve();
      await Promise.race([killed, delay(KILL_MS, undefined, { signal: patience.signal })]);
    } catch {
      // Cutting the connection below releases as well.
    } finally {
      patience.abort();
      this.session.destroy();
      killer?.destroy();
    }
  }

  async keep(): Promise<void> {
    await this.session.run("SET SESSION wait_timeout=2147483");
  }
}

/** The fence of this kind is not built. */
export function fenceMissing(kind: string): FerryError {
  return new FerryError(
    "fence-not-implemented",
    `Cannot cut over with fence "${kind}": it is not implemented`,
    {
      hint: 'Use "lockTables", or "none" and stop the writes yourself',
    },
  );
}
