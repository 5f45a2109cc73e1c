import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type ChangeKind,
  type IntegerKey,
  type KeyPlace,
  mayBeginFlush,
  mayCommitCursor,
  mayDropChange,
  mayWriteRow,
  positionToCommit,
  type RangeView,
  RULES,
  whereIsKey,
} from "../../lib/copy/rules.ts";
import { mayKeepChunk } from "../../lib/copy/rules.ts";
import * as rules from "../../lib/copy/rules.ts";

const view: RangeView = { lower: 10, upper: 20, readThrough: null, readInProgress: false, readToEnd: false };

Deno.test("RULES is made of the module's own functions, all of them", () => {
  const { RULES: _, ...functions } = rules;
  assert.deepEqual({ ...functions }, { ...RULES });
});

Deno.test("only a put of a comparable, unread key is dropped, and only without a secondary unique key or a filter", () => {
  const kinds: ChangeKind[] = ["put", "delete", "oldKey"];
  const places: KeyPlace[] = ["unread", "reading", "read", "unknown"];
  const dropped: unknown[] = [];
  for (const kind of kinds) {
    for (const place of places) {
      for (const comparable of [false, true]) {
        for (const unique of [false, true]) {
          for (const filtered of [false, true]) {
            const asked = [kind, place, comparable, unique, filtered] as const;
            if (mayDropChange(...asked)) dropped.push(asked);
          }
        }
      }
    }
  }
  assert.deepEqual(dropped, [["put", "unread", true, false, false]]);
});

Deno.test("a row is written unless its very key was touched", () => {
  assert.equal(mayWriteRow(new Set(), "\x01"), true);
  assert.equal(mayWriteRow(new Set(["\x01\x00"]), "\x01"), true);
  assert.equal(mayWriteRow(new Set(["\x01\x00", "\x01"]), "\x01"), false);
});

Deno.test("a flush waits for the last of several chunk writes", () => {
  assert.deepEqual([0, 1, 2].map(mayBeginFlush), [true, false, false]);
});

Deno.test("a cursor needs both its rows and the chunks before it", () => {
  assert.deepEqual(
    [[false, false], [false, true], [true, false], [true, true]].map(([a, b]) => mayCommitCursor(a, b)),
    [false, false, false, true],
  );
});

Deno.test("a flush inside a transaction keeps the position before it", () => {
  assert.equal(positionToCommit({ complete: "binlog.1:4", delivered: "binlog.1:900" }), "binlog.1:4");
});

Deno.test("whereIsKey: lower is outside the range, upper inside", () => {
  assert.deepEqual([9, 10, 11, 20, 21].map((key) => whereIsKey(view, key)), [
    "unknown",
    "unknown",
    "unread",
    "unread",
    "unknown",
  ]);
});

Deno.test("whereIsKey: readThrough is read, what lies behind it is not", () => {
  const half = { ...view, readThrough: 15 };
  assert.deepEqual([11, 15, 16, 20].map((key) => whereIsKey(half, key)), [
    "read",
    "read",
    "unread",
    "unread",
  ]);
});

Deno.test("whereIsKey: while a chunk is read all behind readThrough counts as reading", () => {
  const reading = { ...view, readThrough: 15, readInProgress: true };
  assert.deepEqual([15, 16, 20, 21].map((key) => whereIsKey(reading, key)), [
    "read",
    "reading",
    "reading",
    "unknown",
  ]);
});

Deno.test("whereIsKey: a range read to its end holds nothing unread, however open its upper end", () => {
  const ended = { ...view, upper: null, readThrough: 15, readToEnd: true };
  assert.deepEqual([15, 16, 2 ** 40].map((key) => whereIsKey(ended, key)), ["read", "read", "read"]);
  assert.equal(whereIsKey({ ...ended, readThrough: null }, 11), "read", "an empty one too");
});

Deno.test("whereIsKey: zero and negative keys are keys, and 0 is no missing bound", () => {
  const around: RangeView = { ...view, lower: -5, upper: 0, readThrough: -3 };
  assert.deepEqual([-6, -5, -4, -3, -2, 0, 1].map((key) => whereIsKey(around, key)), [
    "unknown",
    "unknown",
    "read",
    "read",
    "unread",
    "unread",
    "unknown",
  ]);
  assert.equal(whereIsKey({ ...view, lower: 0, upper: null }, 0), "unknown");
  assert.equal(whereIsKey({ ...view, lower: null, readThrough: 0 }, 1), "unread");
  assert.equal(whereIsKey({ ...view, lower: null, readThrough: 0 }, 0), "read");
});

Deno.test("whereIsKey: what a number cannot hold exactly is unknown, wherever it stands", () => {
  const open: RangeView = { ...view, lower: null, upper: null };
  for (const odd of [NaN, 1.5, Infinity, -Infinity, 2 ** 53]) {
    assert.equal(whereIsKey(open, odd), "unknown", `key ${odd}`);
    for (const at of ["lower", "upper", "readThrough"] as const) {
      assert.equal(whereIsKey({ ...open, [at]: odd }, 1), "unknown", `${at} ${odd}`);
    }
  }
  assert.equal(whereIsKey({ ...open, readThrough: 2n ** 63n }, 2n ** 63n + 1n), "unread");
  assert.equal(whereIsKey({ ...open, readThrough: 2n ** 63n }, 2n ** 63n), "read");
});

Deno.test("whereIsKey: bigint and number mean the same key", () => {
  const bound = fc.option(fc.integer({ min: -20, max: 20 }));
  const views = fc.record({
    lower: bound,
    upper: bound,
    readThrough: bound,
    readInProgress: fc.boolean(),
    readToEnd: fc.boolean(),
  });
  const big = (key: IntegerKey | null) => key === null ? null : BigInt(key);
  fc.assert(fc.property(views, fc.integer({ min: -20, max: 20 }), (view, key) => {
    const exact = {
      ...view,
      lower: big(view.lower),
      upper: big(view.upper),
      readThrough: big(view.readThrough),
    };
    assert.equal(whereIsKey(view, BigInt(key)), whereIsKey(view, key));
    assert.equal(whereIsKey(exact, key), whereIsKey(view, key));
  }));
});

Deno.test("whereIsKey: neighbouring ranges place every key exactly once", () => {
  // Few values, so that keys fall on the cuts, around where numbers end being exact.
  const key = fc.bigInt({ min: 2n ** 53n - 8n, max: 2n ** 53n + 8n });
  const cuts = fc.uniqueArray(key, { maxLength: 6 });
  fc.assert(fc.property(cuts, key, (cuts, key) => {
    const sorted = [null, ...cuts.sort((a, b) => a < b ? -1 : 1), null];
    const places = sorted.slice(1).map((upper, i) => whereIsKey({ ...view, lower: sorted[i], upper }, key));
    assert.deepEqual(places.filter((place) => place !== "unknown"), ["unread"]);
  }));
});

Deno.test("a chunk that a flush has made stale is not sent", () => {
  assert.equal(mayKeepChunk(3, 3), true);
  assert.equal(mayKeepChunk(3, 4), false);
});
