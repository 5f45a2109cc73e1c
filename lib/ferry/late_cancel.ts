/**
 * A ferry that was cancelled while its target was away: what is not cancelled there goes on where it is taken up.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { getLogger } from "@logtape/logtape";
import { errorText } from "../errors.ts";
import { type FerryState, isEnded } from "./ferry_state.ts";
import type { Lease } from "./lease.ts";
import type { Telling } from "./telling.ts";

/** Milliseconds before the target is asked again. */
const AGAIN_MS = 2000;

/** Records the end when the target answers, or leaves it when `signal` aborts. The lease is not held. Never rejects. */
export async function recordLate(lease: Lease, telling: Telling, signal: AbortSignal): Promise<void> {
  const { id } = telling.resource();
  while (!signal.aborted) {
    try {
      await lease.open(signal);
      // Where nobody has begun it there is nothing to go on with; where another process has it, it goes on.
      if (!await lease.acquire()) return;
      if (isEnded((await lease.stored()).state as FerryState)) return;
      await telling.save();
      return await lease.dropOwnKeys();
    } catch (e) {
      getLogger(["chainferry", "ferry"]).warning("Cannot record that ferry {ferry} is cancelled: {reason}", {
        ferry: id,
        reason: errorText(e),
      });
    } finally {
      await lease.release();
    }
    await delay(AGAIN_MS, undefined, { signal }).catch(() => {});
  }
}
