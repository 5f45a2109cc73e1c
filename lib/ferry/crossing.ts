/**
 * One attempt at the whole road, from whatever the state says to `done`. When anything fails it is torn down, and the next
 * attempt begins from the state: there is no other way to recover.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { type BinlogPosition, comparePositions } from "../binlog/position.ts";
import { BinlogTail } from "../binlog/tail.ts";
import { Copier } from "../copy/copier.ts";
import { CopyRange } from "../copy/copy_range.ts";
import { Delivered } from "../copy/delivered.ts";
import { FerriedTable } from "../copy/ferried_table.ts";
import { planRanges } from "../copy/plan_ranges.ts";
import { type ReadPoint, readPointFor, snapshotPosition } from "../copy/read_point.ts";
import { binlogEnd } from "../cutover/binlog_end.ts";
import { FerryError } from "../errors.ts";
import { driverOptions, Session } from "../mysql/session.ts";
import type { FerryPlan, PlannedTable } from "../preflight/preflight.ts";
import { type BoundTable, Replayer } from "../replay/replayer.ts";
import { Dependencies } from "../replay/dependencies.ts";
import { Dependents } from "../replay/dependents.ts";
import { Flusher } from "../replay/flusher.ts";
import { KeyNotes } from "../replay/key_notes.ts";
import { SourceReads } from "../replay/source_reads.ts";
import { ImageFilter } from "../replay/image_filter.ts";
import { tableLabel } from "../schema/table.ts";
import { type ConnectionTarget, parseConnectionUrl } from "../spec/connection_url.ts";
import type { FerrySpec } from "../spec/ferry_spec.ts";
import { Throttle } from "../throttle/throttle.ts";
import type { FerryStore, Ownership, StoredPosition, StoredRange } from "../state/ferry_store.ts";
import { Verifier } from "../verify/verifier.ts";
import { dropMadeObjects } from "./carry_objects.ts";
import type { CrossingMemory } from "./crossing_memory.ts";
import { cutOver } from "./cut_over.ts";
import type { Logbook } from "./logbook.ts";
import { TargetIndexes } from "./target_indexes.ts";
import { runDdl, TargetTables } from "./target_tables.ts";

/** Milliseconds between two flushes while chunks want the tables too, and afterwards. */
const COPY_FLUSH_MS = 200;
const FOLLOW_FLUSH_MS = 5;
/** Ranges whose plan is stored at a time. */
const RANGES_AT_A_TIME = 500;
/** Behind by less than this many seconds counts as caught up. */
const CAUGHT_UP_SECONDS = 2;

/** What a crossing is given. */
export interface CrossingOptions {
  /** What is asked for. */
  readonly spec: FerrySpec;
  /** What preflight found. */
  readonly plan: FerryPlan;
  /** Where state goes. */
  readonly store: FerryStore;
  /** Under which lease. */
  readonly own: Ownership;
  /** A talk session on the target for state alone. */
  readonly stateSession: Session;
  /** What an earlier attempt left, or `null`. */
  readonly memory: CrossingMemory | null;
  /** Where it tells how it goes, and hears what is asked. */
  readonly logbook: Logbook;
}

/** The rooms of one attempt, wired together. */
export class Crossing {
  /** The tables, in the order of their numbers. */
  readonly tables: FerriedTable[] = [];
  /** Tables without a key, copied behind the fence. */
  readonly keyless: FerriedTable[] = [];
  /** What must survive. */
  memory: CrossingMemory;
  /** Compares both sides; `null` before it began, or with `verify: "off"`. */
  verifier: Verifier | null = null;
  /** Set when replay runs. */
  replayer: Replayer | null = null;
  /** Set when replay runs. */
  flusher: Flusher | null = null;
  /** Follows changes to other tables' rows. Set when replay runs. */
  dependents: Dependents | null = null;
  readonly #planned = new Map<string, PlannedTable>();
  readonly #dependencies: Dependencies;
  readonly #end = new AbortController();
  #delivered: Delivered | null = null;
  #hasGtids = false;
  #copier: Copier | null = null;
  #readPoint: ReadPoint | null = null;
  #visible: Promise<void> = Promise.resolve();
  #statusSession: Session | null = null;
  #throttle: Throttle | null = null;

