/**
 * A snapshot as a block of text, for logs and pipelines. An unknown number is shown as unknown.
 * @module
 */
import { printable } from "../printable.ts";
import type { FerryResource } from "../progress/resource.ts";
import { inOrder, isThrough } from "../progress/table_order.ts";
import { count, counted, headline, percent, seconds, tableShare } from "../progress/wording.ts";
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
    `  copy    ${count(progress.rowsCopied)} of ${rows(progress.rowsEstimated)}` +
    `  ${rows(progress.rowsPerSecond)}/s  eta ${known(progress.etaSeconds, seconds)}`,
    `  replay  ${counted(progress.changesApplied, "change")} applied` +
    `  ${known(progress.changesPending, count)} pending  lag ${known(progress.lagSeconds, seconds)}`,
    `  verify  ${verification.state}  ${rows(verification.rowsCompared)} compared` +
    (verification.differences.length > 0
      ? `  ${verification.differences.length} ${verification.differences.length === 1 ? "differs" : "differ"}`
      : ""),
  ];
  if (cutover.attempts > 0) {
    const stopped = known(cutover.writesStoppedMs, (ms) => `${Math.round(ms)} ms`);
    lines.push(`  cutover ${cutover.attempts} tried  writes stopped ${stopped}`);
  }
  const busy = inOrder(resource.tables).filter((table) => !isThrough(table) && table.state !== "waiting");
  for (const table of busy.slice(0, TABLES_SHOWN)) {
    const part = percent(tableShare(table));
    lines.push(`  table   ${table.source}  ${table.state}  ${part}  ${rows(table.rowsCopied)}`);
  }
  if (busy.length > TABLES_SHOWN) {
    lines.push(`  table   … and ${counted(busy.length - TABLES_SHOWN, "more table")}`);
  }
  if (resource.error) lines.push(...troubleLines(resource.error).map((line) => `  ${line}`));
  return lines.map((line) => `${printable(line)}\n`).join("");
}

function rows(n: number | null): string {
  return n === null ? "unknown rows" : counted(n, "row");
}

function known(value: number | null, write: (value: number) => string): string {
  return value === null ? "unknown" : write(value);
}
