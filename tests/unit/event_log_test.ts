/**
 * What a log of events remembers for those who come late.
 * @module
 */
import assert from "node:assert/strict";
import { EventLog } from "../../lib/progress/event_log.ts";

Deno.test("the last events are told the oldest first, without progress, each with its time", async () => {
  const log = new EventLog();
  const before = Date.now();
  for (const text of ["one", "two", "three"]) log.add("log", { text });
  log.add("progress", { text: "half" });
  log.add("state", { text: "four" });
  await log.settled();
  assert.deepEqual(log.last(3).map((e) => [e.id, e.data.text]), [[2, "two"], [3, "three"], [5, "four"]]);
  assert.equal(log.last(50).length, 4);
  for (const { data } of log.last(50)) {
    const at = Date.parse(data.at!);
    assert(at >= before && at <= Date.now(), `${data.at}`);
  }
  await log.close();
});
