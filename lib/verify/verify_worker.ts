/**
 * A pair of sessions, one a side, that compares one range at a time.
 * @module
 */
import type { Session } from "../mysql/session.ts";
import type { BothSides } from "./range_compare.ts";
import { TableReads, type VerifiedTable } from "./table_reads.ts";

/** Tables a pair of sessions may have statements for: a server allows some 16,000 over all its sessions. */
const TABLES = 50;

/** Opens its sessions when they are needed, and anew when they were lost. */
export class VerifyWorker {
  #sessions: { source: Session; target: Session } | null = null;
  readonly #sides = new Map<VerifiedTable, BothSides>();

  /** `open` gives a data session. */
  constructor(private readonly open: (side: "source" | "target") => Promise<Session>) {}

  /** The reads of a table on both sides. Whoever aborts `signal` calls {@link destroy} too. */
  async sides(t: VerifiedTable, signal: AbortSignal): Promise<BothSides> {
    const known = this.#sides.get(t);
    if (known !== undefined && this.#usable) return known;
    if (!this.#usable || this.#sides.size >= TABLES) await this.close();
    if (this.#sessions === null) {
      this.#sessions = await this.#connect(signal);
      // A locking read (the last try of a re-check) must not wait long.
      await this.#sessions.source.run("SET SESSION innodb_lock_wait_timeout=5");
    }
    const { source, target } = this.#sessions;
    const sides = {
      source: await TableReads.open(source, t, "source"),
      target: await TableReads.open(target, t, "target"),
    };
    this.#sides.set(t, sides);
    return sides;
  }

  get #usable(): boolean {
    return this.#sessions !== null && this.#sessions.source.usable && this.#sessions.target.usable;
  }

  async #connect(signal: AbortSignal): Promise<{ source: Session; target: Session }> {
    signal.throwIfAborted();
    const opened = await Promise.allSettled([this.open("source"), this.open("target")]);
    const [source, target] = opened;
    if (source.status === "fulfilled" && target.status === "fulfilled" && !signal.aborted) {
      return { source: source.value, target: target.value };
    }
    for (const one of opened) if (one.status === "fulfilled") one.value.destroy();
    for (const one of opened) if (one.status === "rejected") throw one.reason;
    throw signal.reason;
  }

  /** Closes at once; what is under way fails. */
  destroy(): void {
    this.#sessions?.source.destroy();
    this.#sessions?.target.destroy();
    this.#forget();
  }

  /** Closes in order. The worker may be used again. */
  async close(): Promise<void> {
    const sessions = this.#sessions;
    this.#forget();
    if (sessions !== null) await Promise.all([sessions.source.close(), sessions.target.close()]);
  }

  #forget(): void {
    this.#sessions = null;
    this.#sides.clear();
  }
}
