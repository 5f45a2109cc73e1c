import assert from "node:assert/strict";
import {
  count,
  counted,
  headline,
  percent,
  seconds,
  sentence,
  serverName,
  shareText,
  tableShare,
} from "../../lib/progress/wording.ts";
import type { FerryResource } from "../../lib/progress/resource.ts";
import type { FerryState } from "../../lib/ferry/ferry_state.ts";
import { resourceOf, tableOf } from "./routes_fake_dock.ts";

Deno.test("durations, counts and shares are written as people read them", () => {
  assert.deepEqual(
    [-1, 0.44, 12.4, 119.6, 180, 7800].map(seconds),
    ["0.0 s", "0.4 s", "12 s", "120 s", "3 min", "2 h 10 min"],
  );
  assert.deepEqual([0, 999, 1234567.8].map(count), ["0", "999", "1,234,568"]);
  assert.deepEqual([0, 1, 1.3, 2345].map((n) => counted(n, "row")), [
    "0 rows",
    "1 row",
    "1 row",
    "2,345 rows",
  ]);
  assert.deepEqual([null, 0.639, 1].map(percent), ["measuring", "63 %", "100 %"]);
});

Deno.test("a table is never through on an estimate alone", () => {
  assert.equal(tableShare(tableOf({ rowsCopied: 12, rowsEstimated: 10 })), 0.99);
  assert.equal(tableShare(tableOf({ rowsEstimated: null })), null);
  assert.equal(tableShare(tableOf({ state: "copied", rowsEstimated: null })), 1);
});

Deno.test("a ferry that ended has copied as much as it had, and all of it where it had come past the copying", () => {
  const phase = (state: FerryState) => ({ state, startedAt: "2026-11-22T10:00:00.000Z", endedAt: null });
  const ended = (state: FerryState, ...road: FerryState[]) =>
    shareText(resourceOf("x", {
      state,
      phases: ["preflight" as const, ...road].map(phase),
      progress: { ...resourceOf("x").progress, rowsCopied: 80, rowsEstimated: 100 },
    }));
  for (const state of ["failed", "cancelled"] as const) {
    assert.equal(ended(state, "copying"), "80 %");
    assert.equal(ended(state, "copying", "catchingUp"), "100 %");
    assert.equal(ended(state, "copying", "catchingUp", "verifying", "preflight"), "100 %");
  }
});

Deno.test("a server is called by its host, and by its port where that is not the usual one", () => {
  assert.equal(serverName("mysql://app:***@shop-eu:3306"), "shop-eu");
  assert.equal(serverName("mysql://app:***@shop-eu:3307"), "shop-eu:3307");
  assert.equal(serverName("eu"), "eu");
});

Deno.test("an event's text is the headline with the numbers that are known", () => {
  const said = (
    state: FerryResource["state"],
    progress: Partial<FerryResource["progress"]> = {},
    more = {},
  ) => sentence(resourceOf("x", { state, progress: { ...resourceOf("x").progress, ...progress }, ...more }));
  const way = "0 tables from src.example:3307 to dst.example";
  assert.equal(
    said("copying", { rowsCopied: 1500, rowsEstimated: 3000, rowsPerSecond: 700, etaSeconds: 120 }, {
      throttled: { reason: "lag of 6 s", name: "lag" },
    }),
    `Copying ${way}: 50 %, about 2 minutes left (1,500 rows, 700 rows/s, slowed down: lag of 6 s)`,
  );
  assert.equal(said("copying"), `Copying ${way}: measuring how long it takes (0 rows)`);
  assert.equal(said("catchingUp"), "Catching up with src.example:3307");
  assert.equal(
    said("catchingUp", { changesPending: 12 }),
    "Catching up with src.example:3307 (12 changes waiting)",
  );
  assert.equal(
    said("awaitingCutover", { lagSeconds: 0.4 }),
    "Waiting for you: ready to cut over, 0.4 s behind",
  );
  assert.equal(
    said("done", { rowsCopied: 1, changesApplied: 1 }, { tables: [tableOf()] }),
    "Done: 1 table from src.example:3307 to dst.example (1 row copied, 1 change replayed)",
  );
  const progress = { rowsCopied: 1, rowsPerSecond: 1, etaSeconds: 60 };
  assert.match(said("copying", progress), /about 1 minute left \(1 row, 1 row\/s\)$/);
  assert.equal(said("done", { rowsCopied: 9 }), `Done: ${way} (9 rows copied, 0 changes replayed)`);
});

Deno.test("a pause is said first wherever a ferry can be held, and so is that replay stopped too", () => {
  const said = (state: FerryResource["state"], hold: FerryResource["hold"]) =>
    headline(resourceOf("x", { state, paused: hold !== null, hold }));
  for (const state of ["preflight", "copying", "catchingUp", "verifying", "awaitingCutover"] as const) {
    assert.match(said(state, "copy"), /^Paused: /, state);
    assert.match(said(state, "all"), /^Paused, replay too: /, state);
    assert.doesNotMatch(said(state, null), /[Pp]aused/, state);
  }
  assert.equal(said("awaitingCutover", "copy"), "Paused: waiting for you to go on");
  // Writes are stopped: a cutover that was ordered before goes to its end.
  assert.equal(said("cuttingOver", "all"), "Cutting over to dst.example");
});

function at(state: FerryState, more: Partial<FerryResource> = {}): string {
  return headline(resourceOf("x", { state, tables: [tableOf(), tableOf()], ...more }));
}

function progress(more: Partial<FerryResource["progress"]>): Pick<FerryResource, "progress"> {
  return { progress: { ...resourceOf("x").progress, ...more } };
}

Deno.test("the title says what matters first, and nothing that is not known", () => {
  const copying = progress({ rowsCopied: 63, rowsEstimated: 100, etaSeconds: 14 * 60 });
  assert.equal(
    at("copying", copying),
    "Copying 2 tables from src.example:3307 to dst.example: 63 %, about 14 minutes left",
  );
  assert.equal(
    at("copying"),
    "Copying 2 tables from src.example:3307 to dst.example: measuring how long it takes",
  );
  assert.match(at("copying", { ...copying, paused: true }), /^Paused: copied 63 % of 2 tables/);
  assert.match(at("copying", progress({ rowsCopied: 500, rowsEstimated: 100 })), /: 99 %,/);
  assert.equal(
    at("awaitingCutover", progress({ lagSeconds: 0.4 })),
    "Waiting for you: ready to cut over, 0.4 s behind",
  );
  const error = { code: "ddl", detail: "the primary key of orders changed", hint: null, retryable: false };
  assert.equal(at("failed", { error }), "Stopped: the primary key of orders changed");
  assert.match(
    at("done", { verification: { state: "passed", rowsCompared: 9, differences: [] } }),
    /^Done: 2 tables .* both sides equal$/,
  );
});
