/**
 * Making a ferry this process's own: waiting for whoever has it, and going on from what they recorded.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { FerryError } from "../errors.ts";
import type { FerryResource } from "../progress/resource.ts";
import type { StoredFerry } from "../state/ferry_store.ts";
import { isEnded } from "./ferry_state.ts";
import type { Lease } from "./lease.ts";
import type { Telling } from "./telling.ts";

/** Milliseconds between two tries to have a ferry that another process has. */
const AGAIN_MS = 500;

/** In what way a ferry is taken up. */
export interface TakeUpOptions {
  /** Ends with `ferry-owned-elsewhere` instead of waiting for another owner. */
  readonly alone: boolean;
  /** A failed ferry is begun anew; otherwise one that has ended stays as it is. */
  readonly retrying: boolean;
}

/** Takes the open `lease`. `null`: the ferry has ended, and how is told. */
export async function takeUp(
  lease: Lease,
  telling: Telling,
  { alone, retrying }: TakeUpOptions,
  signal: AbortSignal,
): Promise<StoredFerry | null> {
  const { snapshot } = telling;
  await lease.create(telling.resource());
  for (;;) {
    const stored = await lease.stored();
    // What this process itself has recorded it knows. A `done` whose answer was lost does not count: the fence went with
    // it, so the ferry goes on with what was written since.
    if (stored.epoch > 0 && (lease.own === null || lease.elsewhere)) {
      const resource = JSON.parse(stored.snapshot) as FerryResource;
      await telling.follow(resource, retrying);
      // Posted again, an ended ferry is attached to as it is; only `retry` begins a failed one anew.
      if (isEnded(resource.state) && !retrying) return null;
    }
    const again = stored.epoch > 0 && lease.own === null;
    if (await lease.acquire()) {
      telling.attach();
      if (again) snapshot.resumedTimes++;
      snapshot.error = null;
      if (snapshot.state !== "preflight") await telling.move("preflight");
      else {
        await telling.save();
        if (retrying) telling.tell("state");
      }
      // What the former owner wrote last, now that it can write no more.
      return await lease.stored();
    }
    if (alone) {
      throw new FerryError(
        "ferry-owned-elsewhere",
        `Cannot run ferry "${stored.id}": another process owns it`,
        { hint: "Watch it there, or try again when that process has ended" },
      );
    }
    lease.watch();
    await delay(AGAIN_MS, undefined, { signal });
  }
}
