/**
 * What people ask of a ferry, and how a crossing hears it.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { FerryError } from "../errors.ts";
import { maskThrottle } from "../spec/fingerprint.ts";
import type { CopySettings, FerrySpec, SpecChange, ThrottleSettings } from "../spec/ferry_spec.ts";
import { type FerryAction, type Hold, holdsReplay, isEnded } from "./ferry_state.ts";
import type { Telling } from "./telling.ts";

/** Milliseconds between two looks whether something is still held. */
const LOOK_MS = 50;

/** What may be ordered while a ferry waits for its cutover. */
export type Order = "cutover" | "verify";

/** The orders of one ferry. */
export class Orders {
  #copy: CopySettings;
  #throttle: ThrottleSettings | null;
  #closing = false;
  /** What a person asked for, until the crossing takes it. */
  #wanted: Order | null = null;
  #take: (() => void) | null = null;

  /** As the spec has it, until somebody asks for something else. */
  constructor(spec: FerrySpec, private readonly telling: Telling) {
    this.#copy = spec.copy;
    this.#throttle = spec.throttle;
  }

  /** The copy settings of now. */
  get copy(): CopySettings {
    return this.#copy;
  }

  /** The throttle of now, or `null`. */
  get throttle(): ThrottleSettings | null {
    return this.#throttle;
  }

  /** Throws `action-not-allowed` where the state does not allow it, `ferry-owned-elsewhere` where another process has it. */
  assertAllowed(action: FerryAction, elsewhere: boolean): void {
    const { id, actions, state } = this.telling.resource();
    if (elsewhere && !isEnded(state)) {
      throw new FerryError(
        "ferry-owned-elsewhere",
        `Cannot ${action} ferry "${id}": another process owns it`,
        { retryable: true },
      );
    }
    if (actions.includes(action)) return;
    throw new FerryError(
      "action-not-allowed",
      `Cannot ${action} ferry "${id}": it is in state "${state}"`,
      {
        hint: actions.length === 0 ? "Nothing can be asked of it now" : `Now it takes: ${actions.join(", ")}`,
      },
    );
  }

  /** Holds what is said from now on; `null` lets everything go on. Recorded when this resolves. */
  async hold(what: Hold | null): Promise<void> {
    this.telling.snapshot.hold = what;
    this.telling.tell("state");
    await this.telling.save();
  }

  /** Hands an order to the crossing. */
  give(order: Order): void {
    if (this.telling.snapshot.crossing === null) {
      throw new FerryError(
        "action-not-allowed",
        `Cannot ${order} ferry "${this.telling.resource().id}": it is being taken up again`,
        { retryable: true, hint: "Try again in a moment" },
      );
    }
    this.#wanted = order;
    this.#take?.();
  }

  /** Changes settings while it runs. Throws `action-not-allowed` when it has ended. */
  change(change: SpecChange): void {
    const { telling } = this;
    const { id, state } = telling.resource();
    if (isEnded(state)) {
      throw new FerryError("action-not-allowed", `Cannot change ferry "${id}": it is in state "${state}"`);
    }
    if (change.copy !== undefined) {
      this.#copy = { ...this.#copy, ...change.copy };
      telling.log(`Copy settings are now: ${JSON.stringify(this.#copy)}`);
    }
    if (change.throttle !== undefined) {
      this.#throttle = change.throttle;
      telling.log(`The throttle is now: ${throttleText(change.throttle)}`);
    }
  }

  /** Nothing new begins: the process shuts down. */
  close(): void {
    this.#closing = true;
  }

  /** The attempt is over, and with it what was asked of it. */
  drop(): void {
    this.#take = null;
    this.#wanted = null;
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

  /** The next thing that a person asks for. */
  next(signal: AbortSignal): Promise<Order> {
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      this.#take = () => {
        const order = this.#wanted;
        if (order === null) return;
        this.drop();
        resolve(order);
      };
      // It may have been asked for since the state was told and before anybody waited here.
      this.#take();
    });
  }
}

/** Passwords masked; what is not asked for is left out. */
function throttleText(throttle: ThrottleSettings | null): string {
  const asked = Object.entries(maskThrottle(throttle) ?? {})
    .filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0));
  return asked.length === 0 ? "none" : JSON.stringify(Object.fromEntries(asked));
}
