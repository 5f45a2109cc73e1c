/**
 * The changing numbers of a ferry: what is no speed is not told as one, nor what differs as equal.
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { setTimeout as delay } from "node:timers/promises";
import { CopyRange } from "../../lib/copy/copy_range.ts";
import { FerriedTable } from "../../lib/copy/ferried_table.ts";
import type { Crossing } from "../../lib/ferry/crossing.ts";
import { FerrySnapshot } from "../../lib/ferry/ferry_snapshot.ts";
import { CELLS, countCells } from "../../lib/progress/strip.ts";
import { parseSpec } from "../../lib/spec/parse_spec.ts";
import { Findings } from "../../lib/verify/verify_progress.ts";
import { column, table } from "./binlog_events.ts";
import { SPEC } from "./routes_fake_dock.ts";

const STORED = {
  tableNo: 0,
  rangeNo: 0,
  lower: null,
  upper: null,
  cursor: null,
  done: false,
  rows: 50_000,
  bytes: 1,
};

function ferriedTable(index: number, name: string, keyType: string): FerriedTable {
  const key = column("id", keyType, { nullable: false });
  return new FerriedTable(index, {
    table: { ...table([key], ["id"], "shop", name), rowsEstimated: 100_000 },
    target: { schema: "shop", name },
    where: null,
    merge: false,
    targetHasUnique: false,
  });
}

function snapshotOf(tables: readonly FerriedTable[], verifier: unknown = null): FerrySnapshot {
  const reading = parseSpec(SPEC, new Map());
  assert("spec" in reading);
  const snapshot = new FerrySnapshot(reading.spec);
  begin(snapshot, tables, verifier);
  return snapshot;
}

function begin(snapshot: FerrySnapshot, tables: readonly FerriedTable[], verifier: unknown = null): void {
  // Of an attempt the snapshot reads these alone.
  const crossing = {
    tables,
    everyTable: tables,
    keyless: [],
    replay: null,
    comparison: { verifier },
    throttle: { throttled: null },
  };
  snapshot.begin(crossing as unknown as Crossing);
}

/** A wire's key of an integer, and of a text, as the latin1 string that the comparison knows it by. */
function intKey(n: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(n);
  return bytes.toString("latin1");
}
const textKey = (text: string) => String.fromCharCode(text.length) + text;

Deno.test("rows that an earlier attempt has copied are counted, and are no speed", async () => {
  const ferried = ferriedTable(0, "t", "int");
  const snapshot = snapshotOf([ferried]);
  snapshot.move("copying");
  assert.equal(snapshot.resource().progress.rowsPerSecond, null);
  ferried.ranges = [new CopyRange(ferried, STORED)];
  snapshot.stands(ferried, 50_000, 1);
  snapshot.resource();
  await delay(1100);
  snapshot.copied(ferried, 100, 1);
  const { rowsCopied, rowsPerSecond } = snapshot.resource().progress;
  assert.equal(rowsCopied, 50_100);
  assert(rowsPerSecond !== null && rowsPerSecond <= 100, `${rowsPerSecond} rows a second`);
});

Deno.test("what was copied stays told while another attempt begins, and is counted once", () => {
  const [through, half, untouched] = ["a", "b", "c"].map((name, i) => ferriedTable(i, name, "int"));
  const tables = [through, half, untouched];
  const snapshot = snapshotOf(tables);
  snapshot.stands(half, 600, 6000);
  snapshot.finish();
  begin(snapshot, tables);
  const { progress } = snapshot.resource();
  assert.deepEqual([progress.rowsCopied, progress.bytesCopied], [600, 6000]);
  through.copied = true;
  snapshot.stands(through, 50, 500);
  snapshot.stands(half, 600, 6000);
  snapshot.stands(untouched, 0, 0);
  snapshot.copied(half, 5, 50);
  const r = snapshot.resource();
  assert.deepEqual([r.progress.rowsCopied, r.progress.bytesCopied], [655, 6550]);
  assert.deepEqual(r.tables.map((t) => t.state), ["copied", "copying", "waiting"]);
});

