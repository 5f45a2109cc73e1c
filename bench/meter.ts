/**
 * What a run costs: seconds, processor seconds of each process that takes part, and peak memory.
 * @module
 */
import type { ServerPair } from "../tests/servers/mod.ts";

/** One measured run. */
export interface Run {
  /** Wall-clock seconds. */
  readonly seconds: number;
  /** Processor seconds of the program under test, its children included. */
  readonly clientCpu: number;
  /** Processor seconds of the source; `null` where it is not a process of ours. */
  readonly sourceCpu: number | null;
  /** Processor seconds of the target. */
  readonly targetCpu: number | null;
  /** Peak resident memory of the program under test in bytes, or `null`. */
  readonly peakBytes: number | null;
}

/** Processor seconds (10 ms ticks) that a process has used so far. */
export function cpuOf(pid: number): number {
  // The name in parentheses may hold anything; what counts stands behind it.
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ").at(-1)!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Peak resident memory of a process in bytes. */
export function peakOf(pid: number): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`));
  return Number(kilobytes?.[1] ?? 0) * 1024;
}

/** Runs `work` and reads the clocks around it; `work` answers what only it knows. */
export async function metered(
  pair: ServerPair,
  work: () => Promise<{ clientCpu: number; peakBytes: number | null; seconds?: number }>,
): Promise<Run> {
  const read = (pid: number | null) => pid === null ? null : cpuOf(pid);
  const [source, target] = [read(pair.source.pid), read(pair.target.pid)];
  const began = performance.now();
  const { clientCpu, peakBytes, seconds } = await work();
  const took = (performance.now() - began) / 1000;
  const since = (before: number | null, pid: number | null) => before === null ? null : cpuOf(pid!) - before;
  return {
    seconds: seconds ?? took,
    clientCpu,
    peakBytes,
    sourceCpu: since(source, pair.source.pid),
    targetCpu: since(target, pair.target.pid),
  };
}

/** The middle one. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The value that `share` (0 to 1) of the numbers do not exceed. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];
}
