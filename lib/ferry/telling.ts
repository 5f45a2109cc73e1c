/**
 * What is told of a ferry: its snapshot, its events, and who waits for either. Recorded first, where it must be.
 * @module
 */
import type { BinlogPosition } from "../binlog/position.ts";
import type { FerriedTable } from "../copy/ferried_table.ts";
import type { CallbackPolicy } from "../progress/callbacks.ts";
import { Callbacks } from "../progress/callbacks.ts";
import { endsStream, EventLog, KEPT } from "../progress/event_log.ts";
import type { FerryEvent, FerryResource, Finding, TableProgress } from "../progress/resource.ts";
import { Witness } from "../progress/witness.ts";
import { sentence, throttledText } from "../progress/wording.ts";
import type { FerrySpec } from "../spec/ferry_spec.ts";
import { FerrySnapshot } from "./ferry_snapshot.ts";
import { type FerryState, isEnded } from "./ferry_state.ts";
import type { Lease } from "./lease.ts";
import type { Logbook } from "./logbook.ts";

/** Milliseconds that callbacks may take to post what was told, when the process shuts down. */
const LAST_CALLS_MS = 3000;

/** The voice of one ferry. */
export class Telling implements Logbook {
  /** The numbers of now. */
  readonly snapshot: FerrySnapshot;
  readonly #log: EventLog;
  readonly #waiters = new Set<() => void>();
  #lastProgress = "";
  #callbacks: Callbacks | null = null;
  #calling: Promise<void> | null = null;
  #hush = new AbortController();

  /** What may not be told before it is recorded, is recorded under `lease`. */
  constructor(
    private readonly spec: FerrySpec,
    private readonly lease: Lease,
    private readonly policy: CallbackPolicy,
  ) {
    this.#log = new EventLog(new Witness(spec.id));
    this.snapshot = new FerrySnapshot(spec);
  }

  /** The resource of now. */
  resource(): FerryResource {
    const resource = this.snapshot.resource();
    // Another process has it: nothing can be asked here.
    return this.lease.elsewhere ? { ...resource, actions: [] } : resource;
  }

  /** Events above `after`, then live ones. Throws where such as only the state still has cannot be read. */
  events(after: number, signal: AbortSignal): AsyncIterable<FerryEvent> {
    return this.#log.read(after, signal, (...page) => this.lease.eventsAfter(...page));
  }

  /** The last events, as many as `count`. */
  lastEvents(count: number): readonly FerryEvent[] {
    return this.#log.last(count);
  }

  /** Resolves when something is told that people wait for, perhaps the same again, or when `signal` aborts. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#waiters.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      if (signal.aborted) return resolve();
      this.#waiters.add(done);
      signal.addEventListener("abort", done, { once: true });
    });
  }

  /** A sentence for people. */
  log(text: string, code?: string | null): void {
    this.#log.add("log", code === undefined ? { text } : { text, code });
  }

  /** The whole resource, as an event. */
  tell(type: "state" | "done" | "failed" | "cancelled"): void {
    const r = this.resource();
    this.#log.add(type, { text: sentence(r), ...r });
    this.#wake();
  }

