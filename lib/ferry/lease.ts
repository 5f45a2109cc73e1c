/**
 * A ferry's lease as this process holds it: taken, renewed, written under, given up. One session on the target for it,
 * one for events.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { FerryError } from "../errors.ts";
import { Session } from "../mysql/session.ts";
import type { FerryEvent, FerryResource } from "../progress/resource.ts";
import { parseConnectionUrl } from "../spec/connection_url.ts";
import { specFingerprint, storedSpec } from "../spec/fingerprint.ts";
import type { FerrySpec } from "../spec/ferry_spec.ts";
import { FerryStore, type StoredFerry } from "../state/ferry_store.ts";
import type { Ownership } from "../state/ownership.ts";
import { dropOwnKeys } from "../state/own_keys.ts";
import { migrateState } from "../state/schema_sql.ts";

/** Milliseconds between two snapshots in the state. */
const SNAPSHOT_MS = 2000;

/** How leases are held. */
export interface LeaseSettings {
  /** State schema on every target. */
  readonly stateSchema: string;
  /** Seconds that a lease lasts. */
  readonly leaseSeconds: number;
  /** This process. */
  readonly owner: string;
}

/** The lease of one ferry. */
export class Lease {
  /** Where it is written. */
  readonly store: FerryStore;
  #session: Session | null = null;
  /** Events are stored in transactions, which nothing else may fall into. */
  #events: Session | null = null;
  #own: Ownership | null = null;
  #elsewhere = false;

  /** Nothing is connected before {@linkcode open}. */
  constructor(private readonly spec: FerrySpec, private readonly settings: LeaseSettings) {
    this.store = new FerryStore(settings.stateSchema);
  }

  /** Under which epoch this process writes; `null` before it did, and after the lease was lost. It outlives {@linkcode release}. */
  get own(): Ownership | null {
    return this.#own;
  }

  /** Another process has the ferry. */
  get elsewhere(): boolean {
    return this.#elsewhere;
  }

  /** The session that state is written on. Throws `target-connection-lost` where there is none that works. */
  get session(): Session {
    if (this.#session === null || !this.#session.usable) {
      throw new FerryError(
        "target-connection-lost",
        `Cannot record the state of ferry "${this.spec.id}": the target is away`,
        { retryable: true },
      );
    }
    return this.#session;
  }

  /** Connects, and makes the state schema where it is missing. `signal` cuts the connection. */
  async open(signal?: AbortSignal): Promise<void> {
    await this.#session?.close();
    this.#session = null;
    let session: Session | null = null;
    try {
      session = await Session.open(parseConnectionUrl(this.spec.target), {
        side: "target",
        ...(signal === undefined ? {} : { signal }),
      });
      await migrateState(session, this.settings.stateSchema);
      this.#session = session;
    } catch (e) {
      session?.destroy();
      throw e;
    }
  }

  /** Makes the ferry's rows where there are none. */
  async create(snapshot: FerryResource): Promise<void> {
    await this.store.create(this.session, {
      id: this.spec.id,
      fingerprint: await specFingerprint(this.spec),
      spec: storedSpec(this.spec),
      snapshot: JSON.stringify(snapshot),
    });
  }

  /** What is stored of the ferry. Throws `spec-differs` where it was started with another spec. */
  async stored(): Promise<StoredFerry> {
    const stored = (await this.store.find(this.session, this.spec.id))!;
    if (stored.fingerprint === await specFingerprint(this.spec)) return stored;
    throw new FerryError(
      "spec-differs",
      `Cannot start ferry "${this.spec.id}": it was started with another spec`,
      { hint: "Choose another id, or post the spec it was started with" },
    );
  }

  /** Takes the lease. `false` where another process is alive that has it. */
  async acquire(): Promise<boolean> {
    const { owner, leaseSeconds } = this.settings;
    const own = await this.store.acquire(this.session, this.spec.id, owner, leaseSeconds);
    if (own === null) return false;
    this.#own = own;
    this.#elsewhere = false;
    return true;
  }

  /** Another process has it, and this one watches until it may have it. */
  watch(): void {
    this.#elsewhere = true;
  }

  /** Takes it from the beginning again, as if this process had never had it. */
  forget(): void {
    this.#own = null;
  }

