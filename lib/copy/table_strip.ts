/**
 * Where a table's keys lie in its strip. A picture and no more: nothing that is written depends on it, so the order of
 * text keys may be guessed here (I10 holds for everything else).
 *
 * It costs nothing by the row. Copying is read off the ranges' cursors when somebody looks; of each flush the first few
 * keys are looked at, so of a large one a few cells are marked and not all. Keys that begin with an integer or a text are
 * placed; changes and differences of others (dates, decimals, floats) have no place and are told in numbers alone.
 * @module
 */
import type { Buffer } from "node:buffer";
import { keyBytes } from "../mysql/row_list.ts";
import { cellOf, CELLS, strip } from "../progress/strip.ts";
import type { CopyRange } from "./copy_range.ts";
import type { FerriedTable } from "./ferried_table.ts";
import { integerKey, isInteger } from "./integer_key.ts";

/** Milliseconds for which a cell says that it changed. */
const LATELY_MS = 10_000;
/** Keys of a flush that are looked at. */
const SAMPLE = 8;
/** Bytes of a text that are read as one number. */
const DIGITS = 6;
const TEXTS = new Set(["char", "varchar", "binary", "varbinary"]);

/** Rows that differ. */
export interface StripDifferences {
  /** How many. */
  readonly count: number;
  /** Keys of some or all of them, as latin1 strings. */
  readonly keys: readonly string[];
}

/** The strip of one table. */
export class TableStrip {
  readonly #changedAt = new Float64Array(CELLS).fill(-Infinity);
  #lastChange = -Infinity;
  readonly #lead: (key: Buffer) => Lead;

  /** Of this table. */
  constructor(private readonly table: FerriedTable) {
    const [first] = table.key;
    const type = first?.column.dataType ?? "";
    this.#lead = first === undefined
      ? () => null
      : isInteger(first)
      ? (key) => Number(integerKey(key, 0, first))
      : TEXTS.has(type)
      ? leadText
      : () => null;
  }

  /** Replay wrote these keys, as latin1 strings. `at` in milliseconds. */
  replayed(keys: Iterable<string>, at: number): void {
    let seen = 0;
    for (const key of keys) {
      if (++seen > SAMPLE) return;
      const place = this.#place(keyBytes(key));
      if (place === null) continue;
      this.#changedAt[cellOf(place)] = at;
      this.#lastChange = at;
    }
  }

  /**
   * The strip, or `null` before the ranges are known. `compared`: share of the table. `unlike`: how many rows differ, and
   * the keys of those that are known, as latin1 strings. Where one of them has no place, any cell may hold it: none is
   * verified then.
   */
  text(at: number, compared: number, unlike: StripDifferences = { count: 0, keys: [] }): string | null {
    const { ranges } = this.table;
    if (ranges.length === 0) return null;
    const changed = new Set<number>();
    for (let cell = 0; at - this.#lastChange < LATELY_MS && cell < CELLS; cell++) {
      if (at - this.#changedAt[cell] < LATELY_MS) changed.add(cell);
    }
    const places = unlike.keys.map((key) => this.#place(keyBytes(key))).filter((place) => place !== null);
    return strip({
      copied: ranges.map((range) => this.#copied(range)),
      verified: places.length < unlike.count ? 0 : compared,
      changed,
      differing: new Set(places.map(cellOf)),
    });
  }

  /** How much of a range is copied: by its keys where both ends are known, otherwise by its rows. */
  #copied({ stored, table }: CopyRange): number {
    if (stored.done) return 1;
    if (stored.cursor === null) return 0;
    const byKey = stored.lower === null || stored.upper === null
      ? null
      : fraction(this.#lead(stored.lower), this.#lead(stored.upper), this.#lead(stored.cursor));
    const rows = (table.table.rowsEstimated ?? 0) / table.ranges.length;
    return Math.min(0.99, byKey ?? (rows > 0 ? stored.rows / rows : 0));
  }

  /** Where a key lies among what is copied, `null` where it does not: the part of its range that is copied is spread over its keys. */
  #place(key: Buffer): number | null {
    const { ranges } = this.table;
    if (ranges.length === 0) return null;
    const lead = this.#lead(key);
    if (lead === null) return null;
    let low = 0, high = ranges.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      const upper = this.#lead(ranges[middle].stored.upper!);
      if (upper !== null && lead <= upper) high = middle;
      else low = middle + 1;
    }
    const range = ranges[low];
    const { lower, cursor, done } = range.stored;
    const through = cursor === null ? null : this.#lead(cursor);
    const ahead = through === null || lead > through;
    if (ahead && !done) return null;
    const first = lower ?? range.first;
    const within = ahead ? 1 : fraction(first === null ? beginning(lead) : this.#lead(first), through, lead);
    // What lies at the very end is in the last cell that is copied, and not in the one behind it.
    return within === null ? null : (low + Math.min(within, 0.9999) * this.#copied(range)) / ranges.length;
  }
}

/** What a key begins with, to be put in order. */
type Lead = number | string | null;

/** Taken up in the middle nobody knows the first key: most tables begin near nothing. */
function beginning(lead: number | string): Lead {
  return typeof lead === "number" ? 0 : "";
}

/** A text's letters without their case, which few collations tell apart. */
function leadText(key: Buffer): string | null {
  // Length of a text on the wire: one byte, or 0xfc and two.
  const [start, length] = key[0] < 0xfb ? [1, key[0]] : key[0] === 0xfc ? [3, key.readUInt16LE(1)] : [0, -1];
  return length < 0 ? null : key.toString("latin1", start, start + length).toLowerCase();
}

/** How far `at` is on the way from `low` to `high`, 0 to 1; `null` where they are not to be compared. */
function fraction(low: Lead, high: Lead, at: Lead): number | null {
  if (low === null || high === null || at === null) return null;
  if (typeof low === "number" && typeof high === "number" && typeof at === "number") {
    return clamp((at - low) / (high - low));
  }
  if (typeof low !== "string" || typeof high !== "string" || typeof at !== "string") return null;
  if (at <= low) return 0;
  if (at >= high) return 1;
  let same = 0;
  while (same < low.length && low[same] === high[same]) same++;
  const number = (text: string) => {
    let sum = 0;
    for (let i = same; i < same + DIGITS; i++) sum = sum * 256 + (i < text.length ? text.charCodeAt(i) : 0);
    return sum;
  };
  return clamp((number(at) - number(low)) / (number(high) - number(low)));
}

function clamp(share: number): number {
  return Number.isFinite(share) ? Math.max(0, Math.min(1, share)) : 1;
}
