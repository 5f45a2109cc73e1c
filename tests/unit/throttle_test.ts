/**
 * What slows a copy down, and by how much.
 * @module
 */
import assert from "node:assert/strict";
import { judgeReadings, type Reading } from "../../lib/throttle/limits.ts";
import { Pacer } from "../../lib/throttle/pacer.ts";

const reading = (value: Reading["value"], critical: number | null = null): Reading => ({
  name: "Threads_running of the source",
  value,
  max: 50,
  critical,
});

Deno.test("what is above its bound is the reason, what is at it is none", () => {
  assert.deepEqual(judgeReadings([]), { reason: null, critical: null });
  assert.deepEqual(judgeReadings([reading(50)]), { reason: null, critical: null });
  const { reason, critical } = judgeReadings([reading(1), reading(51, 100)]);
  assert.deepEqual([reason, critical], ["Threads_running of the source is 51, above 50", null]);
});

Deno.test("a number that nobody can read counts as too much", () => {
  const { reason } = judgeReadings([reading({ unknown: "no answer" }, 100)]);
  assert.equal(reason, "Threads_running of the source cannot be read: no answer");
});

Deno.test("a critical number ends the ferry, whatever else there is", () => {
  const { critical } = judgeReadings([reading(60), reading({ unknown: "no answer" }), reading(101, 100)]);
  assert.equal(critical, "Threads_running of the source is 101, above 100");
});

Deno.test("a pace holds on the average, for rows and for bytes", () => {
  let now = 0;
  const pacer = new Pacer(() => now);
  const pace = { rows: 1000, bytes: 1e6 };
  assert.equal(pacer.wait(pace), 0);
  pacer.take(500, 100);
  assert.equal(pacer.wait(pace), 500);
  now += 200;
  assert.equal(pacer.wait(pace), 300);
  now += 300;
  assert.equal(pacer.wait(pace), 0);
  pacer.take(1, 3e6);
  assert.equal(pacer.wait(pace), 3000);
  assert.equal(pacer.wait({ rows: null, bytes: null }), 0, "and is forgotten when it is taken away");
  now += 60_000;
  assert.equal(pacer.wait(pace), 0);
  pacer.take(2000, 0);
  assert.equal(pacer.wait(pace), 2000, "a quiet minute is not saved up");
});
