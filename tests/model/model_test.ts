/**
 * Every interleaving of small instances over the rules of `lib/copy/rules.ts`: with all of them in force no row is
 * lost, with any one switched off a way to lose one is found. `FERRY_MODEL_WRITES=1` adds one transaction to each
 * instance of the first part (minutes, and gigabytes of memory).
 */
import assert from "node:assert/strict";
import { RULES, type Rules } from "../../lib/copy/rules.ts";
import { search } from "./search.ts";
import { type Instance, World } from "./world.ts";

const DEEPER = Number(Deno.env.get("FERRY_MODEL_WRITES") ?? 0);

const TWO_RANGES = [{ lower: null, upper: 0 }, { lower: 0, upper: 1 }];
const ONE_RANGE = [{ lower: null, upper: null }];

/** Two ranges of one key each, whose chunks and flushes run beside one another. */
const ranges: Instance = {
  name: "two ranges",
  transactions: 2,
  crashes: 1,
  ranges: TWO_RANGES,
  limit: 1,
  chunks: 1,
};

/** One range, read whole by one chunk: the smallest, so the one that affords the most writes. */
const single: Instance = {
  name: "one chunk",
  transactions: 4,
  crashes: 1,
  ranges: ONE_RANGE,
  limit: 3,
  chunks: 1,
};

/** One range, row by row, where the next chunk is read and sent while the last one is written. */
const pipeline: Instance = {
  ...single,
  name: "chunks one behind the other",
  transactions: 3,
  limit: 1,
  chunks: 2,
};

/** A chunk's transaction is rolled back and sent again. */
const retries: Instance = { ...single, name: "second attempts", transactions: 3, retries: true };

/** The value is a unique column, so that a REPLACE may take another row away. */
const unique: Instance = { ...ranges, name: "a unique column", unique: true };

/** Transactions of several changes, key changes among them, with flushes and chunks in their middle. */
const wide: Instance = { ...single, name: "transactions of several changes", transactions: 2, wide: true };

/** As `wide`, with a key that is free from the start, so that another row may soon move to it. */
const moves: Instance = { ...wide, name: "a row moves to a free key", rows: [1, null] };

/** As `wide`, with values that are swapped between two rows. */
const swaps: Instance = { ...wide, name: "unique values swapped", unique: true };

/** Two restarts, so that what the first one repeats is cut short by the second. */
const crashes: Instance = { ...single, name: "two crashes", transactions: 3, crashes: 2 };

/** Only some rows are meant, so that a new image may take a row out of the target. */
const filtered: Instance = { ...single, name: "a filter", transactions: 2, filtered: true };

/** As `filtered`, with key changes, and two ranges beside one another. */
const filteredMoves: Instance = {
  ...filtered,
  name: "a filter, and rows that move",
  wide: true,
  ranges: TWO_RANGES,
  limit: 1,
};

/** A child goes with its parent, and the binlog tells of the parent alone. */
const unseen: Instance = { ...single, name: "a child that goes unseen", transactions: 3, unseen: true };

/** The first position lies behind a commit that readers may not see yet. */
const early: Instance = { ...single, name: "begun amid a commit", transactions: 3, early: 1 };

/** Small and quick, for the rules that it suffices to show. */
const short: Instance = { ...single, transactions: 2 };

/** With the states that each must at least have: an instance that has withered proves nothing. */
const SOUND: readonly [Instance, number][] = [
  [ranges, 100_000],
  [single, 500_000],
  [pipeline, 500_000],
  [retries, 50_000],
  [unique, 100_000],
  [{ ...unique, name: "a unique column, one chunk", ranges: ONE_RANGE, limit: 3, transactions: 3 }, 100_000],
  [wide, 50_000],
  [{ ...wide, name: "transactions of several changes, two ranges", ranges: TWO_RANGES, limit: 1 }, 300_000],
  [moves, 50_000],
  [swaps, 50_000],
  [crashes, 100_000],
  [early, 50_000],
  [unseen, 50_000],
  [
    {
      ...unseen,
      name: "a child that goes unseen, two ranges",
      ranges: TWO_RANGES,
      limit: 1,
      transactions: 2,
    },
    50_000,
  ],
  [filtered, 10_000],
  [filteredMoves, 50_000],
];

for (const [instance, floor] of SOUND) {
  Deno.test(`model: with every rule in force nothing is lost (${instance.name})`, () => {
    const deeper = { ...instance, transactions: instance.transactions + DEEPER };
    const found = search(new World(deeper, RULES));
    assert.equal(found.loss, null);
    assert.ok(found.states >= floor, `only ${found.states} states were searched, not ${floor}`);
    assert.ok(found.atRest >= 50, `the target was compared only ${found.atRest} times`);
  });
}

