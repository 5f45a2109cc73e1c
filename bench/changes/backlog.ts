/**
 * A backlog of changes on the source, made while nobody replays it.
 * @module
 */
import { Sql } from "../../tests/support/sql.ts";
import { SCHEMA } from "../copy/tables.ts";

/** Rows of the table that changes fall on. */
export const BACKLOG_ROWS = 200_000;

/** One kind of backlog. */
export interface Backlog {
  /** Its name, for people. */
  readonly name: string;
  /** Row changes, for a run of `scale` single-row changes. */
  readonly changes: (scale: number) => number;
  /** Statements of change `i` of `total`, each its own transaction. */
  readonly statement: (i: number, total: number) => string;
  /** All of it is one transaction; `statement` is then called once. */
  readonly single?: true;
}

const table = `${SCHEMA}.t0`;
/** A number that looks random and is the same every time. */
const mixed = (i: number) => Math.imul(i ^ 0x5bd1e995, 0x27d4eb2f) >>> 0;

/** Every kind. */
export const BACKLOGS: readonly Backlog[] = [
  {
    name: "updates, uniform",
    changes: (scale) => scale,
    statement: (i) => `UPDATE ${table} SET k = k + 1, c = '${i}' WHERE id = ${1 + mixed(i) % BACKLOG_ROWS}`,
  },
  {
    name: "updates, hot keys",
    changes: (scale) => scale,
    statement: (i) => `UPDATE ${table} SET k = k + 1, c = '${i}' WHERE id = ${1 + mixed(i) % 100}`,
  },
  {
    name: "inserts",
    changes: (scale) => scale / 2,
    statement: (i) => `INSERT INTO ${table} VALUES (${BACKLOG_ROWS + 1 + i}, ${i}, 'new', 'row')`,
  },
  {
    name: "deletes",
    changes: (scale) => Math.min(scale / 2, BACKLOG_ROWS),
    statement: (i) => `DELETE FROM ${table} WHERE id = ${1 + i}`,
  },
  {
    name: "one transaction",
    changes: (scale) => scale / 2,
    single: true,
    // A table of its own size is updated as often as it takes.
    statement: (_, total) =>
      `START TRANSACTION; ${
        Array.from({ length: Math.ceil(total / BACKLOG_ROWS) }, (_, n) =>
          `UPDATE ${table} SET k = k + 1, c = 'all ${n}' WHERE id <= ${
            Math.min(BACKLOG_ROWS, total - n * BACKLOG_ROWS)
          }`).join("; ")
      }; COMMIT`,
  },
];

/** Makes it, over several connections, and answers where the binlog then ends. */
export async function makeBacklog(url: string, backlog: Backlog, changes: number): Promise<void> {
  if (backlog.single) {
    await using sql = await Sql.open(url);
    await sql.run(backlog.statement(0, changes));
    return;
  }
  const connections = 4;
  const batch = 500;
  await Promise.all(Array.from({ length: connections }, async (_, n) => {
    await using sql = await Sql.open(url);
    for (let i = n * batch; i < changes; i += connections * batch) {
      const statements = [];
      for (let k = i; k < Math.min(i + batch, changes); k++) statements.push(backlog.statement(k, changes));
      await sql.run(statements.join(";"));
    }
  }));
}
