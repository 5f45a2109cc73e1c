/**
 * One connection to a server, dressed for its work: `talk` sessions read and write ordinary values, `data` sessions
 * carry bytes that nobody converts (design, Writing).
 * @module
 */
import mysql from "mysql2";
import { Buffer } from "node:buffer";
import type { ConnectionTarget } from "../spec/connection_url.ts";
import { errorNumber, FerryError } from "../errors.ts";
import { driverOptions } from "./driver_options.ts";
import { PacketSplitter } from "./packet_splitter.ts";
import { isConnectionLoss } from "./passing_errors.ts";
import { RawClose, RawPrepare } from "./statement_commands.ts";

/** A row of a talk query. Values are what the driver makes of them: numbers, strings, bytes, null. */
// deno-lint-ignore no-explicit-any
export type Row = Record<string, any>;

/** What a statement without rows answers. */
export interface Outcome {
  /** Rows matched (not only changed). */
  readonly affectedRows: number;
  /** Warnings that the server counted. */
  readonly warnings: number;
}

/** A driver command: fed with packets until it returns `true`. Only what the raw commands need of mysql2. */
export interface RawCommand {
  /** Called with each packet of the answer; `true` when it was the last. */
  // deno-lint-ignore no-explicit-any
  execute(packet: any, connection: any): boolean;
}

/** How a session is dressed. */
export interface SessionOptions {
  /** Which end this is, for messages. */
  readonly side: "source" | "target";
  /** Bytes only, for wire rows. */
  readonly data?: boolean;
  /** Closes the connection, failing what is under way. */
  readonly signal?: AbortSignal;
  /** Milliseconds for connecting. Default 10,000. */
  readonly connectTimeout?: number;
}

/** One connection. Statements queue behind one another. */
export class Session {
  /** The server's id of this connection, for KILL. */
  readonly id: number;
  // deno-lint-ignore no-explicit-any
  readonly #c: any;
  readonly #options: SessionOptions;
  #closed = false;
  #maxPacket: Promise<number> | null = null;
  readonly #onAbort = () => this.destroy();

