/**
 * What `/metrics` tells of one ferry. Labels are bounded: the ferries of a process that are shown, and words of our own.
 * Tables, hosts and texts are no labels.
 * @module
 */
import { STATES } from "../lib/ferry/ferry_state.ts";
import type { FerryResource, TableProgress, Verification } from "../lib/progress/resource.ts";
import { THROTTLE_KINDS, throttleKind } from "../lib/throttle/reading_names.ts";

/** One number of each ferry; a name that ends in `_total` counts up. A `null` is left out: an unknown number is not 0. */
interface FerryCount {
  readonly name: string;
  readonly help: string;
  readonly read: (ferry: FerryResource) => number | null;
}

/** One number for each of a few words. */
interface FerryChoice {
  readonly name: string;
  readonly help: string;
  readonly label: string;
  readonly read: (ferry: FerryResource) => Readonly<Record<string, number>>;
}

const TABLE_STATES: readonly TableProgress["state"][] = [
  "waiting",
  "copying",
  "copied",
  "indexing",
  "verifying",
  "verified",
  "differing",
];
const VERIFICATION_STATES: readonly Verification["state"][] = [
  "pending",
  "running",
  "passed",
  "failed",
  "off",
];

/** The numbers. */
export const FERRY_COUNTS: readonly FerryCount[] = [
  { name: "copied_rows_total", help: "Rows written by the copy", read: (f) => f.progress.rowsCopied },
  {
    name: "copied_bytes_total",
    help: "Bytes of rows written by the copy",
    read: (f) => f.progress.bytesCopied,
  },
  {
    name: "estimated_rows",
    help: "Rows that the source is thought to have",
    read: (f) => f.progress.rowsEstimated,
  },
  {
    name: "copied_rows_per_second",
    help: "Rows copied a second, over the last seconds",
    read: (f) => f.progress.rowsPerSecond,
  },
  {
    name: "changes_applied_total",
    help: "Row changes of the binlog that were written to the target",
    read: (f) => f.progress.changesApplied,
  },
  {
    name: "changes_pending",
    help: "Row changes collected and not yet written",
    read: (f) => f.progress.changesPending,
  },
  {
    name: "lag_seconds",
    help: "Age of the oldest change that is not on the target",
    read: (f) => f.progress.lagSeconds,
  },
  {
    name: "eta_seconds",
    help: "Time until the copy is through, at the present rate",
    read: (f) => f.progress.etaSeconds,
  },
  {
    name: "compared_rows_total",
    help: "Rows of the source compared by the verification",
    read: (f) => f.verification.rowsCompared,
  },
  {
    name: "differing_rows",
    help: "Rows found to differ by the verification, 100 at most",
    read: (f) => f.verification.differences.length,
  },
  { name: "paused", help: "1 while copying is held", read: (f) => f.paused ? 1 : 0 },
  { name: "resumed_total", help: "Times it was taken up again after a loss", read: (f) => f.resumedTimes },
  { name: "cutover_attempts_total", help: "Tries to cut over", read: (f) => f.cutover.attempts },
  {
    name: "writes_stopped_seconds",
    help: "Time that writes were stopped at the cutover",
    read: (f) => f.cutover.writesStoppedMs === null ? null : f.cutover.writesStoppedMs / 1000,
  },
  {
    name: "created_timestamp_seconds",
    help: "When it was created, in seconds since 1970",
    read: (f) => Date.parse(f.createdAt) / 1000,
  },
  {
    name: "ended_timestamp_seconds",
    help: "When it ended, in seconds since 1970; none before",
    read: (f) => f.endedAt === null ? null : Date.parse(f.endedAt) / 1000,
  },
];

/** The numbers by word. */
export const FERRY_CHOICES: readonly FerryChoice[] = [
  {
    name: "state",
    help: "1 for the state that the ferry is in, 0 for every other",
    label: "state",
    read: (f) => oneOf(STATES, f.state),
  },
  {
    name: "throttled",
    help: "1 for what copying waits for or is capped by, 0 for everything else that there could be",
    label: "reason",
    read: (f) => oneOf(THROTTLE_KINDS, f.throttled === null ? null : throttleKind(f.throttled.reason)),
  },
  {
    name: "verification",
    help: "1 for how the comparison of both sides stands, 0 for every other way",
    label: "result",
    read: (f) => oneOf(VERIFICATION_STATES, f.verification.state),
  },
  {
    name: "phase_seconds",
    help: "Time spent in a state, all visits together, the present one too",
    label: "state",
    read: phaseSeconds,
  },
  {
    name: "tables",
    help: "Tables by where they stand",
    label: "stand",
    read: (f) =>
      Object.fromEntries(
        TABLE_STATES.map((state) => [state, f.tables.filter((t) => t.state === state).length]),
      ),
  },
  {
    name: "error",
    help: "1 for the code of the error that ended it",
    label: "code",
    read: (f) => f.error === null ? {} : { [f.error.code]: 1 },
  },
];

function oneOf(words: readonly string[], word: string | null): Record<string, number> {
  return Object.fromEntries(words.map((each) => [each, each === word ? 1 : 0]));
}

function phaseSeconds(ferry: FerryResource): Record<string, number> {
  const seconds: Record<string, number> = {};
  for (const { state, startedAt, endedAt } of ferry.phases) {
    const until = endedAt === null ? Date.now() : Date.parse(endedAt);
    // The clock of another machine may have begun it.
    const spent = Math.max(0, until - Date.parse(startedAt)) / 1000;
    seconds[state] = (seconds[state] ?? 0) + spent;
  }
  return seconds;
}
