/**
 * A copy waits while a server has enough to do, and says why; replay goes on meanwhile.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import type { FerryEvent, FerryResource } from "../../lib/progress/resource.ts";
import type { Ferry } from "../../lib/ferry/ferry.ts";
import { parseChange } from "../../lib/spec/parse_spec.ts";
import { assertEqual } from "../support/equality.ts";
import { ended, shopSpec, still, until, untilShown, untilTrue } from "../support/ferries.ts";
import { renderMetrics } from "../../routes/metrics.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { makeOrders } from "../support/orders.ts";
import { Sql } from "../support/sql.ts";

const ROWS = 20_000;

/** A number on the target that a test turns. */
async function makeKnob(url: string, value: number): Promise<void> {
  await using sql = await Sql.open(url);
  await sql.run(`CREATE DATABASE ops; CREATE TABLE ops.knob (v INT); INSERT INTO ops.knob VALUES (${value})`);
}

const turn = async (url: string, value: number) => {
  await using sql = await Sql.open(url);
  await sql.run(`UPDATE ops.knob SET v = ${value}`);
};

const knob = (critical: number | null = null) => ({
  checks: [{ on: "target", query: "SELECT v FROM ops.knob", max: 10, critical }],
});

/** Waits until it is throttled for that reason, or, with `null`, for none; returns the reason. */
async function throttled(ferry: Ferry, wanted: RegExp | null): Promise<string | null> {
  const reasonOf = (r: FerryResource) => r.throttled?.reason ?? null;
  return reasonOf(
    await untilShown(
      ferry,
      (r) => wanted === null ? r.throttled === null : wanted.test(reasonOf(r) ?? ""),
      30,
    ),
  );
}
const KNOB = /^SELECT v /;

/** What the latest `progress` says of it. */
async function toldOfThrottle(ferry: Ferry): Promise<unknown> {
  for await (const { type, data } of ferry.events(0, AbortSignal.timeout(10_000))) {
    if (type === "progress") return data.throttled;
  }
  assert.fail("no progress is told");
}

function change(ferry: Ferry, throttle: unknown): Promise<void> {
  const reading = parseChange({ throttle });
  assert("change" in reading, JSON.stringify(reading));
  return ferry.change(reading.change);
}

onEachFlavour("copying waits while a query says so, replay does not", async ({ source, target }) => {
  await makeOrders(source.url, ROWS);
  await makeKnob(target.url, 5);
  const dock = openDock();
  try {
    const slow = { maxRowsPerSecond: 500, ...knob() };
    const ferry = await dock.start(
      shopSpec(source.url, target.url, { throttle: slow, copy: { chunkBytes: 16_384 } }),
    );
    // Changes behind the cursor are replayed; what lies before it a later chunk reads anyway.
    await untilShown(ferry, (r) => r.progress.rowsCopied >= 100);
    await turn(target.url, 11);
    const reason = await throttled(ferry, KNOB);
    assert.equal(reason, "SELECT v FROM ops.knob of the target is 11, above 10");
    // Nothing but the query holds it from now on. What was being read is written.
    await change(ferry, knob());
    const before = await still("the copy", () => ferry.resource().progress.rowsCopied);
    assert.equal(ferry.resource().state, "copying");
    assert.deepEqual(await toldOfThrottle(ferry), { reason, name: "SELECT v FROM ops.knob of the target" });
    await using sql = await Sql.open(source.url);
    await sql.run("UPDATE shop.orders SET v = -1 WHERE id <= 100");
    await untilTrue(
      "changes are replayed while copying waits",
      () => ferry.resource().progress.changesApplied >= 100,
    );
    assert.equal(ferry.resource().state, "copying");
    assert.equal(ferry.resource().progress.rowsCopied, before, "and nothing is copied");
    await turn(target.url, 10);
    await throttled(ferry, null);
    await change(ferry, null);
    await until(ferry, ["awaitingCutover"]);
    const told: FerryEvent[] = [];
    const enough = new AbortController();
    for await (const event of ferry.events(0, enough.signal)) {
      told.push(event);
      if (event.data.state === "awaitingCutover") enough.abort();
    }
    const texts = told.map((e) => e.data.text);
    assert(texts.some((t) => t.startsWith("Copying waits: SELECT v")), texts.join("; "));
    assert(texts.includes("Copying goes on: nothing slows it down"));
    assert.equal(await assertEqual(source.url, target.url, ["shop.orders"]), ROWS);
  } finally {
    await dock.close();
  }
});

