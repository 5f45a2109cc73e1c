/**
 * What the numbers that throttle are called, for people; and which kind of number a reason speaks of, for programs that
 * count reasons: a reason itself holds names, queries and numbers of all sorts.
 * @module
 */

/** The kinds of reasons. */
export const THROTTLE_KINDS = [
  "lag",
  "replica_lag",
  "threads_running",
  "history_list",
  "http",
  "check",
  "rows_per_second",
  "bytes_per_second",
] as const;

/** What a reason speaks of. */
export type ThrottleKind = typeof THROTTLE_KINDS[number];

/** Names by kind; a check has the name of its status variable or its query. */
export const READING_NAMES = {
  lag: () => "the ferry's own lag in seconds",
  replica_lag: (replica: string) => `the lag of replica ${replica} in seconds`,
  threads_running: (side: string) => `Threads_running of the ${side}`,
  history_list: () => "the history list of the source",
  http: (host: string) => `the answer of ${host}`,
  check: (text: string, side: string) => `${text} of the ${side}`,
  rows_per_second: () => "the cap on rows a second",
  bytes_per_second: () => "the cap on bytes a second",
} as const;

const BEGINNINGS: readonly [ThrottleKind, string][] = [
  ["lag", READING_NAMES.lag()],
  ["replica_lag", READING_NAMES.replica_lag("\0").split("\0")[0]],
  ["threads_running", READING_NAMES.threads_running("")],
  ["history_list", READING_NAMES.history_list()],
  ["http", READING_NAMES.http("")],
  ["rows_per_second", READING_NAMES.rows_per_second()],
  ["bytes_per_second", READING_NAMES.bytes_per_second()],
];

/** The kind of number that a reason of the throttle speaks of. */
export function throttleKind(reason: string): ThrottleKind {
  return BEGINNINGS.find(([, beginning]) => reason.startsWith(beginning))?.[0] ?? "check";
}

/** A cap lets a copy go on, and no faster; whatever else there is lets it wait. */
export function isCap(reason: string): boolean {
  return ["rows_per_second", "bytes_per_second"].includes(throttleKind(reason));
}