/** Each rule switched off on its own: what that means, where it shows, and the answer that it gives instead. */
const BROKEN: readonly [string, Instance, Partial<Rules>][] = [
  ["I1: reading before the delivered changes are visible", ranges, { mayBeginRead: () => true }],
  ["I1: beginning a tail without what lies before it, after a crash,", short, {
    countsAsDelivered: (beforeThisTail) => !beforeThisTail,
  }],
  ["I1: beginning a tail without what lies before it, at the start,", {
    ...early,
    transactions: 1,
    crashes: 0,
  }, {
    countsAsDelivered: (beforeThisTail) => !beforeThisTail,
  }],
  ["I1: noting the position inside a transaction", wide, { mayNotePosition: () => true }],
  ["I2: writing rows that were touched since they were read", ranges, { mayWriteRow: () => true }],
  ["I3: sending a chunk while a flush is in flight", ranges, { maySendChunk: () => true }],
  ["I3: sending a chunk that a flush has made stale", { ...unseen, transactions: 1 }, {
    mayKeepChunk: () => true,
  }],
  ["I3: flushing while a chunk write is in flight", ranges, { mayBeginFlush: () => true }],
  ["I4: dropping a delete", short, {
    mayDropChange: (change, ...rest) => RULES.mayDropChange(change === "delete" ? "put" : change, ...rest),
  }],
  ["I4: dropping the old key of a key-changing update", moves, {
    mayDropChange: (change, ...rest) => RULES.mayDropChange(change === "oldKey" ? "put" : change, ...rest),
  }],
  ["I4: dropping while the range is read", ranges, {
    mayDropChange: (change, place, ...rest) =>
      RULES.mayDropChange(change, place === "reading" ? "unread" : place, ...rest),
  }],
  ["I4: dropping where it was read", ranges, {
    mayDropChange: (change, place, ...rest) =>
      RULES.mayDropChange(change, place === "read" ? "unread" : place, ...rest),
  }],
  ["I4: dropping where the target has a unique key", unique, {
    mayDropChange: (change, place, comparable, _unique, filtered) =>
      RULES.mayDropChange(change, place, comparable, false, filtered),
  }],
  ["I4: dropping where there is a filter", { ...filtered, transactions: 2 }, {
    mayDropChange: (change, place, comparable, unique) =>
      RULES.mayDropChange(change, place, comparable, unique, false),
  }],
  ["I4: leaving an older image pending when a newer one is dropped", short, { mayKeepPending: () => true }],
  ["I4: not seeing that a chunk is being read", ranges, {
    whereIsKey: (range, key) => RULES.whereIsKey({ ...range, readInProgress: false }, key),
  }],
  ["I4: not seeing that the range was read to its end", short, {
    whereIsKey: (range, key) => RULES.whereIsKey({ ...range, readToEnd: false }, key),
  }],
  ["I5: committing a cursor before its rows", ranges, {
    mayCommitCursor: (_withItsRows, earlierCommitted) => earlierCommitted,
  }],
  ["I5: committing a cursor before an earlier chunk of its range", { ...pipeline, transactions: 2 }, {
    mayCommitCursor: (withItsRows) => withItsRows,
  }],
  ["I5: committing the position before its changes", ranges, { mayCommitPosition: () => true }],
  ["I5: committing a position inside a transaction", wide, { positionToCommit: (ends) => ends.delivered }],
];

for (const [what, instance, broken] of BROKEN) {
  Deno.test(`model: ${what} loses a row`, () => {
    const found = search(new World(instance, { ...RULES, ...broken }));
    assert.ok(
      found.loss,
      `no loss among ${found.states} states (${instance.name}): the rule isn't needed there`,
    );
    assert.match(
      found.loss,
      /^source /,
      `the rule's absence must lose a row, not stop the ferry: ${found.loss}`,
    );
    if (Deno.env.has("FERRY_MODEL_TRACES")) {
      Deno.stdout.writeSync(new TextEncoder().encode(`${found.loss}\n`));
    }
  });
}

Deno.test("model: every rule is switched off somewhere", () => {
  const switchedOff = new Set(BROKEN.flatMap(([, , broken]) => Object.keys(broken)));
  assert.deepEqual([...switchedOff].sort(), Object.keys(RULES).sort());
});

Deno.test("model: rules that forbid too much are seen, not taken for safe", () => {
  const found = search(new World({ ...single, transactions: 1 }, { ...RULES, mayBeginFlush: () => false }));
  assert.match(found.loss ?? "", /^stuck: /);
});
