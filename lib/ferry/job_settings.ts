/**
 * What a job is given beside its spec.
 * @module
 */
import type { CallbackPolicy } from "../progress/callbacks.ts";
import type { FerryResource } from "../progress/resource.ts";
import type { LeaseSettings } from "./lease.ts";

/** What every ferry of a process shares. */
export interface JobSettings extends LeaseSettings {
  /** How callbacks are posted. */
  readonly callbacks: CallbackPolicy;
  /** Named connections, as far as the process has been told of any. */
  readonly connections: ReadonlyMap<string, string>;
}

/** What is known of a ferry before its state is opened. */
export interface KnownBefore {
  /** As it was recorded last: told until it is taken up. */
  readonly resource?: FerryResource;
  /** Parts of its throttle whose passwords nobody here knows, masked: they are left out. */
  readonly lost?: readonly string[];
}
