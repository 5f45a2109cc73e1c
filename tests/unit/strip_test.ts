/**
 * The strip of a table's key range: what each cell says, and where keys lie in it.
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { CopyRange } from "../../lib/copy/copy_range.ts";
import { FerriedTable } from "../../lib/copy/ferried_table.ts";
import { CELLS, countCells, strip } from "../../lib/progress/strip.ts";
import type { StoredRange } from "../../lib/state/cursor_store.ts";
import { column, table } from "./binlog_events.ts";

const NONE: ReadonlySet<number> = new Set();
const view = (copied: number[]) => ({ copied, verified: 0, changed: NONE, differing: NONE });

Deno.test("a cell is copied when all of it is, in every range that it touches", () => {
  assert.equal(strip(view([0])), ".".repeat(CELLS));
  assert.equal(strip(view([1])), "c".repeat(CELLS));
  assert.equal(strip(view([0.5])), "c".repeat(32) + ".".repeat(32));
  assert.equal(strip(view([0.51])), "c".repeat(32) + ".".repeat(32));
  assert.equal(strip(view([0.5, 1])), "c".repeat(16) + ".".repeat(16) + "c".repeat(32));
  // 128 ranges, two a cell: one of them is not enough.
  for (const there of [0, 1]) {
    const copied = Array.from({ length: 128 }, (_, i) => i % 2 === there ? 1 : 0);
    assert.equal(strip(view(copied)), ".".repeat(CELLS));
  }
  assert.equal(strip(view([1, 1, 0.5])).lastIndexOf("c"), 52);
});

Deno.test("what differs is said before what changed, and what changed before what is equal", () => {
  const text = strip({
    copied: [0.75],
    verified: 0.5,
    changed: new Set([1, 2, 60]),
    differing: new Set([2]),
  });
  assert.equal(text, "vrd" + "v".repeat(29) + "c".repeat(16) + ".".repeat(16));
  assert.deepEqual(countCells(text), { ahead: 16, copied: 16, changed: 1, verified: 30, differing: 1 });
});

const int = (n: number) => {
  const b = Buffer.alloc(4);
  b.writeInt32LE(n);
  return b;
};
const text = (s: string) => Buffer.concat([Buffer.from([s.length]), Buffer.from(s, "latin1")]);
const key = (b: Buffer) => b.toString("latin1");

function stripOf(type: string, ranges: Partial<StoredRange>[], rowsEstimated: number) {
  const source = { ...table([column("id", type, { nullable: false })], ["id"]), rowsEstimated };
  const ferried = new FerriedTable(0, {
    table: source,
    target: { schema: "shop", name: "t" },
    where: null,
    merge: false,
    targetHasUnique: false,
  });
  ferried.ranges = ranges.map((each, rangeNo) =>
    new CopyRange(ferried, {
      tableNo: 0,
      rangeNo,
      lower: null,
      upper: null,
      cursor: null,
      done: false,
      rows: 0,
      bytes: 0,
      ...each,
    })
  );
  return ferried;
}

Deno.test("a range is as far as its keys where both ends are known, otherwise as its rows", () => {
  const t = stripOf("int", [
    { upper: int(1000), cursor: int(3), rows: 250, done: false },
    { lower: int(1000), upper: int(2000), cursor: int(1750), rows: 1 },
  ], 1000);
  assert.equal(t.strip.text(0, 0), "c".repeat(16) + ".".repeat(16) + "c".repeat(24) + ".".repeat(8));
  t.ranges = [];
  assert.equal(t.strip.text(0, 0), null);
});

Deno.test("a change marks its cell for ten seconds, where that is copied", () => {
  const t = stripOf("int", [{ cursor: int(640), rows: 640, done: true }], 640);
  t.ranges[0].first = int(1);
  t.strip.replayed([key(int(15)), key(int(325)), key(int(99_999))], 1000);
  const marked = [...t.strip.text(1000, 0)!].flatMap((c, i) => c === "r" ? [i] : []);
  assert.deepEqual(marked, [1, 32, 63]);
  assert.equal(t.strip.text(11_000, 0), "c".repeat(CELLS));
  const half = stripOf("int", [{ cursor: int(320), rows: 320 }], 640);
  half.strip.replayed([key(int(500))], 0);
  assert.equal(half.strip.text(0, 0), "c".repeat(32) + ".".repeat(32), "what is to come is no change");
});

Deno.test("of a flush a few keys are looked at, however large it is", () => {
  const t = stripOf("int", [{ cursor: int(6400), rows: 6400, done: true }], 6400);
  let asked = 0;
  t.strip.replayed(
    (function* () {
      for (let i = 0; i < 6400; i += 100, asked++) yield key(int(i));
    })(),
    0,
  );
  assert(asked < 10, `${asked} keys were looked at`);
});

Deno.test("texts are placed by what they begin with, and keys of other types nowhere", () => {
  const t = stripOf("varchar", [{ cursor: text("user-ffff"), rows: 9, done: true }], 9);
  t.ranges[0].first = text("user-0000");
  t.strip.replayed([key(text("user-0000")), key(text("USER-ffff"))], 0);
  const found = t.strip.text(0, 1, { count: 1, keys: [key(text("user-4000"))] })!;
  assert.equal(found[0], "r");
  assert.equal(found[63], "r");
  assert.equal(countCells(found).differing, 1);
  const dates = stripOf("date", [{ cursor: Buffer.from([4, 230, 7, 1, 1]), rows: 9, done: true }], 9);
  dates.strip.replayed([key(Buffer.from([4, 230, 7, 1, 1]))], 0);
  assert.equal(dates.strip.text(0, 0), "c".repeat(CELLS));
});

Deno.test("where a row that differs has no place, no cell is verified", () => {
  const done = [{ cursor: int(640), rows: 640, done: true }];
  const t = stripOf("int", done, 640);
  t.ranges[0].first = int(1);
  const known = { count: 1, keys: [key(int(320))] };
  assert.deepEqual(countCells(t.strip.text(0, 1, known)!).verified, CELLS - 1);
  assert.deepEqual(countCells(t.strip.text(0, 1, { ...known, count: 2 })!).verified, 0);
  const dates = stripOf("date", done, 640);
  assert.equal(dates.strip.text(0, 1), "v".repeat(CELLS));
  const day = { count: 1, keys: [key(Buffer.from([4, 230, 7, 1, 1]))] };
  assert.equal(dates.strip.text(0, 1, day), "c".repeat(CELLS));
});
