/**
 * Each number that throttles, read while it is above its bound, and while it is not.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import type { FerryResource } from "../../lib/progress/resource.ts";
import type { ThrottleSettings } from "../../lib/spec/ferry_spec.ts";
import { parseChange } from "../../lib/spec/parse_spec.ts";
import { Gauges } from "../../lib/throttle/gauges.ts";
import { judgeReadings } from "../../lib/throttle/limits.ts";
import { Throttle } from "../../lib/throttle/throttle.ts";
import { type ServerPair, startServer } from "../servers/mod.ts";
import { assertEqual } from "../support/equality.ts";
import { shopSpec, until, untilShown, untilTrue } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { makeOrders } from "../support/orders.ts";
import { pointAt } from "../support/replicas.ts";
import { Sql } from "../support/sql.ts";

function settingsOf(throttle: unknown): ThrottleSettings {
  const reading = parseChange({ throttle });
  assert("change" in reading, JSON.stringify(reading));
  return reading.change.throttle!;
}

/** Waits until what these settings throttle for is as said; `null` for nothing. */
async function untilReason(
  { source, target }: ServerPair,
  throttle: unknown,
  wanted: RegExp | null,
): Promise<void> {
  const settings = settingsOf(throttle);
  const gauges = new Gauges({ source: source.url, target: target.url });
  try {
    let reason: string | null = null;
    await untilTrue(`the reason is ${wanted}`, async () => {
      reason = judgeReadings(await gauges.read(settings, null, new AbortController().signal)).reason;
      return wanted === null ? reason === null : wanted.test(reason ?? "");
    }, { everyMs: 200 }).catch((e) => assert.fail(`${e.message}, but ${reason}`));
  } finally {
    await gauges.close();
  }
}

onEachFlavour(
  "a replica is as far behind as what it is furthest behind, by whatever name, and one that is stopped tells nothing",
  async (pair, vendor) => {
    const { source: north, target: replica } = pair;
    await using south = await startServer({ vendor });
    for (const { url } of [north, south, replica]) await makeOrders(url);
    await pointAt(north, replica, "north");
    await pointAt(south, replica, "south");
    await using there = await Sql.open(replica.url);
    await using held = await there.again();
    const [start, stop] = vendor === "mysql"
      ? ["START REPLICA", "STOP REPLICA FOR CHANNEL 'south'"]
      : ["START ALL SLAVES", "STOP SLAVE 'south'"];
    const throttle = { maxLagSeconds: 2, replicas: [replica.url] };
    const none = "the lag of replica 1 in seconds cannot be read: it does not replicate";
    await untilReason(pair, throttle, new RegExp(`^${none}$`));
    await there.run(start);
    await untilReason(pair, throttle, null);
    await held.run("BEGIN; SELECT * FROM shop.orders WHERE id = 1 FOR UPDATE");
    for (const { url } of [north, south]) {
      await using sql = await Sql.open(url);
      // What the other one replicates waits for nothing.
      await sql.run(`UPDATE shop.orders SET v = v + 1 WHERE id = ${url === north.url ? 1 : 2}`);
    }
    await untilReason(pair, throttle, /^the lag of replica 1 in seconds is \d+, above 2$/);
    await held.run("ROLLBACK");
    await untilReason(pair, throttle, null);
    await there.run(stop);
    await untilReason(pair, throttle, new RegExp(`^${none}$`));
  },
);

onEachFlavour("copying waits while the ferry's own replay is behind", async ({ source, target }) => {
  await makeOrders(source.url, 5000);
  await using sql = await Sql.open(source.url);
  await using held = await Sql.open(target.url);
  const dock = openDock();
  try {
    const throttle = { maxRowsPerSecond: 200, maxLagSeconds: 2 };
    const spec = shopSpec(source.url, target.url, { throttle, copy: { chunkBytes: 16_384 } });
    const ferry = await dock.start(spec);
    await untilShown(ferry, (r) => r.progress.rowsCopied >= 10);
    // A change is not on the target while its write waits there.
    await held.run("BEGIN; SELECT * FROM shop.orders WHERE id = 1 FOR UPDATE");
    await sql.run("UPDATE shop.orders SET v = -1 WHERE id = 1");
    const behind = (r: FerryResource) =>
      /^the ferry's own lag in seconds is [\d.]+, above 2$/.test(r.throttled?.reason ?? "");
    await untilShown(ferry, behind, 9);
    await held.run("ROLLBACK");
    await untilShown(ferry, (r) => !behind(r));
    await ferry.change({ throttle: null });
    await until(ferry, ["done"]);
    assert.equal(await assertEqual(source.url, target.url, ["shop.orders"]), 5000);
  } finally {
    await dock.close();
  }
});

