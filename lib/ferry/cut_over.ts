/**
 * The end of the road: intent, fence, end position, last comparison, done (I7).
 * @module
 */
import { carryCounters } from "../cutover/auto_increment.ts";
import { type Fence, fenceMissing, LockTablesFence, NoFence } from "../cutover/fence.ts";
import { FerryError } from "../errors.ts";
import { Session } from "../mysql/session.ts";
import { parseConnectionUrl } from "../spec/connection_url.ts";
import { copyBehindFence } from "./copy_behind_fence.ts";
import type { Crossing } from "./crossing.ts";
import { withSessions, writesBehindFence } from "./fenced_sessions.ts";

/** Tries it once. `true`: done is recorded. `false`: the deadline passed, the fence is down, writes go on. */
export async function cutOver(crossing: Crossing, signal: AbortSignal): Promise<boolean> {
  const { spec, logbook } = crossing.options;
  const attempt = crossing.memory.cutoverAttempts + 1;
  await crossing.remember({ cutoverAttempts: attempt });
  logbook.cutoverBegins(attempt);
  await logbook.move("cuttingOver");
  const fence = await openFence(crossing);
  const deadline = new AbortController();
  const both = AbortSignal.any([signal, deadline.signal]);
  // The watchdog lets go by itself, whatever the rest is busy with.
  let released: Promise<void> | null = null;
  const release = () => released ??= fence.release();
  const watchdog = setTimeout(() => {
    deadline.abort(new FerryError("cutover-deadline", "Cannot cut over: the deadline passed"));
    release();
  }, spec.cutover.timeoutSeconds * 1000);
  let done = false;
  try {
    const { stoppedAt } = await fence.raise(both);
    // Only behind the fence is there an end to read (I7).
    const end = await crossing.sourceEnd();
    await crossing.flusher!.reached(end, both);
    const before = crossing.flusher!.changes;
    await copyBehindFence(crossing, fence, both);
    await lastComparison(crossing, fence, both);
    if (crossing.flusher!.changes !== before || crossing.replayer!.pendingChanges > 0) {
      throw writesBehindFence();
    }
    await withTalk(crossing, (source, target) => carryCounters(source, target, crossing.tables, both));
    both.throwIfAborted();
    await logbook.cutoverDone(end, crossing.gtids(), stoppedAt);
    done = true;
    return true;
  } catch (e) {
    if (!signal.aborted && e instanceof FerryError && e.code === "writes-behind-fence") {
      logbook.log(`${e.message}; ${e.hint}`);
      return false;
    }
    if (!deadline.signal.aborted || signal.aborted) throw e;
    logbook.log(
      `The cutover took longer than ${spec.cutover.timeoutSeconds} s: writes go on, the ferry catches up again`,
    );
    return false;
  } finally {
    clearTimeout(watchdog);
    if (done && spec.cutover.keepFence) {
      await fence.keep().catch(() => {});
      logbook.keepFence(fence);
    } else await release();
  }
}

/** Runs `work` with sessions of words and numbers on both ends. */
async function withTalk<T>(
  crossing: Crossing,
  work: (source: Session, target: Session) => Promise<T>,
): Promise<T> {
  const { spec } = crossing.options;
  const source = await Session.open(parseConnectionUrl(spec.source), { side: "source" });
  try {
    const target = await Session.open(parseConnectionUrl(spec.target), { side: "target" });
    try {
      return await work(source, target);
    } finally {
      target.destroy();
    }
  } finally {
    source.destroy();
  }
}

async function openFence(crossing: Crossing): Promise<Fence> {
  const { spec, logbook } = crossing.options;
  switch (spec.cutover.fence) {
    case "none":
      return new NoFence();
    case "lockTables": {
      const url = parseConnectionUrl(spec.source);
      // Not under the attempt's signal: its end must not cut a fence that is to stay.
      const open = () => Session.open(url, { side: "source", data: true });
      const tables = crossing.everyTable.map((t) => t.table);
      return await LockTablesFence.open(
        open,
        tables,
        spec.cutover.timeoutSeconds,
        (text) => logbook.log(text),
      );
    }
    default:
      throw fenceMissing(spec.cutover.fence);
  }
}

async function lastComparison(crossing: Crossing, fence: Fence, signal: AbortSignal): Promise<void> {
  const { verifier } = crossing;
  if (verifier === null) return;
  await withSessions(crossing, fence, signal, async (source, target) => {
    await verifier.final(source, target, signal);
    crossing.assertEqual();
  });
}