  /** How far it is, and why it waits, where that has changed since it was told last. */
  tick(): void {
    if (this.lease.own === null || this.lease.elsewhere || isEnded(this.snapshot.state)) return;
    const r = this.resource();
    const text = JSON.stringify([r.state, r.hold, r.throttled, r.progress, r.verification.rowsCompared]);
    if (text === this.#lastProgress) return;
    this.#lastProgress = text;
    this.#log.add("progress", {
      text: sentence(r),
      state: r.state,
      paused: r.paused,
      hold: r.hold,
      throttled: r.throttled,
      progress: r.progress,
      verification: r.verification,
    });
  }

  /** Writes the snapshot down. */
  save(): Promise<void> {
    return this.lease.save(this.resource());
  }

  /** Goes to a state; recorded before it resolves. */
  async move(state: FerryState): Promise<void> {
    if (state === this.snapshot.state) return;
    // What is not recorded has not happened, `done` least of all: nobody is shown it before.
    const back = this.snapshot.move(state);
    const moved = this.resource();
    back();
    await this.lease.save(moved);
    this.snapshot.move(state);
    this.tell(isEnded(state) ? state as "done" : "state");
  }

  /** The end, recorded where that is still possible. Whether it was. */
  async end(state: "failed" | "cancelled", e: unknown, findings?: readonly Finding[]): Promise<boolean> {
    if (state === "failed") this.snapshot.fail(e, findings);
    this.snapshot.move(state);
    const saved = this.lease.own !== null && await this.save().then(() => true, () => false);
    if (saved && state === "cancelled") await this.lease.dropOwnKeys();
    this.tell(state);
    return saved;
  }

  /**
   * What another process has recorded and told takes the place of what this one knows. `retrying`: where it has failed,
   * that is over.
   */
  async follow(stored: FerryResource, retrying: boolean): Promise<void> {
    const events = await this.lease.lastEvents(this.#log.storedId, KEPT);
    const over = isEnded(stored.state) && !(retrying && stored.state === "failed");
    // One that has ended holds nothing any more.
    if (over) this.snapshot.holdIsNew = false;
    this.snapshot.restore(stored);
    // At once: nobody is shown a failure that somebody has just asked to try again.
    if (!over && stored.state === "failed") this.#beginAnew();
    this.#log.load(events, over);
    const last = this.#log.last(KEPT).findLast((e) => e.type !== "log");
    // The process that recorded the end went before it could tell of it.
    if (over && (last === undefined || !endsStream(last))) this.tell(stored.state as "done");
    this.#wake();
  }

  /** A failed ferry is tried again: from now on it is told as one that begins. */
  retry(): void {
    this.#beginAnew();
    this.#log.goOn();
    this.#wake();
  }

  #beginAnew(): void {
    this.snapshot.error = null;
    this.snapshot.move("preflight");
  }

  /** Events are stored under the lease from now on, and posted: what happened before, another process has told. */
  attach(): void {
    this.#log.attach({ save: this.lease.eventSaver() });
    this.call();
  }

  /** What is told from now on is posted, stored or not. */
  call(): void {
    const { callbacks } = this.spec;
    if (callbacks === null) return;
    const { signal } = this.#hush;
    const from = this.#log.lastId;
    this.#callbacks ??= new Callbacks(this.spec.id, callbacks, this.policy);
    this.#calling = this.#callbacks.follow(() => this.#log.read(from, signal), signal);
  }

  /** Another process has the ferry, tells of it, and posts what it tells. */
  lost(): void {
    this.#log.lose();
    this.#hush.abort();
    this.#hush = new AbortController();
    this.#callbacks = null;
    this.#calling = null;
  }

  /** Events are stored no more. */
  detach(): void {
    this.#log.detach();
  }

  /** Resolves when everything that was told is shown, and stored where that is possible. */
  settled(): Promise<void> {
    return this.#log.settled();
  }

  /** Ends every stream; what is to be posted is posted first, for a moment. */
  async close(): Promise<void> {
    await this.#log.close();
    if (this.#calling === null) return;
    const timer = setTimeout(() => this.#hush.abort(), LAST_CALLS_MS);
    await this.#calling;
    clearTimeout(timer);
  }

  /** So many rows and bytes of a table are committed, by whichever attempt. */
  stands(table: FerriedTable, rows: number, bytes: number): void {
    this.snapshot.stands(table, rows, bytes);
  }

  /** Rows were committed. */
  copied(table: FerriedTable, rows: number, bytes: number): void {
    this.snapshot.copied(table, rows, bytes);
  }

  /** Where a table stands that is copied behind the fence. */
  keyless(table: FerriedTable, state: TableProgress["state"]): void {
    this.snapshot.keyless(table, state);
  }

  /** Indexes of a table are being built. */
  indexing(table: FerriedTable): void {
    this.snapshot.indexing(table);
  }

  /** Copying, or comparing, is throttled for this reason from now on, or, with `null`, no longer. */
  throttled(reason: string | null): void {
    this.log(throttledText(this.snapshot.state, reason), "throttled");
    this.#wake();
  }

  /** A cutover is tried; its intent is recorded already. */
  cutoverBegins(attempt: number): void {
    this.snapshot.attempts = attempt;
  }

  /** The cutover is through: `done` is recorded when this resolves. */
  async cutoverDone(position: BinlogPosition, gtids: string | null, stoppedAt: number | null): Promise<void> {
    this.snapshot.endPosition = { file: position.file, position: position.offset, gtidSet: gtids };
    this.snapshot.writesStoppedMs = stoppedAt === null ? null : Math.round(performance.now() - stoppedAt);
    this.snapshot.hold = null; // one that came while it cut over has nothing to hold any more
    await this.move("done");
  }

  #wake(): void {
    for (const wake of [...this.#waiters]) wake();
  }
}
