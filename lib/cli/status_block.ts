/**
 * A snapshot as a block of text, for logs and pipelines. An unknown number is shown as unknown.
 * @module
 */
import { printable } from "../printable.ts";
import type { FerryResource } from "../progress/resource.ts";
import { inOrder, isThrough } from "../progress/table_order.ts";
import { count, headline, percent, seconds, tableShare } from "../progress/wording.ts";
import { troubleLines } from "./trouble.ts";

/** Tables that a block names. */
const TABLES_SHOWN = 8;

/** The block: the headline, then a line for each thing that goes on. Ends with a line end. */
export function renderStatusBlock(resource: FerryResource, now: Date): string {
  const { progress, verification, cutover } = resource;
  const total = (Date.parse(resource.endedAt ?? now.toISOString()) - Date.parse(resource.createdAt)) / 1000;
  const state = [
    `  state   ${resource.state}${resource.paused ? " (paused)" : ""}`,
    `total ${seconds(total)}`,
    ...(resource.resumedTimes > 0 ? [`resumed ${resource.resumedTimes}x`] : []),
    ...(resource.throttled ? [`slowed down: ${resource.throttled.reason}`] : []),
  ];
  const lines = [
    `ferry ${resource.id}: ${headline(resource)}`,
    state.join("  "),
    `  copy    ${count(progress.rowsCopied)} of ${known(progress.rowsEstimated, count)} rows` +
    `  ${known(progress.rowsPerSecond, count)} rows/s  eta ${known(progress.etaSeconds, seconds)}`,
    `  replay  ${count(progress.changesApplied)} changes applied` +
    `  ${known(progress.changesPending, count)} pending  lag ${known(progress.lagSeconds, seconds)}`,
    `  verify  ${verification.state}  ${count(verification.rowsCompared)} rows compared` +
    (verification.differences.length > 0 ? `  ${verification.differences.length} differ` : ""),
  ];
  if (cutover.attempts > 0) {
    const stopped = known(cutover.writesStoppedMs, (ms) => `${Math.round(ms)} ms`);
    lines.push(`  cutover ${cutover.attempts} tried  writes stopped ${stopped}`);
  }
  const busy = inOrder(resource.tables).filter((table) => !isThrough(table) && table.state !== "waiting");
  for (const table of busy.slice(0, TABLES_SHOWN)) {
    const part = percent(tableShare(table));
    lines.push(`  table   ${table.source}  ${table.state}  ${part}  ${count(table.rowsCopied)} rows`);
  }
  if (busy.length > TABLES_SHOWN) lines.push(`  table   … and ${busy.length - TABLES_SHOWN} more tables`);
  if (resource.error) lines.push(...troubleLines(resource.error).map((line) => `  ${line}`));
  return lines.map((line) => `${printable(line)}\n`).join("");
}

function known(value: number | null, write: (value: number) => string): string {
  return value === null ? "unknown" : write(value);
}