Deno.test("a table that differs is never drawn as verified, wherever its rows lie and however many differ before", () => {
  const tables = [
    ferriedTable(0, "many", "int"),
    ferriedTable(1, "behind", "int"),
    ferriedTable(2, "prices", "decimal"),
    ferriedTable(3, "equal", "int"),
  ];
  for (const t of tables) {
    t.ranges = [new CopyRange(t, { ...STORED, cursor: Buffer.from(intKey(640), "latin1"), done: true })];
    t.ranges[0].first = Buffer.from(intKey(0), "latin1");
  }
  const findings = new Findings();
  const differ = (index: number, keys: readonly string[]) =>
    findings.add(tables[index], keys.map((key) => ({ key, kind: "unlike" })));
  differ(0, Array.from({ length: 150 }, (_, i) => intKey(i)));
  // The first hundred of all are told with their keys; these are none of them.
  differ(1, [intKey(320)]);
  differ(2, [textKey("12.50")]);
  for (const t of tables) findings.passed(t.index);
  const told = snapshotOf(tables, { progress: findings.progress, passed: false }).resource();
  assert.equal(told.verification.differences.length, 100);
  assert.deepEqual(told.tables.map((t) => [t.state, t.verified]), [
    ["differing", false],
    ["differing", false],
    ["differing", false],
    ["verified", true],
  ]);
  const [many, behind, prices, equal] = told.tables.map((t) => countCells(t.strip!));
  assert.equal(many.verified, 0, "some of them lie nobody knows where");
  assert.deepEqual([behind.verified, behind.differing], [CELLS - 1, 1]);
  assert.deepEqual([prices.verified, prices.copied], [0, CELLS]);
  assert.equal(equal.verified, CELLS);
});

Deno.test("between two attempts nothing can be ordered, and nothing is being compared", () => {
  const verifier = {
    passed: null,
    progress: {
      rowsCompared: 5,
      differences: [],
      differenceCount: 0,
      tablesVerified: new Set(),
      unlike: new Map(),
      rowsByTable: new Map(),
    },
  };
  const tables = [ferriedTable(0, "t", "int")];
  const snapshot = snapshotOf(tables, verifier);
  for (const state of ["copying", "catchingUp", "verifying", "awaitingCutover"] as const) {
    snapshot.move(state);
  }
  const orders = ["cutover", "verify", "pause", "cancel"];
  const seen = () => {
    const { actions, verification } = snapshot.resource();
    return [actions, verification.state];
  };
  assert.deepEqual(seen(), [orders, "running"]);
  snapshot.finish();
  assert.deepEqual(seen(), [orders.slice(2), "pending"]);
  verifier.passed = true as unknown as null;
  begin(snapshot, tables, verifier);
  assert.deepEqual(seen(), [orders, "passed"]);
  snapshot.finish();
  assert.deepEqual(seen(), [orders.slice(2), "passed"], "what was found stays");
  begin(snapshot, tables);
  assert.deepEqual(seen(), [orders, "pending"], "and counts no more for the next one");
});

Deno.test("an end is the last thing that a ferry was updated by", async () => {
  const snapshot = snapshotOf([]);
  const { createdAt } = snapshot.resource();
  await delay(5);
  snapshot.move("failed");
  const { updatedAt, endedAt } = snapshot.resource();
  assert.equal(updatedAt, endedAt);
  assert.ok(updatedAt > createdAt, "and it has come later");
});

Deno.test("a server's error is told by its number, which the driver may know under another's name", () => {
  const snapshot = snapshotOf([]);
  const told = (e: unknown) => {
    snapshot.fail(e);
    return [snapshot.error!.code, snapshot.error!.detail];
  };
  const denied = Object.assign(new Error("CONSTRAINT `a` failed"), { errno: 4025, code: "ER_OTHER" });
  assert.deepEqual(told(denied), [
    "server-error",
    "Cannot go on: a server answered with error 4025 (CONSTRAINT `a` failed)",
  ]);
  const gone = Object.assign(new Error("not there"), { errno: -2, code: "ENOENT" });
  assert.deepEqual(told(gone), ["server-error", "ENOENT: not there"]);
  assert.deepEqual(told(new Error("mistaken")), ["unexpected", "mistaken"]);
});
