/**
 * I8: one owner at a time, and one that has lost the lease can write nothing more.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import type { FerryEvent } from "../../lib/progress/resource.ts";
import { Session } from "../../lib/mysql/session.ts";
import { parseConnectionUrl } from "../../lib/spec/connection_url.ts";
import type { StoredRange } from "../../lib/state/cursor_store.ts";
import { FerryStore } from "../../lib/state/ferry_store.ts";
import { migrateState, STATE_VERSION, stateVersion } from "../../lib/state/schema_sql.ts";
import { createApp } from "../../routes/app.ts";
import { Drain } from "../../routes/drain.ts";
import { assertEqual } from "../support/equality.ts";
import { cutOver, shopSpec, until, untilShown, untilTrue } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { makeOrders } from "../support/orders.ts";
import { Sql } from "../support/sql.ts";

onEachFlavour(
  "after a takeover the old owner can commit nothing, not even what it has begun",
  async ({ target }) => {
    const url = parseConnectionUrl(target.url);
    await using a = await Session.open(url, { side: "target", data: true });
    await using b = await Session.open(url, { side: "target" });
    await using check = await Sql.open(target.url);
    await check.run("CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY)");
    await migrateState(b, "_ferry");
    const store = new FerryStore("_ferry");
    await store.create(b, { id: "f", fingerprint: "0", spec: "{}", snapshot: "{}" });
    const first = await store.acquire(b, "f", "a", 60);
    assert.ok(first);
    const range: StoredRange = {
      tableNo: 0,
      rangeNo: 0,
      lower: null,
      upper: null,
      cursor: null,
      done: false,
      rows: 0,
      bytes: 0,
    };
    await store.cursors.createRanges(b, first, [range]);
    await store.cursors.createPosition(b, first, {
      file: "x.000001",
      offset: 4,
      gtids: null,
      changes: 0,
    });
    assert.equal(await store.acquire(b, "f", "b", 1), null, "the lease is alive");
    await a.run("START TRANSACTION");
    await a.run("INSERT INTO shop.orders VALUES (1)");
    await store.renew(b, first, 1);
    await new Promise((r) => setTimeout(r, 1200));
    const second = await store.acquire(b, "f", "b", 30);
    assert.equal(second?.epoch, first.epoch + 1);
    await assert.rejects(store.cursors.saveCursor(a, first, { ...range, rows: 1 }), { code: "lease-lost" });
    await assert.rejects(store.holdLease(a, first), { code: "lease-lost" });
    await a.run("ROLLBACK");
    await assert.rejects(
      store.cursors.savePosition(a, first, {
        file: "x.000001",
        offset: 9,
        gtids: null,
        prepared: ["x'61',x'',1"],
        changes: 1,
      }, []),
      { code: "lease-lost" },
    );
    await assert.rejects(store.renew(b, first, 10), { code: "lease-lost" });
    await assert.rejects(store.saveSnapshot(b, first, "done", "{}"), { code: "lease-lost" });
    await assert.rejects(store.saveCrossing(b, first, "{}"), { code: "lease-lost" });
    await assert.rejects(store.saveSettings(b, first, "{}"), { code: "lease-lost" });
    for (const settings of ["{}", "{}", '{"copy":{}}']) {
      await store.saveSettings(b, second!, settings);
      assert.equal(await store.settings(b, "f"), settings);
    }
    await assert.rejects(store.saveEvents(b, first, [{ id: 1, type: "log", data: { text: "x" } }]), {
      code: "lease-lost",
    });
    const [count] = await check.run("SELECT COUNT(*) AS n FROM shop.orders");
    assert.equal(Number(count.n), 0);
  },
);

onEachFlavour(
  "a second process waits while the first is alive, then goes on where it stopped",
  async ({ source, target }) => {
    await using sql = await Sql.open(source.url);
    await sql.run(
      "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT NOT NULL PRIMARY KEY, v INT); INSERT INTO shop.orders VALUES (1,1),(2,2)",
    );
    const spec = shopSpec(source.url, target.url, { id: "two", cutover: { mode: "manual", fence: "none" } });
    const one = openDock({ leaseSeconds: 2 });
    const two = openDock({ leaseSeconds: 2 });
    try {
      const first = await one.start(spec);
      await until(first, ["awaitingCutover"]);
      const second = await two.start(spec);
      await until(second, ["awaitingCutover"]);
      // What the first records it reads twice a second; as long as that is the same state, an answer is held.
      const app = createApp({
        dock: two,
        drain: new Drain(),
        settings: { token: null, connections: new Map() },
        version: "0.0.0",
      });
      const asked = performance.now();
      const held = await app.request("/v1/ferries/two?wait=3");
      assert.equal((await held.json()).state, "awaitingCutover");
      assert.ok(performance.now() - asked >= 2950, "?wait holds it, by a process that only watches");
      await assert.rejects(second.act("cutover"), { code: "ferry-owned-elsewhere" });
      assert.equal(first.resource().state, "awaitingCutover");
      await one.close();
      for (let i = 0; second.resource().resumedTimes === 0; i++) {
        assert.ok(i < 300, "it is taken up");
        await new Promise((r) => setTimeout(r, 100));
      }
      await cutOver(second);
      await until(second, ["done"]);
      await assertEqual(source.url, target.url, ["shop.orders"]);
    } finally {
      await one.close();
      await two.close();
    }
  },
);

onEachFlavour(
  "a process that lost the lease follows the new owner, tells no failure, and goes on where that one stops",
  async ({ source, target }) => {
    await makeOrders(source.url);
    const spec = shopSpec(source.url, target.url, { id: "lost", cutover: { mode: "manual", fence: "none" } });
    const one = openDock({ leaseSeconds: 2 });
    const two = openDock({ leaseSeconds: 2 });
    try {
      const first = await one.start(spec);
      await until(first, ["awaitingCutover"]);
      const told: FerryEvent[] = [];
      const listening = (async () => {
        for await (const event of first.events(0, AbortSignal.timeout(60_000))) told.push(event);
      })();
      const second = await two.start(spec);
      await using sql = await Sql.open(target.url);
      // As if the first one had been silent: the second takes it at its next look.
      await untilTrue("the second process owns it", async () => {
        // The first one's lease alone: that one would take the second's as soon as it has lost its own.
        await sql.run("UPDATE _ferry.leases SET until = NOW(3) - INTERVAL 1 SECOND WHERE epoch = 1");
        return second.resource().resumedTimes === 1;
      });
      await until(second, ["awaitingCutover"]);
      await untilShown(first, (r) => r.actions.length === 0 && r.state === "awaitingCutover");
      assert.equal(first.resource().error, null);
      await assert.rejects(first.act("cutover"), { code: "ferry-owned-elsewhere" });
      await two.close();
      await untilShown(first, (r) => r.actions.includes("cutover"));
      assert.equal(first.resource().resumedTimes, 2);
      await cutOver(first);
      await until(first, ["done"]);
      await listening;
      const ids = told.map((e) => e.id);
      assert.deepEqual(ids, [...new Set(ids)].sort((a, b) => a - b), "each number is told once, in order");
      assert.equal(told.at(-1)!.type, "done");
      assert(!told.some((e) => e.type === "failed"), "a failure was told");
      await assertEqual(source.url, target.url, ["shop.orders"]);
    } finally {
      await one.close();
      await two.close();
    }
  },
);

onEachFlavour("two processes that make the state schema at once both succeed", async ({ target }) => {
  const url = parseConnectionUrl(target.url);
  const sessions = await Promise.all(Array.from({ length: 6 }, () => Session.open(url, { side: "target" })));
  try {
    await Promise.all(sessions.map((s) => migrateState(s, "_ferry")));
    const row = await sessions[0].one("SELECT COUNT(*) AS n, MAX(version) AS v FROM _ferry.meta");
    assert.deepEqual([Number(row!.n), Number(row!.v)], [STATE_VERSION, STATE_VERSION]);
    await sessions[0].run(`INSERT INTO _ferry.meta VALUES (${STATE_VERSION + 1})`);
    await assert.rejects(migrateState(sessions[0], "_ferry"), { code: "state-schema-newer" });
  } finally {
    for (const s of sessions) await s.close();
  }
});

onEachFlavour("a state of version 1 is lifted, and what it holds stays", async ({ target }) => {
  await using session = await Session.open(parseConnectionUrl(target.url), { side: "target" });
  await migrateState(session, "_ferry");
  const store = new FerryStore("_ferry");
  await store.create(session, { id: "f", fingerprint: "0", spec: '{"a":1}', snapshot: "{}" });
  // As the program before left it; and as a process left it that was killed while it lifted it.
  for (const killed of [false, true]) {
    await session.run("DROP TABLE _ferry.settings");
    if (!killed) await session.run("DROP TABLE _ferry.prepared");
    await session.run("DELETE FROM _ferry.meta WHERE version > 1");
    await migrateState(session, "_ferry");
  }
  assert.equal(await stateVersion(session, "_ferry"), STATE_VERSION);
  assert.equal((await store.find(session, "f"))?.spec, '{"a":1}');
  const own = await store.acquire(session, "f", "me", 10);
  const position = {
    file: "b.1",
    offset: 4,
    gtids: null,
    prepared: ["x'61',x'',1", "x'62',x'',1"],
    changes: 0,
  };
  await store.cursors.createPosition(session, own!, position);
  assert.deepEqual(await store.cursors.position(session, "f"), { ...position, prepared: [] });
  await store.cursors.savePosition(session, own!, position, []);
  assert.deepEqual(await store.cursors.position(session, "f"), position);
  const moved = { ...position, offset: 9, prepared: [] };
  await store.cursors.savePosition(session, own!, moved, position.prepared);
  assert.deepEqual(await store.cursors.position(session, "f"), moved);
  assert.equal(await store.settings(session, "f"), null);
  await store.saveSettings(session, own!, '{"throttle":null}');
  assert.equal(await store.settings(session, "f"), '{"throttle":null}');
});
