/**
 * Reads what throttles: each number from its own server. One that is late is waited for once, and asked for again only when
 * it has come: the others are read meanwhile, and nothing piles up.
 * @module
 */
import { aborted } from "../aborted.ts";
import { errorNumber } from "../errors.ts";
import { replicaStatusStatement } from "../mysql/server.ts";
import type { ThrottleSettings } from "../spec/ferry_spec.ts";
import { Asker } from "./asker.ts";
import type { Reading } from "./limits.ts";
import { READING_NAMES } from "./reading_names.ts";

/** Milliseconds that one number is waited for. */
const PATIENCE_MS = 3000;
/** What a server tells over one session: it does not take long. */
const STATUS = "status";

/** Which servers there are. */
export interface Servers {
  /** The source's URL. */
  readonly source: string;
  /** The target's URL. */
  readonly target: string;
}

/** The numbers that some settings ask for. */
export class Gauges {
  readonly #asker: Asker;
  /** Names of what was late and has not come yet. */
  readonly #late = new Set<string>();

  /** Nothing is connected before {@linkcode read}. */
  constructor(private readonly servers: Servers) {
    this.#asker = new Asker(servers.target);
  }

  /** Every number. `lagSeconds`: how far the ferry's own replay is behind, `null` while that is not known. */
  async read(settings: ThrottleSettings, lagSeconds: number | null, signal: AbortSignal): Promise<Reading[]> {
    const { maxLagSeconds, maxThreadsRunning, criticalThreadsRunning, maxHistoryListLength } = settings;
    const wanted: Promise<Reading>[] = [];
    const add = (name: string, max: number, critical: number | null, read: () => Promise<number>) => {
      wanted.push(this.#inTime(name, read, signal).then((value) => ({ name, value, max, critical })));
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
  close(): Promise<void> {
    return this.#asker.close();
  }

  async #inTime(name: string, read: () => Promise<number>, signal: AbortSignal): Promise<Reading["value"]> {
    if (this.#late.has(name)) return { unknown: NO_ANSWER };
    const late = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
    const reading = read();
    try {
      return await Promise.race([reading, aborted(late)]);
    } catch (e) {
      if (!late.aborted) return { unknown: why(e) };
      this.#late.add(name);
      const come = () => this.#late.delete(name);
      reading.then(come, come);
      return { unknown: NO_ANSWER };
    }
  }

  async #status(url: string, name: string): Promise<number> {
    const like = name.replace(/[\\_%]/g, "\\$&");
    const rows = await this.#asker.ask(url, STATUS, "SHOW GLOBAL STATUS LIKE ?", [like]);
    return numberOf(rows[0]?.Value, `the server knows no status "${name}"`);
  }

  async #query(url: string, sql: string): Promise<number> {
    const [row] = await this.#asker.ask(url, sql, sql);
    return numberOf(row === undefined ? undefined : Object.values(row)[0], "the query answers no number");
  }

  async #historyListLength(): Promise<number> {
    const sql =
      "SELECT COUNT AS n FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rseg_history_len'";
    const [row] = await this.#asker.ask(this.servers.source, sql, sql);
    return numberOf(row?.n, "the server does not tell it");
  }

  async #replicaLag(url: string): Promise<number> {
    const rows = await this.#asker.ask(url, "replica", replicaStatusStatement);
    // Where it follows several, the one that is furthest behind counts, and one that is stopped as if all were.
    const lags = rows.map((row) =>
      numberOf(row.Seconds_Behind_Source ?? row.Seconds_Behind_Master, NO_REPLICA)
    );
    if (lags.length === 0) throw new Unreadable(NO_REPLICA);
    return Math.max(...lags);
  }
}

/** A server's answer that holds no number; its message is for people. */
class Unreadable extends Error {}

const NO_REPLICA = "it does not replicate";
const NO_ANSWER = "no answer";

/** Why a number is not known, without whatever a server may have put into its message. */
function why(e: unknown): string {
  if (e instanceof Unreadable) return e.message;
  const number = errorNumber(e);
  return number === null ? NO_ANSWER : `error ${number}`;
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
  // Elsewhere is not here: a page to sign in at says nothing of what was asked for.
  const answer = await fetch(url, { headers, redirect: "manual", signal: late });
  await answer.body?.cancel();
  return answer.status;
}
