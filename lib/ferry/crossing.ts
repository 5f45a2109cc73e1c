/**
 * One attempt at the whole road, from whatever the state says to `done`. When anything fails it is torn down, and the next
 * attempt begins from the state: there is no other way to recover.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { type BinlogPosition, positionText } from "../binlog/position.ts";
import type { FerriedTable } from "../copy/ferried_table.ts";
import { binlogEnd } from "../cutover/binlog_end.ts";
import type { Fence } from "../cutover/fence.ts";
import { FerryError } from "../errors.ts";
import { Session } from "../mysql/session.ts";
import type { FerryPlan, PlannedTable } from "../preflight/preflight.ts";
import { parseConnectionUrl } from "../spec/connection_url.ts";
import type { FerrySpec } from "../spec/ferry_spec.ts";
import type { StoredPosition } from "../state/cursor_store.ts";
import type { FerryStore } from "../state/ferry_store.ts";
import type { Ownership } from "../state/ownership.ts";
import { Throttle } from "../throttle/throttle.ts";
import { dropMadeObjects } from "./carry_objects.ts";
import { Comparison } from "./comparison.ts";
import { CopyPhase } from "./copy_phase.ts";
import type { CrossingMemory } from "./crossing_memory.ts";
import { firstPosition } from "./first_position.ts";
import type { Logbook } from "./logbook.ts";
import { firstMemory, makeManifest, type Manifest } from "./manifest.ts";
import type { Orders } from "./orders.ts";
import { ReplayLine } from "./replay_line.ts";
import { goTheRoad } from "./road.ts";
import { tailStart } from "./tail_start.ts";
import { runDdl, TargetTables } from "./target_tables.ts";
import { assertUnchanged } from "./unchanged_tables.ts";

/** Milliseconds that a road that was cut may take to its end. */
const ROAD_MS = 10_000;

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
  /** Where it tells how it goes. */
  readonly logbook: Logbook;
  /** Where it hears what is asked. */
  readonly orders: Pick<
    Orders,
    "copy" | "throttle" | "copyHeld" | "copyAllowed" | "replayAllowed" | "asked" | "take" | "heard"
  >;
}

/** The rooms of one attempt, opened and wired together. */
export class Crossing {
  /** What must survive. */
  memory: CrossingMemory;
  /** Replay; `null` before it is set up. */
  replay: ReplayLine | null = null;
  /** A fence that stays up after the end; whoever has it releases it. */
  keptFence: Fence | null = null;
  /** A cutover is under way, whether its fence is up yet or not. */
  cuttingOver = false;
  /** The attempt has ended: what it leaves behind was looked at already. */
  over = false;
  /** The copy. */
  readonly copy: CopyPhase = new CopyPhase(this);
  /** The comparison of both sides. */
  readonly comparison: Comparison = new Comparison(this);
  /** What slows copying down. */
  readonly throttle: Throttle;
  readonly #manifest: Manifest;
  readonly #end = new AbortController();
  #statusSession: Session | null = null;

  /** Nothing happens before {@linkcode run}. Throws where the plan is not what was begun with. */
  constructor(readonly options: CrossingOptions) {
    const { plan, memory, spec, logbook, orders } = options;
    this.memory = memory ?? firstMemory(plan);
    this.#manifest = makeManifest(plan, this.memory);
    this.throttle = new Throttle({
      source: spec.source,
      target: spec.target,
      settings: () => orders.throttle,
      lagSeconds: () => this.replay?.lagSeconds() ?? null,
      cuttingOver: () => this.cuttingOver,
      onChange: (reason) => logbook.throttled(reason),
    });
  }

  /** The tables with a key, in the order of their numbers. */
  get tables(): readonly FerriedTable[] {
    return this.#manifest.tables;
  }

  /** Tables without a key, copied behind the fence. */
  get keyless(): readonly FerriedTable[] {
    return this.#manifest.keyless;
  }

  /** Those with a key and those without. */
  get everyTable(): readonly FerriedTable[] {
    return [...this.tables, ...this.keyless];
  }

  /** A talk session on the source, for a word now and then. */
  get statusSession(): Session {
    return this.#statusSession!;
  }

  /** What the plan says of a table. */
  planned(table: FerriedTable): PlannedTable {
    return this.#manifest.planned(table);
  }

