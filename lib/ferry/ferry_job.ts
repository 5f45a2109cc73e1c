/**
 * One ferry of this process: takes the lease, tries the crossing until it ends, tells everybody how it goes.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import pRetry, { AbortError } from "p-retry";
import { FerryError } from "../errors.ts";
import { errorNumber, errorText } from "../errors.ts";
import { Session } from "../mysql/session.ts";
import { preflight } from "../preflight/preflight.ts";
import { EventLog } from "../progress/event_log.ts";
import { type CallbackPolicy, Callbacks } from "../progress/callbacks.ts";
import type { FerryEvent, FerryResource, Finding } from "../progress/resource.ts";
import { Witness } from "../progress/witness.ts";
import { sentence } from "../progress/wording.ts";
import { specFingerprint, storedSpec } from "../spec/fingerprint.ts";
import { parseConnectionUrl } from "../spec/connection_url.ts";
import type { CopySettings, FerrySpec, SpecChange, ThrottleSettings } from "../spec/ferry_spec.ts";
import { FerryStore, type Ownership, type StoredFerry } from "../state/ferry_store.ts";
import { dropOwnKeys } from "../state/own_keys.ts";
import { migrateState } from "../state/schema_sql.ts";
import { Crossing } from "./crossing.ts";
import type { CrossingMemory } from "./crossing_memory.ts";
import type { Ferry } from "./ferry.ts";
import { FerrySnapshot } from "./ferry_snapshot.ts";
import { type FerryAction, type FerryState, isEnded } from "./ferry_state.ts";
import type { Logbook } from "./logbook.ts";
import { copyText, throttleText } from "./settings_text.ts";

/** Milliseconds between two `progress` events, and between two snapshots in the state. */
const PROGRESS_MS = 500;
const SNAPSHOT_MS = 2000;
/** Milliseconds that writes in flight are waited for when the process shuts down. */
const DRAIN_MS = 3000;

/** What every ferry of a process shares. */
export interface JobSettings {
  /** State schema on every target. */
  readonly stateSchema: string;
  /** Seconds that a lease lasts. */
  readonly leaseSeconds: number;
  /** This process. */
  readonly owner: string;
  /** How callbacks are posted. */
  readonly callbacks: CallbackPolicy;
}

/** Errors that another attempt from the saved state may not meet again, by number: too many connections, and the like. */
const PASSING = new Set([1040, 1203, 1205, 1213, 1226, 1290, 1836, 3024]);

function isPassing(e: unknown): boolean {
  if (e instanceof FerryError) return e.retryable;
  const number = errorNumber(e);
  return number !== null && PASSING.has(number);
}

/** A ferry under way. */
export class FerryJob implements Ferry {
  readonly #snapshot: FerrySnapshot;
  readonly #log: EventLog;
  readonly #store: FerryStore;
  readonly #waiters = new Set<() => void>();
  #copy: CopySettings;
  #throttle: ThrottleSettings | null;
  #stop = new AbortController();
  #closing = false;
  #running: Promise<void>;
  /** What a person asked for, until the crossing takes it. */
  #wanted: "cutover" | "verify" | null = null;
  #takeOrder: (() => void) | null = null;
  #own: Ownership | null = null;
  #state: Session | null = null;
  #lastProgress = "";
  #findings: readonly Finding[] | undefined;
  #foreign = false;
  #telling: Promise<void> | null = null;
  readonly #hush = new AbortController();
  #retrying = false;
  #end = Promise.withResolvers<FerryResource>();

  /** Starts at once. `alone`: ends with `ferry-owned-elsewhere` instead of waiting for another owner. */
  constructor(
    readonly spec: FerrySpec,
    private readonly settings: JobSettings,
    private readonly alone = false,
  ) {
    this.#log = new EventLog(new Witness(spec.id));
    this.#snapshot = new FerrySnapshot(spec);
    this.#store = new FerryStore(settings.stateSchema);
    this.#copy = spec.copy;
    this.#throttle = spec.throttle;
    this.#running = this.#run();
  }

  get id(): string {
    return this.spec.id;
  }

  get ended(): Promise<FerryResource> {
    return this.#end.promise;
  }

  resource(): FerryResource {
    const resource = this.#snapshot.resource();
    // Another process has it: nothing can be asked here.
    return this.#foreign ? { ...resource, actions: [] } : resource;
  }

