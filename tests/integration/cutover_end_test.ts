/**
 * I7: the moment in which `done` is recorded. Whatever comes in between, either it is done and the fence holds what it
 * promised, or it is not and the source goes on.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import type { Ferry } from "../../lib/ferry/ferry.ts";
import { LockTablesFence } from "../../lib/cutover/fence.ts";
import { Session } from "../../lib/mysql/session.ts";
import { parseConnectionUrl } from "../../lib/spec/connection_url.ts";
import type { ServerPair } from "../servers/mod.ts";
import { assertEqual } from "../support/equality.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import { cutOver, ended, shopSpec, stickBehindFence, until } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { makeOrders } from "../support/orders.ts";
import { Sql } from "../support/sql.ts";

const sleep = (ms: number) => new Promise((r) => setTimeout(r, ms));

/** Cuts over, and stops the target just where it is to record `done`; `during` decides what happens then. */
async function atTheEnd(
  { source, target }: ServerPair,
  timeoutSeconds: number,
  during: (ferry: Ferry, goOn: () => Promise<void>) => Promise<void>,
): Promise<void> {
  await makeOrders(source.url);
  const dock = openDock();
  try {
    const cutover = { mode: "manual", fence: "lockTables", keepFence: true, timeoutSeconds };
    const ferry = await dock.start(shopSpec(source.url, target.url, { id: "end", cutover }));
    await until(ferry, ["awaitingCutover"]);
    // A writer keeps the fence from rising until the state is locked.
    await using writer = await Sql.open(source.url);
    await writer.run("BEGIN; UPDATE shop.orders SET v = 10 WHERE id = 1");
    await ferry.act("cutover");
    await until(ferry, ["cuttingOver"]);
    await using lock = await Sql.open(target.url);
    // Of the whole table: for a single row the ferry's own session would not wait longer than ten seconds.
    await lock.run("LOCK TABLES _ferry.ferries WRITE");
    await writer.run("COMMIT");
    const waits = "SELECT COUNT(*) AS n FROM information_schema.processlist " +
      "WHERE info LIKE 'UPDATE%ferries%SET state = ''done''%'";
    await using look = await Sql.open(target.url);
    for (let i = 0; Number((await look.run(waits))[0].n) === 0; i++) {
      assert.ok(i < 200, "done is to be recorded");
      await sleep(20);
    }
    await during(ferry, async () => void await lock.run("UNLOCK TABLES"));
  } finally {
    await dock.close();
  }
}

async function isStopped(url: string, id: number): Promise<boolean> {
  await using sql = await Sql.open(url);
  try {
    await sql.run(`SET SESSION lock_wait_timeout = 1; INSERT INTO shop.orders VALUES (${id}, 1)`);
    return false;
  } catch (e) {
    assert.equal((e as { errno?: number }).errno, 1205);
    return true;
  }
}

onEachFlavour("what goes wrong while done is being recorded does not undo it", async (pair) => {
  await atTheEnd(pair, 30, async (ferry, goOn) => {
    await using source = await Sql.open(pair.source.url);
    const dumps = "SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'";
    for (const { id } of await source.run(dumps)) await source.run(`KILL ${id}`);
    await sleep(500);
    await goOn();
    const done = await ended(ferry, 30);
    assert.equal(done.state, "done", JSON.stringify(done.error));
    assert.equal(done.cutover.fenceKept, true);
    assert.equal(await isStopped(pair.source.url, 50), true, "the fence holds");
    await sleep(2000); // another attempt would have begun by now
    assert.equal(ferry.resource().state, "done", "and stays it");
  });
  assert.equal(await isStopped(pair.source.url, 51), false, "and goes with the dock");
});

