/**
 * The application: several connections that go on writing, and that measure what the ferry does to them.
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Connection } from "./connection.ts";

/** What the application saw. */
export interface WriterReport {
  /** Transactions that were committed. */
  readonly committed: number;
  /** The longest that one transaction took, in milliseconds, waiting included. */
  readonly longestMs: number;
  /** Errors by their text, with how often each came. Deadlocks among the writers themselves are retried and left out. */
  readonly errors: ReadonlyMap<string, number>;
}

/** What it is told. */
export interface WriterOptions {
  /** Connections. */
  readonly connections: number;
  /** Transactions a second, all together. */
  readonly perSecond: number;
  /** Rows that each table had in the beginning. */
  readonly rows: ReadonlyMap<string, number>;
}

const DEADLOCK = 1213;

/** Writes until told to stop. */
export class Writer {
  readonly #options: WriterOptions;
  #committed = 0;
  #longestMs = 0;
  #errors = new Map<string, number>();
  #stopping = false;
  /** Connection ids of this round, and the loops that use them. */
  #open = new Map<number, Connection>();
  #loops: Promise<void>[] = [];
  #url = "";
  #next = 0;

  /** Makes a writer that does not write yet. */
  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /** Begins to write to a server, with a fresh report. */
  async start(url: string): Promise<void> {
    this.#url = url;
    this.#stopping = false;
    this.#committed = this.#longestMs = 0;
    this.#errors = new Map();
    this.#loops = [];
    for (let i = 0; i < this.#options.connections; i++) {
      const connection = await Connection.open(url);
      this.#open.set(connection.id, connection);
      this.#loops.push(this.#loop(connection));
    }
  }

  /** What was seen since {@link start}. */
  report(): WriterReport {
    return { committed: this.#committed, longestMs: this.#longestMs, errors: new Map(this.#errors) };
  }

  /**
   * Stops. What waits at a fence is killed at the server, as an operator would: left alone it would be written to the
   * source when the fence falls. Returns when the server has none of the connections any more.
   */
  async stop(): Promise<void> {
    if (this.#stopping || this.#loops.length === 0) return;
    this.#stopping = true;
    const ids = [...this.#open.keys()];
    await using admin = await Connection.open(this.#url);
    // Those that do not wait end by themselves.
    await Promise.race([Promise.all(this.#loops), sleep(200)]);
    for (const id of ids) await admin.run(`KILL ${id}`).catch(() => {}); // gone already
    await Promise.all(this.#loops);
    for (;;) {
      const left = await admin.run(
        "SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE ID IN (?)",
        [ids],
      );
      if (Number(left[0].n) === 0) return;
      await sleep(20);
    }
  }

  async #loop(connection: Connection): Promise<void> {
    const pause = 1000 * this.#options.connections / this.#options.perSecond;
    let due = performance.now();
    try {
      while (!this.#stopping) {
        const began = performance.now();
        try {
          await this.#transaction(connection);
          this.#committed++;
        } catch (error) {
          const { errno, message } = error as { errno?: number; message: string };
          if (errno === DEADLOCK) continue;
          const told = this.#stopping ? "stopped while it waited at the fence" : message;
          this.#errors.set(told, (this.#errors.get(told) ?? 0) + 1);
          if (errno === undefined || this.#stopping) return; // the connection is gone
          await connection.run("ROLLBACK");
        } finally {
          this.#longestMs = Math.max(this.#longestMs, performance.now() - began);
        }
        // What could not be written in time is not written all at once later.
        due = Math.max(due + pause, performance.now() - 1000);
        await sleep(Math.max(0, due - performance.now()));
      }
    } finally {
      this.#open.delete(connection.id);
      await connection[Symbol.asyncDispose]();
    }
  }

  async #transaction(sql: Connection): Promise<void> {
    await sql.run("BEGIN");
    for (const [text, values] of pick(this.#statements())) await sql.run(text, values);
    await sql.run("COMMIT");
  }

  /** Small pieces of business: each inserts, updates, deletes, or changes a key. */
  #statements(): readonly Business[] {
    const some = (table: string) => 1 + Math.floor(Math.random() * this.#options.rows.get(table)!);
    const n = ++this.#next;
    const order = some("shop.orders");
    const line = 1 + Math.floor(some("shop.order_lines") / 3);
    const customer = some("shop.customers");
    const token = () => crypto.getRandomValues(new Uint8Array(16));
    const session = "UNHEX(LEFT(SHA2(?, 256), 32))";
    const tag = some("crm.tags");
    const tagName = `Tag ${tag}`;
    return [
      [
        ["INSERT INTO shop.orders (customer, state, total, note, placed) VALUES (?, 'new', ?, ?, NOW(3))", [
          customer,
          n % 500 + 0.25,
          `bought while the ferry ran, ${n}`,
        ]],
        [
          "INSERT INTO shop.order_lines VALUES (LAST_INSERT_ID(), 0, 'late', 1, 0.1), (LAST_INSERT_ID(), 1, 'later', 2, NULL)",
          [],
        ],
        ["UPDATE shop.customers SET balance = balance - 1.5 WHERE id = ?", [customer]],
      ],
      [["UPDATE shop.orders SET state = 'sent', total = total + 0.01 WHERE id BETWEEN ? AND ?", [
        order,
        order + 4,
      ]]],
      [
        ["DELETE FROM shop.order_lines WHERE order_id = ?", [line]],
        ["DELETE FROM shop.orders WHERE id = ?", [line]],
      ],
      // The key itself changes.
      [["UPDATE shop.order_lines SET line = line + 10, pieces = pieces + 1 WHERE order_id = ? AND line < 3", [
        line,
      ]]],
      [[`UPDATE shop.sessions SET token = ?, seen = NOW(6) WHERE token = ${session}`, [
        token(),
        some("shop.sessions"),
      ]]],
      [["INSERT INTO shop.sessions VALUES (?, ?, NOW(6), ?)", [token(), customer, token()]]],
      // A key is deleted and comes again, with other letters that the server holds for the same.
      [
        ["DELETE FROM crm.tags WHERE tag = ?", [tagName]],
        ["INSERT INTO crm.tags VALUES (?, 'en', ?, NULL) ON DUPLICATE KEY UPDATE used = used + 1", [
          tagName.toUpperCase(),
          n,
        ]],
      ],
      [["UPDATE crm.tags SET used = used + 1 WHERE tag = ?", [tagName]]],
      // A unique value goes from one row to another.
      [
        ["UPDATE shop.customers SET email = CONCAT('moved-', ?, '-', id) WHERE id = ?", [n, customer]],
        [
          "INSERT IGNORE INTO shop.customers (email, name, country, balance, since) VALUES (?, 'new owner', 'CH', 0, NOW())",
          [
            `c${customer}@example.org`,
          ],
        ],
      ],
    ];
  }
}

type Business = readonly (readonly [sql: string, values: unknown[]])[];

function pick(list: readonly Business[]): Business {
  return list[Math.floor(Math.random() * list.length)];
}