onEachFlavour("a critical number ends the ferry, and it goes on where it was", async ({ source, target }) => {
  await makeOrders(source.url, ROWS);
  await makeKnob(target.url, 5);
  const dock = openDock();
  try {
    const slow = { maxRowsPerSecond: 1000, ...knob(100) };
    const ferry = await dock.start(
      shopSpec(source.url, target.url, { throttle: slow, copy: { chunkBytes: 16_384 } }),
    );
    await untilShown(ferry, (r) => r.progress.rowsCopied >= 1000);
    await turn(target.url, 101);
    const failed = await ferry.ended;
    assert.equal(failed.error?.code, "throttle-critical");
    assert.match(failed.error!.detail, /SELECT v FROM ops\.knob of the target is 101, above 100/);
    assert.equal(failed.throttled, null);
    await turn(target.url, 5);
    await change(ferry, null).catch(() => {}); // an ended ferry takes no change
    await ferry.act("retry");
    // It counts as failed for a moment more, until it has its lease.
    await untilShown(ferry, ({ state }) => state === "copying");
    await change(ferry, null);
    await until(ferry, ["awaitingCutover"]);
    assert.equal(await assertEqual(source.url, target.url, ["shop.orders"]), ROWS);
  } finally {
    await dock.close();
  }
});

onEachFlavour(
  "rows a second are bounded, and the servers' own numbers are read",
  async ({ source, target }) => {
    await makeOrders(source.url, ROWS);
    const dock = openDock();
    try {
      const throttle = {
        maxRowsPerSecond: 8000,
        maxLagSeconds: 60,
        maxThreadsRunning: 500,
        criticalThreadsRunning: 1000,
        maxHistoryListLength: 1_000_000,
        checks: [{ on: "source", status: "Threads_connected", max: 1000 }],
      };
      const began = performance.now();
      const ferry = await dock.start(
        shopSpec(source.url, target.url, { throttle, copy: { chunkBytes: 16_384 } }),
      );
      await until(ferry, ["awaitingCutover"]);
      // The last chunk is not waited for; each is far below a second's worth.
      assert(performance.now() - began > 1000 * (ROWS - 8000) / 8000, "it took as long as it had to");
      assert.equal(ferry.resource().throttled, null);
    } finally {
      await dock.close();
    }
  },
);

onEachFlavour(
  "a cap is named while it is what slows the copy down, and holds from the first second on",
  async ({ source, target }) => {
    await makeOrders(source.url, ROWS);
    const dock = openDock();
    const texts: string[] = [];
    const enough = new AbortController();
    let listening: Promise<void> | null = null;
    try {
      const throttle = { maxRowsPerSecond: 500 };
      const cutover = { mode: "manual", fence: "lockTables", keepFence: false };
      const ferry = await dock.start(shopSpec(source.url, target.url, { throttle, cutover }));
      listening = (async () => {
        for await (const { data } of ferry.events(0, enough.signal)) {
          if (/is slowed down|goes on| waits: /.test(data.text)) texts.push(data.text);
        }
      })();
      await untilShown(ferry, (r) => r.state === "copying" && r.progress.rowsCopied > 0);
      const began = performance.now();
      for (;;) {
        const seconds = (performance.now() - began) / 1000;
        const { rowsCopied } = ferry.resource().progress;
        // A second's worth may be under way when it begins.
        assert(rowsCopied <= 500 * (seconds + 2), `${rowsCopied} rows after ${seconds} s`);
        if (seconds > 5) break;
        await new Promise((r) => setTimeout(r, 50));
      }
      assert.equal(await throttled(ferry, /cap/), "the cap on rows a second is 500");
      const { text } = await renderMetrics(dock, "1");
      const told = 'chainferry_ferry_throttled{ferry="' + ferry.resource().id +
        '",reason="rows_per_second"} 1';
      assert(text.includes(told), text);
      const rows = "Copying is slowed down: the cap on rows a second is 500";
      const bytes = "Copying is slowed down: the cap on bytes a second is 20000";
      const wanted = [rows];
      const toldAll = () => untilTrue(wanted.at(-1)!, () => texts.length >= wanted.length);
      await toldAll();
      for (const [settings, text] of [[{ maxBytesPerSecond: 20_000 }, bytes], [throttle, rows]] as const) {
        await change(ferry, settings);
        wanted.push(text);
        await toldAll();
        assert.equal(`Copying is slowed down: ${ferry.resource().throttled?.reason}`, text);
      }
      await change(ferry, null);
      assert.equal(ferry.resource().throttled, null);
      await until(ferry, ["awaitingCutover"]);
      assert.equal(ferry.resource().throttled, null);
      // Nothing is said of a cap that nothing waits for any more.
      await change(ferry, { checks: [{ on: "source", query: "SELECT 7", max: 5 }] });
      wanted.push("Comparing waits: SELECT 7 of the source is 7, above 5");
      await toldAll();
      assert.deepEqual(texts, wanted);
    } finally {
      enough.abort();
      await listening;
      await dock.close();
    }
  },
);

