/**
 * A plain connection for tests: text in, rows out.
 * @module
 */
import mysql from "mysql2/promise";

/** Rows as objects. */
// deno-lint-ignore no-explicit-any
export type Rows = any[];

/** One connection; `await using` closes it. */
export class Sql {
  private constructor(private readonly c: mysql.Connection, private readonly url: string) {}

  /** Connects to a `mysql://` URL; a client may speak another character set, named by a collation of it. */
  static async open(url: string, charset?: string): Promise<Sql> {
    const u = new URL(url);
    const c = await mysql.createConnection({
      host: u.hostname,
      port: Number(u.port),
      user: decodeURIComponent(u.username),
      password: decodeURIComponent(u.password),
      supportBigNumbers: true,
      bigNumberStrings: true,
      dateStrings: true,
      multipleStatements: true,
      ...(charset === undefined ? {} : { charset }),
    });
    c.on("error", () => {});
    return new Sql(c, url);
  }

  /** The server's id of this connection. */
  get id(): number {
    return this.c.threadId;
  }

  /** Another connection to the same server. */
  again(): Promise<Sql> {
    return Sql.open(this.url);
  }

  /** Runs a statement, or several. */
  async run(sql: string, values: unknown[] = []): Promise<Rows> {
    const [rows] = await this.c.query(sql, values);
    return rows as Rows;
  }

  /** Runs one statement by the binary protocol, which tells a DOUBLE as its eight bytes and not as a text. */
  async binary(sql: string): Promise<Rows> {
    const [rows] = await this.c.execute(sql);
    return rows as Rows;
  }

  /** Runs a statement and does not wait: what happens to it is the caller's to look at. */
  send(sql: string): Promise<unknown> {
    return this.c.query(sql);
  }

  /** Cuts the connection. */
  destroy(): void {
    this.c.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.c.end().catch(() => this.c.destroy());
  }
}
