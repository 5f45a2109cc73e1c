/**
 * One ferry of this process: takes the lease, tries the crossing until it ends, tells everybody how it goes.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { getLogger } from "@logtape/logtape";
import { errorText, FerryError } from "../errors.ts";
import { preflight } from "../preflight/preflight.ts";
import type { FerryEvent, FerryResource, Finding } from "../progress/resource.ts";
import type { FerrySpec, SpecChange } from "../spec/ferry_spec.ts";
import type { StoredFerry } from "../state/ferry_store.ts";
import { keepTrying } from "./attempts.ts";
import { Crossing } from "./crossing.ts";
import type { CrossingMemory } from "./crossing_memory.ts";
import type { Ferry } from "./ferry.ts";
import { type FerryAction, type Hold, isEnded } from "./ferry_state.ts";
import type { JobSettings, KnownBefore } from "./job_settings.ts";
import { recordLate } from "./late_cancel.ts";
import { Lease } from "./lease.ts";
import { Orders } from "./orders.ts";
import { isAway, refusal } from "./refusal.ts";
import { takeUp } from "./take_up.ts";
import { Telling } from "./telling.ts";

/** Milliseconds between two `progress` events. */
const PROGRESS_MS = 500;
/** Milliseconds that writes in flight are waited for when the process shuts down. */
const DRAIN_MS = 3000;

/** Milliseconds that the target may take to store what is left to be stored, and to give up the lease. */
const LET_GO_MS = 5000;

/** A ferry under way. */
export class FerryJob implements Ferry {
  readonly #lease: Lease;
  readonly #telling: Telling;
  readonly #orders: Orders;
  #stop = new AbortController();
  #closing = false;
  #running: Promise<void>;
  #findings: readonly Finding[] | undefined;
  #retrying = false;
  /** It was cancelled, and its state does not say so yet. */
  #untold = false;
  #recording: Promise<void> = Promise.resolve();
  readonly #gone = new AbortController();
  /** The state could not be opened: nobody else can tell of the ferry either. */
  #unopened = false;
  #end = Promise.withResolvers<FerryResource>();

  /** Starts at once. `alone`: ends with `ferry-owned-elsewhere` instead of waiting for another owner. */
  constructor(
    readonly spec: FerrySpec,
    private readonly settings: JobSettings,
    private readonly alone = false,
    { resource, lost = [] }: KnownBefore = {},
  ) {
    this.#lease = new Lease(spec, settings);
    this.#telling = new Telling(spec, this.#lease, settings.callbacks);
    if (resource !== undefined) this.#telling.snapshot.restore(resource);
    this.#orders = new Orders(spec, this.#telling, this.#lease, { connections: settings.connections, lost });
    this.#running = this.#run();
  }

  get id(): string {
    return this.spec.id;
  }

  get ended(): Promise<FerryResource> {
    return this.#end.promise;
  }

  resource(): FerryResource {
    return this.#telling.resource();
  }

  events(after: number, signal: AbortSignal): AsyncIterable<FerryEvent> {
    return this.#telling.events(after, signal);
  }

  lastEvents(count: number): readonly FerryEvent[] {
    return this.#telling.lastEvents(count);
  }

  changed(signal: AbortSignal): Promise<void> {
    return this.#telling.changed(signal);
  }

