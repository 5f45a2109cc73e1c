/**
 * The copy takes as many connections as make it faster, and gives back the one that does not.
 * @module
 */
import assert from "node:assert/strict";
import { Tuner } from "../../lib/copy/tuner.ts";

/** Copies for so long on servers that have this rate (MB/s) with 1, 2, … connections; answers what was used each second. */
function run(rates: readonly number[], seconds: number, most: number): number[] {
  let now = 0;
  const tuner = new Tuner(() => now);
  const used: number[] = [];
  while (now < seconds * 1000) {
    const workers = tuner.workers(most);
    now += 4000 / rates[workers - 1];
    tuner.note(4e6, workers, most);
    if (now > used.length * 1000) used.push(workers);
  }
  return used;
}

Deno.test("connections are added while they make the copy faster", () => {
  assert.equal(run([40, 80, 120, 160, 200, 205], 30, 8).at(-1), 5);
  assert.equal(run([40, 80, 120, 160, 200, 240], 30, 4).at(-1), 4);
});

Deno.test("one that brings nothing is given back, and tried again ever more rarely", () => {
  const used = run([40, 60, 61, 61, 61, 61], 400, 6);
  assert.equal(used.at(-1), 2);
  assert.ok(Math.max(...used) === 3, "never two at a time");
  const tries = used.filter((n, i) => n === 3 && used[i - 1] === 2).length;
  assert.ok(tries >= 4 && tries <= 6, `tried ${tries} times`);
});

Deno.test("a setting below what is used is obeyed at once", () => {
  let now = 0;
  const tuner = new Tuner(() => now);
  assert.equal(tuner.workers(4), 2);
  assert.equal(tuner.workers(1), 1);
  for (; now < 60_000; now += 50) tuner.note(4e6, 1, 1);
  assert.equal(tuner.workers(1), 1);
});

Deno.test("what fewer ranges than meant do says nothing", () => {
  let now = 0;
  const tuner = new Tuner(() => now);
  for (; now < 60_000; now += 50) {
    tuner.note(4e6, 1, 4);
    assert.equal(tuner.workers(4), 2);
  }
});
