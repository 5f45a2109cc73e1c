/**
 * Slows the copy and the comparison of one ferry down while the servers have enough to do, and says why. Replay goes on: a
 * ferry that falls behind has more to do later.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { FerryError } from "../errors.ts";
import type { ThrottleSettings } from "../spec/ferry_spec.ts";
import { Gauges, type Servers } from "./gauges.ts";
import { judgeReadings } from "./limits.ts";
import { Pacer } from "./pacer.ts";

/** Milliseconds between two looks. */
const LOOK_MS = 1000;
/** Milliseconds that a copy waits before it asks again. */
const WAIT_MS = 50;

/** What a throttle works with. */
export interface ThrottleOptions extends Servers {
  /** The settings of now, `null` without any. */
  readonly settings: () => ThrottleSettings | null;
  /** Seconds that replay is behind, or `null`. */
  readonly lagSeconds: () => number | null;
  /** A cutover is under way, from before its fence is raised until that is let go. */
  readonly cuttingOver: () => boolean;
  /** The reason has changed. */
  readonly onChange: (reason: string | null) => void;
}

/** The throttle of one attempt. */
export class Throttle {
  readonly #pacer = new Pacer(() => performance.now());
  #reason: string | null = null;

  /** Nothing is looked at before {@linkcode run}. */
  constructor(private readonly options: ThrottleOptions) {}

  /** Why copying and comparing wait, or `null`. */
  get reason(): string | null {
    return this.options.settings() === null ? null : this.#reason;
  }

  /**
   * Looks until `signal` aborts. Throws `throttle-critical` where a number is so high that the ferry has to end. Not while
   * it cuts over: nothing is copied then, whoever waits at its fence counts as running, and its deadline bounds it.
   */
  async run(signal: AbortSignal): Promise<never> {
    const { source, target, settings, lagSeconds, cuttingOver } = this.options;
    const gauges = new Gauges({ source, target });
    try {
      for (let cutting = false;; await delay(LOOK_MS, undefined, { signal })) {
        const before = cutting;
        cutting = cuttingOver();
        // Whoever has waited at the fence runs at once when it is let go: one look is left out behind it too.
        if (before || cutting) continue;
        const now = settings();
        const verdict = now === null
          ? { reason: null, critical: null }
          : judgeReadings(await gauges.read(now, lagSeconds(), signal));
        signal.throwIfAborted();
        if (cuttingOver()) continue;
        if (verdict.critical !== null) {
          throw new FerryError("throttle-critical", `Cannot go on: ${verdict.critical}`, {
            hint: "Retry when the server has less to do: the ferry goes on where it was",
          });
        }
        this.#set(verdict.reason);
      }
    } finally {
      await gauges.close();
    }
  }

  /** So much was copied. */
  copied(rows: number, bytes: number): void {
    // What nobody has capped when it was copied is owed to no cap.
    if (this.options.settings() !== null) this.#pacer.take(rows, bytes);
  }

  /** Resolves when a chunk may be read. */
  async allowed(signal: AbortSignal): Promise<void> {
    for (;;) {
      const settings = this.options.settings();
      if (settings === null) {
        this.#pacer.wait({ rows: null, bytes: null });
        return;
      }
      const pause = this.#pacer.wait({ rows: settings.maxRowsPerSecond, bytes: settings.maxBytesPerSecond });
      if (this.reason === null && pause === 0) return;
      await delay(Math.max(WAIT_MS, Math.min(pause, LOOK_MS)), undefined, { signal });
    }
  }

  #set(reason: string | null): void {
    // The number changes all the time; what it is about does not.
    const same = reason?.split(" is ")[0] === this.#reason?.split(" is ")[0];
    this.#reason = reason;
    if (!same) this.options.onChange(reason);
  }
}
