/**
 * A ferry that has a history, seen by a process that comes to it: its end is told, its numbers go on, and it is tried
 * again once, whoever asks.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import type { Ferry } from "../../lib/ferry/ferry.ts";
import { Lease } from "../../lib/ferry/lease.ts";
import type { FerryEvent } from "../../lib/progress/resource.ts";
import { assertEqual } from "../support/equality.ts";
import { ended, shopSpec, until, untilShown } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { makeOrders } from "../support/orders.ts";
import { Sql } from "../support/sql.ts";

/** All events to the end; fails where that does not come. */
async function story(ferry: Ferry, after = 0): Promise<FerryEvent[]> {
  const patience = AbortSignal.timeout(30_000);
  const events: FerryEvent[] = [];
  for await (const event of ferry.events(after, patience)) events.push(event);
  assert.ok(!patience.aborted, `no end after ${events.map((e) => e.data.text).join("; ")}`);
  return events.filter((e) => e.type !== "progress");
}

onEachFlavour(
  "a ferry that is done is told to its end by whoever comes to it",
  async ({ source, target }) => {
    await makeOrders(source.url);
    const spec = shopSpec(source.url, target.url, { id: "told" });
    const first = openDock();
    const ferry = await first.start(spec);
    await until(ferry, ["done"]);
    const told = await story(ferry);
    await first.close();
    const second = openDock();
    try {
      // Asked before the state was read.
      const again = await second.start(spec);
      const events = await story(again);
      assert.deepEqual(events.map((e) => [e.id, e.type]), told.map((e) => [e.id, e.type]));
      assert.equal(events.at(-1)!.type, "done");
      assert.deepEqual(await story(again, events.at(-1)!.id), []);
      assert.equal((await again.ended).state, "done");
    } finally {
      await second.close();
    }
  },
);

onEachFlavour(
  "what is told before the history is known gets a number behind it",
  async ({ source, target }) => {
    await makeOrders(source.url);
    const cutover = { mode: "manual", fence: "none" };
    const spec = shopSpec(source.url, target.url, { id: "early", cutover });
    const first = openDock();
    await until(await first.start(spec), ["awaitingCutover"]);
    await first.close();
    await using sql = await Sql.open(target.url);
    const stored = async () => await sql.run("SELECT id, type, data FROM _ferry.events ORDER BY id");
    const before = (await stored()).filter((e) => e.type !== "progress");
    // The state is slow to answer: what a person asks for meanwhile, and every tick, comes before the history.
    await using lock = await Sql.open(target.url);
    await lock.run("LOCK TABLES _ferry.events WRITE");
    const second = openDock();
    try {
      const ferry = await second.start(spec);
      await ferry.act("pause");
      await ferry.change({ copy: { concurrency: 2 } });
      await new Promise((r) => setTimeout(r, 1500));
      assert.deepEqual(ferry.lastEvents(10), []);
      await lock.run("UNLOCK TABLES");
      await untilShown(ferry, (r) => r.resumedTimes === 1 && r.paused && r.state === "copying", 30);
      await ferry.act("resume");
      await until(ferry, ["awaitingCutover"]);
      await ferry.act("cutover");
      await until(ferry, ["done"]);
      const events = await story(ferry);
      const after = (await stored()).filter((e) => e.type !== "progress");
      assert.deepEqual(after.slice(0, before.length), before, "the history stays");
      assert.deepEqual(
        after.map((e) => Number(e.id)),
        events.map((e) => e.id),
        "all that was told is stored",
      );
      assert.ok(after.length > before.length + 5, `${after.length} events`);
    } finally {
      await second.close();
    }
  },
);

