import assert from "node:assert/strict";
import { DirtyKeys } from "../../lib/verify/dirty_keys.ts";

/** Delivers keys to whoever watches. */
class FakeReplay {
  readonly watches = new Set<Set<string>>();

  watch(table: number) {
    assert.equal(table, 7);
    const keys = new Set<string>();
    this.watches.add(keys);
    return { keys, stop: () => void this.watches.delete(keys) };
  }

  deliver(...keys: string[]): void {
    for (const watch of this.watches) for (const key of keys) watch.add(key);
  }
}

function setUp(limit = 10): { replay: FakeReplay; dirty: DirtyKeys } {
  const replay = new FakeReplay();
  return { replay, dirty: new DirtyKeys(replay, 7, limit) };
}

Deno.test("dirty keys: what is delivered is dirty until it is taken", () => {
  const { replay, dirty } = setUp();
  replay.deliver("before");
  dirty.start();
  replay.deliver("a", "b", "a");
  assert.equal(dirty.count, 2);
  const taken = dirty.take();
  assert.deepEqual([taken.whole, [...taken.keys]], [false, ["a", "b"]]);
  assert.equal(dirty.count, 0);
});

Deno.test("dirty keys: what is delivered while keys are looked at is dirty anew", () => {
  const { replay, dirty } = setUp();
  dirty.start();
  replay.deliver("a");
  dirty.take();
  replay.deliver("a", "b");
  assert.deepEqual([...dirty.take().keys].sort(), ["a", "b"]);
});

Deno.test("dirty keys: what was kept comes back with what was delivered", () => {
  const { replay, dirty } = setUp();
  dirty.start();
  dirty.keep(["a", "b"]);
  replay.deliver("b", "c");
  assert.deepEqual([...dirty.take().keys].sort(), ["a", "b", "c"]);
});

Deno.test("dirty keys: past the limit the whole table is dirty, and no key is held", () => {
  const { replay, dirty } = setUp(3);
  dirty.start();
  replay.deliver("a", "b", "c");
  dirty.trim();
  assert.equal(dirty.whole, false);
  replay.deliver("d");
  dirty.trim();
  assert.equal(dirty.whole, true);
  assert.equal(dirty.count, 0);
  assert.equal(replay.watches.size, 0);
  dirty.keep(["x"]);
  assert.equal(dirty.count, 0);
  assert.deepEqual(dirty.take(), { whole: true, keys: new Set() });
  assert.equal(dirty.whole, false);
  replay.deliver("e");
  assert.equal(dirty.count, 1);
});

Deno.test("dirty keys: taking keeps the bound too", () => {
  const { replay, dirty } = setUp(3);
  dirty.start();
  replay.deliver("a", "b", "c", "d");
  assert.equal(dirty.take().whole, true);
});

Deno.test("dirty keys: there is always one watch, and none after stop", () => {
  const { replay, dirty } = setUp();
  dirty.start();
  dirty.start();
  dirty.take();
  assert.equal(replay.watches.size, 1);
  dirty.stop();
  assert.equal(replay.watches.size, 0);
});