  async act(action: FerryAction, hold: Hold = "copy"): Promise<void> {
    this.#orders.assertAllowed(action);
    switch (action) {
      case "pause":
        return await this.#orders.hold(hold);
      case "resume":
        return await this.#orders.hold(null);
      case "cutover":
      case "verify":
        return this.#orders.give(action);
      case "cancel":
        this.#stop.abort(
          new FerryError("cancelled", `Cannot go on with ferry "${this.id}": it was cancelled`),
        );
        return await this.#running;
      case "retry":
        await this.#running;
        this.#orders.assertAllowed(action); // somebody else may have asked meanwhile
        this.#end = Promise.withResolvers();
        this.#retrying = true;
        this.#running = this.#run();
    }
  }

  change(change: SpecChange): Promise<void> {
    return this.#orders.change(change);
  }

  /** Lets go of the ferry: commits what is in flight, gives up the lease, ends its streams. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#orders.close();
    // What is in flight may commit; nothing new begins. A target that stands still is not waited for.
    const patience = new AbortController();
    await Promise.race([
      this.#telling.snapshot.crossing?.drain(),
      delay(DRAIN_MS, undefined, { signal: patience.signal }),
    ]);
    patience.abort();
    this.#stop.abort(new FerryError("shutting-down", "Cannot go on: the process shuts down"));
    this.#gone.abort();
    await this.#running;
    await this.#recording;
    await this.#telling.snapshot.keptFence?.release();
    await this.#telling.close();
    this.#end.resolve(this.resource());
  }

  async #run(): Promise<void> {
    this.#stop = new AbortController();
    if (this.#closing) return;
    const { signal } = this.#stop;
    const telling = this.#telling;
    const ticking = setInterval(() => telling.tick(), PROGRESS_MS);
    try {
      if (this.#retrying) {
        telling.retry();
        this.#lease.forget();
      }
      await keepTrying({
        take: () => this.#take(signal),
        cross: (stored) => this.#lease.keep(() => this.resource(), (s) => this.#cross(stored, s), signal),
        work: () => {
          const { rowsCopied, changesApplied } = this.resource().progress;
          return rowsCopied + changesApplied;
        },
        tidy: async (e) => {
          const code = (e as { code?: string }).code ?? null;
          if (code === "lease-lost") this.#lost();
          else telling.log(`Trying again: ${errorText(e)}`, code);
          telling.snapshot.finish();
          await this.#letGo();
        },
      }, signal);
    } catch (e) {
      await this.#failed(e);
    } finally {
      clearInterval(ticking);
      await this.#letGo();
      if (this.#untold) this.#recording = recordLate(this.#lease, telling, this.#gone.signal);
      if (isEnded(telling.snapshot.state)) this.#end.resolve(this.resource());
    }
  }

  /** Makes the ferry ours. `null`: it has ended. */
  async #take(signal: AbortSignal): Promise<StoredFerry | null> {
    try {
      await this.#lease.open();
      this.#unopened = false;
    } catch (e) {
      signal.throwIfAborted();
      if (this.#lease.own !== null) throw e;
      this.#unopened = true;
      await this.#explain(e, signal);
    }
    const how = { alone: this.alone, retrying: this.#retrying };
    const ours = this.#lease.own !== null && !this.#lease.elsewhere;
    if (!ours) this.#orders.awaitLease();
    const stored = await takeUp(this.#lease, this.#telling, how, signal);
    if (stored === null) return null;
    this.#retrying = false;
    await this.#orders.recall();
    return stored;
  }

  /** The state cannot be opened: preflight knows what is wrong, and names all of it. */
  async #explain(e: unknown, signal: AbortSignal): Promise<never> {
    const { findings } = await preflight(this.spec, {
      stateSchema: this.settings.stateSchema,
      made: null,
      savedPosition: null,
      signal,
    });
    this.#refuse(findings);
    throw e;
  }

  /** Throws where a finding is an error. */
  #refuse(findings: readonly Finding[]): void {
    const underWay = this.#lease.own !== null && this.#telling.snapshot.crossing !== null;
    const error = refusal(this.id, findings, underWay);
    if (error === null) return;
    this.#findings = findings;
    throw error;
  }

  async #cross(stored: StoredFerry, signal: AbortSignal): Promise<void> {
    const { store, session } = this.#lease;
    const own = this.#lease.own!;
    const memory = stored.crossing === null ? null : JSON.parse(stored.crossing) as CrossingMemory;
    const { findings, plan } = await preflight(this.spec, {
      stateSchema: this.settings.stateSchema,
      made: memory === null ? null : new Set(memory.made),
      madeObjects: memory?.objects ?? [],
      savedPosition: await store.cursors.position(session, this.id),
      signal,
    });
    if (plan === null) {
      const errors = findings.filter((f) => f.level === "error");
      if (memory !== null && errors.every(isAway)) {
        throw new FerryError(errors[0].code, errors[0].detail, { retryable: true, hint: errors[0].hint });
      }
      this.#refuse(findings);
      throw new FerryError("preflight-refused", `Cannot start ferry "${this.id}": no plan`);
    }
    const telling = this.#telling;
    if (memory === null) {
      for (const f of findings) telling.log(`${f.subject}: ${f.detail}`, f.code);
    }
    const crossing = new Crossing({
      spec: this.spec,
      plan,
      store,
      own,
      stateSession: session,
      memory,
      logbook: telling,
      orders: this.#orders,
    });
    telling.snapshot.begin(crossing);
    try {
      await crossing.run(signal);
      await this.#lease.dropOwnKeys();
    } finally {
      telling.snapshot.keptFence = crossing.keptFence;
      telling.snapshot.finish();
    }
  }

  async #failed(e: unknown): Promise<void> {
    const code = e instanceof FerryError ? e.code : "";
    if (isEnded(this.#telling.snapshot.state)) {
      // Behind the recorded end: nothing of it is undone by what went wrong while tidying up, nor by a shutdown.
      getLogger(["chainferry", "ferry"]).debug("Behind its end: {reason}", {
        ferry: this.id,
        reason: errorText(e),
      });
      return;
    }
    if (code === "shutting-down") {
      this.#telling.log("This process lets go of the ferry; it goes on where it is taken up");
      return;
    }
    const findings = this.#findings;
    this.#findings = undefined;
    if (this.#unopened) this.#telling.call();
    const end = code === "cancelled" ? "cancelled" : "failed";
    const recorded = await this.#telling.end(end, e, findings);
    // One that has failed because the target is away is tried anew where it is taken up.
    this.#untold = end === "cancelled" && !recorded;
  }

  /** Another process has it: from now on this one follows, and goes on where that one stops. */
  #lost(): void {
    this.#lease.lost();
    this.#telling.lost();
  }

  /** Stores what is still to be stored, gives up the lease, closes the state. */
  async #letGo(): Promise<void> {
    this.#orders.drop();
    const silent = setTimeout(() => this.#lease.cut(), LET_GO_MS);
    await this.#telling.save().catch(() => {});
    await this.#telling.settled();
    this.#telling.detach();
    await this.#lease.release();
    clearTimeout(silent);
  }
}
