/**
 * The keys of one table that changed since they were last found equal.
 * @module
 */
import type { ReplayView } from "./replay_view.ts";

/** What was dirty. */
export interface DirtyTake {
  /** So many keys that the whole table is to be compared. */
  readonly whole: boolean;
  /** The keys, as latin1 strings; empty with `whole`. */
  readonly keys: Set<string>;
}

/** Dirty keys of one table, bounded: past the limit they are forgotten, and the whole table is dirty. */
export class DirtyKeys {
  #watch: ReturnType<ReplayView["watch"]> | null = null;
  #kept = new Set<string>();
  #whole = false;

  /** Nothing is watched before {@link start}. */
  constructor(
    private readonly replay: Pick<ReplayView, "watch">,
    private readonly table: number,
    private readonly limit: number,
  ) {}

  /** The whole table is dirty. */
  get whole(): boolean {
    return this.#whole;
  }

  /** How many keys are dirty, without the whole table; keys that are known twice count twice. */
  get count(): number {
    return this.#kept.size + (this.#watch?.keys.size ?? 0);
  }

  /** From now on nothing is dirty, and every key delivered is. */
  start(): void {
    this.stop();
    this.#watch = this.replay.watch(this.table);
  }

  /** Hands over what is dirty and goes on watching, without a gap: what is delivered from now on is dirty anew. */
  take(): DirtyTake {
    this.trim();
    const old = this.#watch;
    this.#watch = this.replay.watch(this.table);
    const taken = { whole: this.#whole, keys: this.#kept };
    for (const key of old?.keys ?? []) taken.keys.add(key);
    old?.stop();
    this.#kept = new Set();
    this.#whole = false;
    return taken;
  }

  /** These are dirty still. */
  keep(keys: Iterable<string>): void {
    if (this.#whole) return;
    for (const key of keys) this.#kept.add(key);
    this.trim();
  }

  /** The whole table is dirty still. */
  keepWhole(): void {
    this.#forget();
    this.#whole = true;
  }

  /** Keeps the bound; to be called now and then. */
  trim(): void {
    if (this.count > this.limit) this.keepWhole();
  }

  /** Watches no more; nothing is dirty. */
  stop(): void {
    this.#forget();
    this.#whole = false;
  }

  #forget(): void {
    this.#watch?.stop();
    this.#watch = null;
    this.#kept = new Set();
  }
}
