/**
 * A table's key range as a strip: a short text of one letter a cell, from the first key to the last. Rules only: where
 * keys lie is told by `lib/copy/table_strip.ts`.
 * @module
 */

/** Cells of a strip. */
export const CELLS = 64;

/** What a cell says: to come, copied, changed again, verified, differing. */
export const CELL_LETTERS = { ahead: ".", copied: "c", changed: "r", verified: "v", differing: "d" } as const;

/** What a cell may be. */
export type CellKind = keyof typeof CELL_LETTERS;

/** A table as its strip is made of it. Places and shares go from 0 to 1. */
export interface StripView {
  /** How much of each range is copied, in key order. Ranges are meant to be equally large, and have equal parts of the strip. */
  readonly copied: readonly number[];
  /** How much of the table was compared, from its first key on. */
  readonly verified: number;
  /** Cells that replay wrote to a moment ago. */
  readonly changed: ReadonlySet<number>;
  /** Cells with rows that differ. */
  readonly differing: ReadonlySet<number>;
}

/** The cell that a place lies in. */
export function cellOf(place: number): number {
  return Math.max(0, Math.min(CELLS - 1, Math.floor(place * CELLS)));
}

/**
 * One letter a cell (`.` to come, `c` copied, `r` changed again, `v` verified, `d` differing). A cell counts as copied or
 * verified when all of it is; only what is copied can change again.
 */
export function strip(view: StripView): string {
  const ranges = view.copied.length;
  // Of many tables most are waiting or through, and all of them are asked for each time.
  if (view.changed.size === 0 && view.differing.size === 0) {
    if (view.copied.every((share) => share === 0)) return CELL_LETTERS.ahead.repeat(CELLS);
    if (view.verified % 1 === 0 && view.copied.every((share) => share === 1)) {
      return CELL_LETTERS[view.verified === 1 ? "verified" : "copied"].repeat(CELLS);
    }
  }
  let text = "";
  for (let cell = 0; cell < CELLS; cell++) {
    const [from, to] = [cell / CELLS, (cell + 1) / CELLS];
    text += CELL_LETTERS[kindOf(cell, from, to)];
  }
  return text;

  function kindOf(cell: number, from: number, to: number): CellKind {
    if (view.differing.has(cell)) return "differing";
    if (!isCopied(from, to)) return "ahead";
    if (view.changed.has(cell)) return "changed";
    return to <= view.verified ? "verified" : "copied";
  }

  function isCopied(from: number, to: number): boolean {
    const last = Math.ceil(to * ranges);
    for (let range = Math.floor(from * ranges); range < last; range++) {
      // Of the last range that the cell touches only its own part has to be there.
      if (view.copied[range] < Math.min(1, to * ranges - range)) return false;
    }
    return true;
  }
}

/** How many cells of each kind a strip has. */
export function countCells(text: string): Readonly<Record<CellKind, number>> {
  const of = (letter: string) => text.split(letter).length - 1;
  const { ahead, copied, changed, verified, differing } = CELL_LETTERS;
  return {
    ahead: of(ahead),
    copied: of(copied),
    changed: of(changed),
    verified: of(verified),
    differing: of(differing),
  };
}
