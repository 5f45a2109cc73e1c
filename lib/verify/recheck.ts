/**
 * Whether rows that were seen unlike are unlike: compared again once replay has passed the moment at which the source
 * was read.
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { errorNumber } from "../errors.ts";
import type { Difference } from "../progress/resource.ts";
import { type BothSides, unequalKeys } from "./range_compare.ts";
import type { ReplayView } from "./replay_view.ts";
import type { RowHashes } from "./table_reads.ts";

/** A key whose rows are unlike. */
export interface UnlikeKey {
  /** Latin1 key string. */
  readonly key: string;
  /** How. */
  readonly kind: Difference["kind"];
}

/** What a re-check found; keys in neither are equal. */
export interface Recheck {
  /** Changed meanwhile: unknown. */
  readonly dirty: string[];
  /** Unlike, though nothing changed them. */
  readonly unlike: UnlikeKey[];
}

/** Keys that wait for replay together. */
export const RECHECK_KEYS = 5000;
/** A key is reported after being unlike, and not written, this many times. */
const TRIES = 3;

/** Re-checks at most {@link RECHECK_KEYS} keys while writes go on. */
export async function recheck(
  sides: BothSides,
  replay: ReplayView,
  table: number,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<Recheck> {
  const dirty: string[] = [];
  let pending = [...keys];
  for (let attempt = 1;; attempt++) {
    signal.throwIfAborted();
    const last = attempt === TRIES;
    const watch = replay.watch(table);
    try {
      const source = await readSource(sides, pending, last);
      if (source === null) return { dirty: [...dirty, ...pending], unlike: [] };
      await replay.caughtUp(signal);
      const target = await sides.target.hashesOf(pending);
      await askBack(sides, pending, source, target);
      pending = [];
      for (const key of unequalKeys(source, target)) (watch.keys.has(key) ? dirty : pending).push(key);
      if (pending.length === 0) return { dirty, unlike: [] };
      if (last) return { dirty, unlike: pending.map((key) => ({ key, kind: kindOf(key, source, target) })) };
    } finally {
      watch.stop();
    }
    await sleep(100 * attempt, undefined, { signal });
  }
}

/** Compares keys of which nothing can change any more. */
export async function compareKeys(sides: BothSides, keys: readonly string[]): Promise<UnlikeKey[]> {
  const [source, target] = await Promise.all([sides.source.hashesOf(keys), sides.target.hashesOf(keys)]);
  await askBack(sides, keys, source, target);
  return unequalKeys(source, target).map((key) => ({ key, kind: kindOf(key, source, target) }));
}

/**
 * A server may find a row under a key that it only holds equal; the other one, which may not, is asked for that row by its
 * own key, so that what one side alone was found to have is what it alone has.
 */
async function askBack(
  sides: BothSides,
  keys: readonly string[],
  source: RowHashes,
  target: RowHashes,
): Promise<void> {
  const asked = new Set(keys);
  const only = (a: RowHashes, b: RowHashes) => [...a.keys()].filter((key) => !asked.has(key) && !b.has(key));
  const [onSource, onTarget] = [only(source, target), only(target, source)];
  if (onSource.length > 0) {
    for (const [key, hash] of await sides.target.hashesOf(onSource)) target.set(key, hash);
  }
  if (onTarget.length > 0) {
    for (const [key, hash] of await sides.source.hashesOf(onTarget)) source.set(key, hash);
  }
}

/**
 * The last try's read is locking, where the user may: it waits for a writer whose event was delivered but whose commit
 * is not visible yet (I1), which no number of plain reads would see. `null` where the writer did not come to an end.
 */
async function readSource(sides: BothSides, keys: string[], locking: boolean): Promise<RowHashes | null> {
  if (!locking) return await sides.source.hashesOf(keys);
  try {
    return await sides.source.hashesOf(keys, true);
  } catch (e) {
    const number = errorNumber(e);
    if (number === 1205 || number === 1213) return null;
    // 1142 denied for the table · 1143 for a column · 1044 for the schema · 1290 read only · 1792 likewise
    if (number === null || ![1142, 1143, 1044, 1290, 1792].includes(number)) throw e;
    return await sides.source.hashesOf(keys);
  }
}

function kindOf(key: string, source: RowHashes, target: RowHashes): Difference["kind"] {
  if (!target.has(key)) return "missing on target";
  return source.has(key) ? "unlike" : "only on target";
}