onEachFlavour("a failed ferry is tried again once, and told so, whoever asks", async ({ source, target }) => {
  await makeOrders(source.url);
  await using there = await Sql.open(target.url);
  await there.run("CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY, v INT NOT NULL)");
  await there.run("INSERT INTO shop.orders VALUES (9, 9)");
  const posts: string[] = [];
  await using receiver = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      posts.push((await request.json() as { type: string; state: string }).state);
      return new Response();
    },
  );
  const callbacks = { state: `http://127.0.0.1:${receiver.addr.port}/` };
  const spec = shopSpec(source.url, target.url, { id: "again", callbacks });
  const dock = openDock();
  try {
    const ferry = await dock.start(spec);
    assert.equal((await ended(ferry)).error?.code, "preflight-refused");
    await there.run("DROP DATABASE shop");
    const states = new Set<string>();
    const asked = Promise.allSettled([ferry.act("retry"), ferry.act("retry")]).then((both) => {
      states.clear();
      return both;
    });
    const both = await asked;
    assert.deepEqual(both.map((each) => each.status).sort(), ["fulfilled", "rejected"]);
    const refused = both.find((each) => each.status === "rejected")!;
    assert.equal((refused.reason as { code: string }).code, "action-not-allowed");
    for (let i = 0; ferry.resource().state !== "done" && i < 20_000; i++) {
      states.add(ferry.resource().state);
      await new Promise((r) => setTimeout(r, 1));
    }
    assert.ok(!states.has("failed"), `seen while it is tried again: ${[...states]}`);
    const events = await story(ferry);
    const kinds = events.filter((e) => e.type !== "log").map((e) => e.data.state);
    assert.deepEqual(kinds.slice(0, 3), ["failed", "preflight", "copying"]);
    assert.equal(kinds.at(-1), "done");
    assert.equal(await assertEqual(source.url, target.url, ["shop.orders"]), 3);
    for (let i = 0; posts.at(-1) !== "done"; i++) {
      assert.ok(i < 500, `posted: ${posts}`);
      await new Promise((r) => setTimeout(r, 10));
    }
    assert.deepEqual(posts, kinds);
  } finally {
    await dock.close();
  }
});

onEachFlavour("nothing that is recorded waits in a transaction of events", async ({ source, target }) => {
  const spec = shopSpec(source.url, target.url, { id: "apart" });
  const lease = new Lease(spec, { stateSchema: "_ferry", leaseSeconds: 30, owner: "me" });
  await lease.open();
  try {
    await lease.create({ state: "preflight" } as Parameters<typeof lease.create>[0]);
    assert.ok(await lease.acquire());
    const save = lease.eventSaver();
    await using other = await Sql.open(target.url);
    await other.run("LOCK TABLES _ferry.events WRITE");
    const events = save([{ id: 1, type: "log", data: { text: "one" } }]);
    await new Promise((r) => setTimeout(r, 500));
    let recorded = false;
    const saving = lease.save({ state: "copying" } as Parameters<typeof lease.save>[0]).then(() =>
      recorded = true
    );
    for (let i = 0; !recorded; i++) {
      assert.ok(i < 300, "it waits for the events");
      await new Promise((r) => setTimeout(r, 10));
    }
    await saving;
    await other.run("UNLOCK TABLES");
    await events;
  } finally {
    await lease.release();
  }
});

onEachFlavour(
  "a ferry that failed logs in as it is posted again",
  async ({ source, target }) => {
    await makeOrders(source.url);
    const wrong = new URL(source.url);
    wrong.password = "wrong";
    const more = { id: "corrected", throttle: { maxThreadsRunning: 50 } };
    const dock = openDock();
    try {
      const ferry = await dock.start(shopSpec(wrong.href, target.url, { id: "corrected" }));
      assert.equal((await ended(ferry)).error?.code, "preflight-refused");
      const told = await story(ferry);
      assert.equal(await dock.start(shopSpec(wrong.href, target.url, { id: "corrected" })), ferry);
      const again = await dock.start(shopSpec(source.url, target.url, more));
      // An ended ferry is attached to as it is, from wherever it is posted.
      assert.equal((await ended(again)).state, "failed");
      assert.equal(dock.find("corrected"), again);
      await again.act("retry");
      await until(again, ["done"]);
      assert.deepEqual((await story(again)).slice(0, told.length).map((e) => e.id), told.map((e) => e.id));
      assert.equal(await assertEqual(source.url, target.url, ["shop.orders"]), 3);
      const running = await dock.start(shopSpec(wrong.href, target.url, more));
      assert.equal(running, again, "one that has not failed stays as it is");
    } finally {
      await dock.close();
    }
  },
);
