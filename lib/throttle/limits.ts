/**
 * What of a server's numbers slows a copy down, and what ends it. Rules only; numbers come from `gauges.ts`.
 * @module
 */

/** Decimals beyond which a number is written as it is. */
const MOST_DIGITS = 15;

/** One number that was read, and what it may be at most. */
export interface Reading {
  /** What it is, for people: `Threads_running of the source`. */
  readonly name: string;
  /** The number, or why there is none. */
  readonly value: number | { readonly unknown: string };
  /** Above it copying waits. */
  readonly max: number;
  /** Above it the ferry ends; `null` never. */
  readonly critical: number | null;
}

/** What follows from all readings. */
export interface Verdict {
  /** The name of what copying waits for, or `null`. */
  readonly name: string | null;
  /** Why copying waits, or `null`. */
  readonly reason: string | null;
  /** Why the ferry has to end, or `null`. */
  readonly critical: string | null;
}

/** What the readings mean. What cannot be read counts as too much: nobody knows what the copy does there. */
export function judgeReadings(readings: readonly Reading[]): Verdict {
  let first: Omit<Verdict, "critical"> = { name: null, reason: null };
  const found = (name: string, reason: string) => first = first.name === null ? { name, reason } : first;
  for (const { name, value, max, critical } of readings) {
    if (typeof value !== "number") {
      found(name, `${name} cannot be read: ${value.unknown}`);
      continue;
    }
    if (critical !== null && value > critical) {
      const is = `${name} is ${shown(value, critical)}`;
      return { name, reason: is, critical: `${is}, above ${critical}` };
    }
    if (value > max) found(name, `${name} is ${shown(value, max)}, above ${max}`);
  }
  return { ...first, critical: null };
}

/** A number with one decimal, or with as many as it takes to be above its bound in writing too. */
function shown(value: number, bound: number): string {
  for (let digits = Number.isInteger(value) ? 0 : 1; digits <= MOST_DIGITS; digits++) {
    const text = value.toFixed(digits);
    if (Number(text) > bound) return text;
  }
  return String(value);
}
