/**
 * What slows a copy down, and by how much.
 * @module
 */
import assert from "node:assert/strict";
import type { ThrottleSettings } from "../../lib/spec/ferry_spec.ts";
import { Gauges } from "../../lib/throttle/gauges.ts";
import { judgeReadings, type Reading } from "../../lib/throttle/limits.ts";
import { Pacer } from "../../lib/throttle/pacer.ts";
import { Throttle, type ThrottleOptions } from "../../lib/throttle/throttle.ts";

const NO_LIMIT: ThrottleSettings = {
  maxLagSeconds: null,
  replicas: [],
  maxThreadsRunning: null,
  criticalThreadsRunning: null,
  maxHistoryListLength: null,
  maxRowsPerSecond: null,
  maxBytesPerSecond: null,
  checks: [],
  http: null,
};

/** A throttle of a ferry whose servers nobody asks, and that lags by nothing known. */
function throttleOf(options: Partial<ThrottleOptions> & Pick<ThrottleOptions, "settings">): Throttle {
  return new Throttle({
    source: "mysql://nobody@127.0.0.1:9",
    target: "mysql://nobody@127.0.0.1:9",
    lagSeconds: () => null,
    cuttingOver: () => false,
    onChange: () => {},
    ...options,
  });
}

const reading = (value: Reading["value"], critical: number | null = null): Reading => ({
  name: "Threads_running of the source",
  value,
  max: 50,
  critical,
});

Deno.test("what is above its bound is the reason, what is at it is none", () => {
  assert.deepEqual(judgeReadings([]), { name: null, reason: null, critical: null });
  assert.deepEqual(judgeReadings([reading(50)]), { name: null, reason: null, critical: null });
  assert.deepEqual(judgeReadings([reading(1), reading(51, 100), reading(52)]), {
    name: "Threads_running of the source",
    reason: "Threads_running of the source is 51, above 50",
    critical: null,
  });
});

Deno.test("a number is told with one decimal, or as many as show that it is above its bound", () => {
  const told = (value: number, max: number, critical: number | null = null) => {
    const verdict = judgeReadings([{ name: "n", value, max, critical }]);
    return verdict.critical ?? verdict.reason;
  };
  assert.equal(told(7.412000179290771, 5), "n is 7.4, above 5");
  assert.equal(told(7.96, 5), "n is 8.0, above 5");
  assert.equal(told(12, 5), "n is 12, above 5");
  assert.equal(told(5.0412000179290771, 5), "n is 5.04, above 5");
  assert.equal(told(0.0125, 0.01), "n is 0.013, above 0.01");
  assert.equal(told(0.1 + 0.2, 0.3), `n is ${0.1 + 0.2}, above 0.3`);
  assert.equal(told(8.123456, 5, 6.5), "n is 8.1, above 6.5");
});

Deno.test("an address that sends one elsewhere holds the copy, whatever is answered there", async () => {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
    const there = new URL(url).pathname === "/sign-in";
    return new Response("who are you?", { status: there ? 200 : 302, headers: { location: "/sign-in" } });
  });
  const http = `http://127.0.0.1:${server.addr.port}/`;
  const gauges = new Gauges({ source: "mysql://nobody@127.0.0.1:9", target: "mysql://nobody@127.0.0.1:9" });
  try {
    const { reason } = judgeReadings(
      await gauges.read({ ...NO_LIMIT, http }, null, new AbortController().signal),
    );
    assert.equal(reason, `the answer of 127.0.0.1:${server.addr.port} is 302, above 299`);
  } finally {
    await gauges.close();
  }
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
  assert.equal(pacer.wait(pace).ms, 0);
  pacer.take(500, 100);
  assert.deepEqual(pacer.wait(pace), { ms: 500, cap: "rows" });
  now += 200;
  assert.equal(pacer.wait(pace).ms, 300);
  now += 300;
  assert.equal(pacer.wait(pace).ms, 0);
  pacer.take(1, 3e6);
  assert.deepEqual(pacer.wait(pace), { ms: 3000, cap: "bytes" });
  assert.equal(pacer.wait({ rows: null, bytes: null }).ms, 0, "and is forgotten when it is taken away");
  now += 60_000;
  assert.equal(pacer.wait(pace).ms, 0);
  pacer.take(2000, 0);
  assert.equal(pacer.wait(pace).ms, 2000, "a quiet minute is not saved up");
});