  /** It is another process's now. */
  lost(): void {
    this.#own = null;
    this.#elsewhere = true;
  }

  /** Runs `work` while the lease is renewed and snapshots are kept. `work` is aborted when the lease is lost. */
  async keep(
    snapshot: () => FerryResource,
    work: (signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const inner = new AbortController();
    const both = AbortSignal.any([signal, inner.signal]);
    const renewing = this.#renew(snapshot, both).catch((e) => inner.abort(e));
    try {
      await work(both);
    } catch (e) {
      if (inner.signal.aborted && !signal.aborted && inner.signal.reason?.code === "lease-lost") {
        throw inner.signal.reason;
      }
      throw e;
    } finally {
      inner.abort(new FerryError("stopped", "Cannot go on: the attempt was ended"));
      await renewing;
    }
  }

  /** Writes state and snapshot. Nothing is written before the lease was taken once. */
  async save(snapshot: FerryResource): Promise<void> {
    if (this.#own === null) return;
    await this.store.saveSnapshot(this.session, this.#own, snapshot.state, JSON.stringify(snapshot));
  }

  /** Writes what was changed of the settings. Needs the lease. */
  async saveSettings(changed: string): Promise<void> {
    await this.store.saveSettings(this.session, this.#own!, changed);
  }

  /** What was changed of the settings, by whichever process; `null` where nothing was. */
  storedSettings(): Promise<string | null> {
    return this.store.settings(this.session, this.spec.id);
  }

  /** Writes events under the lease as it is when this is called, one call after the other. */
  eventSaver(): (events: readonly FerryEvent[]) => Promise<void> {
    const own = this.#own!;
    return async (events) => {
      if (this.#events?.usable !== true) {
        this.#events?.destroy();
        this.#events = await Session.open(parseConnectionUrl(this.spec.target), { side: "target" });
      }
      await this.store.saveEvents(this.#events, own, events);
    };
  }

  /** The last events that any process has stored above `after`, at most `limit`. */
  lastEvents(after: number, limit: number): Promise<FerryEvent[]> {
    return this.store.events(this.session, this.spec.id, "last", after, limit);
  }

  /** Stored events above `after`, at most `limit`. In a session of its own: an ended ferry has none open. */
  async eventsAfter(after: number, limit: number, signal: AbortSignal): Promise<FerryEvent[]> {
    const session = await Session.open(parseConnectionUrl(this.spec.target), { side: "target", signal });
    try {
      return await this.store.events(session, this.spec.id, "first", after, limit);
    } finally {
      session.destroy();
    }
  }

  /** Cuts its connections, and fails what they wait for. The lease runs out by itself. */
  cut(): void {
    this.#session?.destroy();
    this.#events?.destroy();
  }

  /** Gives the lease up and closes its sessions. No event is being stored, and none will be. */
  async release(): Promise<void> {
    await this.#events?.close();
    this.#events = null;
    if (this.#session !== null && this.#own !== null && this.#session.usable) {
      await this.store.release(this.#session, this.#own).catch(() => {});
    }
    await this.#session?.close();
    this.#session = null;
  }

  /** The end is recorded: whose rows are whose matters no more. What cannot be dropped now, the next merging ferry drops. */
  async dropOwnKeys(): Promise<void> {
    if (this.spec.existingRows !== "merge" || this.#session === null || !this.#session.usable) return;
    await dropOwnKeys(this.#session, this.settings.stateSchema, this.spec.id).catch(() => {});
  }

  async #renew(snapshot: () => FerryResource, signal: AbortSignal): Promise<void> {
    const { leaseSeconds } = this.settings;
    const every = leaseSeconds * 1000 / 3;
    let renewed = performance.now();
    const session = await Session.open(parseConnectionUrl(this.spec.target), { side: "target", signal });
    try {
      for (let saved = 0;;) {
        await delay(Math.min(every, SNAPSHOT_MS), undefined, { signal });
        if (performance.now() - renewed > every) {
          await this.store.renew(session, this.#own!, leaseSeconds);
          renewed = performance.now();
        }
        if (performance.now() - saved > SNAPSHOT_MS) {
          const now = snapshot();
          await this.store.saveSnapshot(session, this.#own!, now.state, JSON.stringify(now));
          saved = performance.now();
        }
      }
    } finally {
      session.destroy();
    }
  }
}
