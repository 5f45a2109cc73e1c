/**
 * A pause stops copying within the chunk under way; `hold: "all"` stops replay too, outlives the process, and ends exactly.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import type { Ferry } from "../../lib/ferry/ferry.ts";
import type { FerryResource } from "../../lib/progress/resource.ts";
import { assertEqual } from "../support/equality.ts";
import { lockFatOrders, makeFatOrders, untilChunkWaits } from "../support/fat_orders.ts";
import { shopSpec, still, until, untilShown, untilTrue } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { Service } from "../support/service.ts";
import { Sql } from "../support/sql.ts";

const wait = (ms: number) => new Promise((r) => setTimeout(r, ms));

/** What stands in the target's table. */
async function standing(sql: Sql): Promise<string> {
  const [row] = await sql.run("SELECT COUNT(*) AS n, COALESCE(SUM(v), 0) AS v FROM shop.orders");
  return `${row.n} rows, sum ${row.v}`;
}

/** The same, once what was under way has come to its end. */
const stillStanding = (sql: Sql) => still("the target", () => standing(sql));

onEachFlavour("a pause stops copying within the chunk under way", async ({ source, target }) => {
  // A row is larger than half a chunk: each chunk holds one.
  await makeFatOrders(source.url, 500, 12_000);
  await using sql = await Sql.open(target.url);
  await using other = await Sql.open(target.url);
  const copy = { concurrency: 1, chunkBytes: 16_384 };
  await lockFatOrders(other);
  const dock = openDock();
  try {
    const ferry: Ferry = await dock.start(shopSpec(source.url, target.url, { copy }));
    await untilChunkWaits(sql);
    await ferry.act("pause");
    assert.deepEqual([ferry.resource().paused, ferry.resource().hold], [true, "copy"]);
    await other.run("ROLLBACK");
    await untilTrue("the chunk under way is committed", () => ferry.resource().progress.rowsCopied > 0);
    await wait(500);
    assert.equal(ferry.resource().progress.rowsCopied, 1, "and the one that was read ahead is not");
    // Replay goes on: a row behind the cursor changes, one that was read ahead goes.
    await using there = await Sql.open(source.url);
    await there.run("UPDATE shop.orders SET v = -1 WHERE id = 0; DELETE FROM shop.orders WHERE id = 1");
    await untilTrue("changes are replayed", async () => {
      const [row] = await sql.run("SELECT v FROM shop.orders WHERE id = 0");
      return Number(row.v) === -1;
    });
    await ferry.act("resume");
    assert.deepEqual([ferry.resource().paused, ferry.resource().hold], [false, null]);
    await until(ferry, ["done"]);
    assert.equal(await assertEqual(source.url, target.url, ["shop.orders"]), 499);
  } finally {
    await dock.close();
  }
});

onEachFlavour(
  "held all, the target stands still, also after kill -9; then it goes on exactly",
  async ({ source, target }) => {
    await makeFatOrders(source.url, 4000, 1000);
    await using there = await Sql.open(source.url);
    await using sql = await Sql.open(target.url);
    const spec = {
      id: "held",
      source: source.url,
      target: target.url,
      tables: ["shop.*"],
      copy: { concurrency: 2, chunkBytes: 16_384 },
      throttle: { maxRowsPerSecond: 250 },
      cutover: { mode: "manual", fence: "lockTables", keepFence: false },
    };
    const now = async (service: Service) =>
      (await service.ask("GET", "/v1/ferries/held")).body as FerryResource;
    const write = (v: number) =>
      there.run(
        `UPDATE shop.orders SET v = ${v} WHERE id % 3 = 0; DELETE FROM shop.orders WHERE id % 100 = 1;` +
          `INSERT INTO shop.orders VALUES (${10_000 + v}, ${v}, 'new')`,
      );
    let before: string;
    {
      await using service = await Service.start();
      assert.equal((await service.ask("POST", "/v1/ferries", spec)).status, 202);
      await untilTrue("some is copied", async () => (await now(service)).progress.rowsCopied > 500);
      const held = await service.ask("POST", "/v1/ferries/held/pause", { hold: "all" });
      assert.equal(held.status, 202);
      const body = held.body as FerryResource;
      assert.deepEqual([body.paused, body.hold, body.actions], [true, "all", ["resume", "pause", "cancel"]]);
      before = await stillStanding(sql);
      await write(7);
      await untilTrue("changes wait, and the lag is told", async () => {
        const { progress } = await now(service);
        return progress.changesPending! > 0 && progress.lagSeconds! >= 2;
      });
      assert.equal(await standing(sql), before, "nothing is copied, nothing replayed");
      const [lease] = await sql.run("SELECT until > UTC_TIMESTAMP(3) AS kept FROM _ferry.leases");
      assert.equal(Number(lease.kept), 1, "the lease is kept");
      await service.kill9();
    }
    await using service = await Service.start();
    assert.equal((await service.ask("POST", "/v1/ferries", spec)).status, 202);
    await untilTrue(
      "it is taken up and copying",
      async () => {
        const r = await now(service);
        return r.resumedTimes === 1 && r.state === "copying";
      },
    );
    await write(8);
    await wait(2000);
    const again = await now(service);
    assert.deepEqual([again.paused, again.hold], [true, "all"], "the hold outlives its process");
    assert.equal(await standing(sql), before);
    assert.equal((await service.ask("POST", "/v1/ferries/held/resume")).status, 202);
    assert.equal((await service.ask("PATCH", "/v1/ferries/held", { throttle: null })).status, 200);
    await service.until("held", ["awaitingCutover"]);
    await service.cutOver("held");
    await service.until("held", ["done"]);
    await assertEqual(source.url, target.url, ["shop.orders"]);
  },
);

