import assert from "node:assert/strict";
import fc from "fast-check";
import {
  ACTIONS,
  allowedActions,
  type FerryState,
  holdsReplay,
  isEnded,
  mayMove,
  STATES,
} from "../../lib/ferry/ferry_state.ts";
import { ASKED, MOVES } from "./ferry_state_table.ts";

Deno.test("STATES names every state once, on the road's order", () => {
  assert.deepEqual(STATES, Object.keys(MOVES));
});

Deno.test("ACTIONS names every action that some state allows, once", () => {
  const allowed = new Set(Object.values(ASKED).flatMap(({ running, paused }) => [...running, ...paused]));
  assert.deepEqual([...ACTIONS].sort(), [...allowed].sort());
});

for (const from of STATES) {
  Deno.test(`mayMove from ${from} says for every state what the table says`, () => {
    assert.deepEqual(Object.fromEntries(STATES.map((to) => [to, mayMove(from, to)])), MOVES[from]);
  });

  Deno.test(`allowedActions in ${from} are the table's, running and paused`, () => {
    assert.deepEqual(
      { running: allowedActions(from, false), paused: allowedActions(from, true) },
      ASKED[from],
    );
  });
}

Deno.test("isEnded holds for done, failed and cancelled alone", () => {
  assert.deepEqual(STATES.filter(isEnded), ["done", "failed", "cancelled"]);
});

/** States on a walk that tries to go to each of `wishes` in turn and goes where it may. */
function walk(wishes: readonly FerryState[]): FerryState[] {
  const path: FerryState[] = ["preflight"];
  for (const to of wishes) {
    if (mayMove(path[path.length - 1], to)) path.push(to);
  }
  return path;
}

const wishes = fc.array(fc.constantFrom(...STATES), { minLength: 30, maxLength: 200 });

Deno.test("on no walk from preflight is an end left, but failed, and that for preflight", () => {
  const met = new Set<FerryState>();
  fc.assert(
    fc.property(wishes, (wishes) => {
      const path = walk(wishes);
      path.forEach((state, i) => {
        met.add(state);
        if (!isEnded(state) || i === path.length - 1) return;
        assert.deepEqual([state, path[i + 1]], ["failed", "preflight"]);
      });
    }),
    // So many that no end is missed by chance.
    { numRuns: 20_000 },
  );
  assert.deepEqual(STATES.filter((s) => !met.has(s)), [], "the walks must come by every state");
});

Deno.test("on no walk is done reached but through preflight, copying, catchingUp, awaitingCutover, cuttingOver", () => {
  let arrived = 0;
  // Few wishes for the ends, so that many walks arrive.
  const onward = fc.array(fc.constantFrom(...STATES.filter((s) => s !== "failed" && s !== "cancelled")), {
    minLength: 60,
    maxLength: 200,
  });
  fc.assert(
    fc.property(onward, (wishes) => {
      const path = walk(wishes);
      if (!path.includes("done")) return;
      arrived++;
      const must: FerryState[] = [
        "preflight",
        "copying",
        "catchingUp",
        "awaitingCutover",
        "cuttingOver",
        "done",
      ];
      const since = path.slice(path.lastIndexOf("preflight"));
      assert.deepEqual(must.filter((s) => !since.includes(s)), []);
      assert.equal(since.at(-2), "cuttingOver");
    }),
    { numRuns: 1000 },
  );
  assert.ok(arrived > 10, `only ${arrived} walks arrived`);
});

Deno.test("done can be reached from every state that has not ended, and from failed", () => {
  for (const start of STATES.filter((s) => !isEnded(s) || s === "failed")) {
    const reached = new Set<FerryState>([start]);
    for (const from of reached) for (const to of STATES) if (mayMove(from, to)) reached.add(to);
    assert.ok(reached.has("done"), `no way leads from ${start} to done`);
  }
});

Deno.test("every state that has not ended may fail", () => {
  for (const state of STATES) assert.equal(mayMove(state, "failed"), !isEnded(state), state);
});

Deno.test("an action is allowed only where the state can answer it", () => {
  for (const state of STATES) {
    for (const paused of [false, true]) {
      const actions = allowedActions(state, paused);
      if (actions.includes("cancel")) assert.ok(mayMove(state, "cancelled"), `cancel in ${state}`);
      if (actions.includes("cutover")) assert.ok(mayMove(state, "cuttingOver"), `cutover in ${state}`);
      if (actions.includes("verify")) assert.ok(mayMove(state, "verifying"), `verify in ${state}`);
      if (actions.includes("retry")) assert.ok(mayMove(state, "preflight"), `retry in ${state}`);
      assert.ok(paused || !actions.includes("resume"), `resume in ${state}, which nobody holds`);
    }
  }
});

Deno.test("a hold of all holds replay, but not within a cutover that was ordered before it", () => {
  for (const state of STATES) {
    assert.equal(holdsReplay(state, "all"), state !== "cuttingOver", state);
    assert.equal(holdsReplay(state, "copy"), false, state);
    assert.equal(holdsReplay(state, null), false, state);
  }
});
