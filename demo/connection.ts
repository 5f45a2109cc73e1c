/**
 * A plain connection of the application side: text in, rows out.
 * @module
 */
import mysql from "mysql2/promise";
import type { Connection as CallbackConnection } from "mysql2";

/** Rows as objects. */
export type Rows = Record<string, unknown>[];

/** One connection; `await using` closes it. */
export class Connection implements AsyncDisposable {
  private constructor(private readonly inner: mysql.Connection) {}

  /** Connects to a `mysql://` URL. */
  static async open(url: string): Promise<Connection> {
    const { hostname, port, username, password } = new URL(url);
    const inner = await mysql.createConnection({
      host: hostname,
      port: Number(port || 3306),
      user: decodeURIComponent(username),
      password: decodeURIComponent(password),
    });
    // A connection that is killed is told by the statement that fails.
    inner.on("error", () => {});
    return new Connection(inner);
  }

  /** The server's id of this connection. */
  get id(): number {
    return this.inner.threadId;
  }

  /** Runs a statement. */
  async run(sql: string, values: unknown[] = []): Promise<Rows> {
    const [rows] = await this.inner.query(sql, values);
    return rows as Rows;
  }

  /** Runs a SELECT of one column and gives its values as they come, no faster than they are taken. */
  async *values(sql: string): AsyncGenerator<string> {
    // The streaming form is only in the driver's callback half, which its types leave out.
    const callback = (this.inner as unknown as { connection: CallbackConnection }).connection;
    const stream = callback.query({ sql, rowsAsArray: true }).stream({ highWaterMark: 2000 });
    for await (const row of stream) yield (row as string[])[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.inner.end().catch(() => this.inner.destroy());
  }
}
