/**
 * The changing numbers of a ferry: what is no speed is not told as one.
 * @module
 */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { CopyRange } from "../../lib/copy/copy_range.ts";
import { FerriedTable } from "../../lib/copy/ferried_table.ts";
import type { Crossing } from "../../lib/ferry/crossing.ts";
import { FerrySnapshot } from "../../lib/ferry/ferry_snapshot.ts";
import { parseSpec } from "../../lib/spec/parse_spec.ts";
import { column, table } from "./binlog_events.ts";
import { SPEC } from "./routes_fake_dock.ts";

Deno.test("rows that an earlier attempt has copied are counted, and are no speed", async () => {
  const reading = parseSpec(SPEC, new Map());
  assert("spec" in reading);
  const source = { ...table([column("id", "int", { nullable: false })], ["id"]), rowsEstimated: 100_000 };
  const ferried = new FerriedTable(0, {
    table: source,
    target: { schema: "shop", name: "t" },
    where: null,
    merge: false,
    targetHasUnique: false,
  });
  const tables = [ferried];
  // Of an attempt the snapshot reads these alone.
  const crossing = {
    tables,
    everyTable: tables,
    replay: null,
    comparison: { verifier: null },
  };
  const snapshot = new FerrySnapshot(reading.spec);
  snapshot.begin(crossing as unknown as Crossing);
  snapshot.move("copying");
  assert.equal(snapshot.resource().progress.rowsPerSecond, null);
  const stored = {
    tableNo: 0,
    rangeNo: 0,
    lower: null,
    upper: null,
    cursor: null,
    done: false,
    rows: 50_000,
    bytes: 1,
  };
  ferried.ranges = [new CopyRange(ferried, stored)];
  snapshot.copied(ferried, 50_000, 1);
  snapshot.resource();
  await delay(1100);
  snapshot.copied(ferried, 100, 1);
  const { rowsCopied, rowsPerSecond } = snapshot.resource().progress;
  assert.equal(rowsCopied, 50_100);
  assert(rowsPerSecond !== null && rowsPerSecond <= 100, `${rowsPerSecond} rows a second`);
});
