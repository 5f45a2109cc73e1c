/**
 * Which failures pass, and how often a ferry is tried from its saved state before it is given up.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import pRetry, { AbortError } from "p-retry";
import { errorNumber, FerryError } from "../errors.ts";
import type { StoredFerry } from "../state/ferry_store.ts";

/** Attempts in a row that may get nowhere. */
const RETRIES = 20;
/** Milliseconds before another attempt: the first one, and at most. One that got somewhere is followed by the first. */
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;

/** Errors that another attempt from the saved state may not meet again, by number: too many connections, and the like. */
const PASSING = new Set([1040, 1203, 1205, 1213, 1226, 1290, 1836, 3024]);

/** Whether another attempt from the saved state may not meet this error again. */
export function isPassing(e: unknown): boolean {
  if (e instanceof FerryError) return e.retryable;
  const number = errorNumber(e);
  return number !== null && PASSING.has(number);
}

/** What is tried. */
export interface Attempt {
  /** Makes the ferry ours; `null`: it has ended already. */
  take(): Promise<StoredFerry | null>;
  /** Goes the whole road from there. */
  cross(stored: StoredFerry): Promise<void>;
  /** Rows and changes done so far. */
  work(): number;
  /** It failed in passing: tells so, and tidies up for another attempt. */
  tidy(e: unknown): Promise<void>;
}

/** Tries until one attempt is through. Throws what is no use to try again, and what 20 in a row could not get over. */
export async function keepTrying(attempt: Attempt, signal: AbortSignal): Promise<void> {
  const once = async (): Promise<boolean> => {
    let reached = 0;
    try {
      const stored = await attempt.take();
      if (stored === null) return false;
      reached = attempt.work();
      await attempt.cross(stored);
      return false;
    } catch (e) {
      if (signal.aborted || !isPassing(e)) throw e;
      await attempt.tidy(e);
      if (attempt.work() <= reached) throw e;
      await delay(FIRST_WAIT_MS, undefined, { signal });
      return true;
    }
  };
  try {
    // Attempts that got somewhere begin the count anew.
    for (let somewhere = true; somewhere;) {
      somewhere = await pRetry(once, {
        retries: RETRIES,
        minTimeout: FIRST_WAIT_MS,
        maxTimeout: LONGEST_WAIT_MS,
        randomize: true,
        signal,
        shouldRetry: ({ error }) => isPassing(error),
      });
    }
  } catch (e) {
    throw signal.aborted ? signal.reason : e instanceof AbortError ? e.originalError : e;
  }
}
