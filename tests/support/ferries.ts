/**
 * Specs and waits that many tests need.
 * @module
 */
import assert from "node:assert/strict";
import type { Ferry } from "../../lib/ferry/ferry.ts";
import { type FerryState, isEnded } from "../../lib/ferry/ferry_state.ts";
import type { FerryResource } from "../../lib/progress/resource.ts";
import { parseSpec } from "../../lib/spec/parse_spec.ts";
import type { FerrySpec } from "../../lib/spec/ferry_spec.ts";
import type { Sql } from "./sql.ts";

/** A spec from its JSON form; a fault fails the test. */
export function specOf(
  input: Record<string, unknown>,
  connections: ReadonlyMap<string, string> = new Map(),
): FerrySpec {
  const parsed = parseSpec(input, connections);
  if ("faults" in parsed) assert.fail(JSON.stringify(parsed.faults));
  return parsed.spec;
}

/** The usual ferry between two servers: automatic, no fence, whole schema `shop`. */
export function shopSpec(source: string, target: string, more: Record<string, unknown> = {}): FerrySpec {
  return specOf({
    source,
    target,
    tables: ["shop.*"],
    cutover: { mode: "auto", fence: "lockTables", keepFence: false },
    ...more,
  });
}

/** Waits until the ferry is in one of `states`; fails when it ends elsewhere, or after `seconds`. */
export async function until(
  ferry: Ferry,
  states: readonly FerryState[],
  seconds = 120,
): Promise<FerryResource> {
  return await untilShown(ferry, (r) => {
    if (states.includes(r.state)) return true;
    if (isEnded(r.state)) {
      const differences = r.verification.differences.slice(0, 5);
      assert.fail(`ended ${r.state}: ${JSON.stringify(r.error)} ${JSON.stringify(differences)}`);
    }
    return false;
  }, seconds);
}

/** Waits until the ferry has ended, well or not; fails after `seconds`. */
export function ended(ferry: Ferry, seconds = 120): Promise<FerryResource> {
  return untilShown(ferry, (r) => r.endedAt !== null, seconds);
}

/** Waits until the resource is as `wanted`; fails after `seconds`. */
export async function untilShown(
  ferry: Ferry,
  wanted: (resource: FerryResource) => boolean,
  seconds = 120,
): Promise<FerryResource> {
  const signal = AbortSignal.timeout(seconds * 1000);
  for (;;) {
    const r = ferry.resource();
    if (wanted(r)) return r;
    if (signal.aborted) {
      assert.fail(`still ${r.state} after ${seconds} s: ${JSON.stringify(r.error ?? r.progress)}`);
    }
    // Numbers change without waking anybody.
    await ferry.changed(AbortSignal.any([signal, AbortSignal.timeout(50)]));
  }
}

/** Orders the cutover as soon as it is taken: after a connection was lost, not before the ferry is taken up again. */
export async function cutOver(ferry: Ferry, seconds = 120): Promise<void> {
  await untilTrue("the cutover is taken", async () => {
    await until(ferry, ["awaitingCutover"], seconds);
    try {
      await ferry.act("cutover");
      return true;
    } catch (e) {
      if ((e as { code?: string }).code !== "action-not-allowed") throw e;
      return false;
    }
  }, { seconds });
}

/** How long {@linkcode untilTrue} waits, and how often it looks. */
export interface Patience {
  /** @default {60} */
  seconds?: number;
  /** @default {50} */
  everyMs?: number;
}

/** Waits until `so` holds, which is looked at again and again; fails with `what` after a while. */
export async function untilTrue(
  what: string,
  so: () => boolean | Promise<boolean>,
  { seconds = 60, everyMs = 50 }: Patience = {},
): Promise<void> {
  for (const end = performance.now() + seconds * 1000; !await so();) {
    if (performance.now() > end) assert.fail(`not within ${seconds} s: ${what}`);
    await new Promise((r) => setTimeout(r, everyMs));
  }
}

/** What `read` gives once two looks, so far apart, give the same; fails where that goes on changing. */
export async function still<T>(
  what: string,
  read: () => T | Promise<T>,
  { seconds = 60, everyMs = 700 }: Patience = {},
): Promise<T> {
  let now = await read();
  await untilTrue(`${what} stands still`, async () => {
    const before = now;
    await new Promise((r) => setTimeout(r, everyMs));
    now = await read();
    return now === before;
  }, { seconds });
  return now;
}

/** Cuts a ferry of `shop.orders` over while `hold` keeps replay from the target: returns when `writer` finds the fence up. */
export async function stickBehindFence(ferry: Ferry, hold: Sql, writer: Sql): Promise<void> {
  await hold.run("LOCK TABLES shop.orders WRITE");
  await writer.run("INSERT INTO shop.orders VALUES (4, 4)");
  await ferry.act("cutover");
  await until(ferry, ["cuttingOver"]);
  await untilTrue("the fence is up", async () => {
    const rows = await writer.run("SHOW OPEN TABLES FROM shop WHERE `Table` = 'orders' AND In_use > 0");
    return rows.length > 0;
  });
}
