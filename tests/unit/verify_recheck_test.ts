import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type BothSides, compareRange } from "../../lib/verify/range_compare.ts";
import { recheck } from "../../lib/verify/recheck.ts";
import type { ReplayView } from "../../lib/verify/replay_view.ts";
import type { KeyRange, RowHashes, TableReads } from "../../lib/verify/table_reads.ts";

const never = new AbortController().signal;
type Rows = Record<string, string>;

/** One side: each read answers the next of `moments`, the last one for ever. */
function side(...moments: (Rows | Error)[]): TableReads & { locked: boolean[] } {
  const locked: boolean[] = [];
  let n = 0;
  const hashesOf = (keys: readonly string[], locking = false): Promise<RowHashes> => {
    locked.push(locking);
    const now = moments[Math.min(n++, moments.length - 1)];
    if (now instanceof Error) return Promise.reject(now);
    return Promise.resolve(new Map(Object.entries(now).filter(([key]) => keys.includes(key))));
  };
  return { locked, hashesOf } as unknown as TableReads & { locked: boolean[] };
}

/** Delivers `keys` while the re-check waits for replay for the `n`th time. */
function replayOf(...delivered: string[][]): ReplayView & { waits: number; open: number } {
  const watches = new Set<Set<string>>();
  const replay = {
    waits: 0,
    get open() {
      return watches.size;
    },
    watch: () => {
      const keys = new Set<string>();
      watches.add(keys);
      return { keys, stop: () => void watches.delete(keys) };
    },
    caughtUp: () => {
      for (const key of delivered[replay.waits++] ?? []) for (const w of watches) w.add(key);
      return Promise.resolve();
    },
  };
  return replay;
}

const look = (sides: BothSides, replay: ReplayView, ...keys: string[]) =>
  recheck(sides, replay, 0, keys, never);

Deno.test("re-check: what is equal once replay has passed is equal", async () => {
  const replay = replayOf();
  const sides = { source: side({ a: "1" }), target: side({ a: "1" }) };
  assert.deepEqual(await look(sides, replay, "a"), { dirty: [], unlike: [] });
  assert.deepEqual([replay.waits, replay.open], [1, 0]);
});

Deno.test("re-check: unlike three times, and not written, is a difference", async () => {
  const source = side({ a: "1", b: "1" }), target = side({ a: "2", c: "1" });
  const replay = replayOf();
  assert.deepEqual(await look({ source, target }, replay, "a", "b", "c", "d"), {
    dirty: [],
    unlike: [
      { key: "a", kind: "unlike" },
      { key: "b", kind: "missing on target" },
      { key: "c", kind: "only on target" },
    ],
  });
  assert.equal(replay.waits, 3);
  assert.deepEqual(source.locked, [false, false, true]);
  assert.deepEqual(target.locked, [false, false, false]);
});

Deno.test("re-check: unlike twice and then equal is equal", async () => {
  const sides = { source: side({ a: "1" }, { a: "1" }, { a: "2" }), target: side({ a: "2" }) };
  assert.deepEqual(await look(sides, replayOf(), "a"), { dirty: [], unlike: [] });
});

Deno.test("re-check: unlike and written meanwhile is unknown, the others go on", async () => {
  const sides = { source: side({ a: "1", b: "1" }), target: side({ a: "2", b: "2" }) };
  assert.deepEqual(await look(sides, replayOf([], ["a"]), "a", "b"), {
    dirty: ["a"],
    unlike: [{ key: "b", kind: "unlike" }],
  });
});

Deno.test("re-check: a writer that doesn't end leaves the key unknown", async () => {
  const busy = Object.assign(new Error("Lock wait timeout exceeded"), { errno: 1205 });
  const sides = { source: side({ a: "1" }, { a: "1" }, busy), target: side({ a: "2" }) };
  const replay = replayOf();
  assert.deepEqual(await look(sides, replay, "a"), { dirty: ["a"], unlike: [] });
  assert.equal(replay.open, 0);
});

Deno.test("re-check: who may not lock reads without", async () => {
  const denied = Object.assign(new Error("denied"), { errno: 1142 });
  const source = side({ a: "1" }, { a: "1" }, denied, { a: "1" });
  const found = await look({ source, target: side({ a: "2" }) }, replayOf(), "a");
  assert.deepEqual(found.unlike, [{ key: "a", kind: "unlike" }]);
  assert.deepEqual(source.locked, [false, false, true, false]);
});

Deno.test("re-check: any other failure is one, and stops the watch", async () => {
  const replay = replayOf();
  const sides = { source: side(new Error("gone")), target: side({}) };
  await assert.rejects(look(sides, replay, "a"), /gone/);
  assert.equal(replay.open, 0);
});

/** A side with rows 1…n, that notes how many rows it was asked for at once. */
function numbers(n: number, hash: string): { reads: TableReads; asked: number[] } {
  const asked: number[] = [];
  const within = (r: KeyRange) => {
    const from = r.lower?.[0] ?? 0, to = Math.min(n, r.upper?.[0] ?? n);
    return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i + 1);
  };
  const reads = {
    sum: (r: KeyRange) => Promise.resolve({ rows: within(r).length, sum: `${within(r)} ${hash}` }),
    nthKey: (r: KeyRange, count: number) => {
      const id = within(r)[count - 1];
      return Promise.resolve(id === undefined ? null : Buffer.from([id]));
    },
    hashes: (r: KeyRange) => {
      asked.push(within(r).length);
      return Promise.resolve(new Map(within(r).map((id) => [String(id), hash])));
    },
  };
  return { reads: reads as unknown as TableReads, asked };
}

Deno.test("range: never more than a few chunks are read at once, whichever side has more", async () => {
  for (const [s, t] of [[0, 200], [200, 0], [200, 200]]) {
    const source = numbers(s, "x"), target = numbers(t, "y");
    const sides = { source: source.reads, target: target.reads };
    const found: string[] = [];
    const rows = await compareRange(sides, { lower: null, upper: null }, 5, never, (keys) => {
      found.push(...keys);
      return Promise.resolve();
    });
    assert.equal(rows, s);
    assert.equal(new Set(found).size, 200);
    assert.equal(found.length, 200);
    assert(Math.max(...source.asked, ...target.asked) <= 20);
  }
});
