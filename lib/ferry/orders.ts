/**
 * What people ask of a ferry, and how a crossing hears it.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { FerryError } from "../errors.ts";
import type { CopySettings, FerrySpec, SpecChange, ThrottleSettings } from "../spec/ferry_spec.ts";
import { joinChanges, readStoredChange, storedChange } from "../spec/kept_settings.ts";
import { allowedActions, type FerryAction, type Hold, holdsReplay, isEnded } from "./ferry_state.ts";
import type { Lease } from "./lease.ts";
import { copyText, throttleText } from "./settings_text.ts";
import type { Telling } from "./telling.ts";

/** Milliseconds between two looks whether something is still held. */
const LOOK_MS = 50;

/** What may be ordered while a ferry waits for its cutover. */
export type Order = "cutover" | "verify";

/** The orders of one ferry. */
export class Orders {
  /** What was changed of the spec's settings. */
  #changed: SpecChange = {};
  /** What was changed before {@linkcode recall}, and is not recorded yet; `null` once changes are recorded as they come. */
  #early: SpecChange | null = {};
  /** One change after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #closing = false;
  #asked: Order | null = null;
  /** What was taken last and has not moved the state yet. */
  #begun: Order | null = null;
  #heard: (() => void) | null = null;

  /**
   * As the spec has it, until somebody asks for something else. `connections` are named ones that a change may name; `lost`
   * is what the spec's own throttle is without.
   */
  constructor(
    private readonly spec: FerrySpec,
    private readonly telling: Telling,
    private readonly lease: Lease,
    private readonly named: {
      readonly connections: ReadonlyMap<string, string>;
      readonly lost: readonly string[];
    },
  ) {}

