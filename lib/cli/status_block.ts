/**
 * A snapshot as a block of text, for logs and pipelines. An unknown number is shown as unknown.
 * @module
 */
import type { FerryResource, TableProgress } from "../progress/resource.ts";

/** Tables that a block names. */
const TABLES_SHOWN = 8;

/** The block: a head line, then a line for each thing that goes on. Ends with a line end. */
export function renderStatusBlock(resource: FerryResource, now: Date): string {
  const { progress, verification, cutover } = resource;
  const head = [
    `ferry ${resource.id}`,
    resource.state + (resource.paused ? " (paused)" : ""),
    `${resource.source} -> ${resource.target}`,
    `total ${showSeconds((now.getTime() - Date.parse(resource.createdAt)) / 1000)}`,
    ...(resource.resumedTimes > 0 ? [`resumed ${resource.resumedTimes}x`] : []),
    ...(resource.throttled ? [`slowed down: ${resource.throttled.reason}`] : []),
  ];
  const lines = [
    head.join("  "),
    `  copy    ${showShare(progress)}  ${progress.rowsCopied}/${show(progress.rowsEstimated)} rows` +
    `  ${show(progress.rowsPerSecond, 0)} rows/s  eta ${showSeconds(progress.etaSeconds)}`,
    `  replay  ${progress.changesApplied} changes applied  ${show(progress.changesPending)} pending` +
    `  lag ${showSeconds(progress.lagSeconds)}`,
    `  verify  ${verification.state}  ${verification.rowsCompared} rows compared` +
    (verification.differences.length > 0 ? `  ${verification.differences.length} differ` : ""),
  ];
  if (cutover.attempts > 0) {
    const stopped = cutover.writesStoppedMs === null
      ? "unknown"
      : `${Math.round(cutover.writesStoppedMs)} ms`;
    lines.push(`  cutover ${cutover.attempts} tried  writes stopped ${stopped}`);
  }
  const busy = resource.tables.filter(isBusy);
  for (const table of busy.slice(0, TABLES_SHOWN)) {
    lines.push(`  table   ${table.source}  ${table.state}  ${showShare(table)}  ${table.rowsCopied} rows`);
  }
  if (busy.length > TABLES_SHOWN) lines.push(`  table   and ${busy.length - TABLES_SHOWN} more`);
  if (resource.error) {
    lines.push(`  error   ${resource.error.code}: ${resource.error.detail}`);
    if (resource.error.hint) lines.push(`  hint    ${resource.error.hint}`);
    for (const finding of resource.error.findings ?? []) {
      lines.push(`  ${finding.level.padEnd(7)} ${finding.subject}: ${finding.detail}. ${finding.hint}`);
    }
  }
  return lines.join("\n") + "\n";
}

/** Rows copied of rows estimated in per cent, never 100 on an estimate alone. */
export function showShare(part: Pick<TableProgress, "rowsCopied" | "rowsEstimated">): string {
  if (part.rowsEstimated === null || part.rowsEstimated === 0) return "  ?  %";
  return `${Math.min(99.99, 100 * part.rowsCopied / part.rowsEstimated).toFixed(2)} %`;
}

/** Seconds as `4m39s`; `null` as unknown. */
export function showSeconds(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return "unknown";
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)}s`;
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  if (h > 0) return `${h}h${two(m)}m${two(s)}s`;
  return m > 0 ? `${m}m${two(s)}s` : `${s}s`;
}

function isBusy(table: TableProgress): boolean {
  return table.state === "copying" || table.state === "indexing" || table.state === "verifying" ||
    table.state === "differing";
}

function show(value: number | null, digits?: number): string {
  if (value === null) return "unknown";
  return digits === undefined ? String(value) : value.toFixed(digits);
}
