/** A dock without servers: ferries that do what a test tells them. The seam is our own `Dock` and `Ferry`. */
import { FerryError } from "../../lib/errors.ts";
import type { Dock, Ferry, PreflightReport } from "../../lib/ferry/ferry.ts";
import {
  allowedActions,
  type FerryAction,
  type FerryState,
  type Hold,
  isEnded,
} from "../../lib/ferry/ferry_state.ts";
import type { FerryEvent, FerryResource, TableProgress } from "../../lib/progress/resource.ts";
import { maskUrl } from "../../lib/spec/connection_url.ts";
import type { FerrySpec, SpecChange } from "../../lib/spec/ferry_spec.ts";
import { specFingerprint } from "../../lib/spec/fingerprint.ts";

export const SECRET = "hunter2-unmistakable";
export const SPEC = {
  source: `mysql://app:${SECRET}@src.example:3307`,
  target: `mysql://app:${SECRET}@dst.example`,
  tables: ["shop.*"],
};

/** A snapshot with everything unknown. */
export function resourceOf(id: string, more: Partial<FerryResource> = {}): FerryResource {
  const state = more.state ?? "preflight";
  const paused = more.paused ?? false;
  return {
    id,
    state,
    paused,
    hold: paused ? "copy" : null,
    throttled: null,
    resumedTimes: 0,
    source: "mysql://app:***@src.example:3307",
    target: "mysql://app:***@dst.example:3306",
    tables: [],
    progress: {
      rowsCopied: 0,
      rowsEstimated: null,
      bytesCopied: 0,
      rowsPerSecond: null,
      changesApplied: 0,
      changesPending: null,
      lagSeconds: null,
      etaSeconds: null,
    },
    position: null,
    verification: { state: "pending", rowsCompared: 0, differences: [] },
    cutover: { attempts: 0, writesStoppedMs: null, position: null, fenceKept: false },
    phases: [],
    actions: allowedActions(state, paused),
    error: null,
    createdAt: "2026-11-22T10:00:00.000Z",
    updatedAt: "2026-11-22T10:00:00.000Z",
    endedAt: isEnded(state) ? "2026-11-22T10:05:00.000Z" : null,
    ...more,
  };
}

/** A table that is being copied. */
export function tableOf(more: Partial<TableProgress> = {}): TableProgress {
  return {
    source: "shop.a",
    target: "shop.a",
    state: "copying",
    rowsCopied: 1,
    rowsEstimated: 2,
    bytesCopied: 3,
    verified: null,
    strip: null,
    ...more,
  };
}

/** A ferry that goes where the test sends it. */
export class FakeFerry implements Ferry {
  readonly acted: FerryAction[] = [];
  readonly held: Hold[] = [];
  readonly changes: SpecChange[] = [];
  /** Thrown by whatever is asked of it. */
  failure: FerryError | null = null;
  readonly ended: Promise<FerryResource>;
  /** Event iterators that were begun and not yet given back. */
  open = 0;
  #events: FerryEvent[] = [];
  #resource: FerryResource;
  #wake: Set<() => void> = new Set();
  #closed = false;
  readonly #end = Promise.withResolvers<FerryResource>();

  constructor(readonly id: string, readonly fingerprint: string, more: Partial<FerryResource> = {}) {
    this.#resource = resourceOf(id, more);
    this.ended = this.#end.promise;
  }

  resource(): FerryResource {
    return this.#resource;
  }

