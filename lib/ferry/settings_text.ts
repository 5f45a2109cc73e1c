/**
 * Settings that changed while a ferry runs, in words. No URL is told, so no password is.
 * @module
 */
import type { CopySettings, ThrottleSettings } from "../spec/ferry_spec.ts";

/** What copying takes at most from now on. */
export function copyText({ concurrency, chunkBytes }: CopySettings): string {
  return `Copying now takes up to ${concurrency} ranges side by side, in chunks of about ${
    number(chunkBytes)
  } bytes`;
}

/** When copying waits from now on. */
export function throttleText(t: ThrottleSettings | null): string {
  const asked: (readonly [number | null, (n: string) => string])[] = t === null ? [] : [
    [t.maxLagSeconds, (n) => `while replay is more than ${n} s behind`],
    [t.replicas.length, (n) => n === "1" ? "or the replica is" : `or one of the ${n} replicas is`],
    [t.maxThreadsRunning, (n) => `while a server runs more than ${n} threads`],
    [t.maxHistoryListLength, (n) => `while the source's history list is longer than ${n}`],
    [t.checks.length, (n) => n === "1" ? "while the check says so" : `while one of the ${n} checks says so`],
    [t.http === null ? 0 : 1, () => "while the HTTP check says so"],
    [t.maxRowsPerSecond, (n) => `past ${n} rows a second`],
    [t.maxBytesPerSecond, (n) => `past ${n} bytes a second`],
  ];
  const told = asked.flatMap(([n, write]) => n === null || n === 0 ? [] : [write(number(n))]);
  const waits = told.length === 0 ? "Nothing slows copying down now" : `Copying now waits ${told.join(", ")}`;
  const critical = t?.criticalThreadsRunning ?? null;
  return critical === null
    ? waits
    : `${waits}; the ferry ends where a server runs more than ${number(critical)} threads`;
}

function number(n: number): string {
  return n.toLocaleString("en-US");
}