onEachFlavour("a number that cannot be read holds the copy, and is named", async ({ source, target }) => {
  await makeOrders(source.url, ROWS);
  const dock = openDock();
  try {
    const cases: [unknown, RegExp][] = [
      [
        { maxLagSeconds: 5, replicas: [target.url] },
        /lag of replica 1 in seconds cannot be read: it does not replicate/,
      ],
      [{ checks: [{ on: "source", status: "No_such", max: 1 }] }, /No_such of the source cannot be read/],
      [
        { checks: [{ on: "source", query: "SELECT x", max: 1 }] },
        /SELECT x of the source cannot be read: error 1054/,
      ],
      [{ http: "http://127.0.0.1:9/ready" }, /the answer of 127.0.0.1:9 cannot be read: no answer/],
    ];
    const slow = { maxRowsPerSecond: 200 };
    const ferry = await dock.start(
      shopSpec(source.url, target.url, { throttle: slow, copy: { chunkBytes: 16_384, concurrency: 1 } }),
    );
    for (const [throttle, wanted] of cases) {
      await change(ferry, { ...slow, ...throttle as object });
      await throttled(ferry, wanted);
      await change(ferry, slow);
      await throttled(ferry, /^the cap on rows a second is 200$/);
    }
    await change(ferry, null);
    await until(ferry, ["awaitingCutover"]);
  } finally {
    await dock.close();
  }
});

onEachFlavour(
  "comparing waits while a query says so, an order does not wait for it, and it goes on",
  async ({ source, target }) => {
    await makeOrders(source.url, ROWS);
    await makeKnob(target.url, 11);
    await using sql = await Sql.open(source.url);
    const dock = openDock();
    try {
      const spec = shopSpec(source.url, target.url, {
        cutover: { mode: "manual", fence: "lockTables", keepFence: false },
      });
      const ferry = await dock.start(spec);
      await until(ferry, ["awaitingCutover"]);
      await change(ferry, knob());
      const reason = "SELECT v FROM ops.knob of the target is 11, above 10";
      assert.equal(await throttled(ferry, KNOB), reason);
      await ferry.act("verify");
      await until(ferry, ["verifying"]);
      await new Promise((r) => setTimeout(r, 1500));
      const stands = ferry.resource();
      assert.equal(stands.state, "verifying");
      assert.equal(stands.verification.rowsCompared, 0, "nothing is compared");
      assert.equal(stands.throttled?.reason, reason);
      // Replay does not wait.
      const { changesApplied } = stands.progress;
      await sql.run("UPDATE shop.orders SET v = -1 WHERE id <= 100");
      await untilTrue(
        "changes are replayed while comparing waits",
        () => ferry.resource().progress.changesApplied >= changesApplied + 100,
      );
      await turn(target.url, 10);
      await throttled(ferry, null);
      const waiting = await until(ferry, ["awaitingCutover"]);
      assert(waiting.verification.rowsCompared >= ROWS, "all of it was compared");
      // What changes now is to be compared, and cannot: the cutover, which compares it behind the fence, goes before.
      await turn(target.url, 11);
      await throttled(ferry, KNOB);
      await sql.run("UPDATE shop.orders SET v = -2 WHERE id <= 100");
      await new Promise((r) => setTimeout(r, 2500));
      await ferry.act("cutover");
      const done = await until(ferry, ["done"], 30);
      assert.equal(done.verification.state, "passed");
      assert.equal(await assertEqual(source.url, target.url, ["shop.orders"]), ROWS);
      const texts: string[] = [];
      for await (const event of ferry.events(0, AbortSignal.timeout(10_000))) texts.push(event.data.text);
      assert(texts.includes(`Comparing waits: ${reason}`), texts.join("; "));
      assert(texts.includes("Comparing goes on: nothing slows it down"));
    } finally {
      await dock.close();
    }
  },
);