  /** Goes the road. Resolves when `done` is recorded; throws what stopped it. Nothing is left running. */
  async run(signal: AbortSignal): Promise<void> {
    const onAbort = () => this.#end.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    const end = this.#end.signal;
    let running: Promise<unknown> = Promise.resolve();
    let road: Promise<void> | null = null;
    let failure: { readonly reason: unknown } | null = null;
    try {
      this.#statusSession = await this.#talk("source");
      // Before anything is replayed: triggers of a cutover that did not come to its end would run for it.
      await this.#dropLeftObjects();
      if (this.options.memory === null) await this.remember({});
      const saved = await this.#savedPosition();
      await this.#makeTables();
      const replay = await this.#layLine(saved);
      await replay.start(end);
      const throttling = this.throttle.run(end);
      const broken = Promise.race([replay.run(end), throttling]);
      running = Promise.allSettled([broken, throttling]);
      road = goTheRoad(this, end);
      await Promise.race([broken, road]);
    } catch (reason) {
      failure = { reason };
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#end.abort(new FerryError("stopped", "Cannot go on: the attempt was ended"));
      await this.comparison.close();
      await this.replay?.stop();
      await running;
    }
    // What stopped it may have come while `done` was being recorded: then that is what counts.
    const done = road !== null && await endOf(road);
    this.over = true;
    if (!done) throw failure === null ? end.reason : failure.reason;
  }

  /** Nothing is written any more from here on; the attempt fails. */
  halt(reason: unknown): void {
    this.#end.abort(reason);
  }

  /** Resolves when the writes that are in flight now have committed. */
  async drain(): Promise<void> {
    await this.copy.drain();
    await this.replay?.flusher.held(() => Promise.resolve());
  }

  /** Records what must survive. */
  async remember(change: Partial<CrossingMemory>): Promise<void> {
    this.memory = { ...this.memory, ...change };
    const { store, stateSession, own } = this.options;
    await store.saveCrossing(stateSession, own, JSON.stringify(this.memory));
  }

  /** Where the source's binlog ends now. */
  sourceEnd(): Promise<BinlogPosition> {
    return binlogEnd(this.statusSession, this.options.plan.source);
  }

  /** Replays to the end of the binlog as it is now, then resolves. */
  async caughtUp(signal: AbortSignal): Promise<void> {
    await this.replay!.flusher.reached(await this.sourceEnd(), signal);
  }

  /** Opens a data session that dies with this attempt. */
  open(side: "source" | "target"): Promise<Session> {
    return Session.open(parseConnectionUrl(this.options.spec[side]), {
      side,
      data: true,
      signal: this.#end.signal,
    });
  }

  /** Runs DDL on the target, in a session of its own; answers warnings by number. */
  ddl(sql: string): Promise<number[]> {
    return runDdl(() => this.#talk("target"), sql);
  }

  /** Opens a talk session that dies with this attempt. */
  #talk(side: "source" | "target"): Promise<Session> {
    return Session.open(parseConnectionUrl(this.options.spec[side]), { side, signal: this.#end.signal });
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
      ddl: (sql) => this.ddl(sql),
      memory: () => this.memory,
      remember: (change) => this.remember(change),
    });
    return tables.make();
  }

  async #savedPosition(): Promise<StoredPosition> {
    const { store, stateSession, own, plan } = this.options;
    const saved = await store.cursors.position(stateSession, own.id);
    if (saved !== null) return saved;
    const first = await firstPosition(this.statusSession, plan.source);
    await store.cursors.createPosition(stateSession, own, first);
    await assertUnchanged(this.statusSession, plan);
    return first;
  }

  async #layLine(saved: StoredPosition): Promise<ReplayLine> {
    const { spec, plan, store, own, logbook, orders } = this.options;
    const { start, startGtids } = tailStart(saved);
    const from = startGtids === undefined ? positionText(start) : `GTID set ${startGtids}`;
    logbook.log(`Following the source's binlog from ${from}`);
    return this.replay = await ReplayLine.lay({
      source: spec.source,
      plan,
      manifest: this.#manifest,
      saved,
      cursors: store.cursors,
      own,
      statusSession: this.statusSession,
      open: (side) => this.open(side),
      allowed: (signal) => orders.replayAllowed(signal),
    });
  }
}

/** Whether the road went to its end; one that stands still is not waited for. */
async function endOf(road: Promise<void>): Promise<boolean> {
  const patience = new AbortController();
  const tooLong = delay(ROAD_MS, false, { signal: patience.signal }).catch(() => false);
  const ended = await Promise.race([road.then(() => true, () => false), tooLong]);
  patience.abort();
  return ended;
}