  /** Goes to a state and says so; an end ends it. */
  go(state: FerryState, more: Partial<FerryResource> = {}): void {
    const { endedAt: _endedAt, ...before } = this.#resource;
    this.#resource = resourceOf(this.id, {
      ...before,
      actions: allowedActions(state, false),
      ...more,
      state,
    });
    const type = state === "done" || state === "failed" || state === "cancelled" ? state : "state";
    this.say(type, `Now ${state}`);
    if (type !== "state") this.#end.resolve(this.#resource);
  }

  say(type: FerryEvent["type"], text: string): void {
    this.#events.push({ id: this.#events.length + 1, type, data: { text } });
    this.#ring();
  }

  lastEvents(count: number): readonly FerryEvent[] {
    return this.#events.filter((e) => e.type !== "progress").slice(-count);
  }

  close(): void {
    this.#closed = true;
    this.#end.resolve(this.#resource);
    this.#ring();
  }

  async *events(after: number, signal: AbortSignal): AsyncGenerator<FerryEvent> {
    this.open++;
    try {
      let sent = after;
      while (!signal.aborted) {
        const next = this.#events.find((event) => event.id > sent);
        if (next) {
          sent = next.id;
          yield next;
        } else if (this.#closed || isEnded(this.#resource.state)) return;
        else await this.#ringing(signal);
      }
    } finally {
      this.open--;
    }
  }

  async changed(signal: AbortSignal): Promise<void> {
    // As the real one: whatever is told wakes, whether it changes the state or not.
    if (!signal.aborted) await this.#ringing(signal);
  }

  // deno-lint-ignore require-await
  async act(action: FerryAction, hold: Hold = "copy"): Promise<void> {
    if (this.failure) throw this.failure;
    if (!this.#resource.actions.includes(action)) {
      throw new FerryError(
        "action-not-allowed",
        `Cannot ${action} ferry "${this.id}": it is ${this.#resource.state}`,
      );
    }
    this.acted.push(action);
    if (action === "pause") this.held.push(hold);
    if (action === "cancel") this.go("cancelled");
    if (action === "cutover") this.go("cuttingOver");
  }

  // deno-lint-ignore require-await
  async change(change: SpecChange): Promise<void> {
    if (this.failure) throw this.failure;
    if (isEnded(this.#resource.state)) {
      throw new FerryError("action-not-allowed", `Cannot change ferry "${this.id}": it has ended`);
    }
    this.changes.push(change);
  }

  #ring(): void {
    for (const wake of [...this.#wake]) wake();
  }

  async #ringing(signal: AbortSignal): Promise<void> {
    const rung = Promise.withResolvers<void>();
    this.#wake.add(rung.resolve);
    signal.addEventListener("abort", () => rung.resolve(), { once: true });
    await rung.promise;
    this.#wake.delete(rung.resolve);
  }
}

/** A dock whose ferries stay where they are until told. */
export class FakeDock implements Dock {
  readonly ferries = new Map<string, FakeFerry>();
  readonly started: FerrySpec[] = [];
  readonly checked: FerrySpec[] = [];
  readonly tookUp: ReadonlyMap<string, string>[] = [];
  closed = false;
  report: PreflightReport = { ok: true, findings: [] };
  /** Thrown by the next `start`. */
  failure: Error | null = null;
  /** Called with each ferry that is started. */
  onStart: (ferry: FakeFerry) => void = () => {};

  async start(spec: FerrySpec): Promise<FakeFerry> {
    this.started.push(spec);
    if (this.failure) throw this.failure;
    const fingerprint = await specFingerprint(spec);
    const known = this.ferries.get(spec.id);
    if (known && known.fingerprint !== fingerprint) {
      throw new FerryError(
        "spec-differs",
        `Cannot attach to ferry "${spec.id}": it was started with another spec`,
      );
    }
    if (known) return known;
    const ferry = new FakeFerry(spec.id, fingerprint, {
      source: maskUrl(spec.source),
      target: maskUrl(spec.target),
    });
    this.ferries.set(spec.id, ferry);
    ferry.say("state", "Now preflight");
    this.onStart(ferry);
    return ferry;
  }

  // deno-lint-ignore require-await
  async check(spec: FerrySpec): Promise<PreflightReport> {
    this.checked.push(spec);
    if (this.failure) throw this.failure;
    return this.report;
  }

  find(id: string): FakeFerry | null {
    return this.ferries.get(id) ?? null;
  }

  list(): readonly FakeFerry[] {
    return [...this.ferries.values()].reverse();
  }

  // deno-lint-ignore require-await
  async takeUp(urls: ReadonlyMap<string, string>): Promise<readonly string[]> {
    this.tookUp.push(urls);
    return [];
  }

  // deno-lint-ignore require-await
  async close(): Promise<void> {
    this.closed = true;
    for (const ferry of this.ferries.values()) ferry.close();
  }
}