onEachFlavour(
  "held all while it waits: no cutover, no more in memory than fits, and everything arrives after",
  async ({ source, target }) => {
    await makeFatOrders(source.url, 1000, 100);
    await using there = await Sql.open(source.url);
    await using sql = await Sql.open(target.url);
    await using service = await Service.start();
    const spec = {
      id: "waits",
      source: source.url,
      target: target.url,
      tables: ["shop.*"],
      cutover: { mode: "manual", fence: "lockTables", keepFence: false },
    };
    assert.equal((await service.ask("POST", "/v1/ferries", spec)).status, 202);
    await service.until("waits", ["awaitingCutover"]);
    const wrong = await service.ask("POST", "/v1/ferries/waits/pause", { hold: "some", of: 1 });
    assert.equal(wrong.status, 422);
    const { errors } = wrong.body as { errors: { pointer: string }[] };
    assert.deepEqual(errors.map((e) => e.pointer).sort(), ["/hold", "/of"]);
    assert.equal((await service.ask("POST", "/v1/ferries/waits/pause", { hold: "all" })).status, 202);
    const refused = await service.ask("POST", "/v1/ferries/waits/cutover");
    assert.equal(refused.status, 409);
    assert.deepEqual((refused.body as { actions: string[] }).actions, ["resume", "pause", "cancel"]);
    const before = await stillStanding(sql);
    // 60 MB of images, each of its own transaction; 32 MB may wait here.
    for (let i = 0; i < 1000; i++) {
      await there.run(`UPDATE shop.orders SET v = -1, fat = REPEAT('y', 60000) WHERE id = ${i}`);
    }
    const waiting = async () => {
      const { progress } = (await service.ask("GET", "/v1/ferries/waits")).body as FerryResource;
      return progress.changesPending!;
    };
    await untilTrue("more than 100 changes wait", async () => await waiting() > 100);
    const pending = await still("the number of changes that wait", waiting);
    assert(pending < 900, `${pending} changes wait here, not at the source`);
    assert.equal(await standing(sql), before);
    assert.equal((await service.ask("POST", "/v1/ferries/waits/resume")).status, 202);
    await service.cutOver("waits");
    await service.until("waits", ["done"]);
    assert.equal(await assertEqual(source.url, target.url, ["shop.orders"]), 1000);
  },
);

