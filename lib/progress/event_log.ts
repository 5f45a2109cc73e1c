/**
 * A ferry's events: numbered once, stored, replayed to whoever asks from where.
 * @module
 */
import type { FerryEvent } from "./resource.ts";

/** Events kept in memory, and events that wait for their number, at most. */
export const KEPT = 1000;
/** Events read from the state at a time. */
const PAGE = 200;
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

/** An event that has no number yet. */
type Unnumbered = Omit<FerryEvent, "id">;

/** Whether a ferry ends with this event. */
export function endsStream(event: Unnumbered): boolean {
  return event.type === "done" || event.type === "failed" || event.type === "cancelled";
}

/** Reads stored events above `after`, the oldest first, as many as `limit`. */
export type OlderEvents = (after: number, limit: number, signal: AbortSignal) => Promise<FerryEvent[]>;

/**
 * Numbers events, stores them before they are shown, and shows them. Of `progress` only the latest is kept. A number is
 * given when it is known which ones other processes have given: before that, events wait, unless the ferry ends of them.
 */
export class EventLog {
  #kept: FerryEvent[] = [];
  /** The last event that memory holds no more. */
  #dropped = 0;
  #progress: FerryEvent | null = null;
  #nextId = 1;
  /** The last event that is stored, by whichever process. */
  #storedId = 0;
  /** What waits for its number; `null` once numbers are known. */
  #early: Unnumbered[] | null = [];
  /** What was shown under a number for the time being. */
  #passing: Unnumbered[] = [];
  #queue: FerryEvent[] = [];
  #unsaved: FerryEvent[] = [];
  #store: EventStore | null = null;
  #pumping: Promise<void> | null = null;
  #again: ReturnType<typeof setTimeout> | null = null;
  #over = false;
  #closed = false;
  #waiters = new Set<() => void>();

  /** Empty; `witness` sees what is added. */
  constructor(private readonly witness: EventWitness | null = null) {}

  /** What others have stored meanwhile, at most {@linkcode KEPT}, the last ones. `over`: the ferry has ended with it. */
  load(events: readonly FerryEvent[], over: boolean): void {
    this.#takeBack();
    // As many as there may be: others lie before them, in the state alone.
    if (events.length >= KEPT) {
      this.#kept = [];
      this.#dropped = events[0].id - 1;
    }
    for (const e of events) {
      this.#show(e);
      this.#storedId = e.id;
    }
    this.#nextId = this.#storedId + 1;
    this.#over = over;
    this.#wake();
  }

