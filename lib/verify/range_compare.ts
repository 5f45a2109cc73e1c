/**
 * Narrows a key range whose sums differ down to the keys whose rows differ.
 * @module
 */
import type { KeyRange, RowHashes, TableReads, VerifiedTable } from "./table_reads.ts";

/** The same table on both servers. */
export interface BothSides {
  /** Where rows come from. */
  readonly source: TableReads;
  /** Where they go. */
  readonly target: TableReads;
}

/**
 * Compares a range and calls `unequal` with the keys that differ in any way, a bounded number at a time. Both sides are
 * read at the same time, not at the same moment: while writes go on a key may be named that is equal. Answers how many
 * rows the source has in it.
 */
export async function compareRange(
  sides: BothSides,
  range: KeyRange,
  chunkRows: number,
  signal: AbortSignal,
  unequal: (keys: string[]) => Promise<void>,
): Promise<number> {
  signal.throwIfAborted();
  const [s, t] = await both(sides, (reads) => reads.sum(range));
  if (s.sum === t.sum) return s.rows;
  if (Math.max(s.rows, t.rows) > 4 * chunkRows) {
    // More than a chunk is there by now, or only on the target: the fuller side says where to cut.
    const fuller = s.rows > t.rows ? sides.source : sides.target;
    let rows = 0;
    for (let lower = range.lower;;) {
      const upper = await fuller.nthKey({ lower, upper: range.upper }, chunkRows);
      const part = { lower, upper: upper ?? range.upper };
      const n = await compareRange(sides, part, chunkRows, signal, unequal);
      rows += n;
      if (upper === null) return rows;
      lower = upper;
    }
  }
  const [a, b] = await both(sides, (reads) => reads.hashes(range));
  const keys = unequalKeys(a, b);
  if (keys.length > 0) await unequal(keys);
  return s.rows;
}

/** Whose order a range of keys is cut in; the other side is then asked by key. `null`: both have the same. */
export type Lead = "source" | "target" | null;

/** The passes that together compare every row of a table. Where orders differ each side's rows are looked for on the other. */
export function passesOf(t: Pick<VerifiedTable, "sameOrder">): readonly Lead[] {
  return t.sameOrder ? [null] : ["source", "target"];
}

/**
 * Compares the rows that one side has in a range of its own order with what the other side has under their keys. As
 * {@link compareRange}, but answers 0 where the target leads: its rows were counted by the other pass.
 */
export async function compareLed(
  sides: BothSides,
  lead: "source" | "target",
  range: KeyRange,
  chunkRows: number,
  signal: AbortSignal,
  unequal: (keys: string[]) => Promise<void>,
): Promise<number> {
  const other = lead === "source" ? sides.target : sides.source;
  let rows = 0;
  for (let lower = range.lower;;) {
    signal.throwIfAborted();
    // More than a chunk may be there by now.
    const upper = await sides[lead].nthKey({ lower, upper: range.upper }, 4 * chunkRows);
    const led = await sides[lead].hashes({ lower, upper: upper ?? range.upper });
    const found = await other.hashesOf([...led.keys()]);
    const keys = lead === "source" ? unequalKeys(led, found) : unequalKeys(found, led);
    if (keys.length > 0) await unequal(keys);
    if (lead === "source") rows += led.size;
    if (upper === null) return rows;
    lower = upper;
  }
}

/** Keys (by their bytes) that one side lacks or whose hashes differ. */
export function unequalKeys(source: RowHashes, target: RowHashes): string[] {
  const keys: string[] = [];
  for (const [key, hash] of source) if (target.get(key) !== hash) keys.push(key);
  for (const key of target.keys()) if (!source.has(key)) keys.push(key);
  return keys;
}

/** Asks both at the same time and waits for both, also when one fails: no answer is left behind on a connection. */
export async function both<T>(sides: BothSides, ask: (reads: TableReads) => Promise<T>): Promise<[T, T]> {
  const [s, t] = await Promise.allSettled([ask(sides.source), ask(sides.target)]);
  if (s.status === "rejected") throw s.reason;
  if (t.status === "rejected") throw t.reason;
  return [s.value, t.value];
}
