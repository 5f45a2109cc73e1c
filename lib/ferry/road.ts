/**
 * The road from phase to phase, once replay runs: copy, catch up, index, compare, wait, cut over.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Crossing } from "./crossing.ts";
import { cutOver } from "./cut_over.ts";
import type { Order } from "./orders.ts";
import { TargetIndexes } from "./target_indexes.ts";

/** Behind by less than this many seconds counts as caught up. */
const CAUGHT_UP_SECONDS = 2;
/** Milliseconds between two looks at what has changed while a person is waited for, and after a cutover that was not done. */
const SETTLE_MS = 1000;

/** Goes the whole road. Resolves when `done` is recorded. */
export async function goTheRoad(crossing: Crossing, signal: AbortSignal): Promise<void> {
  const { logbook, spec } = crossing.options;
  await crossing.copy.recall();
  await logbook.move("copying");
  await crossing.copy.run(signal);
  await logbook.move("catchingUp");
  await catchUp(crossing, signal);
  await findOrphans(crossing, signal);
  const indexes = indexesOf(crossing, signal);
  await indexes.build();
  await catchUp(crossing, signal);
  await indexes.buildForeignKeys();
  for (;;) {
    if (spec.verify === "full") {
      await logbook.move("verifying");
      await crossing.comparison.full(signal);
    }
    await logbook.move("awaitingCutover");
    if (await awaitOrder(crossing, signal) === "verify") continue;
    crossing.cuttingOver = true;
    if (await cutOver(crossing, signal)) return;
    crossing.cuttingOver = false;
    await logbook.move("catchingUp");
    await catchUp(crossing, signal);
    await delay(SETTLE_MS, undefined, { signal });
  }
}

/** Until what the source does is on the target within a moment. */
async function catchUp(crossing: Crossing, signal: AbortSignal): Promise<void> {
  crossing.replay!.follow();
  for (;;) {
    const began = performance.now();
    await crossing.caughtUp(signal);
    if (performance.now() - began < CAUGHT_UP_SECONDS * 1000) return;
  }
}

/** Looks again at children whose parents never arrived: cascades that began before those were copied. */
async function findOrphans(crossing: Crossing, signal: AbortSignal): Promise<void> {
  const { replayer, flusher, dependents } = crossing.replay!;
  const session = await crossing.open("target");
  try {
    for (const [table, keys] of await dependents.orphans(session)) replayer.suspect(table, keys);
  } finally {
    await session.close();
  }
  while (replayer.suspecting) await delay(5, undefined, { signal });
  await flusher.held(() => Promise.resolve());
}

function indexesOf(crossing: Crossing, signal: AbortSignal): TargetIndexes {
  const { stateSession, logbook } = crossing.options;
  return new TargetIndexes({
    tables: crossing.tables,
    keyless: crossing.keyless,
    planned: (t) => crossing.planned(t),
    stateSession,
    ddl: (sql) => crossing.ddl(sql),
    memory: () => crossing.memory,
    logbook,
    held: (work) => crossing.replay!.flusher.held(work),
    caughtUp: () => crossing.caughtUp(signal),
  });
}

/** Waits for a person, or not, and keeps what is left to compare small meanwhile. */
async function awaitOrder(crossing: Crossing, signal: AbortSignal): Promise<Order> {
  const { orders, spec } = crossing.options;
  if (spec.cutover.mode === "auto") {
    await orders.copyAllowed(signal); // a ferry that is held does not cut over
    return orders.take() ?? "cutover";
  }
  for (;;) {
    await orders.heard(SETTLE_MS, signal);
    const order = orders.take();
    if (order !== null) return order;
    await crossing.comparison.settle(signal);
  }
}