  /** The copy settings of now. */
  get copy(): CopySettings {
    return { ...this.spec.copy, ...this.#changed.copy };
  }

  /** The throttle of now, or `null`. */
  get throttle(): ThrottleSettings | null {
    const { throttle = this.spec.throttle } = this.#changed;
    return throttle;
  }

  /** Throws `action-not-allowed` where the state does not allow it, `ferry-owned-elsewhere` where another process has it. */
  assertAllowed(action: FerryAction): void {
    const { id, actions, state, paused } = this.telling.resource();
    this.#assertHere(action);
    if (actions.includes(action)) return;
    if (allowedActions(state, paused).includes(action)) {
      throw passing(action, id, "it is being taken up again");
    }
    throw new FerryError(
      "action-not-allowed",
      `Cannot ${action} ferry "${id}": it is in state "${state}"`,
      {
        hint: actions.length === 0 ? "Nothing can be asked of it now" : `Now it takes: ${actions.join(", ")}`,
      },
    );
  }

  /**
   * Holds what is said from now on, whatever was held before; `null` lets everything go on. Recorded when this resolves.
   * What is held already is not told again. An order that nothing has come of yet is withdrawn.
   */
  async hold(what: Hold | null): Promise<void> {
    if (this.#asked !== null) this.telling.log(`Withdrawn, since the ferry is held: ${this.#asked}`);
    this.#asked = null;
    const same = this.telling.snapshot.hold === what;
    this.telling.snapshot.hold = what;
    if (this.#early !== null) this.telling.snapshot.holdIsNew = true;
    if (!same) this.telling.tell("state");
    await this.telling.save();
  }

  /** Hands an order that is allowed to the crossing. The same again asks for nothing more; another one has to wait for its end. */
  give(order: Order): void {
    const before = this.#asked ?? this.#begun;
    if (before === order) return;
    if (before !== null) throw passing(order, this.spec.id, `${before} was asked for before`);
    this.#asked = order;
    this.#heard?.();
  }

  /**
   * Changes settings while it runs; recorded when this resolves, for whichever process takes the ferry up. Throws
   * `action-not-allowed` when it has ended, `ferry-owned-elsewhere` where another process has it.
   */
  change(change: SpecChange): Promise<void> {
    return this.#inTurn(async () => {
      const { id, state } = this.telling.resource();
      if (isEnded(state)) {
        throw new FerryError("action-not-allowed", `Cannot change ferry "${id}": it is in state "${state}"`);
      }
      this.#assertHere("change");
      const changed = joinChanges(this.#changed, change);
      if (this.#early !== null) this.#early = joinChanges(this.#early, change);
      else await this.lease.saveSettings(storedChange(changed));
      this.#changed = changed;
      this.#tellSettings(change);
    });
  }

  /** The lease is yet to be taken: what is changed meanwhile is recorded by {@linkcode recall}. */
  awaitLease(): void {
    this.#early ??= {};
  }

  /** The lease is this process's now: takes up what was changed before, wherever that was. The last change wins. Once. */
  recall(): Promise<void> {
    return this.#inTurn(async () => {
      const early = this.#early;
      if (early === null) return;
      const stored = await this.lease.storedSettings();
      let { lost } = this.named;
      if (stored !== null) {
        const { spec, named: { connections } } = this;
        const read = readStoredChange(stored, {
          throttles: [spec.throttle, this.throttle],
          servers: [
            { url: spec.source, name: spec.sourceName },
            { url: spec.target, name: spec.targetName },
          ],
          connections,
        });
        this.#changed = joinChanges(read.change, early);
        this.#tellSettings(read.change);
        if (read.change.throttle !== undefined) ({ lost } = read);
      }
      if (early.throttle === undefined && lost.length > 0) {
        this.telling.log(
          `The throttle goes on without ${lost.join(", ")}: passwords are not stored; change it to add them`,
          "throttle-incomplete",
        );
      }
      if (Object.keys(early).length > 0) await this.lease.saveSettings(storedChange(this.#changed));
      if (this.telling.snapshot.holdIsNew) {
        this.telling.snapshot.holdIsNew = false;
        await this.telling.save();
      }
      this.#early = null;
    });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** Nothing new begins: the process shuts down. */
  close(): void {
    this.#closing = true;
  }

  /** The attempt is over, and with it what was asked of it. */
  drop(): void {
    this.#asked = this.#begun = null;
  }

  /** Nothing more is to be copied or compared now. */
  get copyHeld(): boolean {
    return this.telling.snapshot.hold !== null || this.#closing;
  }

  /** Resolves when rows may be copied or compared. */
  async copyAllowed(signal: AbortSignal): Promise<void> {
    while (this.copyHeld) await delay(LOOK_MS, undefined, { signal });
  }

  /** Resolves when changes may be replayed. */
  async replayAllowed(signal: AbortSignal): Promise<void> {
    const { snapshot } = this.telling;
    while (holdsReplay(snapshot.state, snapshot.hold)) await delay(LOOK_MS, undefined, { signal });
  }

  /** What a person has asked for and the crossing has not taken yet, or `null`. */
  get asked(): Order | null {
    return this.#asked;
  }

  /**
   * Takes what was asked for. Until the crossing waits for orders again, it is not asked for a second time: that would
   * outlive a cutover that is let go, and cut over unasked.
   */
  take(): Order | null {
    this.#begun = this.#asked;
    this.#asked = null;
    return this.#begun;
  }

  /** Resolves when something is asked for, or after `ms` milliseconds. */
  async heard(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#begun = null;
    if (this.#asked !== null) return;
    const rung = new AbortController();
    this.#heard = () => rung.abort();
    await delay(ms, undefined, { signal: AbortSignal.any([signal, rung.signal]) }).catch(() => {});
    this.#heard = null;
    signal.throwIfAborted();
  }

  #assertHere(what: string): void {
    const { id, state } = this.telling.resource();
    if (!this.lease.elsewhere || isEnded(state)) return;
    throw new FerryError("ferry-owned-elsewhere", `Cannot ${what} ferry "${id}": another process owns it`, {
      retryable: true,
    });
  }

  #tellSettings(change: SpecChange): void {
    if (change.copy !== undefined) this.telling.log(copyText(this.copy));
    if (change.throttle !== undefined) this.telling.log(throttleText(this.throttle));
  }
}

/** What is not allowed for a moment. */
function passing(action: FerryAction, id: string, why: string): FerryError {
  return new FerryError("action-not-allowed", `Cannot ${action} ferry "${id}": ${why}`, {
    retryable: true,
    hint: "Try again in a moment",
  });
}
