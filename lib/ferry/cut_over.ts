/**
 * The end of the road: intent, fence, end position, last comparison, done (I7).
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { carryCounters } from "../cutover/auto_increment.ts";
import { type Fence, fenceMissing, LockTablesFence, NoFence } from "../cutover/fence.ts";
import { errorText, FerryError } from "../errors.ts";
import { Session } from "../mysql/session.ts";
import { parseConnectionUrl } from "../spec/connection_url.ts";
import { carryObjects, dropMadeObjects } from "./carry_objects.ts";
import { copyBehindFence } from "./copy_behind_fence.ts";
import type { Crossing } from "./crossing.ts";
import { withSessions, writesBehindFence } from "./fenced_sessions.ts";

/** Milliseconds that the target may take to record `done`, behind the fence and beside the deadline. */
const RECORD_MS = 5000;

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
  const release = () => {
    if (fence.session !== null) crossing.replay!.dependents.source.fenced(null);
    return released ??= fence.release();
  };
  const watchdog = setTimeout(() => {
    deadline.abort(new FerryError("cutover-deadline", "Cannot cut over: the deadline passed"));
    release();
  }, spec.cutover.timeoutSeconds * 1000);
  let done = false;
  try {
    const { stoppedAt } = await fence.raise(both);
    // Its tables can be read through its own session alone, also by the flush that is under way.
    if (fence.session !== null) crossing.replay!.dependents.source.fenced(fence.session);
    // Only behind the fence is there an end to read (I7).
    const end = await crossing.sourceEnd();
    await crossing.replay!.flusher.reached(end, both);
    const before = crossing.replay!.flusher.changes;
    await copyBehindFence(crossing, fence, both);
    await lastComparison(crossing, fence, both);
    assertQuiet(crossing, before);
    await withTalk(crossing, async (source, target) => {
      await carryCounters(source, target, crossing.tables, both);
      const finish = async () => {
        both.throwIfAborted();
        await fence.assertUp();
        // From here on the target alone knows whether it is done, so the fence stays until it has answered, or is given up.
        clearTimeout(watchdog);
        const silent = setTimeout(() => crossing.options.stateSession.destroy(), RECORD_MS);
        // An attempt that is over (the process shuts down) has nobody left who would let go of it later.
        if (spec.cutover.keepFence && !crossing.over) crossing.keptFence = fence;
        try {
          await logbook.cutoverDone(end, crossing.replay!.flusher.applied.gtids, stoppedAt);
        } finally {
          clearTimeout(silent);
        }
        done = true;
      };
      if (spec.objects.length === 0) return await finish();
      // A trigger would run for a replayed row: nothing is flushed while they are there.
      await crossing.replay!.flusher.held(() => withObjects(crossing, source, target, both, finish));
    });
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
    if (done && crossing.keptFence !== null) await fence.keep().catch(tellFenceGone);
    else {
      crossing.keptFence = null;
      await release();
    }
  }
}

/** Behind the end there is nothing to go back to, and nobody reads events any more; `fenceKept` is false from now on. */
function tellFenceGone(reason: unknown): void {
  getLogger(["chainferry", "ferry"]).error("The source's writes do not stay stopped: {reason}", {
    reason: errorText(reason),
  });
}

function assertQuiet(crossing: Crossing, changes: number): void {
  if (crossing.replay!.flusher.changes === changes && crossing.replay!.replayer.pendingChanges === 0) return;
  throw writesBehindFence();
}

/** Makes the objects and finishes; where that fails they are gone before anything is replayed again. */
async function withObjects(
  crossing: Crossing,
  source: Session,
  target: Session,
  signal: AbortSignal,
  finish: () => Promise<void>,
): Promise<void> {
  const before = crossing.replay!.flusher.changes;
  let recording = false;
  try {
    await carryObjects(crossing, source, target, signal);
    assertQuiet(crossing, before);
    signal.throwIfAborted();
    recording = true;
    await finish();
  } catch (e) {
    // Whether `done` is recorded is not known then: the state tells the next attempt, which drops them where it is not.
    if (recording) crossing.halt(e);
    else {
      try {
        await dropMadeObjects(crossing, target);
      } catch (failure) {
        crossing.halt(failure);
        throw failure;
      }
    }
    throw e;
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
  const { comparison } = crossing;
  if (comparison.verifier === null) return;
  await withSessions(crossing, fence, signal, async (source, target) => {
    await comparison.final(source, target, signal);
  });
}
