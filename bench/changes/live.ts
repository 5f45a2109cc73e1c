/**
 * What an application sees of a ferry that follows it: how late the target is, and how long writes stop.
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerPair } from "../../tests/servers/mod.ts";
import { Sql } from "../../tests/support/sql.ts";
import { SCHEMA } from "../copy/tables.ts";
import { FerryProcess } from "../ferry_process.ts";
import { quantile } from "../meter.ts";

/** Changes a second that the application makes. */
const RATE = 1000;

/** Makes an empty table on the source and takes all from the target. */
async function setUp(pair: ServerPair, tables: number): Promise<void> {
  await using source = await Sql.open(pair.source.url);
  await using target = await Sql.open(pair.target.url);
  for (const sql of [source, target]) {
    await sql.run(`DROP DATABASE IF EXISTS ${SCHEMA}; DROP DATABASE IF EXISTS _ferry`);
  }
  await source.run(`CREATE DATABASE ${SCHEMA}`);
  for (let t = 0; t < tables; t++) {
    await source.run(`CREATE TABLE ${SCHEMA}.t${t} (id INT NOT NULL PRIMARY KEY, v VARCHAR(100) NOT NULL)`);
  }
}

function spec(pair: ServerPair, cutover: Record<string, unknown>): Record<string, unknown> {
  return {
    id: "bench",
    source: pair.source.url,
    target: pair.target.url,
    tables: [`${SCHEMA}.*`],
    cutover: { keepFence: false, ...cutover },
  };
}

/** An application that inserts a row every millisecond, each its own transaction. */
class Application {
  /** When row `i` was committed. */
  readonly committed: number[] = [];
  /** The longest time between two commits, in milliseconds. */
  longestGap = 0;
  #stopped = false;
  #running: Promise<void>;

  constructor(private readonly url: string) {
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    await using sql = await Sql.open(this.url);
    const began = performance.now();
    let last = began;
    while (!this.#stopped) {
      const due = Math.floor((performance.now() - began) * RATE / 1000);
      while (this.committed.length < due && !this.#stopped) {
        const i = this.committed.length;
        await sql.run(`INSERT INTO ${SCHEMA}.t0 VALUES (${i}, 'row ${i}')`);
        const now = performance.now();
        this.longestGap = Math.max(this.longestGap, now - last);
        last = now;
        this.committed.push(now);
      }
      await sleep(1);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
}

/** Milliseconds from a commit on the source to the row's being seen on the target, for every row of some seconds. */
export async function latency(pair: ServerPair, seconds: number): Promise<{ p50: number; p99: number }> {
  await setUp(pair, 1);
  await using service = await FerryProcess.start();
  await service.post(spec(pair, { mode: "manual", fence: "none" }));
  await service.until("bench", "awaitingCutover");
  const application = new Application(pair.source.url);
  const late: number[] = [];
  await using target = await Sql.open(pair.target.url);
  try {
    const end = performance.now() + seconds * 1000;
    for (let seen = 0; performance.now() < end;) {
      const [{ n }] = await target.run(`SELECT COALESCE(MAX(id) + 1, 0) AS n FROM ${SCHEMA}.t0`);
      const now = performance.now();
      for (; seen < Number(n); seen++) {
        // The first second warms both up. A row may be seen before its own commit's answer is.
        if (seen > RATE) late.push(Math.max(0, now - (application.committed[seen] ?? now)));
      }
      await sleep(1);
    }
  } finally {
    await application.stop();
  }
  return { p50: quantile(late, 0.5), p99: quantile(late, 0.99) };
}

/** Milliseconds that writes were stopped by a cutover, as the ferry tells it and as the application felt it. */
export async function cutover(pair: ServerPair): Promise<{ told: number; felt: number }> {
  await setUp(pair, 1);
  await using service = await FerryProcess.start();
  await service.post(spec(pair, { mode: "manual", fence: "lockTables" }));
  await service.until("bench", "awaitingCutover");
  const application = new Application(pair.source.url);
  try {
    await sleep(2000);
    application.longestGap = 0;
    await service.act("bench", "cutover");
    const done = await service.until("bench", "done");
    // The fence is let go behind `done`; the application's next write ends the gap.
    await sleep(300);
    return { told: done.cutover.writesStoppedMs ?? Infinity, felt: application.longestGap };
  } finally {
    await application.stop();
  }
}

/** Milliseconds from the POST to `done` of a ferry that has nothing to copy. */
export async function emptyJob(pair: ServerPair): Promise<number> {
  await setUp(pair, 10);
  await using service = await FerryProcess.start();
  const began = performance.now();
  await service.post(spec(pair, { mode: "auto", fence: "lockTables" }));
  await service.until("bench", "done");
  return performance.now() - began;
}