  // deno-lint-ignore no-explicit-any
  private constructor(connection: any, options: SessionOptions) {
    this.#c = connection;
    this.#options = options;
    this.id = connection.threadId;
    connection.on("error", () => {}); // each command reports its own failure
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Connects. Throws `source-unreachable`, `source-access-denied` and the like. */
  static async open(target: ConnectionTarget, options: SessionOptions): Promise<Session> {
    options.signal?.throwIfAborted();
    // deno-lint-ignore no-explicit-any
    const c: any = mysql.createConnection({
      ...driverOptions(target),
      charset: options.data ? "BINARY" : "UTF8MB4_GENERAL_CI",
      flags: options.data ? ["-CLIENT_QUERY_ATTRIBUTES", "FOUND_ROWS"] : ["FOUND_ROWS"],
      connectTimeout: options.connectTimeout ?? 10_000,
      connectAttributes: { program_name: "chainferry" },
    } as unknown as mysql.ConnectionOptions);
    // MARIADB_CLIENT_STMT_BULK_OPERATIONS must be asked for before the handshake packet arrives.
    if (options.data) c._command.mariadbExtendedClientFlags = 4;
    const onAbort = () => c.stream.destroy(new Error("Cannot connect: aborted"));
    options.signal?.addEventListener("abort", onAbort, { once: true });
    try {
      await new Promise<void>((resolve, reject) => {
        c.once("error", reject);
        c.connect((e: unknown) => e ? reject(e) : resolve());
      });
      c.removeAllListeners("error");
    } catch (e) {
      c.on("error", () => {});
      c.destroy();
      throw connectError(e, target, options.side);
    } finally {
      options.signal?.removeEventListener("abort", onAbort);
    }
    if (options.data) PacketSplitter.install(c);
    const session = new Session(c, options);
    try {
      for (const statement of dress(options)) await session.query(statement);
    } catch (e) {
      session.destroy();
      throw e;
    }
    return session;
  }

  /** Whether the connection can still be used. */
  get usable(): boolean {
    return !this.#closed && !this.#c._fatalError && !this.#c._protocolError && !this.#c._closing;
  }

  /** Runs one statement with `?` filled in by the driver, and returns its rows. */
  query(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.#ask(sql, values) as Promise<Row[]>;
  }

  /** The first row of a query, or `null`. */
  async one(sql: string, values: readonly unknown[] = []): Promise<Row | null> {
    return (await this.query(sql, values))[0] ?? null;
  }

  /** Runs one statement that answers without rows. */
  async run(sql: string, values: readonly unknown[] = []): Promise<Outcome> {
    const answer = await this.#ask(sql, values) as { affectedRows?: number; warningStatus?: number };
    return { affectedRows: answer.affectedRows ?? 0, warnings: answer.warningStatus ?? 0 };
  }

  #ask(sql: string, values: readonly unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(this.#lost());
      const text = this.#options.data ? asBytes(sql) : sql;
      this.#c.query(
        text,
        values,
        (e: unknown, rows: unknown) => e ? reject(this.#explain(e)) : resolve(rows),
      );
    });
  }

  /** `max_allowed_packet` of this session, in bytes. */
  maxPacket(): Promise<number> {
    this.#maxPacket ??= this.one("SELECT @@max_allowed_packet AS bytes").then((row) => Number(row!.bytes));
    return this.#maxPacket;
  }

  /** Runs a raw command; `make` gets the callback that ends it. */
  command<T>(make: (done: (error: unknown, value?: T) => void) => RawCommand): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#closed) return reject(this.#lost());
      this.#c.addCommand(make((e, value) => e ? reject(this.#explain(e)) : resolve(value as T)));
    });
  }

  /** Prepares a statement on a data session and returns its number. */
  prepare(sql: string): Promise<number> {
    return this.command<number>((done) => new RawPrepare(sql, done));
  }

  /** Closes statements: a server holds no more than `max_prepared_stmt_count` of them, over all its sessions. */
  forget(statements: Iterable<number>): void {
    if (!this.usable) return;
    for (const id of statements) this.#c.addCommand(new RawClose(id));
  }

  /** Reads no further: the server is held back as soon as the network's buffers are full. */
  pause(): void {
    this.#c.pause();
  }

  /** Reads on. */
  resume(): void {
    this.#c.resume();
  }

  #lost(): FerryError {
    const side = this.#options.side;
    return new FerryError(`${side}-connection-lost`, `Cannot use the ${side} connection: it was closed`, {
      retryable: true,
    });
  }

  #explain(e: unknown): unknown {
    // Our own, of what has arrived: that it ends the connection does not make it a loss.
    if (e instanceof FerryError) return e;
    // The driver's own refusal of a command on a connection that is gone has no number.
    const refused = !this.usable && errorNumber(e) === null;
    if (!isConnectionLoss(e) && !this.#closed && !refused) return e;
    const side = this.#options.side;
    return new FerryError(`${side}-connection-lost`, `Cannot reach the ${side}: the connection was lost`, {
      retryable: true,
      cause: e,
    });
  }

  /** Says goodbye and closes. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    if (!this.usable) return this.destroy();
    this.#closed = true;
    const gone = new Promise<void>((resolve) => this.#c.stream.once("close", () => resolve()));
    this.#c.end(() => this.#c.stream.destroy());
    await gone;
  }

  /** Closes at once; commands under way fail as lost. */
  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    // Not connection.destroy(): that leaves commands under way without an answer for ever.
    const gone = Object.assign(new Error("Connection closed by the ferry"), {
      code: "PROTOCOL_CONNECTION_LOST",
      fatal: true,
    });
    this.#c.stream.destroy(gone);
  }

  /** For `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The driver sends texts of a BINARY connection one byte a character; names are UTF-8. */
function asBytes(sql: string): string {
  return Buffer.from(sql, "utf8").toString("latin1");
}

/** What every session says first. Each reason is in the design, Writing. */
function dress(options: SessionOptions): string[] {
  const set = [
    "time_zone='+00:00'",
    "sql_mode='STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO'",
  ];
  if (options.side === "target") set.push("foreign_key_checks=0", "innodb_lock_wait_timeout=10");
  // Texts in SQL are UTF-8 there, while parameters and results stay bytes that nobody converts: so a filter's 'Zürich' is
  // compared under the column's collation, as on anybody's connection, beside keys that are compared as they travel.
  if (options.side === "source" && options.data) set.push("character_set_connection=utf8mb4");
  return ["SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", `SET SESSION ${set.join(", ")}`];
}

function connectError(e: unknown, target: ConnectionTarget, side: "source" | "target"): FerryError {
  const where = `${target.host}:${target.port}`;
  const number = errorNumber(e);
  if (number === 1045 || number === 1044 || number === 1698) {
    return new FerryError(
      `${side}-access-denied`,
      `Cannot log in to the ${side} at ${where} as "${target.user}": access denied`,
      {
        hint: "Check user and password, and from which hosts the user may connect",
        cause: e,
      },
    );
  }
  return new FerryError(`${side}-unreachable`, `Cannot connect to the ${side} at ${where}: no answer`, {
    retryable: true,
    hint: "Check host, port, and that the server is up",
    cause: e,
  });
}
