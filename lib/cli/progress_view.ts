/**
 * Progress on stderr, in the one of three forms that fits who reads it.
 * @module
 */
import { printable } from "../printable.ts";
import type { FerryEvent, FerryResource } from "../progress/resource.ts";
import { barLines } from "./bar_lines.ts";
import { ProgressBars } from "./progress_bars.ts";
import { renderStatusBlock } from "./status_block.ts";
import type { Terminal } from "./terminal.ts";
import { type Trouble, troubleText } from "./trouble.ts";

/** Somewhere to show progress. */
export interface ProgressView {
  /** Milliseconds between two snapshots. */
  readonly intervalMs: number;
  /** Shows a snapshot. */
  show(resource: FerryResource): void;
  /** Shows an event. */
  note(event: Pick<FerryEvent, "type" | "data">): void;
  /** Shows a word of the command's own. */
  say(text: string): void;
  /** Shows what went wrong with the command itself. */
  fail(trouble: Trouble): void;
  /** Lets `write` write whole lines to the same stream by a way of its own, where they break nothing that is shown. */
  above(write: () => void): void;
  /** Ends it, so that what is written next stands on a line of its own. May be called again. */
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
  if (flags.json) return jsonView(flags, terminal);
  return terminal.isInteractive ? barView(terminal) : blockView(flags, terminal);
}

function jsonView(flags: ViewFlags, terminal: Terminal): ProgressView {
  const line = (event: string, data: object) => terminal.err(JSON.stringify({ event, ...data }) + "\n");
  return {
    intervalMs: flags.intervalSeconds * 1000,
    show: () => {}, // progress events say it
    note: ({ type, data }) => line(type, data),
    say: (text) => line("note", { text }),
    fail: (trouble) => terminal.err(troubleText(trouble, true)),
    above: (write) => write(),
    close: () => {},
  };
}

function barView(terminal: Terminal): ProgressView {
  const bars = new ProgressBars(terminal);
  let last: FerryResource | null = null;
  let closed = false;
  const above = (write: () => void) => closed ? write() : bars.above(write);
  const tell = (text: string) => above(() => terminal.err(`${text}\n`));
  return {
    intervalMs: REDRAW_MS,
    show: (resource) => {
      if (closed) return;
      last = resource;
      bars.show(barLines(resource, terminal.screen()));
    },
    note: (event) => event.type === "progress" || tell(printable(event.data.text)),
    say: (text) => tell(printable(text)),
    fail: (trouble) => above(() => terminal.err(troubleText(trouble, false))),
    above,
    close: () => {
      if (closed) return;
      closed = true;
      bars.close();
      // The bars are gone; how far it came stays.
      if (last !== null) terminal.err(renderStatusBlock(last, new Date()));
    },
  };
}

function blockView(flags: ViewFlags, terminal: Terminal): ProgressView {
  const line = (text: string) => terminal.err(`${text}\n`);
  return {
    intervalMs: flags.intervalSeconds * 1000,
    show: (resource) => terminal.err(renderStatusBlock(resource, new Date())),
    note: (event) => event.type === "progress" || line(printable(event.data.text)),
    say: (text) => line(printable(text)),
    fail: (trouble) => terminal.err(troubleText(trouble, false)),
    above: (write) => write(),
    close: () => {},
  };
}