  /** Nothing happens before {@linkcode run}. */
  constructor(readonly options: CrossingOptions) {
    const { plan, memory } = options;
    for (const t of [...plan.tables, ...plan.keyless]) this.#planned.set(tableLabel(t.table), t);
    const names = memory?.tables ?? plan.tables.map((t) => tableLabel(t.table));
    const keyless = memory === null ? plan.keyless.map((t) => tableLabel(t.table)) : memory.keyless ?? [];
    const filters = filtersOf(plan);
    this.memory = memory ?? {
      tables: names,
      filters,
      keyless,
      made: [...this.#planned.values()].filter((t) => t.create !== null).map((t) => tableLabel(t.target)),
      source: plan.source.identity,
      planned: false,
      cutoverAttempts: 0,
    };
    if (this.memory.source !== plan.source.identity) {
      throw new FerryError(
        "source-changed",
        "Cannot go on: the source is another server than the one the ferry began with",
        {
          hint: "Binlog positions of one server mean nothing on another; start another ferry",
        },
      );
    }
    for (const name of [...names, ...keyless]) {
      if ((filters[name] ?? null) === (this.memory.filters?.[name] ?? null)) continue;
      throw new FerryError(
        "spec-differs",
        `Cannot go on with table "${name}": its filter is another one now`,
        {
          hint: "A where function has to answer the same each time; start another ferry for another subset",
        },
      );
    }
    for (const [i, name] of [...names, ...keyless].entries()) {
      const planned = this.#planned.get(name);
      if (planned === undefined) {
        throw new FerryError(
          "schema-changed",
          `Cannot go on with table "${name}": it is not on the source any more`,
        );
      }
      (i < names.length ? this.tables : this.keyless).push(new FerriedTable(i, planned));
    }
    this.#followParents();
    this.#dependencies = new Dependencies(this.tables, plan.cascades);
  }

  /** Tables whose rows are chosen by those of another learn which that is. */
  #followParents(): void {
    const byName = new Map(this.tables.map((t) => [tableLabel(t.table), t]));
    const follow = (table: FerriedTable): void => {
      const { through } = this.#planned.get(tableLabel(table.table))!;
      if (through === null || table.through !== null) return;
      const parent = byName.get(through.parent)!;
      follow(parent);
      table.follow(parent, through.column);
    };
    for (const table of this.tables) follow(table);
  }

  /** Those with a key and those without. */
  get everyTable(): readonly FerriedTable[] {
    return [...this.tables, ...this.keyless];
  }

  /** Replays to the end of the binlog as it is now, then resolves. */
  async caughtUp(signal: AbortSignal): Promise<void> {
    await this.flusher!.reached(await this.sourceEnd(), signal);
  }