  /** Numbers are known: what others have stored was loaded. From now on events are stored here, and the ferry goes on. */
  attach(store: EventStore | null): void {
    this.#store = store;
    this.goOn();
    if (this.#early === null) return;
    this.#takeBack();
    const early = this.#early;
    this.#early = null;
    for (const event of early) this.#number(event);
  }

  /** Events are stored no more. */
  detach(): void {
    this.#store = null;
  }

  /** Another process gives the numbers from now on: what is not stored is not told, what comes waits for its number. */
  lose(): void {
    this.#store = null;
    this.#queue = [];
    this.#unsaved = [];
    this.#early ??= [];
  }

  /** What ended the ferry is not its end any more: readers wait for what comes behind it. */
  goOn(): void {
    this.#over = false;
  }

  /** Adds an event. */
  add(type: FerryEvent["type"], data: FerryEvent["data"]): void {
    if (this.#closed) return;
    const event = { type, data: { at: new Date().toISOString(), ...data } };
    if (endsStream(event)) this.#over = true;
    this.witness?.saw(type, data);
    if (this.#early === null) return this.#number(event);
    this.#early.push(event);
    if (this.#early.length > KEPT) this.#early.shift();
    if (!endsStream(event)) return;
    // The state cannot be read, and somebody has to be told so.
    this.#passing.push(...this.#early);
    for (const each of this.#early) this.#number(each);
    this.#early = [];
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

  /** The id of the last event that is stored. */
  get storedId(): number {
    return this.#storedId;
  }

  /** The last events but for `progress`, the oldest first. */
  last(count: number): readonly FerryEvent[] {
    return this.#kept.slice(-count);
  }

  /**
   * Events above `after`, then live ones, until the ferry's end. Those that memory holds no more are read by `older`,
   * whose failure is thrown; without it they are left out.
   */
  async *read(
    after: number,
    signal: AbortSignal,
    older: OlderEvents | null = null,
  ): AsyncGenerator<FerryEvent> {
    let at = after;
    for (;;) {
      // Whoever asks for what is behind a number that nothing has yet is not to miss what gets it, the end least of all.
      if (this.#early === null) at = Math.min(at, this.#nextId - 1);
      const dropped = this.#dropped;
      if (at < dropped && older !== null && !signal.aborted) {
        const page = (await older(at, PAGE, signal)).filter((e) => e.id <= dropped);
        for (const event of page) {
          if (signal.aborted) return;
          at = event.id;
          if (event.type !== "progress") yield event;
        }
        if (page.length < PAGE) at = dropped;
        continue;
      }
      const found = this.#kept.filter((e) => e.id > at);
      if (this.#progress !== null && this.#progress.id > at) found.push(this.#progress);
      found.sort((a, b) => a.id - b.id);
      for (const event of found) {
        if (signal.aborted) return;
        // A slow reader comes back to a list that has gone on: an older progress is not worth its time.
        if (event.type === "progress" && event !== this.#progress) continue;
        at = event.id;
        yield event;
        if (this.#over && endsStream(event) && event === this.#kept.at(-1)) return;
      }
      if (signal.aborted || this.#closed) return;
      if (found.length > 0) continue;
      if (this.#over && this.#pumping === null) return;
      await this.#news(signal);
    }
  }

  #number(event: Unnumbered): void {
    this.#queue.push({ id: this.#nextId++, ...event });
    this.#drive(() => this.#pump());
  }

  /** Numbers of ours under which nothing is stored are given anew: another process may have given them too. */
  #takeBack(): void {
    const stored = this.#storedId;
    this.#kept = this.#kept.filter((e) => e.id <= stored);
    if (this.#progress !== null && this.#progress.id > stored) this.#progress = null;
    this.#queue = [];
    this.#unsaved = [];
    this.#nextId = stored + 1;
    if (this.#early !== null) this.#early = [...this.#passing, ...this.#early];
    this.#passing = [];
  }

  #drive(work: () => Promise<void>): void {
    this.#pumping ??= work().finally(() => {
      this.#pumping = null;
      // Added after the last look, and before this turn.
      if (this.#queue.length > 0) this.#drive(() => this.#pump());
      this.#wake(); // a reader that has all of it ends when nothing more is on its way
    });
  }

  async #pump(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      this.#unsaved.push(...batch);
      if (await this.#save()) { for (const e of batch) this.#show(e); }
      this.#wake();
    }
  }

  /** `false`: these numbers belong to another process now, and nothing may be shown under them. */
  async #save(): Promise<boolean> {
    const store = this.#store;
    try {
      while (store !== null && this.#unsaved.length > 0) {
        const batch = this.#unsaved.slice(0, KEPT);
        await store.save(batch);
        this.#unsaved.splice(0, batch.length);
        this.#storedId = batch[batch.length - 1].id;
      }
    } catch (e) {
      if ((e as { code?: string }).code === "lease-lost") {
        this.lose();
        return false;
      }
      // The ferry's own work meets the same failure and decides; events are shown now and stored when it works again.
      this.#again ??= setTimeout(() => {
        this.#again = null;
        this.#drive(async () => void await this.#save());
      }, STORE_AGAIN_MS);
    }
    // Where nothing can be stored, memory has its bound.
    this.#unsaved.splice(0, this.#unsaved.length - KEPT);
    return true;
  }

  #show(event: FerryEvent): void {
    if (event.type === "progress") {
      this.#progress = event;
      return;
    }
    this.#kept.push(event);
    if (this.#kept.length > KEPT) this.#dropped = this.#kept.shift()!.id;
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
