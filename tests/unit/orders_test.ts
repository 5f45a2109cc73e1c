/**
 * What is asked of a ferry, and whether it may be.
 * @module
 */
import assert from "node:assert/strict";
import { allowedActions, type FerryState } from "../../lib/ferry/ferry_state.ts";
import type { Lease } from "../../lib/ferry/lease.ts";
import { Orders } from "../../lib/ferry/orders.ts";
import type { Telling } from "../../lib/ferry/telling.ts";
import { specOf } from "../support/ferries.ts";
import { SPEC } from "./routes_fake_dock.ts";

/** Orders of a ferry in this state; of what it tells they look at this alone. */
function ordersIn(state: FerryState, underWay: boolean): Orders {
  const actions = allowedActions(state, false, underWay);
  const telling = { resource: () => ({ id: "f", state, paused: false, actions }) };
  const lease = { elsewhere: false };
  return new Orders(specOf(SPEC), telling as unknown as Telling, lease as unknown as Lease, {
    connections: new Map(),
    lost: [],
  });
}

Deno.test("what cannot be ordered between two attempts can be tried again in a moment, and nothing else can", () => {
  const between = ordersIn("awaitingCutover", false);
  assert.throws(() => between.assertAllowed("cutover"), {
    code: "action-not-allowed",
    retryable: true,
    message: 'Cannot cutover ferry "f": it is being taken up again',
  });
  between.assertAllowed("pause");
  assert.throws(() => between.assertAllowed("retry"), { code: "action-not-allowed", retryable: false });
  ordersIn("awaitingCutover", true).assertAllowed("cutover");
  assert.throws(() => ordersIn("copying", true).assertAllowed("cutover"), {
    retryable: false,
    message: 'Cannot cutover ferry "f": it is in state "copying"',
  });
});
