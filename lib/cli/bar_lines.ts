/**
 * A snapshot as lines that fit a screen: the headline, the whole, what slows it down, and a bar for each table that is
 * under way or still to come. Finished tables fold away into a number. Text only; who paints it is elsewhere.
 * @module
 */
import { printable } from "../printable.ts";
import type { FerryResource, TableProgress } from "../progress/resource.ts";
import { inOrder, isThrough } from "../progress/table_order.ts";
import { count, counted, headline, percent, seconds, share, tableShare } from "../progress/wording.ts";

/** What the lines have to fit. */
export interface Screen {
  /** Characters in a line. */
  readonly columns: number;
  /** Lines. */
  readonly rows: number;
  /** Whether colours are wanted. */
  readonly color: boolean;
}

const WORDS: Readonly<Partial<Record<TableProgress["state"], string>>> = {
  differing: "differs",
  indexing: "building indexes",
  verifying: "comparing",
  waiting: "waiting",
};

const COLORS = { bold: "1", red: "31", yellow: "33", cyan: "36" } as const;

/** The lines, at most one fewer than the screen has: the cursor needs one. */
export function barLines(r: FerryResource, screen: Screen): string[] {
  const paint = (text: string, color: keyof typeof COLORS) =>
    screen.color ? `\x1b[${COLORS[color]}m${text}\x1b[0m` : text;
  const line = (text: string, color?: keyof typeof COLORS) =>
    color === undefined ? cut(text, screen.columns) : paint(cut(text, screen.columns), color);
  const lines = [
    line(headline(r), r.state === "failed" ? "red" : "bold"),
    whole(r, screen, (bar) => paint(bar, "cyan")),
  ];
  if (r.throttled !== null) lines.push(line(`Slowed down: ${r.throttled.reason}`, "yellow"));

  const open = inOrder(r.tables).filter((table) => !isThrough(table));
  const room = Math.max(0, screen.rows - 1 - lines.length);
  // The line that sums up takes a place too.
  const folded = r.tables.length - open.length;
  const shown = open.length + (folded > 0 ? 1 : 0) <= room ? open : open.slice(0, Math.max(0, room - 1));
  const nameWidth = Math.min(
    Math.floor(screen.columns / 3),
    Math.max(0, ...shown.map((table) => table.source.length)),
  );
  for (const table of shown) {
    const facts = table.state === "copying"
      ? `${count(table.rowsCopied)} of ${known(table.rowsEstimated)}`
      : WORDS[table.state]!;
    const color = table.state === "differing" ? "red" : "cyan";
    const name = cut(table.source, nameWidth).padEnd(nameWidth);
    lines.push(barLine(name, tableShare(table), facts, screen.columns, (bar) => paint(bar, color)));
  }
  const more = open.length - shown.length;
  const rest = [
    ...(more > 0 ? [`… and ${counted(more, "more table")}`] : []),
    ...(folded > 0
      ? [`${folded} of ${counted(r.tables.length, "table")} ${folded === 1 ? "is" : "are"} through`]
      : []),
  ];
  if (rest.length > 0 && room > 0) lines.push(line(rest.join(", ")));
  return lines.slice(0, Math.max(1, screen.rows - 1));
}

function whole(r: FerryResource, screen: Screen, paint: (bar: string) => string): string {
  const p = r.progress;
  const facts = [
    `${count(p.rowsCopied)} of ${known(p.rowsEstimated)}`,
    ...(p.rowsPerSecond === null ? [] : [`${counted(p.rowsPerSecond, "row")}/s`]),
    ...(p.etaSeconds === null ? [] : [`${seconds(p.etaSeconds)} left`]),
    ...(p.lagSeconds === null ? [] : [`${seconds(p.lagSeconds)} behind`]),
    ...(r.resumedTimes === 0 ? [] : [`resumed ${r.resumedTimes}x`]),
  ];
  return barLine(r.state, share(r), facts.join(", "), screen.columns, paint);
}

/** Name, bar, per cent, facts. What does not fit is cut at its end; the bar takes what is left, up to 30. */
function barLine(
  title: string,
  part: number | null,
  numbers: string,
  columns: number,
  paint: (bar: string) => string,
): string {
  const [name, facts] = [printable(title), printable(numbers)];
  const per = percent(part).padStart(9);
  const width = Math.min(30, columns - name.length - per.length - facts.length - 4);
  if (width < 5) return cut(`${name} ${per.trimStart()}  ${facts}`, columns);
  const full = Math.round(width * (part ?? 0));
  return `${name} ${paint("█".repeat(full))}${"░".repeat(width - full)}${per}  ${facts}`;
}

function known(rows: number | null): string {
  return rows === null ? "an unknown number of rows" : `about ${counted(rows, "row")}`;
}

function cut(words: string, columns: number): string {
  const text = printable(words);
  return text.length <= columns ? text : text.slice(0, Math.max(0, columns - 1)) + "…";
}