onEachFlavour("threads that run are counted on both sides", async (pair) => {
  const throttle = { maxThreadsRunning: 10 };
  await untilReason(pair, throttle, null);
  for (const side of ["source", "target"] as const) {
    const busy = await Promise.all(Array.from({ length: 15 }, () => Sql.open(pair[side].url)));
    for (const sql of busy) void sql.send("DO SLEEP(600)").catch(() => {});
    await untilReason(pair, throttle, new RegExp(`^Threads_running of the ${side} is \\d+, above 10$`));
    for (const sql of busy) sql.destroy();
    await untilReason(pair, throttle, null);
  }
});

onEachFlavour(
  "the history that an open transaction holds back is counted",
  async (pair) => {
    const { url } = pair.source;
    await makeOrders(url);
    await using reader = await Sql.open(url);
    await using writer = await Sql.open(url);
    const throttle = { maxHistoryListLength: 250 };
    await untilReason(pair, throttle, null);
    await reader.run("START TRANSACTION WITH CONSISTENT SNAPSHOT");
    for (let i = 0; i < 300; i++) await writer.run("UPDATE shop.orders SET v = v + 1");
    await untilReason(pair, throttle, /^the history list of the source is \d+, above 250$/);
    await reader.run("ROLLBACK");
    // What has nothing to do sleeps: a write wakes it.
    await writer.run("UPDATE shop.orders SET v = v + 1");
    await untilReason(pair, throttle, null);
  },
  { source: { mysql: { "innodb-purge-rseg-truncate-frequency": "1" } } },
);

onEachFlavour("bytes a second are bounded", async ({ source, target }) => {
  await makeOrders(source.url, 20_000);
  const dock = openDock();
  try {
    const bytesPerSecond = 40_000;
    const chunkBytes = 16_384;
    const began = performance.now();
    const ferry = await dock.start(shopSpec(source.url, target.url, {
      throttle: { maxBytesPerSecond: bytesPerSecond },
      copy: { concurrency: 1, chunkBytes },
    }));
    const { progress } = await until(ferry, ["done"]);
    const seconds = (performance.now() - began) / 1000;
    // The last two chunks are not waited for.
    const least = (progress.bytesCopied - 2 * chunkBytes) / bytesPerSecond;
    assert(least > 3, `${progress.bytesCopied} bytes are enough to tell`);
    assert(seconds > least, `${progress.bytesCopied} bytes took ${seconds} s`);
  } finally {
    await dock.close();
  }
});

onEachFlavour(
  "another query is another reason, however it begins, and another number of the same is none",
  async ({ source, target }) => {
    const check = (query: string) => settingsOf({ checks: [{ on: "source", query, max: 1 }] });
    const [one, two] = ["false", "true"].map((word) => `SELECT 2 + (0 is ${word}) + MICROSECOND(SYSDATE(6))`);
    let settings = check(one);
    const told: (string | null)[] = [];
    const throttle = new Throttle({
      source: source.url,
      target: target.url,
      settings: () => settings,
      lagSeconds: () => null,
      cuttingOver: () => false,
      onChange: (reason) => told.push(reason),
    });
    const end = new AbortController();
    const running = throttle.run(end.signal).catch((e) => e);
    try {
      await untilTrue("the first is told", () => told.length === 1);
      const reason = throttle.throttled?.reason;
      await untilTrue("its number changes", () => throttle.throttled?.reason !== reason);
      settings = check(two);
      await untilTrue("the second is told", () => told.length === 2);
      assert.deepEqual(told.map((text, i) => text?.startsWith([one, two][i])), [true, true], told.join("; "));
    } finally {
      end.abort(new Error("over"));
      await running;
    }
  },
  { only: ["mysql"] },
);