Deno.test("nothing is looked at while the ferry cuts over, and everything again afterwards", async () => {
  let looks = 0;
  let cuttingOver = false;
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    looks++;
    // The first one is answered when the cutover has begun.
    if (looks === 1) cuttingOver = true;
    return new Response(null, { status: 503 });
  });
  const throttle = throttleOf({
    settings: () => ({ ...NO_LIMIT, http: `http://127.0.0.1:${server.addr.port}/` }),
    cuttingOver: () => cuttingOver,
  });
  const reason = () => throttle.throttled?.reason ?? null;
  const end = new AbortController();
  const running = throttle.run(end.signal).catch((e) => e);
  try {
    await new Promise((r) => setTimeout(r, 2500));
    assert.equal(looks, 1);
    assert.equal(reason(), null, "what was read when it began says nothing");
    cuttingOver = false;
    for (let i = 0; reason() === null; i++) {
      assert(i < 200, "it is looked at again");
      await new Promise((r) => setTimeout(r, 50));
    }
    assert.match(reason()!, /is 503, above 299$/);
  } finally {
    end.abort(new Error("over"));
    assert.equal((await running).name, "AbortError");
  }
});

Deno.test("a cap that comes under way is of what is copied from then on", async () => {
  let settings: ThrottleSettings | null = null;
  const throttle = throttleOf({ settings: () => settings });
  await throttle.allowed(AbortSignal.timeout(2000));
  throttle.copied(1_000_000, 1e9);
  settings = { ...NO_LIMIT, maxRowsPerSecond: 10, maxBytesPerSecond: 10 };
  await throttle.allowed(AbortSignal.timeout(2000));
  throttle.copied(20, 0);
  await assert.rejects(throttle.allowed(AbortSignal.timeout(500)), { name: "AbortError" });
});

Deno.test("a cap is told when copying waits for it, and not when it does not any more", async () => {
  let looks = 0;
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    return new Response(null, { status: ++looks > 2 ? 503 : 200 });
  });
  let settings: ThrottleSettings = { ...NO_LIMIT, maxRowsPerSecond: 10 };
  const told: (string | null)[] = [];
  const throttle = throttleOf({ settings: () => settings, onChange: (reason) => told.push(reason) });
  const end = new AbortController();
  const running = throttle.run(end.signal).catch((e) => e);
  const toldOf = async (wanted: number) => {
    for (let i = 0; told.length < wanted; i++) {
      assert(i < 200, JSON.stringify(told));
      await new Promise((r) => setTimeout(r, 50));
    }
  };
  try {
    throttle.copied(1000, 1);
    const waiting = throttle.allowed(end.signal);
    await toldOf(1);
    assert.deepEqual(throttle.throttled, {
      reason: "the cap on rows a second is 10",
      name: "the cap on rows a second",
    });
    assert.equal(throttle.holds, false, "comparing does not wait");
    settings = { ...NO_LIMIT, http: `http://127.0.0.1:${server.addr.port}/` };
    await waiting;
    assert.equal(throttle.throttled, null);
    // Two looks find nothing, the third one does.
    await toldOf(2);
    assert.equal(throttle.holds, true);
    assert.equal(told[0], "the cap on rows a second is 10");
    assert.match(told[1]!, /is 503, above 299$/);
  } finally {
    end.abort(new Error("over"));
    assert.equal((await running).name, "AbortError");
  }
});
