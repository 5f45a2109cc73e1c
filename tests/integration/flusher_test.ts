/**
 * The flusher by itself: changes are told by hand, so that they come at the very moment that matters; the server that it
 * writes to is real.
 */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { BinlogPosition } from "../../lib/binlog/position.ts";
import { Delivered } from "../../lib/copy/delivered.ts";
import { FerriedTable } from "../../lib/copy/ferried_table.ts";
import { readPointFor } from "../../lib/copy/read_point.ts";
import { Arena } from "../../lib/mysql/arena.ts";
import { describeServer } from "../../lib/mysql/server.ts";
import { Session } from "../../lib/mysql/session.ts";
import { Dependencies } from "../../lib/replay/dependencies.ts";
import { Dependents } from "../../lib/replay/dependents.ts";
import { Flusher } from "../../lib/replay/flusher.ts";
import { ImageFilter } from "../../lib/replay/image_filter.ts";
import { KeyNotes } from "../../lib/replay/key_notes.ts";
import { type BoundTable, Replayer } from "../../lib/replay/replayer.ts";
import { SourceReads } from "../../lib/replay/source_reads.ts";
import { loadTables } from "../../lib/schema/load_tables.ts";
import { parseConnectionUrl } from "../../lib/spec/connection_url.ts";
import type { StoredPosition } from "../../lib/state/cursor_store.ts";
import { FerryStore } from "../../lib/state/ferry_store.ts";
import { migrateState } from "../../lib/state/schema_sql.ts";
import { startServer, type TestServer } from "../servers/mod.ts";
import { Sql } from "../support/sql.ts";

const FILE = "binlog.000001";
const UUID = "11111111-2222-3333-4444-555555555555";

/** Replayer and flusher of `shop.t`, of which the filter `id > 0` is to be judged, into `shop2.t` on the same server. */
class Line implements AsyncDisposable {
  readonly #stopped = new AbortController();
  readonly #sessions: Session[] = [];
  #running: Promise<unknown> = Promise.resolve();
  replayer!: Replayer;
  flusher!: Flusher;
  table!: FerriedTable;
  /** Is called when the flusher has taken a batch and is about to ask the source about it. */
  taken: () => void = () => {};
  #talk!: Session;
  readonly #store = new FerryStore("_ferry");

  private constructor(private readonly server: TestServer) {}

  static async open(server: TestServer, saved: StoredPosition): Promise<Line> {
    const line = new Line(server);
    await using sql = await Sql.open(server.url);
    await sql.run("CREATE DATABASE shop; CREATE DATABASE shop2; CREATE TABLE shop.t (id INT PRIMARY KEY)");
    await sql.run("CREATE TABLE shop2.t LIKE shop.t");
    const talk = line.#talk = await line.#session(false);
    await migrateState(talk, "_ferry");
    await line.#store.create(talk, { id: "f", fingerprint: "0", spec: "{}", snapshot: "{}" });
    const own = (await line.#store.acquire(talk, "f", "a", 60))!;
    await line.#store.cursors.createPosition(talk, own, saved);
    const [{ table }] = await loadTables(talk, (schema) => schema === "shop");
    line.table = new FerriedTable(0, {
      table,
      target: { schema: "shop2", name: "t" },
      where: "id > 0",
      merge: false,
      targetHasUnique: false,
    });
    const delivered = new Delivered(saved, saved.gtids);
    const dependencies = new Dependencies([line.table], []);
    line.replayer = new Replayer(
      new Map([["shop.t", line.table]]),
      delivered,
      new KeyNotes(dependencies),
      () => {},
    );
    const session = await line.#session(true);
    const readPoint = readPointFor(await describeServer(talk), delivered);
    const source = new SourceReads(() => line.#session(true), readPoint);
    line.flusher = new Flusher({
      replayer: line.replayer,
      filter: new ImageFilter(() => {
        line.taken();
        return line.#session(true);
      }, false),
      session,
      dependents: new Dependents(dependencies, session, source),
      bulk: false,
      cursors: line.#store.cursors,
      own,
      saved,
      allowed: () => Promise.resolve(),
    });
    return line;
  }

  async #session(data: boolean): Promise<Session> {
    const session = await Session.open(parseConnectionUrl(this.server.url), { side: "target", data });
    this.#sessions.push(session);
    return session;
  }

  run(): void {
    this.#running = this.flusher.run(this.#stopped.signal).catch((e) => {
      if (!this.#stopped.signal.aborted) throw e;
    });
  }

  /** A row of this id is inserted, in the transaction that is open. */
  insert(id: number): void {
    const row = new Arena();
    row.reserve(5);
    row.bytes.fill(0, 0, 5);
    row.bytes.writeInt32LE(id, 1);
    this.replayer.insert({ table: this.table } as BoundTable, row, 0, 5, 5);
  }

  /** The open transaction ends. */
  commit(offset: number, gtid: string | null): void {
    this.replayer.commit({ position: at(offset), gtid, timestamp: 0, prepared: ["behind"] });
  }

  /** The saved position, once it is as `wanted`; fails after ten seconds. */
  async saved(wanted: (position: StoredPosition) => boolean): Promise<StoredPosition> {
    const signal = AbortSignal.timeout(10_000);
    for (;;) {
      const position = await this.#store.cursors.position(this.#talk, "f");
      if (wanted(position!)) return position!;
      await delay(5, undefined, { signal });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#running;
    for (const session of this.#sessions) await session.close();
  }
}

function at(offset: number): BinlogPosition {
  return { file: FILE, offset };
}

Deno.test("whoever waits for a position is told also where it comes while the flusher rests", async () => {
  await using server = await startServer({ vendor: "mysql" });
  await using line = await Line.open(server, { ...at(100), gtids: "", prepared: [], changes: 0 });
  line.flusher.intervalMs = 1000;
  line.run();
  line.replayer.begin(null);
  line.insert(1);
  line.commit(200, null);
  await line.saved((p) => p.offset === 200);
  await delay(20);
  // Nothing is left to be done, and the flusher has begun its second of rest.
  const reached = line.flusher.reached(at(300), AbortSignal.timeout(10_000));
  line.replayer.begin(null);
  line.commit(300, null);
  // All that a quiet source sends from now on.
  line.replayer.heartbeat(at(300));
  await reached;
  assert.deepEqual(line.flusher.applied.position, at(300));
});

Deno.test("a transaction that ends while its first half is flushed is not saved as replayed (I5)", async () => {
  await using server = await startServer({ vendor: "mysql" });
  await using line = await Line.open(server, { ...at(0), gtids: `${UUID}:1-3`, prepared: [], changes: 0 });
  line.flusher.intervalMs = 60_000; // one flush, and no other
  line.replayer.begin(`${UUID}:4`);
  line.insert(1);
  let judged = 0;
  line.taken = () => {
    judged++;
    line.insert(2);
    line.commit(400, `${UUID}:4`);
  };
  line.run();
  const saved = await line.saved((p) => p.changes > 0);
  assert.equal(judged, 1);
  assert.deepEqual(saved, { ...at(0), gtids: `${UUID}:1-3`, prepared: [], changes: 1 });
  assert.equal(line.flusher.applied.gtids, `${UUID}:1-3`, "its other half is not on the target");
  await using sql = await Sql.open(server.url);
  assert.deepEqual((await sql.run("SELECT id FROM shop2.t")).map((r) => r.id), [1]);
});
