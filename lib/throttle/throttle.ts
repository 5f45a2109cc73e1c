/**
 * Slows the copy and the comparison of one ferry down while the servers have enough to do, and says why. Replay goes on: a
 * ferry that falls behind has more to do later.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { FerryError } from "../errors.ts";
import type { FerryResource } from "../progress/resource.ts";
import type { ThrottleSettings } from "../spec/ferry_spec.ts";
import { Gauges, type Servers } from "./gauges.ts";
import { judgeReadings } from "./limits.ts";
import { type Pace, Pacer } from "./pacer.ts";
import { isCap, READING_NAMES } from "./reading_names.ts";

/** Milliseconds between two looks. */
const LOOK_MS = 1000;
/** Milliseconds that a copy waits before it asks again. */
const WAIT_MS = 50;
/** Milliseconds that a cap is the reason behind the last wait for it: chunks are waited for one by one. */
const CAP_MS = 5000;

/** What a throttle works with. */
export interface ThrottleOptions extends Servers {
  /** The settings of now, `null` without any. */
  readonly settings: () => ThrottleSettings | null;
  /** Seconds that replay is behind, or `null`. */
  readonly lagSeconds: () => number | null;
  /** A cutover is under way, from before its fence is raised until that is let go. */
  readonly cuttingOver: () => boolean;
  /** What it is about has changed. */
  readonly onChange: (reason: string | null) => void;
}

/** The throttle of one attempt. */
export class Throttle {
  readonly #pacer = new Pacer(() => performance.now());
  /** What copying and comparing wait for, as the last look found it. */
  #held: { readonly name: string | null; readonly reason: string | null } = NOTHING;
  /** The cap that copying waited for last, and when. */
  #capped: { readonly cap: keyof Pace; readonly at: number } | null = null;
  /** What was told last: the name of the number that the reason speaks of. */
  #told: string | null = null;

  /** Nothing is looked at before {@linkcode run}. */
  constructor(private readonly options: ThrottleOptions) {}

  /** Why copying waits, or is not as fast as it could be, or `null`. */
  get throttled(): FerryResource["throttled"] {
    const { name, reason } = this.#now();
    return name === null || reason === null ? null : { reason, name };
  }

  /** Copying and comparing wait, for as long as this is so. A cap lets both go on. */
  get holds(): boolean {
    return this.options.settings() !== null && this.#held.reason !== null;
  }

  /** The caps of now. */
  get pace(): Pace {
    const settings = this.options.settings();
    return { rows: settings?.maxRowsPerSecond ?? null, bytes: settings?.maxBytesPerSecond ?? null };
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
          ? { ...NOTHING, critical: null }
          : judgeReadings(await gauges.read(now, lagSeconds(), signal));
        signal.throwIfAborted();
        if (cuttingOver()) continue;
        if (verdict.critical !== null) {
          throw new FerryError("throttle-critical", `Cannot go on: ${verdict.critical}`, {
            hint: "Retry when the server has less to do: the ferry goes on where it was",
          });
        }
        this.#held = verdict;
        this.#tell();
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
      const { ms, cap } = this.#pacer.wait(this.pace);
      if (ms > 0) this.#capped = { cap, at: performance.now() };
      if (!this.holds && ms === 0) return;
      await delay(Math.max(WAIT_MS, Math.min(ms, LOOK_MS)), undefined, { signal });
    }
  }

  /** Everything is copied: nothing waits for a cap any more. */
  copyEnded(): void {
    this.#capped = null;
  }

  #now(): { readonly name: string | null; readonly reason: string | null } {
    if (this.holds) return this.#held;
    if (this.#capped === null || performance.now() - this.#capped.at > CAP_MS) return NOTHING;
    const { cap } = this.#capped;
    const name = READING_NAMES[`${cap}_per_second`]();
    const most = this.pace[cap];
    return most === null ? NOTHING : { name, reason: `${name} is ${most}` };
  }

  /** The number changes all the time; what it is about does not. A cap that is not reached for a while is no news. */
  #tell(): void {
    const { name, reason } = this.#now();
    if (name === this.#told || (name === null && isCap(this.#told!))) return;
    this.#told = name;
    this.options.onChange(reason);
  }
}

const NOTHING = { name: null, reason: null } as const;
