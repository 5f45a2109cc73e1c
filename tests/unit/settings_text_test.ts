/**
 * Settings that changed, in words.
 * @module
 */
import assert from "node:assert/strict";
import { copyText, throttleText } from "../../lib/ferry/settings_text.ts";
import { parseChange } from "../../lib/spec/parse_spec.ts";

function throttle(given: Record<string, unknown>): string {
  const reading = parseChange({ throttle: given }, new Map());
  assert("change" in reading);
  return throttleText(reading.change.throttle ?? null);
}

Deno.test("a throttle is told in words, with what is asked for and nothing else", () => {
  assert.equal(throttleText(null), "Nothing slows copying down now");
  assert.equal(throttle({}), "Nothing slows copying down now");
  assert.equal(throttle({ maxRowsPerSecond: 1 }), "Copying now waits past 1 row a second");
  assert.equal(throttle({ maxRowsPerSecond: 6000 }), "Copying now waits past 6,000 rows a second");
  assert.equal(
    throttle({
      maxLagSeconds: 5,
      replicas: ["mysql://watch:hunter2@replica:3306"],
      maxThreadsRunning: 50,
      criticalThreadsRunning: 400,
    }),
    "Copying now waits while replay is more than 5 s behind, or the replica is, " +
      "while a server runs more than 50 threads; the ferry ends where a server runs more than 400 threads",
  );
});

Deno.test("what copying takes is told in words", () => {
  assert.equal(
    copyText({ concurrency: 1, chunkBytes: 65_536, deferIndexes: true }),
    "Copying now takes one range at a time, in chunks of about 65,536 bytes",
  );
  assert.equal(
    copyText({ concurrency: 4, chunkBytes: 4_194_304, deferIndexes: true }),
    "Copying now takes up to 4 ranges side by side, in chunks of about 4,194,304 bytes",
  );
});
