/**
 * A table's key range, cell by cell. What a cell says is told by its shape as well as by its colour, and all of it in words.
 * @module
 */
import type { TableProgress } from "../../lib/progress/resource.ts";
import { CELL_LETTERS, type CellKind, CELLS, countCells } from "../../lib/progress/strip.ts";
import { count, counted, tableShare } from "../../lib/progress/wording.ts";

/** Outline of a cell at a place, 10 wide and 20 high: a line, a block, two bars, a full column, an hourglass. */
const SHAPES: Readonly<Record<CellKind, (x: number) => string>> = {
  ahead: (x) => `M${x} 9h9v2h-9z`,
  copied: (x) => `M${x} 5h9v10h-9z`,
  changed: (x) => `M${x} 2h3v16h-3zm6 0h3v16h-3z`,
  verified: (x) => `M${x} 1h9v18h-9z`,
  differing: (x) => `M${x} 0h9l-9 20h9z`,
};
const KINDS = Object.keys(SHAPES) as CellKind[];
const NAMES: Readonly<Record<CellKind, string>> = {
  ahead: "to come",
  copied: "copied",
  changed: "changed again",
  verified: "verified",
  differing: "differing",
};

/** The strip of one table; a table without one gets a plain bar. */
export function Strip({ table: t }: { readonly table: TableProgress }) {
  const text = t.strip ?? plainStrip(t);
  const cells = countCells(text);
  const done = Math.floor(100 * (1 - cells.ahead / CELLS));
  const unknown = t.strip === null && t.rowsEstimated === null && t.state === "copying";
  return (
    <svg
      class="strip"
      viewBox={`0 0 ${CELLS * 10} 20`}
      preserveAspectRatio="none"
      role="progressbar"
      aria-valuemin="0"
      aria-valuemax="100"
      {...(unknown ? {} : { "aria-valuenow": String(done) })}
      aria-valuetext={unknown ? "measuring" : inWords(t, done)}
      aria-label={`${t.source}, rows copied`}
      data-strip={text}
    >
      {KINDS.map((kind) => {
        const shapes = [...text].map((letter, i) =>
          letter === CELL_LETTERS[kind] ? SHAPES[kind](i * 10) : ""
        );
        const d = shapes.join("");
        return d === "" ? null : <path class={`cell-${kind}`} d={d} data-key={kind} />;
      })}
    </svg>
  );
}

/** What the shapes mean. */
export function StripLegend() {
  return (
    <ul class="legend" aria-label="What the cells of a strip mean">
      {KINDS.map((kind) => (
        <li>
          <svg viewBox="0 0 9 20" aria-hidden="true">
            <path class={`cell-${kind}`} d={SHAPES[kind](0)} />
          </svg>
          {NAMES[kind]}
        </li>
      ))}
    </ul>
  );
}

function inWords(t: TableProgress, done: number): string {
  const { changed, verified, differing } = countCells(t.strip ?? "");
  const cells = (n: number, what: string) => n === 0 ? [] : [`${counted(n, "cell")} ${what}`];
  return [
    `${done} % copied`,
    ...cells(changed, "changed again"),
    ...(verified === CELLS ? ["all verified"] : cells(verified, "verified")),
    ...cells(differing, "differing"),
    // Where the rows lie may not be known: that they differ is.
    ...(t.state === "differing" && differing === 0 ? ["rows differ"] : []),
  ].join(", ");
}

/** Of a table whose key range is not known: as far as its rows. */
function plainStrip(table: TableProgress): string {
  const full = Math.floor((tableShare(table) ?? 0) * CELLS);
  const letter = table.state === "verified" ? CELL_LETTERS.verified : CELL_LETTERS.copied;
  return letter.repeat(full) + CELL_LETTERS.ahead.repeat(CELLS - full);
}

/** `12,000 of about 60,000`. */
export function rowsText({ rowsCopied, rowsEstimated, state }: TableProgress): string {
  const under = ["waiting", "copying"].includes(state);
  return under && rowsEstimated !== null && rowsEstimated > rowsCopied
    ? `${count(rowsCopied)} of about ${count(rowsEstimated)}`
    : count(rowsCopied);
}
