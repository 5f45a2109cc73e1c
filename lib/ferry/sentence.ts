/**
 * A ferry in one sentence, for people.
 * @module
 */
import type { FerryResource } from "../progress/resource.ts";

/** What a person wants to hear first. */
export function sentence(r: FerryResource): string {
  const p = r.progress;
  const lag = p.lagSeconds === null ? "" : `, ${p.lagSeconds.toFixed(1)} s behind`;
  switch (r.state) {
    case "preflight":
      return "Looking at both servers";
    case "copying": {
      const part = p.rowsEstimated
        ? ` ${Math.min(100, Math.floor(100 * p.rowsCopied / p.rowsEstimated))} %,`
        : "";
      const rate = p.rowsPerSecond === null ? "" : `, ${p.rowsPerSecond} rows/s`;
      const held = r.paused ? " (paused)" : "";
      return `Copying ${r.tables.length} tables${held}:${part} ${p.rowsCopied} rows${rate}`;
    }
    case "catchingUp":
      return `Catching up: ${p.changesPending ?? "?"} changes pending${lag}`;
    case "verifying":
      return `Comparing both sides: ${r.verification.rowsCompared} rows compared${lag}`;
    case "awaitingCutover":
      return `Ready to cut over${lag}`;
    case "cuttingOver":
      return `Cutting over, try ${r.cutover.attempts}`;
    case "done":
      return `Done: ${p.rowsCopied} rows copied, ${p.changesApplied} changes replayed` +
        (r.cutover.writesStoppedMs === null ? "" : `, writes stopped for ${r.cutover.writesStoppedMs} ms`);
    case "failed":
      return `Stopped: ${r.error?.detail ?? "unknown reason"}`;
    case "cancelled":
      return "Cancelled";
  }
}
