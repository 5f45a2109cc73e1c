/**
 * Tables without a key, behind the fence: emptied, copied whole, compared whole. What fails begins anew at the next try.
 * @module
 */
import type { FerriedTable } from "../copy/ferried_table.ts";
import type { Fence } from "../cutover/fence.ts";
import { copyKeyless, keylessDiffers } from "../cutover/keyless_copy.ts";
import type { Session } from "../mysql/session.ts";
import { tableSum } from "../verify/table_sum.ts";
import type { Crossing } from "./crossing.ts";
import { withSessions, writesBehindFence } from "./fenced_sessions.ts";

/** Copies every table without a key. Throws `verification-failed`, or `writes-behind-fence`. */
export async function copyBehindFence(crossing: Crossing, fence: Fence, signal: AbortSignal): Promise<void> {
  const { keyless } = crossing;
  const { logbook } = crossing.options;
  if (keyless.length === 0) return;
  for (const table of keyless) logbook.keyless(table, "waiting");
  await withSessions(crossing, fence, signal, async (source, target) => {
    for (const table of keyless) {
      try {
        await copyTable(crossing, table, source, target, fence.session === null, signal);
      } catch (e) {
        for (const t of keyless) logbook.keyless(t, "waiting");
        throw e;
      }
    }
  });
}

/** `open`: nobody but the operator holds the writers, so a write that comes all the same is looked for. */
async function copyTable(
  crossing: Crossing,
  table: FerriedTable,
  source: Session,
  target: Session,
  open: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { plan, store, own, logbook, spec } = crossing.options;
  const compared = spec.verify === "full";
  const sourceSum = () => tableSum(source, table, "source");
  const before = compared && open ? await sourceSum() : null;
  logbook.keyless(table, "copying");
  const bulk = plan.target.vendor === "mariadb";
  const onBatch = (rows: number, bytes: number) => logbook.copied(table, rows, bytes);
  await copyKeyless(table, { source, target, bulk, store, own, signal, onBatch });
  logbook.keyless(table, "copied");
  if (!compared) return;
  const [there, here] = await bothOf(tableSum(target, table, "target"), sourceSum());
  if (before !== null && before !== here) throw writesBehindFence();
  if (there !== here) throw keylessDiffers(table);
  logbook.keyless(table, "verified");
}

/** Both answers, awaited whatever becomes of the other: none is left behind on a connection. */
async function bothOf<T>(a: Promise<T>, b: Promise<T>): Promise<[T, T]> {
  const [one, two] = await Promise.allSettled([a, b]);
  if (one.status === "rejected") throw one.reason;
  if (two.status === "rejected") throw two.reason;
  return [one.value, two.value];
}
