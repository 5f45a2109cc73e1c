/**
 * Reads what throttles: each number from its own server, over a session that is kept, within a second.
 * @module
 */
import { aborted } from "../aborted.ts";
import { errorNumber } from "../errors.ts";
import { type Row, Session } from "../mysql/session.ts";
import { parseConnectionUrl } from "../spec/connection_url.ts";
import type { ThrottleSettings } from "../spec/ferry_spec.ts";
import type { Reading } from "./limits.ts";
import { READING_NAMES } from "./reading_names.ts";

/** Milliseconds that one number may take. */
const PATIENCE_MS = 3000;

/** Which servers there are. */
export interface Servers {
  /** The source's URL. */
  readonly source: string;
  /** The target's URL. */
  readonly target: string;
}

/** The numbers that some settings ask for. */
export class Gauges {
  readonly #sessions = new Map<string, Promise<Session>>();
  #closed = false;

  /** Nothing is connected before {@linkcode read}. */
  constructor(private readonly servers: Servers) {}

  /** Every number. `lagSeconds`: how far the ferry's own replay is behind, `null` while that is not known. */
  async read(settings: ThrottleSettings, lagSeconds: number | null, signal: AbortSignal): Promise<Reading[]> {
    const { maxLagSeconds, maxThreadsRunning, criticalThreadsRunning, maxHistoryListLength } = settings;
    const wanted: Promise<Reading>[] = [];
    const add = (name: string, max: number, critical: number | null, read: () => Promise<number>) => {
      const late = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
      const value = Promise.race([read(), aborted(late)]).catch((e) => ({ unknown: why(e) }));
      wanted.push(value.then((value) => ({ name, value, max, critical })));
    };
    if (maxLagSeconds !== null) {
      if (lagSeconds !== null) {
        add(READING_NAMES.lag(), maxLagSeconds, null, () => Promise.resolve(lagSeconds));
      }
      for (const [i, { url, name }] of settings.replicas.entries()) {
        add(
          READING_NAMES.replica_lag(name ?? String(i + 1)),
          maxLagSeconds,
          null,
          () => this.#replicaLag(url),
        );
      }
    }
    if (maxThreadsRunning !== null || criticalThreadsRunning !== null) {
      for (const side of ["source", "target"] as const) {
        add(
          READING_NAMES.threads_running(side),
          maxThreadsRunning ?? criticalThreadsRunning!,
          criticalThreadsRunning,
          () => this.#status(this.servers[side], "Threads_running"),
        );
      }
    }
    if (maxHistoryListLength !== null) {
      add(READING_NAMES.history_list(), maxHistoryListLength, null, () => this.#historyListLength());
    }
    for (const { on, status, query, max, critical } of settings.checks) {
      const url = this.servers[on];
      const name = READING_NAMES.check(status ?? query!, on);
      add(name, max, critical, () => status === null ? this.#query(url, query!) : this.#status(url, status));
    }
    if (settings.http !== null) {
      const url = settings.http;
      add(READING_NAMES.http(new URL(url).host), 299, null, () => httpStatus(url, signal));
    }
    return await Promise.all(wanted);
  }

  /** Closes what was opened, for good. */
  async close(): Promise<void> {
    this.#closed = true;
    const open = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const session of open) await session.then((s) => s.destroy(), () => {});
  }

  async #status(url: string, name: string): Promise<number> {
    const rows = await this.#ask(url, "SHOW GLOBAL STATUS LIKE ?", [name.replace(/[\\_%]/g, "\\$&")]);
    return numberOf(rows[0]?.Value, `the server knows no status "${name}"`);
  }

  async #query(url: string, sql: string): Promise<number> {
    const [row] = await this.#ask(url, sql);
    return numberOf(row === undefined ? undefined : Object.values(row)[0], "the query answers no number");
  }

  async #historyListLength(): Promise<number> {
    const sql =
      "SELECT COUNT AS n FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rseg_history_len'";
    const [row] = await this.#ask(this.servers.source, sql);
    return numberOf(row?.n, "the server does not tell it");
  }

  async #replicaLag(url: string): Promise<number> {
    // The old words are the only ones that MariaDB and MySQL 5.7 share; MySQL 8.4 took them away.
    const rows = await this.#ask(url, "SHOW REPLICA STATUS").catch(() => this.#ask(url, "SHOW SLAVE STATUS"));
    // One row a source that it follows.
    const lags = rows.map((row) =>
      numberOf(row.Seconds_Behind_Source ?? row.Seconds_Behind_Master, NO_REPLICA)
    );
    if (lags.length === 0) throw new Unreadable(NO_REPLICA);
    return Math.max(...lags);
  }

  async #ask(url: string, sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return await (await this.#session(url)).query(sql, values);
  }

  /** The session of a server; one that was lost is opened again, once for all that ask. */
  async #session(url: string): Promise<Session> {
    const known = this.#sessions.get(url);
    if (known !== undefined && await known.then((s) => s.usable, () => false)) return await known;
    // Nobody would close it.
    if (this.#closed) throw new Unreadable("nobody reads any more");
    let opening = this.#sessions.get(url);
    // Else another reading has found the same meanwhile, and begun.
    if (opening === undefined || opening === known) {
      const side = url === this.servers.target ? "target" : "source";
      opening = Session.open(parseConnectionUrl(url), { side, connectTimeout: PATIENCE_MS });
      this.#sessions.set(url, opening);
    }
    return await opening;
  }
}

/** A server's answer that holds no number; its message is for people. */
class Unreadable extends Error {}

const NO_REPLICA = "it does not replicate";

/** Why a number is not known, without whatever a server may have put into its message. */
function why(e: unknown): string {
  if (e instanceof Unreadable) return e.message;
  const number = errorNumber(e);
  return number === null ? "no answer" : `error ${number}`;
}

function numberOf(value: unknown, otherwise: string): number {
  const n = value === null || value === undefined || value === "" ? NaN : Number(value);
  if (Number.isNaN(n)) throw new Unreadable(otherwise);
  return n;
}

async function httpStatus(given: string, signal: AbortSignal): Promise<number> {
  const url = new URL(given);
  const headers = new Headers();
  if (url.username !== "" || url.password !== "") {
    // Deno's own span of a fetch tells the whole URL: a password goes into a header.
    const user = new TextEncoder().encode(decodeURIComponent(`${url.username}:${url.password}`));
    headers.set("authorization", `Basic ${user.toBase64()}`);
    url.username = url.password = "";
  }
  const late = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  const answer = await fetch(url, { headers, signal: late });
  await answer.body?.cancel();
  return answer.status;
}