onEachFlavour("a pause withdraws a cutover that has not begun", async ({ source, target }) => {
  await makeFatOrders(source.url, 100, 10);
  await using there = await Sql.open(source.url);
  await using other = await Sql.open(target.url);
  const dock = openDock();
  try {
    const cutover = { mode: "manual", fence: "lockTables", keepFence: false };
    const ferry = await dock.start(shopSpec(source.url, target.url, { cutover }));
    await until(ferry, ["awaitingCutover"]);
    // What has changed is compared again while it waits, and cannot be: its replay waits for a lock.
    await other.run("START TRANSACTION; SELECT * FROM shop.orders WHERE id = 0 FOR UPDATE");
    await there.run("UPDATE shop.orders SET v = -1 WHERE id = 0");
    await untilShown(ferry, (r) => r.progress.changesPending! > 0);
    // It looks once a second at what has changed, by the timers of this very process: this one is due after that one.
    await wait(2000);
    await ferry.act("cutover");
    assert.equal(ferry.resource().state, "awaitingCutover");
    await ferry.act("pause", "all");
    await other.run("ROLLBACK");
    await ferry.act("resume");
    await untilTrue("it is replayed", () => ferry.resource().progress.changesPending === 0);
    await wait(2000);
    assert.equal(ferry.resource().state, "awaitingCutover");
    await ferry.act("cutover");
    await until(ferry, ["done"]);
    const texts: string[] = [];
    for await (const event of ferry.events(0, AbortSignal.timeout(10_000))) texts.push(event.data.text);
    assert(texts.includes("Withdrawn, since the ferry is held: cutover"), texts.join("; "));
    assert.equal(await assertEqual(source.url, target.url, ["shop.orders"]), 100);
  } finally {
    await dock.close();
  }
});

onEachFlavour(
  "another hold takes the place of the one that is there, the same again changes nothing",
  async ({ source, target }) => {
    await makeFatOrders(source.url, 100, 10);
    await using there = await Sql.open(source.url);
    await using sql = await Sql.open(target.url);
    await using service = await Service.start();
    const cutover = { mode: "manual", fence: "lockTables", keepFence: false };
    const spec = { id: "again", source: source.url, target: target.url, tables: ["shop.*"], cutover };
    assert.equal((await service.ask("POST", "/v1/ferries", spec)).status, 202);
    await service.until("again", ["awaitingCutover"]);
    const pause = async (body: unknown, hold: string) => {
      const { status, body: answer } = await service.ask("POST", "/v1/ferries/again/pause", body);
      assert.deepEqual([status, (answer as FerryResource).hold], [202, hold], JSON.stringify(answer));
      assert.deepEqual((answer as FerryResource).actions, ["resume", "pause", "cancel"]);
    };
    await pause(undefined, "copy");
    await pause({ hold: "all" }, "all");
    await pause({ hold: "all" }, "all");
    const before = await stillStanding(sql);
    await there.run("UPDATE shop.orders SET v = v + 1000");
    await wait(1000);
    assert.equal(await standing(sql), before, "nothing is replayed");
    await pause(undefined, "copy");
    await pause({ hold: "copy" }, "copy");
    await untilTrue("changes are replayed", async () => await standing(sql) !== before);
    assert.equal((await service.ask("POST", "/v1/ferries/again/resume")).status, 202);
    await service.cutOver("again");
    const told = await service.events("again", 0, (events) => events.at(-1)?.event === "done");
    const holds = told.filter((e) => e.event === "state" && e.data.state === "awaitingCutover")
      .map((e) => e.data.hold);
    assert.deepEqual(holds, [null, "copy", "all", "copy", null], "the same again is not told");
    assert.equal(await assertEqual(source.url, target.url, ["shop.orders"]), 100);
  },
);

onEachFlavour("a pause that comes before the ferry is taken up holds it then", async ({ source, target }) => {
  await makeFatOrders(source.url, 3000, 1000);
  const spec = shopSpec(source.url, target.url, {
    id: "early",
    copy: { chunkBytes: 16_384 },
    throttle: { maxRowsPerSecond: 300 },
  });
  const one = openDock();
  try {
    const ferry = await one.start(spec);
    await untilTrue("some is copied", () => ferry.resource().progress.rowsCopied > 0);
  } finally {
    await one.close();
  }
  const two = openDock();
  try {
    const ferry = await two.start(spec);
    await ferry.act("pause", "all");
    await untilTrue("it is taken up", () => {
      const { resumedTimes, state, hold } = ferry.resource();
      assert.equal(hold, "all", "from the first moment on");
      return resumedTimes === 1 && state === "copying";
    }, { everyMs: 1 });
    await until(ferry, ["copying"]);
    await using sql = await Sql.open(target.url);
    const before = await standing(sql);
    await wait(1000);
    assert.equal(await standing(sql), before);
  } finally {
    await two.close();
  }
});
