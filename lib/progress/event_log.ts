/**
 * A ferry's events: numbered once, stored, replayed to whoever asks from where.
 * @module
 */
import type { FerryEvent } from "./resource.ts";

/** Events kept in memory; older ones are read from the state. */
const KEPT = 1000;
/** Milliseconds before a failed store is tried again. */
const STORE_AGAIN_MS = 1000;

/** Where events survive the process. */
export interface EventStore {
  /** Stores events; throws when it cannot. */
  save(events: readonly FerryEvent[]): Promise<void>;
}

/** Sees each event of this process when it is added: not those that another process told before. */
export interface EventWitness {
  /** It was added; it may not be stored yet. */
  saw(type: FerryEvent["type"], data: FerryEvent["data"]): void;
  /** No more is coming. */
  left(): void;
}

/** Whether this event ends a stream. */
export function endsStream(event: FerryEvent): boolean {
  return event.type === "done" || event.type === "failed" || event.type === "cancelled";
}

/** Numbers events, stores them before they are shown, and shows them. Of `progress` only the latest is kept. */
export class EventLog {
  #kept: FerryEvent[] = [];
  #progress: FerryEvent | null = null;
  #nextId = 1;
  #queue: FerryEvent[] = [];
  #unsaved: FerryEvent[] = [];
  #store: EventStore | null = null;
  #pumping: Promise<void> | null = null;
  #again: ReturnType<typeof setTimeout> | null = null;
  #closed = false;
  #waiters = new Set<() => void>();

  /** Empty; `witness` sees what is added. */
  constructor(private readonly witness: EventWitness | null = null) {}

  /** Goes on behind what was stored earlier. */
  load(events: readonly FerryEvent[]): void {
    for (const e of events) this.#show(e);
    const last = events[events.length - 1];
    if (last !== undefined && last.id >= this.#nextId) this.#nextId = last.id + 1;
  }

  /** From now on events are stored here; `null`: nowhere. */
  attach(store: EventStore | null): void {
    this.#store = store;
  }

  /** Adds an event. */
  add(type: FerryEvent["type"], data: FerryEvent["data"]): void {
    if (this.#closed) return;
    this.#queue.push({ id: this.#nextId++, type, data });
    this.witness?.saw(type, data);
    this.#pumping ??= this.#pump().finally(() => this.#pumping = null);
  }

  /** Resolves when everything added is shown, and stored where that is possible. */
  async settled(): Promise<void> {
    while (this.#pumping !== null) await this.#pumping;
  }

  /** Ends every reader. */
  async close(): Promise<void> {
    await this.settled();
    this.#closed = true;
    this.witness?.left();
    if (this.#again !== null) clearTimeout(this.#again);
    this.#wake();
  }

  /** The id of the last event that was shown. */
  get lastId(): number {
    return Math.max(this.#kept.at(-1)?.id ?? 0, this.#progress?.id ?? 0);
  }

  /** Events above `after`, then live ones, until one ends the stream. */
  async *read(after: number, signal: AbortSignal): AsyncGenerator<FerryEvent> {
    let at = after;
    for (;;) {
      const found = this.#kept.filter((e) => e.id > at);
      if (this.#progress !== null && this.#progress.id > at) found.push(this.#progress);
      found.sort((a, b) => a.id - b.id);
      for (const event of found) {
        if (signal.aborted) return;
        // A slow reader comes back to a list that has gone on: an older progress is not worth its time.
        if (event.type === "progress" && event !== this.#progress) continue;
        at = event.id;
        yield event;
        if (endsStream(event) && event === this.#kept.at(-1)) return;
      }
      if (signal.aborted || this.#closed) return;
      if (found.length > 0) continue;
      const last = this.#kept.at(-1);
      if (last !== undefined && endsStream(last) && this.#pumping === null) return;
      await this.#news(signal);
    }
  }

  async #pump(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      this.#unsaved.push(...batch);
      await this.#save();
      for (const e of batch) this.#show(e);
      this.#wake();
    }
  }

  async #save(): Promise<void> {
    const store = this.#store;
    if (store === null || this.#unsaved.length === 0) return;
    const batch = this.#unsaved.slice(-KEPT);
    try {
      await store.save(batch);
      this.#unsaved = [];
    } catch {
      // The ferry's own work meets the same failure and decides; events are shown now and stored when it works again.
      this.#again ??= setTimeout(() => {
        this.#again = null;
        this.#pumping ??= this.#save().finally(() => this.#pumping = null);
      }, STORE_AGAIN_MS);
    }
  }

  #show(event: FerryEvent): void {
    if (event.id >= this.#nextId) this.#nextId = event.id + 1;
    if (event.type === "progress") {
      this.#progress = event;
      return;
    }
    this.#kept.push(event);
    if (this.#kept.length > KEPT) this.#kept.shift();
  }

  #news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#waiters.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.#waiters.add(done);
      signal.addEventListener("abort", done, { once: true });
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiters]) wake();
  }
}
