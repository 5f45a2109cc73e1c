/**
 * Settings that changed while a ferry runs, in words. No URL is told, so no password is.
 * @module
 */
import { count, counted } from "../progress/wording.ts";
import type { CopySettings, ThrottleSettings } from "../spec/ferry_spec.ts";

/** What copying takes at most from now on. */
export function copyText({ concurrency, chunkBytes }: CopySettings): string {
  const ranges = concurrency === 1
    ? "one range at a time"
    : `up to ${count(concurrency)} ranges side by side`;
  return `Copying now takes ${ranges}, in chunks of about ${counted(chunkBytes, "byte")}`;
}

/** When copying waits from now on. */
export function throttleText(t: ThrottleSettings | null): string {
  const asked: (readonly [number | null, (n: number) => string])[] = t === null ? [] : [
    [t.maxLagSeconds, (n) => `while replay is more than ${number(n)} s behind`],
    [t.replicas.length, (n) => n === 1 ? "or the replica is" : `or one of the ${number(n)} replicas is`],
    [t.maxThreadsRunning, (n) => `while a server runs more than ${counted(n, "thread")}`],
    [t.maxHistoryListLength, (n) => `while the source's history list is longer than ${number(n)}`],
    [
      t.checks.length,
      (n) => n === 1 ? "while the check says so" : `while one of the ${number(n)} checks says so`,
    ],
    [t.http === null ? 0 : 1, () => "while the HTTP check says so"],
    [t.maxRowsPerSecond, (n) => `past ${counted(n, "row")} a second`],
    [t.maxBytesPerSecond, (n) => `past ${counted(n, "byte")} a second`],
  ];
  const told = asked.flatMap(([n, write]) => n === null || n === 0 ? [] : [write(n)]);
  const waits = told.length === 0 ? "Nothing slows copying down now" : `Copying now waits ${told.join(", ")}`;
  const critical = t?.criticalThreadsRunning ?? null;
  return critical === null
    ? waits
    : `${waits}; the ferry ends where a server runs more than ${counted(critical, "thread")}`;
}

function number(n: number): string {
  return n.toLocaleString("en-US");
}
