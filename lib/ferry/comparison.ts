/**
 * The comparison of both sides, and what it means for the road.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { FerryError } from "../errors.ts";
import type { Session } from "../mysql/session.ts";
import { counted } from "../progress/wording.ts";
import { Verifier } from "../verify/verifier.ts";
import type { Crossing } from "./crossing.ts";

/** Milliseconds between two looks whether comparing still has to wait. */
const LOOK_MS = 50;

/** One attempt's comparison. */
export class Comparison {
  #verifier: Verifier | null = null;
  #visible: Promise<void> = Promise.resolve();

  /** Nothing happens before {@linkcode full}. */
  constructor(private readonly crossing: Crossing) {}

  /** Compares both sides; `null` before it began, or with `verify: "off"`. */
  get verifier(): Verifier | null {
    return this.#verifier;
  }

  /** Everything, from the beginning; throws `verification-failed`. */
  async full(signal: AbortSignal): Promise<void> {
    const { crossing } = this;
    await this.close();
    const verifier = this.#verifier = new Verifier({
      tables: crossing.tables,
      openSession: (side) => crossing.open(side),
      replay: {
        watch: (table) => {
          const keys = new Set<string>();
          const { watchers } = crossing.tables[table];
          watchers.add(keys);
          return { keys, stop: () => watchers.delete(keys) };
        },
        caughtUp: (s) => this.#caughtUpVisibly(s),
      },
      allowed: (s) => this.#allowed(s),
    });
    await verifier.full(signal);
    await this.settle(signal);
  }

  /** Compares again what has changed since; throws `verification-failed`. */
  async settle(signal: AbortSignal): Promise<void> {
    await this.#verifier?.settle(signal);
    this.#assertEqual();
  }

  /** Behind the fence: what is left. Throws `verification-failed`. */
  async final(source: Session, target: Session, signal: AbortSignal): Promise<void> {
    await this.#verifier!.final(source, target, signal);
    this.#assertEqual();
  }

  /** Watches no more and closes its sessions. */
  async close(): Promise<void> {
    await this.#verifier?.close();
  }

  /** It reads both servers as copying does, and waits for what copying waits for; but not while a person waits for it. */
  async #allowed(signal: AbortSignal): Promise<void> {
    const { throttle, options: { orders } } = this.crossing;
    while (orders.asked === null && (orders.copyHeld || throttle.holds)) {
      await delay(LOOK_MS, undefined, { signal });
    }
  }

  #assertEqual(): void {
    const found = this.#verifier?.progress.differenceCount ?? 0;
    if (found === 0) return;
    throw new FerryError(
      "verification-failed",
      `Cannot cut over: ${counted(found, "row")} ${
        found === 1 ? "differs" : "differ"
      } between source and target`,
      {
        hint:
          "The first of them are listed under verification.differences; did anybody else write to the target?",
      },
    );
  }

  /**
   * Caught up, and everything that was delivered is visible to readers of the source: a comparison that began earlier
   * could find both sides equally old. One at a time, since it may open a snapshot on the shared session.
   */
  #caughtUpVisibly(signal: AbortSignal): Promise<void> {
    const { crossing } = this;
    const before = this.#visible;
    const now = (async () => {
      await before.catch(() => {});
      await crossing.caughtUp(signal);
      await crossing.replay!.readPoint.at(crossing.statusSession, signal, () => Promise.resolve());
    })();
    this.#visible = now;
    return now;
  }
}