onEachFlavour(
  "the deadline does not take the fence from under a done that is being recorded",
  async (pair) => {
    await atTheEnd(pair, 3, async (ferry, goOn) => {
      await sleep(3500);
      assert.equal(await isStopped(pair.source.url, 50), true, "nobody knows yet, so nobody may write");
      await goOn();
      const done = await ended(ferry, 30);
      assert.equal(done.state, "done", JSON.stringify(done.error));
      assert.equal(done.cutover.fenceKept, true);
      assert.equal(await isStopped(pair.source.url, 51), true);
    });
  },
);

onEachFlavour(
  "a target that never answers whether it is done gives the source back, and is not done",
  async (pair) => {
    await atTheEnd(pair, 3, async (ferry, goOn) => {
      await using writer = await Sql.open(pair.source.url);
      const began = performance.now();
      await writer.run("SET SESSION lock_wait_timeout = 20; INSERT INTO shop.orders VALUES (60, 60)");
      assert.ok(performance.now() - began < 12_000, "the source was given back");
      assert.notEqual(ferry.resource().state, "done");
      await goOn(); // the server now records what nobody waits for any more
      await until(ferry, ["awaitingCutover"]);
      await ferry.act("cutover");
      assert.equal((await ended(ferry)).state, "done");
    });
    assert.equal(await assertEqual(pair.source.url, pair.target.url, ["shop.orders"]), 4);
  },
);

onEachFlavour(
  "a fence whose connection is killed is none any more: it is not done, and what passes arrives",
  async ({ source, target }) => {
    await makeOrders(source.url);
    const dock = openDock();
    try {
      const cutover = { mode: "manual", fence: "lockTables", keepFence: false, timeoutSeconds: 60 };
      const ferry = await dock.start(shopSpec(source.url, target.url, { verify: "off", cutover }));
      await until(ferry, ["awaitingCutover"]);
      await using hold = await Sql.open(target.url);
      await using writer = await Sql.open(source.url);
      const ids = async () =>
        (await writer.run("SELECT id FROM information_schema.processlist")).map((row) => Number(row.id));
      const before = await ids();
      await stickBehindFence(ferry, hold, writer);
      // The first connection that the cutover has opened.
      const [fence] = (await ids()).filter((id) => !before.includes(id)).sort((a, b) => a - b);
      const passing = writer.run("SET SESSION lock_wait_timeout = 60; INSERT INTO shop.orders VALUES (5, 5)");
      await using killer = await Sql.open(source.url);
      await killer.run(`KILL ${fence}`);
      await passing;
      assert.equal(ferry.resource().state, "cuttingOver");
      await hold.run("UNLOCK TABLES");
      await until(ferry, ["awaitingCutover"]);
      const texts = ferry.lastEvents(20).map((event) => event.data.text).join("; ");
      assert.match(texts, /the connection that locked the source's tables was cut/);
      await cutOver(ferry);
      assert.equal((await until(ferry, ["done"])).cutover.attempts, 2);
      assert.equal(await assertEqual(source.url, target.url, ["shop.orders"]), 5);
    } finally {
      await dock.close();
    }
  },
);

onEachFlavour("a fence is let go though the connection that is to kill it is silent", async ({ source }) => {
  await makeOrders(source.url);
  await using proxy = await FaultProxy.open(source.host, source.port);
  const urls = [source.url, proxy.url(source.url)];
  const open = () => Session.open(parseConnectionUrl(urls.shift()!), { side: "source", data: true });
  const table = { schema: "shop", name: "orders" } as Parameters<typeof LockTablesFence.open>[1][number];
  const fence = await LockTablesFence.open(open, [table], 30, () => {});
  await fence.raise(new AbortController().signal);
  assert.equal(await isStopped(source.url, 70), true);
  proxy.blackhole(true);
  const began = performance.now();
  const late = setTimeout(() => proxy.blackhole(false), 8000); // or this would not end where it waits
  await fence.release();
  clearTimeout(late);
  assert.ok(performance.now() - began < 6000, "it does not wait for the killer");
  assert.equal(await isStopped(source.url, 71), false);
});
