/**
 * The ferries' snapshots for Prometheus, read at the moment of the scrape.
 * @module
 */
import { Gauge, Registry } from "prom-client";
import type { Dock } from "../lib/ferry/ferry.ts";
import { STATES } from "../lib/ferry/ferry_state.ts";
import type { FerryResource } from "../lib/progress/resource.ts";

/** Ferries that have metrics of their own: the newest. Ended ones would otherwise add labels for ever. */
const FERRIES_SHOWN = 100;

/** One number of each ferry. A `null` is left out: an unknown number is not 0. */
type FerryMetric = readonly [name: string, help: string, read: (ferry: FerryResource) => number | null];

const FERRY_METRICS: readonly FerryMetric[] = [
  ["rows_copied", "Rows written by the copy", (f) => f.progress.rowsCopied],
  ["rows_estimated", "Rows that the source is thought to have", (f) => f.progress.rowsEstimated],
  ["copied_bytes", "Bytes of rows written by the copy", (f) => f.progress.bytesCopied],
  ["rows_per_second", "Rows copied a second, over the last seconds", (f) => f.progress.rowsPerSecond],
  [
    "changes_applied",
    "Row changes of the binlog that were written to the target",
    (f) => f.progress.changesApplied,
  ],
  ["changes_pending", "Row changes collected and not yet written", (f) => f.progress.changesPending],
  [
    "lag_seconds",
    "Age in seconds of the oldest change that is not on the target",
    (f) => f.progress.lagSeconds,
  ],
  ["eta_seconds", "Seconds until the copy is through, at the present rate", (f) => f.progress.etaSeconds],
  ["rows_compared", "Rows of the source compared by the verification", (f) => f.verification.rowsCompared],
  ["rows_differing", "Rows found to differ, 100 at most", (f) => f.verification.differences.length],
  ["paused", "1 while copying is held", (f) => f.paused ? 1 : 0],
  ["throttled", "1 while it is slowed down", (f) => f.throttled === null ? 0 : 1],
  ["resumed_times", "Times it was taken up again after a loss", (f) => f.resumedTimes],
  ["cutover_attempts", "Tries to cut over", (f) => f.cutover.attempts],
  [
    "writes_stopped_seconds",
    "Seconds that writes were stopped at the cutover",
    (f) => f.cutover.writesStoppedMs === null ? null : f.cutover.writesStoppedMs / 1000,
  ],
];

/** The text of `/metrics` and its content type. */
export async function renderMetrics(
  dock: Dock,
  version: string,
): Promise<{ readonly text: string; readonly contentType: string }> {
  // Made anew for each scrape, so that a ferry that is gone leaves nothing behind.
  const registry = new Registry();
  const ferries = dock.list().map((ferry) => ferry.resource());
  const shown = ferries.slice(0, FERRIES_SHOWN);
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Gauge({ name: `chainferry_${name}`, help, labelNames, registers: [registry] });

  gauge("build_info", "Always 1; the version is a label", ["version"]).set({ version }, 1);
  gauge("resident_memory_bytes", "Memory of this process in bytes", []).set(Deno.memoryUsage().rss);
  const byState = gauge("ferries", "Ferries known to this process, by state", ["state"]);
  for (const state of STATES) {
    byState.set({ state }, ferries.filter((ferry) => ferry.state === state).length);
  }
  const inState = gauge("ferry_state", "1 for the state that the ferry is in", ["ferry", "state"]);
  for (const ferry of shown) inState.set({ ferry: ferry.id, state: ferry.state }, 1);
  for (const [name, help, read] of FERRY_METRICS) {
    const metric = gauge(`ferry_${name}`, help, ["ferry"]);
    for (const ferry of shown) {
      const value = read(ferry);
      if (value !== null) metric.set({ ferry: ferry.id }, value);
    }
  }
  return { text: await registry.metrics(), contentType: registry.contentType };
}