onEachFlavour(
  "the writers that wait at a cutover's own fence do not end it, whatever level is critical",
  async ({ source, target }) => {
    await makeOrders(source.url, ROWS);
    await using sql = await Sql.open(source.url);
    await using open = await sql.again();
    const dock = openDock();
    let stopped = false;
    let writers: Promise<unknown> = Promise.resolve();
    try {
      const critical = 12;
      const ferry = await dock.start(shopSpec(source.url, target.url, {
        throttle: { criticalThreadsRunning: critical },
        cutover: { mode: "manual", fence: "lockTables", keepFence: false, timeoutSeconds: 60 },
      }));
      await until(ferry, ["awaitingCutover"]);
      // The fence waits for this one, and everybody else waits for the fence.
      await open.run("BEGIN; UPDATE shop.orders SET v = -1 WHERE id = 1");
      await ferry.act("cutover");
      await until(ferry, ["cuttingOver"]);
      const write = async (id: number) => {
        await using one = await sql.again();
        while (!stopped) {
          await one.run(`UPDATE shop.orders SET v = v WHERE id = ${id}`);
          await new Promise((r) => setTimeout(r, 20));
        }
      };
      writers = Promise.all(Array.from({ length: 2 * critical }, (_, i) => write(100 + i)));
      const running = async () =>
        Number((await sql.run("SHOW GLOBAL STATUS LIKE 'Threads_running'"))[0].Value);
      let above = 0;
      for (const end = performance.now() + 4000; performance.now() < end;) {
        if (await running() > critical) above++;
        assert.equal(ferry.resource().state, "cuttingOver", JSON.stringify(ferry.resource().error));
        await new Promise((r) => setTimeout(r, 50));
      }
      assert.ok(above > 20, `above the level in ${above} looks`);
      await open.run("COMMIT");
      const done = await until(ferry, ["done"], 60);
      assert.equal(done.cutover.attempts, 1);
      stopped = true;
      await writers;
      assert.equal(await assertEqual(source.url, target.url, ["shop.orders"]), ROWS);
    } finally {
      stopped = true;
      await dock.close();
      await writers.catch(() => {});
    }
  },
);

onEachFlavour(
  "a critical number ends the ferry again when a cutover was let go",
  async ({ source, target }) => {
    await makeOrders(source.url, ROWS);
    await makeKnob(target.url, 5);
    await using open = await Sql.open(source.url);
    const dock = openDock();
    try {
      const ferry = await dock.start(shopSpec(source.url, target.url, {
        throttle: knob(100),
        cutover: { mode: "manual", fence: "lockTables", keepFence: false, timeoutSeconds: 5 },
      }));
      await until(ferry, ["awaitingCutover"]);
      await open.run("BEGIN; UPDATE shop.orders SET v = -1 WHERE id = 1");
      await ferry.act("cutover");
      await until(ferry, ["cuttingOver"]);
      await turn(target.url, 101);
      await until(ferry, ["catchingUp"], 30);
      const failed = await ended(ferry, 60);
      assert.equal(failed.error?.code, "throttle-critical");
    } finally {
      await dock.close();
    }
  },
);
