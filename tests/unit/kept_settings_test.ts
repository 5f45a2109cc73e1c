/**
 * What is kept of changed settings, and what another process makes of it.
 * @module
 */
import assert from "node:assert/strict";
import { joinChanges, readStoredChange, storedChange } from "../../lib/spec/kept_settings.ts";
import type { SpecChange, ThrottleSettings } from "../../lib/spec/ferry_spec.ts";
import { parseChange } from "../../lib/spec/parse_spec.ts";

const CONNECTIONS = new Map([["watch-eu", "mysql://watch:named-secret@eu:3306"]]);
const NOTHING = { throttles: [], servers: [], connections: new Map<string, string>() };

function changeOf(input: unknown): SpecChange {
  const reading = parseChange(input, CONNECTIONS);
  assert("change" in reading, JSON.stringify(reading));
  return reading.change;
}

const throttleOf = (change: SpecChange): ThrottleSettings => change.throttle!;

const FULL = changeOf({
  copy: { concurrency: 2 },
  throttle: {
    maxLagSeconds: 5,
    maxRowsPerSecond: 100,
    replicas: ["watch-eu", "mysql://watch:url-secret@us:3306"],
    checks: [{ on: "target", query: "SELECT 1", max: 3 }],
    http: "https://probe:http-secret@lb.example/ready?pool=eu",
  },
});

Deno.test("copy is joined field by field, of throttles the last one holds as a whole", () => {
  const one = changeOf({ copy: { concurrency: 2 }, throttle: { maxLagSeconds: 5 } });
  const two = changeOf({ copy: { chunkBytes: 20_000 } });
  assert.deepEqual(joinChanges(one, two), {
    copy: { concurrency: 2, chunkBytes: 20_000 },
    throttle: one.throttle,
  });
  assert.deepEqual(joinChanges(one, changeOf({ throttle: null })), {
    copy: { concurrency: 2 },
    throttle: null,
  });
  const three = joinChanges(one, changeOf({ throttle: { maxRowsPerSecond: 10 } })).throttle!;
  assert.deepEqual([three.maxRowsPerSecond, three.maxLagSeconds], [10, null], "what is left out is not kept");
  assert.deepEqual(joinChanges({}, {}), {});
});

Deno.test("no password is stored, whatever URL it is in", () => {
  const text = storedChange(FULL);
  assert(!text.includes("secret"), text);
  assert(text.includes("watch-eu") && text.includes("us:3306") && text.includes("lb.example/ready?pool=eu"));
});

Deno.test("what needs no password is read back as it was, null too", () => {
  for (
    const input of [
      { copy: { concurrency: 9 } },
      { throttle: null },
      { throttle: { maxThreadsRunning: 5, http: "http://lb/ready" } },
    ]
  ) {
    const change = changeOf(input);
    assert.deepEqual(readStoredChange(storedChange(change), NOTHING), { change, lost: [] });
  }
});

Deno.test("what needs a password nobody knows is left out and named, the rest is kept", () => {
  const { change, lost } = readStoredChange(storedChange(FULL), NOTHING);
  assert.deepEqual(lost, [
    'replica "watch-eu"',
    "replica mysql://watch:***@us:3306",
    "http https://***:***@lb.example/ready?pool=eu",
  ]);
  assert.deepEqual(change, {
    copy: { concurrency: 2 },
    throttle: { ...FULL.throttle, replicas: [], http: null },
  });
});

Deno.test("named connections, the spec's own throttle and its servers fill passwords in again", () => {
  const stored = storedChange(FULL);
  const spec = throttleOf(FULL);
  assert.deepEqual(readStoredChange(stored, { ...NOTHING, throttles: [null, spec] }), {
    change: FULL,
    lost: [],
  });
  const servers = [{ url: "mysql://watch:url-secret@us:3306", name: null }];
  const { change, lost } = readStoredChange(stored, { throttles: [], servers, connections: CONNECTIONS });
  assert.deepEqual(throttleOf(change).replicas, spec.replicas);
  assert.deepEqual(lost, ["http https://***:***@lb.example/ready?pool=eu"]);
});
