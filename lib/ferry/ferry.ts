/**
 * What the outside holds of a ferry, and of the dock that all of a process's ferries lie in.
 * @module
 */
import type { FerryEvent, FerryResource, Finding } from "../progress/resource.ts";
import type { FerrySpec, SpecChange } from "../spec/ferry_spec.ts";
import type { FerryAction, Hold } from "./ferry_state.ts";

/** One ferry: watched, and asked to do things. */
export interface Ferry {
  /** Its id. */
  readonly id: string;
  /** The snapshot of now. */
  resource(): FerryResource;
  /**
   * Events with an id above `after`, stored ones first, then live ones; ends behind the last one (`done`, `failed`,
   * `cancelled`), or when `signal` aborts, or when the process shuts down. A slow reader gets the latest `progress` only.
   */
  events(after: number, signal: AbortSignal): AsyncIterable<FerryEvent>;
  /** The last events that were told but for `progress`, the oldest first, at most `count` of them. */
  lastEvents(count: number): readonly FerryEvent[];
  /**
   * Resolves when something is told that people wait for, or when `signal` aborts: a state, a hold, a throttle, or what
   * another process has recorded, be it the same as before. Whoever waits for one of them looks, and waits again.
   */
  changed(signal: AbortSignal): Promise<void>;
  /**
   * Asks for an action. `hold` is for `pause` alone: what it stops, by default `copy`, so that replay goes on. Throws
   * `action-not-allowed` where the state does not allow it.
   */
  act(action: FerryAction, hold?: Hold): Promise<void>;
  /**
   * Changes settings while it runs. They are recorded, without passwords, and hold in whichever process takes it up, until
   * the next change, whatever the spec says there. Throws `action-not-allowed` when it has ended, `ferry-owned-elsewhere`
   * where another process has it.
   */
  change(change: SpecChange): Promise<void>;
  /** Resolves when the ferry has ended: `done`, `failed` or `cancelled`, or was let go by this process. */
  readonly ended: Promise<FerryResource>;
}

/** The preflight's answer. */
export interface PreflightReport {
  /** No finding is an error. */
  readonly ok: boolean;
  /** Everything that was found, errors first. */
  readonly findings: readonly Finding[];
}

/** The ferries of one process. */
export interface Dock {
  /**
   * Starts a ferry, or attaches to the one with this id. Throws `spec-differs` where that id was started with another
   * spec. Returns at once; the ferry's own state tells how it goes on, also when the target cannot be reached.
   */
  start(spec: FerrySpec): Promise<Ferry>;
  /** Preflight only: nothing is started, nothing is written. */
  check(spec: FerrySpec, signal?: AbortSignal): Promise<PreflightReport>;
  /** The ferry with this id, or `null`. */
  find(id: string): Ferry | null;
  /** Every ferry known to this process, newest first. */
  list(): readonly Ferry[];
  /**
   * Looks at the state of each named connection and takes up what was left there. Returns the ids when each was looked at
   * once; those that did not answer are looked at again until they do, or the dock closes. The names hold from now on.
   */
  takeUp(urls: ReadonlyMap<string, string>): Promise<readonly string[]>;
  /** Stops taking work, commits what is in flight, gives up every lease, ends every event stream. */
  close(): Promise<void>;
}
