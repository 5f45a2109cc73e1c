/**
 * Progress on stderr, in the one of three forms that fits who reads it.
 * @module
 */
import type { FerryEvent, FerryResource } from "../progress/resource.ts";
import { ProgressBars } from "./progress_bars.ts";
import { renderStatusBlock } from "./status_block.ts";
import type { Terminal } from "./terminal.ts";

/** Somewhere to show progress. */
export interface ProgressView {
  /** Milliseconds between two snapshots. */
  readonly intervalMs: number;
  /** Shows a snapshot. */
  show(resource: FerryResource): void;
  /** Shows an event. */
  note(event: Pick<FerryEvent, "type" | "data">): void;
  /** Ends it, so that what is written next stands on a line of its own. */
  close(): void;
}

/** How to show it. */
export interface ViewFlags {
  /** Events as JSON lines. */
  readonly json: boolean;
  /** Seconds between status blocks. */
  readonly intervalSeconds: number;
}

/** Milliseconds between two drawings of the bars. */
const REDRAW_MS = 250;

/** Bars on a terminal, JSON lines where asked for, else status blocks. */
export function openView(flags: ViewFlags, terminal: Terminal): ProgressView {
  const intervalMs = flags.intervalSeconds * 1000;
  if (flags.json) {
    return {
      intervalMs,
      show: () => {}, // progress events say it
      note: ({ type, data }) => terminal.err(JSON.stringify({ event: type, ...data }) + "\n"),
      close: () => {},
    };
  }
  if (terminal.isInteractive) {
    const bars = new ProgressBars();
    return {
      intervalMs: REDRAW_MS,
      show: (resource) => bars.show(resource),
      note: (event) => event.type === "progress" || bars.log(`${event.data.text}\n`),
      close: () => bars.close(),
    };
  }
  return {
    intervalMs,
    show: (resource) => terminal.err(renderStatusBlock(resource, new Date())),
    note: (event) => event.type === "progress" || terminal.err(`${event.data.text}\n`),
    close: () => {},
  };
}