  /**
   * Caught up, and everything that was delivered is visible to readers of the source: a comparison that began earlier
   * could find both sides equally old. One at a time, since it may open a snapshot on the shared session.
   */
  #caughtUpVisibly(signal: AbortSignal): Promise<void> {
    const before = this.#visible;
    const now = (async () => {
      await before.catch(() => {});
      await this.caughtUp(signal);
      await this.#readPoint!.at(this.#statusSession!, signal, () => Promise.resolve());
    })();
    this.#visible = now;
    return now;
  }

  /** Resolves when the writes that are in flight now have committed. */
  async drain(): Promise<void> {
    while ((this.#copier?.writing ?? 0) > 0) await delay(5);
    await this.flusher?.held(() => Promise.resolve());
  }

  /** Where the source's binlog ends now. */
  sourceEnd(): Promise<BinlogPosition> {
    return binlogEnd(this.#statusSession!, this.options.plan.source);
  }

  /** Opens a data session that dies with this attempt. */
  open(side: "source" | "target"): Promise<Session> {
    return Session.open(this.#url(side), { side, data: true, signal: this.#end.signal });
  }

  /** Opens a talk session that dies with this attempt. */
  #talk(side: "source" | "target"): Promise<Session> {
    return Session.open(this.#url(side), { side, signal: this.#end.signal });
  }

  #url(side: "source" | "target"): ConnectionTarget {
    return parseConnectionUrl(this.options.spec[side]);
  }

  /** Nothing is written any more from here on; the attempt fails. */
  halt(reason: unknown): void {
    this.#end.abort(reason);
  }

  /** Records what must survive. */
  async remember(change: Partial<CrossingMemory>): Promise<void> {
    this.memory = { ...this.memory, ...change };
    const { store, stateSession, own } = this.options;
    await store.saveCrossing(stateSession, own, JSON.stringify(this.memory));
  }

  /** Goes the road. Resolves when `done` is recorded; throws what stopped it. Nothing is left running. */
  async run(signal: AbortSignal): Promise<void> {
    const onAbort = () => this.#end.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    let tail: BinlogTail<BoundTable> | null = null;
    let flushing: Promise<unknown> = Promise.resolve();
    try {
      this.#statusSession = await this.#talk("source");
      // Before anything is replayed: triggers of a cutover that did not come to its end would run for it.
      await this.#dropLeftObjects();
      if (this.options.memory === null) await this.remember({});
      await this.#makeTables();
      const saved = await this.#savedPosition();
      tail = this.#startTail(saved);
      this.#readPoint = readPointFor(this.options.plan.source, this.#delivered!);
      await this.#readPoint.dress(this.#statusSession);
      const flusher = await this.#startFlusher(saved);
      await tail.start(this.#end.signal);
      this.#throttle = this.#makeThrottle();
      const throttling = this.#throttle.run(this.#end.signal);
      const broken = Promise.race([tail.done, flusher.run(this.#end.signal), throttling]);
      flushing = Promise.allSettled([broken, throttling]);
      await Promise.race([broken, this.#road()]);
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#end.abort(new FerryError("stopped", "Cannot go on: the attempt was ended"));
      await this.verifier?.close();
      await tail?.stop();
      await flushing;
    }
  }

  async #road(): Promise<void> {
    const { logbook, spec } = this.options;
    await logbook.move("copying");
    await this.#copy();
    await logbook.move("catchingUp");
    await this.#catchUp();
    await this.#findOrphans();
    const indexes = this.#indexes();
    await indexes.build();
    await this.#catchUp();
    await indexes.buildForeignKeys();
    for (;;) {
      if (spec.verify === "full") {
        await logbook.move("verifying");
        await this.verify();
      }
      await logbook.move("awaitingCutover");
      const asked = await this.#awaitOrder();
      if (asked === "verify") continue;
      if (await cutOver(this, this.#end.signal)) return;
      await logbook.move("catchingUp");
      await this.#catchUp();
      await delay(1000, undefined, { signal: this.#end.signal });
    }
  }

  /** A whole comparison; throws `verification-failed`. */
  async verify(): Promise<void> {
    const signal = this.#end.signal;
    await this.verifier?.close();
    this.verifier = new Verifier({
      tables: this.tables,
      openSession: (side) => this.open(side),
      replay: {
        watch: (table) => {
          const keys = new Set<string>();
          const { watchers } = this.tables[table];
          watchers.add(keys);
          return { keys, stop: () => watchers.delete(keys) };
        },
        caughtUp: (s) => this.#caughtUpVisibly(s),
      },
    });
    await this.verifier.full(signal);
    await this.verifier.settle(signal);
    this.assertEqual();
  }

  /** Throws `verification-failed` where the verifier has found a difference. */
  assertEqual(): void {
    const found = this.verifier?.progress.differenceCount ?? 0;
    if (found === 0) return;
    throw new FerryError(
      "verification-failed",
      `Cannot cut over: ${found} rows differ between source and target`,
      {
        hint:
          "The first of them are listed under verification.differences; did anybody else write to the target?",
      },
    );
  }

  async #dropLeftObjects(): Promise<void> {
    if ((this.memory.objects ?? []).length === 0) return;
    const session = await this.#talk("target");
    try {
      await dropMadeObjects(this, session);
    } finally {
      session.destroy();
    }
  }

  /** The target's tables, there and met. */
  #makeTables(): Promise<void> {
    const { plan, store, own, stateSession, spec } = this.options;
    const tables = new TargetTables({
      plan,
      tables: this.tables,
      everyTable: this.everyTable,
      merge: spec.existingRows === "merge",
      store,
      own,
      stateSession,
      ddl: (sql) => this.#ddl(sql),
      memory: () => this.memory,
      remember: (change) => this.remember(change),
    });
    return tables.make();
  }

  #indexes(): TargetIndexes {
    const { stateSession, logbook } = this.options;
    return new TargetIndexes({
      tables: this.tables,
      keyless: this.keyless,
      planned: (t) => this.#planned.get(tableLabel(t.table))!,
      stateSession,
      ddl: (sql) => this.#ddl(sql),
      memory: () => this.memory,
      logbook,
      held: (work) => this.flusher!.held(work),
      caughtUp: () => this.caughtUp(this.#end.signal),
    });
  }

  #ddl(sql: string): Promise<number[]> {
    return runDdl(() => this.#talk("target"), sql);
  }

  async #savedPosition(): Promise<StoredPosition> {
    const { store, stateSession, own } = this.options;
    const saved = await store.position(stateSession, own.id);
    if (saved !== null) return saved;
    const first = await this.#firstPosition();
    await store.createPosition(stateSession, own, first);
    return first;
  }

  /** A position before which everything is visible to readers already (I1: what lies before it is never delivered). */
  async #firstPosition(): Promise<StoredPosition> {
    const { source } = this.options.plan;
    const session = this.#statusSession!;
    if (source.vendor === "mariadb") {
      await session.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
      await session.run("START TRANSACTION WITH CONSISTENT SNAPSHOT");
      const at = await snapshotPosition(session);
      await session.run("COMMIT");
      return { ...at, gtids: null, changes: 0 };
    }
    const end = await binlogEnd(session, source);
    // The file position may be past a transaction that nobody can read yet; the executed set is not. Offset 0: begin by set.
    if (source.gtids) return { file: end.file, offset: 0, gtids: end.gtids ?? "", changes: 0 };
    return { file: end.file, offset: end.offset, gtids: null, changes: 0 };
  }

  #startTail(saved: StoredPosition): BinlogTail<BoundTable> {
    const { logbook } = this.options;
    const delivered = new Delivered({ file: saved.file, offset: saved.offset }, saved.gtids);
    this.#hasGtids = saved.gtids !== null;
    this.#delivered = delivered;
    const byName = new Map(this.tables.map((t) => [`${t.table.schema}.${t.table.name}`, t]));
    let full = false;
    const replayer = new Replayer(byName, delivered, new KeyNotes(this.#dependencies), (pressure) => {
      if (pressure === full) return;
      full = pressure;
      if (pressure) tail.pause();
      else tail.resume();
    }, new Set(this.keyless.map((t) => `${t.table.schema}.${t.table.name}`)));
    this.replayer = replayer;
    const tail: BinlogTail<BoundTable> = new BinlogTail<BoundTable>({
      connection: driverOptions(this.#url("source")),
      serverId: 0x4000_0000 + Math.floor(Math.random() * 0x3fff_ffff),
      start: { file: saved.file, offset: saved.offset },
      ...(saved.offset === 0 ? { startGtids: saved.gtids ?? "" } : {}),
      handler: replayer,
      heartbeatSeconds: 0.5,
    });
    logbook.log(
      `Following the source's binlog from ${
        saved.offset === 0 ? `GTID set ${saved.gtids}` : `${saved.file}:${saved.offset}`
      }`,
    );
    return tail;
  }

  #makeThrottle(): Throttle {
    const { spec, logbook } = this.options;
    return new Throttle({
      source: spec.source,
      target: spec.target,
      settings: () => logbook.throttleSettings(),
      lagSeconds: () => this.lagSeconds(),
      onChange: (reason) => logbook.throttled(reason),
    });
  }

  async #startFlusher(saved: StoredPosition): Promise<Flusher> {
    const { plan, store, own } = this.options;
    const session = await this.open("target");
    const source = new SourceReads(() => this.open("source"), this.#readPoint!);
    this.dependents = new Dependents(this.#dependencies, session, source);
    this.flusher = new Flusher({
      replayer: this.replayer!,
      dependents: this.dependents,
      filter: new ImageFilter(() => this.open("source"), plan.source.vendor === "mariadb"),
      session,
      bulk: plan.target.vendor === "mariadb",
      store,
      own,
      saved,
      gtids: () => this.gtids(),
    });
    this.flusher.intervalMs = COPY_FLUSH_MS;
    return this.flusher;
  }

  /** GTIDs that the target holds, or `null` without GTIDs. */
  gtids(): string | null {
    return this.#hasGtids ? this.#delivered!.complete.toString() : null;
  }

  async #copy(): Promise<void> {
    const { store, stateSession, own, logbook } = this.options;
    const signal = this.#end.signal;
    if (!this.memory.planned) await this.#planRanges();
    for (const stored of await store.ranges(stateSession, own.id)) {
      const table = this.tables[stored.tableNo];
      table.ranges = [...table.ranges, new CopyRange(table, stored)];
      logbook.copied(table, stored.rows, stored.bytes);
    }
    for (const t of this.tables) t.copied = t.ranges.every((r) => r.stored.done);
    const levels = Math.max(...this.tables.map((t) => t.level));
    for (let level = 0; level <= levels; level++) {
      // What was delivered while a parent was being copied is on the target before its children are read.
      if (level > 0) await this.caughtUp(signal);
      await this.#copyTables(this.tables.filter((t) => t.level === level));
    }
  }

  async #copyTables(tables: readonly FerriedTable[]): Promise<void> {
    const { store, own, plan, logbook } = this.options;
    this.#copier = new Copier({
      ranges: tables.flatMap((t) => t.ranges.filter((r) => !r.stored.done)),
      open: (side) => this.open(side),
      readPoint: this.#readPoint!,
      bulk: plan.target.vendor === "mariadb",
      store,
      own,
      settings: () => logbook.copySettings(),
      allowed: async (s) => {
        await logbook.copyAllowed(s);
        await this.#throttle!.allowed(s);
      },
      onChunk: (table, rows, bytes) => {
        this.#throttle!.copied(rows, bytes);
        logbook.copied(table, rows, bytes);
        table.copied = table.ranges.every((r) => r.stored.done);
      },
    });
    await this.#copier.run(this.#end.signal);
    this.#copier = null;
  }

  async #planRanges(): Promise<void> {
    const { store, stateSession, own } = this.options;
    const known = new Set((await store.ranges(stateSession, own.id)).map((r) => r.tableNo));
    const session = await this.open("source");
    try {
      let planned: StoredRange[] = [];
      for (const table of this.tables) {
        if (known.has(table.index)) continue;
        planned.push(...await planRanges(session, table, this.#end.signal));
        if (planned.length < RANGES_AT_A_TIME && table !== this.tables.at(-1)) continue;
        await store.createRanges(stateSession, own, planned);
        planned = [];
      }
    } finally {
      await session.close();
    }
    await this.remember({ planned: true });
  }

  /** Until what the source does is on the target within a moment. */
  async #catchUp(): Promise<void> {
    this.flusher!.intervalMs = FOLLOW_FLUSH_MS;
    for (;;) {
      const began = performance.now();
      await this.caughtUp(this.#end.signal);
      if (performance.now() - began < CAUGHT_UP_SECONDS * 1000) return;
    }
  }

  /** Looks again at children whose parents never arrived: cascades that began before those were copied. */
  async #findOrphans(): Promise<void> {
    const session = await this.open("target");
    try {
      for (const [table, keys] of await this.dependents!.orphans(session)) {
        this.replayer!.suspect(table, keys);
      }
    } finally {
      await session.close();
    }
    while (this.replayer!.suspecting) await delay(5, undefined, { signal: this.#end.signal });
    await this.flusher!.held(() => Promise.resolve());
  }

  /** Waits for a person, or not, and keeps what is left to compare small meanwhile. */
  async #awaitOrder(): Promise<"cutover" | "verify"> {
    const { logbook, spec } = this.options;
    if (spec.cutover.mode === "auto") return "cutover";
    const signal = this.#end.signal;
    const order = logbook.order(signal);
    order.catch(() => {});
    for (;;) {
      const asked = await Promise.race([order, delay(1000, null, { signal })]);
      if (asked !== null) return asked;
      await this.verifier?.settle(signal);
      this.assertEqual();
    }
  }

  /** Seconds that the target is behind the source; `null` while not known. */
  lagSeconds(): number | null {
    const { replayer, flusher } = this;
    if (replayer === null || flusher === null) return null;
    if (comparePositions(flusher.applied, replayer.complete) >= 0) return 0;
    const oldest = replayer.oldestTimestamp;
    if (oldest === null) return 0;
    return Math.max(0, (Date.now() + this.options.plan.source.clockAheadMs) / 1000 - oldest);
  }
}

/** The expression of each filtered table. */
function filtersOf(plan: FerryPlan): Record<string, string> {
  const filtered = [...plan.tables, ...plan.keyless].filter((t) => t.where !== null);
  return Object.fromEntries(filtered.map((t) => [tableLabel(t.table), t.where!]));
}