  events(after: number, signal: AbortSignal): AsyncIterable<FerryEvent> {
    return this.#log.read(after, signal);
  }

  lastEvents(count: number): readonly FerryEvent[] {
    return this.#log.last(count);
  }

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

  async act(action: FerryAction): Promise<void> {
    if (this.#foreign && !isEnded(this.#snapshot.state)) {
      throw new FerryError(
        "ferry-owned-elsewhere",
        `Cannot ${action} ferry "${this.id}": another process owns it`,
        {
          retryable: true,
        },
      );
    }
    const { actions, state } = this.resource();
    if (!actions.includes(action)) {
      throw new FerryError(
        "action-not-allowed",
        `Cannot ${action} ferry "${this.id}": it is in state "${state}"`,
        {
          hint: actions.length === 0
            ? "Nothing can be asked of it now"
            : `Now it takes: ${actions.join(", ")}`,
        },
      );
    }
    switch (action) {
      case "pause":
        this.#snapshot.paused = true;
        break;
      case "resume":
        this.#snapshot.paused = false;
        break;
      case "cutover":
      case "verify":
        if (this.#snapshot.crossing === null) {
          throw new FerryError(
            "action-not-allowed",
            `Cannot ${action} ferry "${this.id}": it is being taken up again`,
            {
              retryable: true,
              hint: "Try again in a moment",
            },
          );
        }
        this.#wanted = action;
        this.#takeOrder?.();
        return;
      case "cancel":
        this.#stop.abort(
          new FerryError("cancelled", `Cannot go on with ferry "${this.id}": it was cancelled`),
        );
        await this.#running;
        return;
      case "retry":
        await this.#running;
        this.#end = Promise.withResolvers();
        this.#retrying = true;
        this.#running = this.#run();
        return;
    }
    this.#tell("state");
    await this.#save();
  }

  change(change: SpecChange): Promise<void> {
    if (isEnded(this.#snapshot.state)) {
      return Promise.reject(
        new FerryError(
          "action-not-allowed",
          `Cannot change ferry "${this.id}": it is in state "${this.#snapshot.state}"`,
        ),
      );
    }
    if (change.copy !== undefined) {
      this.#copy = { ...this.#copy, ...change.copy };
      this.#log.add("log", { text: copyText(this.#copy) });
    }
    if (change.throttle !== undefined) {
      this.#throttle = change.throttle;
      this.#log.add("log", { text: throttleText(this.#throttle) });
    }
    return Promise.resolve();
  }

  /** From its first lease on this process tells what happens: what happened before, another one has told. */
  #beginTelling(): void {
    const { callbacks } = this.spec;
    if (callbacks === null || this.#telling !== null) return;
    const { signal } = this.#hush;
    this.#telling = new Callbacks(this.id, callbacks, this.settings.callbacks)
      .follow(this.#log.read(this.#log.lastId, signal), signal)
      .finally(() => this.#telling = null);
  }

  /** Lets go of the ferry: commits what is in flight, gives up the lease, ends its streams. */
  async close(): Promise<void> {
    this.#closing = true;
    // What is in flight may commit; nothing new begins. A target that stands still is not waited for.
    const patience = new AbortController();
    await Promise.race([
      this.#snapshot.crossing?.drain(),
      delay(DRAIN_MS, undefined, { signal: patience.signal }),
    ]);
    patience.abort();
    this.#stop.abort(new FerryError("shutting-down", "Cannot go on: the process shuts down"));
    await this.#running;
    await this.#snapshot.keptFence?.release();
    await this.#log.close();
    if (this.#telling !== null) {
      const timer = setTimeout(() => this.#hush.abort(), DRAIN_MS);
      await this.#telling;
      clearTimeout(timer);
    }
    this.#end.resolve(this.resource());
  }

  async #run(): Promise<void> {
    this.#stop = new AbortController();
    if (this.#closing) return;
    const { signal } = this.#stop;
    const ticking = setInterval(() => this.#tick(), PROGRESS_MS);
    try {
      if (this.#retrying) {
        this.#snapshot.error = null;
        this.#snapshot.move("preflight");
        this.#own = null;
      }
      // Attempts that got somewhere begin the count anew; 20 in a row that did not are enough.
      for (let somewhere = true; somewhere;) {
        somewhere = await pRetry(() => this.#attempt(signal), {
          retries: 20,
          minTimeout: 250,
          maxTimeout: 10_000,
          randomize: true,
          signal,
          shouldRetry: ({ error }) => isPassing(error),
        });
      }
    } catch (e) {
      await this.#failed(signal.aborted ? signal.reason : e instanceof AbortError ? e.originalError : e);
    } finally {
      clearInterval(ticking);
      await this.#letGo();
      if (isEnded(this.#snapshot.state)) this.#end.resolve(this.resource());
    }
  }

  /** One try at everything. `true`: it failed in passing, but had got somewhere, so it may be tried as if for the first time. */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    const inner = new AbortController();
    const both = AbortSignal.any([signal, inner.signal]);
    let reached = 0;
    const work = () => this.#work() - reached;
    try {
      const stored = await this.#takeLease(both);
      if (stored === null) return false; // it ended elsewhere
      const renewing = this.#renew(both).catch((e) => inner.abort(e));
      try {
        reached = this.#work();
        await this.#cross(stored, both);
      } finally {
        inner.abort(new FerryError("stopped", "Cannot go on: the attempt was ended"));
        await renewing;
      }
      return false;
    } catch (e) {
      const cause = inner.signal.aborted && !signal.aborted && inner.signal.reason?.code === "lease-lost"
        ? inner.signal.reason
        : e;
      if (signal.aborted || !isPassing(cause)) throw cause;
      this.#log.add("log", {
        text: `Trying again: ${errorText(cause)}`,
        code: (cause as { code?: string }).code ?? null,
      });
      this.#snapshot.finish();
      await this.#letGo();
      if (work() > 0) {
        await delay(250, undefined, { signal });
        return true;
      }
      throw cause;
    }
  }

  #work(): number {
    const { rowsCopied, changesApplied } = this.resource().progress;
    return rowsCopied + changesApplied;
  }

  /** Opens the state and takes the lease; waits for another owner to end, unless told not to. `null`: the ferry has ended. */
  async #takeLease(signal: AbortSignal): Promise<StoredFerry | null> {
    const state = await this.#openState(signal);
    if (state === null) return fresh(this.spec.id);
    this.#state = state;
    const store = this.#store;
    const fingerprint = await specFingerprint(this.spec);
    const snapshot = JSON.stringify(this.resource());
    await store.create(state, {
      id: this.id,
      fingerprint,
      spec: storedSpec(this.spec),
      snapshot,
    });
    for (;;) {
      const stored = (await store.find(state, this.id))!;
      if (stored.fingerprint !== fingerprint) {
        throw new FerryError(
          "spec-differs",
          `Cannot start ferry "${this.id}": it was started with another spec`,
          {
            hint: "Choose another id, or post the spec it was started with",
          },
        );
      }
      const resource = JSON.parse(stored.snapshot) as FerryResource;
      const before = this.#snapshot.state;
      if (stored.epoch > 0 && (this.#own === null || this.#foreign)) {
        if (resource.state !== before || this.#foreign || this.#log.lastId === 0) {
          this.#snapshot.restore(resource);
          this.#log.load(await store.events(state, this.id, this.#log.lastId, 100_000));
          this.#wake();
        }
        // Posted again, an ended ferry is attached to as it is; only `retry` begins a failed one anew.
        if (isEnded(resource.state) && !this.#retrying) return null;
      }
      const own = await store.acquire(state, this.id, this.settings.owner, this.settings.leaseSeconds);
      if (own !== null) {
        const again = stored.epoch > 0 && this.#own === null;
        this.#own = own;
        this.#foreign = false;
        this.#log.attach({ save: (events) => this.#saveEvents(own, events) });
        this.#beginTelling();
        if (again) this.#snapshot.resumedTimes++;
        this.#retrying = false;
        this.#snapshot.error = null;
        if (this.#snapshot.state !== "preflight") await this.#move("preflight");
        else await this.#save();
        return { ...(await store.find(state, this.id))!, epoch: own.epoch };
      }
      if (this.alone) {
        throw new FerryError(
          "ferry-owned-elsewhere",
          `Cannot run ferry "${this.id}": another process owns it`,
          {
            hint: "Watch it there, or try again when that process has ended",
          },
        );
      }
      this.#foreign = true;
      await delay(500, undefined, { signal });
    }
  }

  /** The state's session; `null` where preflight is to say why there is none. */
  async #openState(signal: AbortSignal): Promise<Session | null> {
    await this.#state?.close();
    this.#state = null;
    let session: Session | null = null;
    try {
      session = await Session.open(parseConnectionUrl(this.spec.target), { side: "target" });
      await migrateState(session, this.settings.stateSchema);
      return session;
    } catch (e) {
      session?.destroy();
      signal.throwIfAborted();
      if (this.#own !== null) throw e;
      const { findings } = await preflight(this.spec, {
        stateSchema: this.settings.stateSchema,
        made: null,
        savedPosition: null,
        signal,
      });
      this.#refuse(findings);
      throw e;
    }
  }

  #refuse(findings: readonly Finding[]): void {
    const errors = findings.filter((f) => f.level === "error");
    if (errors.length === 0) return;
    this.#findings = findings;
    const passing = errors.every((f) => f.code === "source-unreachable" || f.code === "target-unreachable");
    throw new FerryError(
      "preflight-refused",
      `Cannot start ferry "${this.id}": ${errors.map((f) => f.detail).join("; ")}`,
      {
        hint: errors[0].hint,
        // Under way a server that is away for a moment is no reason to give up.
        retryable: passing && this.#own !== null && this.#snapshot.crossing !== null,
      },
    );
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const every = this.settings.leaseSeconds * 1000 / 3;
    let renewed = performance.now();
    const session = await Session.open(parseConnectionUrl(this.spec.target), { side: "target", signal });
    try {
      for (let saved = 0;;) {
        await delay(Math.min(every, SNAPSHOT_MS), undefined, { signal });
        if (performance.now() - renewed > every) {
          await this.#store.renew(session, this.#own!, this.settings.leaseSeconds);
          renewed = performance.now();
        }
        if (performance.now() - saved > SNAPSHOT_MS) {
          await this.#store.saveSnapshot(
            session,
            this.#own!,
            this.#snapshot.state,
            JSON.stringify(this.resource()),
          );
          saved = performance.now();
        }
      }
    } finally {
      session.destroy();
    }
  }

  async #cross(stored: StoredFerry, signal: AbortSignal): Promise<void> {
    const memory = stored.crossing === null ? null : JSON.parse(stored.crossing) as CrossingMemory;
    const position = await this.#store.position(this.#state!, this.id);
    const { findings, plan } = await preflight(this.spec, {
      stateSchema: this.settings.stateSchema,
      made: memory === null ? null : new Set(memory.made),
      madeObjects: memory?.objects ?? [],
      savedPosition: position,
      signal,
    });
    if (plan === null) {
      const errors = findings.filter((f) => f.level === "error");
      if (memory !== null && errors.every((f) => f.code.endsWith("-unreachable"))) {
        throw new FerryError(errors[0].code, errors[0].detail, { retryable: true, hint: errors[0].hint });
      }
      this.#refuse(findings);
      throw new FerryError("preflight-refused", `Cannot start ferry "${this.id}": no plan`);
    }
    if (memory === null) {
      for (const f of findings) this.#log.add("log", { text: `${f.subject}: ${f.detail}`, code: f.code });
    }
    const crossing = new Crossing({
      spec: this.spec,
      plan,
      store: this.#store,
      own: this.#own!,
      stateSession: this.#state!,
      memory,
      logbook: this.#logbook(),
    });
    this.#snapshot.begin(crossing);
    try {
      await crossing.run(signal);
      await this.#dropOwnKeys();
    } finally {
      this.#snapshot.finish();
    }
  }

  #logbook(): Logbook {
    const snapshot = this.#snapshot;
    return {
      move: (state) => this.#move(state),
      log: (text) => this.#log.add("log", { text }),
      copied: (table, rows, bytes) => snapshot.copied(table, rows, bytes),
      keyless: (table, state) => snapshot.keyless(table, state),
      indexing: (table) => snapshot.indexing(table),
      copySettings: () => this.#copy,
      throttleSettings: () => this.#throttle,
      throttled: (reason) => {
        snapshot.throttled = reason;
        this.#log.add("log", {
          text: reason === null ? "Copying goes on: nothing slows it down" : `Copying waits: ${reason}`,
          code: "throttled",
        });
        this.#wake();
      },
      copyAllowed: async (signal) => {
        while (snapshot.paused || this.#closing) await delay(50, undefined, { signal });
      },
      order: (signal) =>
        new Promise((resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
          this.#takeOrder = () => {
            const order = this.#wanted;
            if (order === null) return;
            this.#wanted = null;
            this.#takeOrder = null;
            resolve(order);
          };
          // It may have been asked for since the state was told and before anybody waited here.
          this.#takeOrder();
        }),
      cutoverBegins: (attempt) => snapshot.attempts = attempt,
      cutoverDone: async (position, gtids, stoppedAt) => {
        snapshot.endPosition = { file: position.file, position: position.offset, gtidSet: gtids };
        snapshot.writesStoppedMs = stoppedAt === null ? null : Math.round(performance.now() - stoppedAt);
        await this.#move("done");
      },
      keepFence: (fence) => snapshot.keptFence = fence,
    };
  }

  async #move(state: FerryState): Promise<void> {
    if (state === this.#snapshot.state) return;
    const back = this.#snapshot.move(state);
    try {
      await this.#save();
    } catch (e) {
      back(); // what is not recorded has not happened, `done` least of all
      throw e;
    }
    this.#tell(isEnded(state) ? state as "done" : "state");
  }

  async #save(): Promise<void> {
    if (this.#own === null) return;
    if (this.#state === null || !this.#state.usable) {
      throw new FerryError(
        "target-connection-lost",
        `Cannot record the state of ferry "${this.id}": the target is away`,
        {
          retryable: true,
        },
      );
    }
    await this.#store.saveSnapshot(
      this.#state,
      this.#own,
      this.#snapshot.state,
      JSON.stringify(this.resource()),
    );
  }

  async #saveEvents(own: Ownership, events: readonly FerryEvent[]): Promise<void> {
    if (this.#state === null || !this.#state.usable) {
      throw new FerryError("target-connection-lost", "Cannot store events: the target is away", {
        retryable: true,
      });
    }
    await this.#store.saveEvents(this.#state, own, events);
  }

  async #failed(e: unknown): Promise<void> {
    const code = e instanceof FerryError ? e.code : "";
    if (code === "shutting-down") {
      this.#log.add("log", { text: "This process lets go of the ferry; it goes on where it is taken up" });
      return;
    }
    if (code === "lease-lost") {
      this.#own = null;
      this.#foreign = true;
      this.#log.attach(null);
    }
    const state = code === "cancelled" ? "cancelled" : "failed";
    if (state === "failed") this.#snapshot.fail(e, this.#findings);
    this.#findings = undefined;
    this.#snapshot.move(state);
    const saved = await this.#save().then(() => true, () => false);
    if (saved && state === "cancelled") await this.#dropOwnKeys();
    this.#tell(state);
  }

  /** The end is recorded: whose rows are whose matters no more. What cannot be dropped now, the next merging ferry drops. */
  async #dropOwnKeys(): Promise<void> {
    if (this.spec.existingRows !== "merge" || this.#state === null || !this.#state.usable) return;
    await dropOwnKeys(this.#state, this.settings.stateSchema, this.id).catch(() => {});
  }

  /** Stores what is still to be stored, gives up the lease, closes the state. */
  async #letGo(): Promise<void> {
    this.#takeOrder = null;
    this.#wanted = null;
    await this.#save().catch(() => {});
    await this.#log.settled();
    if (this.#state !== null && this.#own !== null && this.#state.usable) {
      await this.#store.release(this.#state, this.#own).catch(() => {});
    }
    this.#log.attach(null);
    await this.#state?.close();
    this.#state = null;
  }

  #tick(): void {
    if (this.#foreign || isEnded(this.#snapshot.state)) return;
    const r = this.resource();
    const text = JSON.stringify([r.state, r.progress, r.verification.rowsCompared]);
    if (text === this.#lastProgress) return;
    this.#lastProgress = text;
    this.#log.add("progress", {
      text: sentence(r),
      state: r.state,
      paused: r.paused,
      throttled: r.throttled,
      progress: r.progress,
      verification: r.verification,
    });
  }

  #tell(type: "state" | "done" | "failed" | "cancelled"): void {
    const r = this.resource();
    this.#log.add(type, { text: sentence(r), ...r });
    this.#wake();
  }

  #wake(): void {
    for (const wake of [...this.#waiters]) wake();
  }
}

function fresh(id: string): StoredFerry {
  return { id, fingerprint: "", spec: "", state: "preflight", snapshot: "", crossing: null, epoch: 0 };
}
