/**
 * What is to be reached, as ratios within one run on one machine that also runs both servers.
 * @module
 */
import type { Vendor } from "../tests/servers/mod.ts";

/** One goal. */
export interface Goal {
  /** What is measured, for people. */
  readonly name: string;
  /** At least (`>=`) or at most (`<=`). */
  readonly side: ">=" | "<=";
  /** The bound, by family. */
  readonly bound: (vendor: Vendor) => number;
  /** What the number counts. */
  readonly unit: "×" | "s" | "ms";
}

const goal = (
  name: string,
  side: Goal["side"],
  bound: number | Record<Vendor, number>,
  unit: Goal["unit"] = "×",
): Goal => ({ name, side, unit, bound: (vendor) => typeof bound === "number" ? bound : bound[vendor] });

/** Every goal, by what measures it. */
export const GOALS = {
  dump: goal("copy, narrow rows, against dump | client", ">=", { mysql: 3, mariadb: 3.5 }),
  mydumper: goal("copy, narrow rows, against mydumper + myloader", ">=", 1.2),
  floor: goal("copy, narrow rows, against the raw INSERT floor", ">=", 0.85),
  cpuNarrow: goal("ferry CPU, a million narrow rows", "<=", 0.6, "s"),
  cpuWide: goal("ferry CPU, a million rows of 29 columns", "<=", 1.5, "s"),
  uniform: goal("catch-up, uniform updates, against a single-threaded replica", ">=", 1.5),
  hot: goal("catch-up, hot keys, against a single-threaded replica", ">=", 5),
  latencyMiddle: goal("commit on the source to visible on the target, p50", "<=", 20, "ms"),
  latencyMost: goal("commit on the source to visible on the target, p99", "<=", 100, "ms"),
  stopped: goal("writes stopped at the cutover, p50", "<=", 300, "ms"),
  empty: goal("a ferry that copies nothing, POST to done", "<=", 500, "ms"),
  tenfold: goal("rows/s at ten times the rows", ">=", 0.9),
  memory: goal("peak memory at ten times the rows", "<=", 1.1),
} as const;

/** Name of a goal. */
export type GoalName = keyof typeof GOALS;

/** A goal and what was measured. */
export interface Reached {
  /** The family of servers. */
  readonly vendor: Vendor;
  /** Which goal. */
  readonly goal: GoalName;
  /** What was measured. */
  readonly value: number;
  /** Whether that is enough. */
  readonly reached: boolean;
}

/** Holds a measured value against its goal. */
export function judge(vendor: Vendor, name: GoalName, value: number): Reached {
  const { side, bound } = GOALS[name];
  const reached = side === ">=" ? value >= bound(vendor) : value <= bound(vendor);
  return { vendor, goal: name, value, reached };
}

/** One line of the table. */
export function goalLine({ vendor, goal: name, value, reached }: Reached): string {
  const { side, bound, unit } = GOALS[name];
  const digits = unit === "ms" ? 0 : 2;
  return [
    reached ? "reached " : "NOT YET ",
    vendor.padEnd(8),
    GOALS[name].name.padEnd(62),
    `${value.toFixed(digits)} ${unit}`.padStart(10),
    `${side === ">=" ? "at least" : "at most"} ${bound(vendor)} ${unit}`.padStart(18),
  ].join("");
}
