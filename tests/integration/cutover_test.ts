/**
 * I7: the end is read behind the fence, and whatever goes wrong, the source is not left stopped.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import { assertEqual } from "../support/equality.ts";
import { ended, shopSpec, stickBehindFence, until, untilTrue } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { makeOrders } from "../support/orders.ts";
import { Sql } from "../support/sql.ts";

const manual = (fence: string, timeoutSeconds = 30) => ({
  cutover: { mode: "manual", fence, keepFence: false, timeoutSeconds },
});

onEachFlavour(
  "a writer that does not end makes the deadline pass: the fence is let go, and the next try succeeds",
  async ({ source, target }) => {
    await makeOrders(source.url);
    const dock = openDock();
    try {
      const ferry = await dock.start(shopSpec(source.url, target.url, manual("lockTables", 6)));
      await until(ferry, ["awaitingCutover"]);
      await using open = await Sql.open(source.url);
      await open.run("BEGIN; UPDATE shop.orders SET v = 10 WHERE id = 1");
      await ferry.act("cutover");
      await until(ferry, ["cuttingOver"]);
      await until(ferry, ["catchingUp", "verifying", "awaitingCutover"], 30);
      await using other = await Sql.open(source.url);
      await other.run("SET SESSION lock_wait_timeout = 2; INSERT INTO shop.orders VALUES (4, 4)");
      await open.run("COMMIT"); // late, and it must arrive
      await until(ferry, ["awaitingCutover"]);
      await ferry.act("cutover");
      const done = await until(ferry, ["done"]);
      assert.equal(done.cutover.attempts, 2);
      assert.equal(await assertEqual(source.url, target.url, ["shop.orders"]), 4);
    } finally {
      await dock.close();
    }
  },
);

onEachFlavour(
  "a row changed on the target by somebody else is found, with its key, and the source goes on",
  async ({ source, target }) => {
    await makeOrders(source.url);
    const dock = openDock();
    try {
      const ferry = await dock.start(shopSpec(source.url, target.url, manual("lockTables")));
      await until(ferry, ["awaitingCutover"]);
      await using there = await Sql.open(target.url);
      await there.run(
        "UPDATE shop.orders SET v = 99 WHERE id = 2; DELETE FROM shop.orders WHERE id = 3; INSERT INTO shop.orders VALUES (7, 7)",
      );
      await ferry.act("verify");
      const failed = await ferry.ended;
      assert.equal(failed.error?.code, "verification-failed");
      assert.deepEqual(
        failed.verification.differences.map((d) => [d.key.id, d.kind]).sort(),
        [["2", "unlike"], ["3", "missing on target"], ["7", "only on target"]],
      );
      await using here = await Sql.open(source.url);
      await here.run("SET SESSION lock_wait_timeout = 2; INSERT INTO shop.orders VALUES (5, 5)");
    } finally {
      await dock.close();
    }
  },
);

onEachFlavour(
  "with fence none, a change between two comparisons is compared at the end",
  async ({ source, target }) => {
    await makeOrders(source.url);
    const dock = openDock();
    try {
      const ferry = await dock.start(shopSpec(source.url, target.url, manual("none")));
      await until(ferry, ["awaitingCutover"]);
      await using here = await Sql.open(source.url);
      await here.run("UPDATE shop.orders SET v = v + 1; DELETE FROM shop.orders WHERE id = 1");
      await ferry.act("cutover");
      const done = await until(ferry, ["done"]);
      assert.equal(done.cutover.writesStoppedMs, null, "nobody but the operator knows");
      assert.equal(await assertEqual(source.url, target.url, ["shop.orders"]), 2);
    } finally {
      await dock.close();
    }
  },
);

for (const fence of ["lockTables", "none"]) {
  onEachFlavour(
    `with fence ${fence}, what the target takes otherwise in the last moment is found, and the source goes on`,
    async ({ source, target }) => {
      await makeOrders(source.url);
      const dock = openDock();
      try {
        const ferry = await dock.start(shopSpec(source.url, target.url, manual(fence)));
        await until(ferry, ["awaitingCutover"]);
        await using there = await Sql.open(target.url);
        await there.run(
          "CREATE TRIGGER shop.twist BEFORE INSERT ON shop.orders FOR EACH ROW SET NEW.v = NEW.v + 1",
        );
        await using here = await Sql.open(source.url);
        await here.run("BEGIN; UPDATE shop.orders SET v = 10 WHERE id = 1");
        if (fence === "none") await here.run("COMMIT");
        await ferry.act("cutover");
        if (fence === "lockTables") {
          // Held up by the transaction, it looks at nothing any more that is not behind its fence.
          await until(ferry, ["cuttingOver"]);
          await here.run("COMMIT");
        }
        const failed = await ended(ferry);
        assert.equal(failed.error?.code, "verification-failed");
        assert.deepEqual(
          failed.verification.differences.map((d) => [d.key.id, d.kind]),
          [["1", "unlike"]],
        );
        await here.run("SET SESSION lock_wait_timeout = 2; INSERT INTO shop.orders VALUES (5, 5)");
      } finally {
        await dock.close();
      }
    },
  );
}

onEachFlavour(
  "a ferry whose process goes in the middle of a cutover leaves the source open",
  async ({ source, target }) => {
    await makeOrders(source.url);
    const dock = openDock();
    try {
      const spec = shopSpec(source.url, target.url, { id: "left", ...manual("lockTables", 60) });
      const ferry = await dock.start(spec);
      await until(ferry, ["awaitingCutover"]);
      await using open = await Sql.open(source.url);
      await open.run("BEGIN; UPDATE shop.orders SET v = 10 WHERE id = 1");
      await ferry.act("cutover");
      await until(ferry, ["cuttingOver"]);
      await new Promise((r) => setTimeout(r, 300));
      await dock.close();
      await open.run("COMMIT");
      await using other = await Sql.open(source.url);
      await other.run("SET SESSION lock_wait_timeout = 2; INSERT INTO shop.orders VALUES (4, 4)");
      const second = openDock();
      try {
        const again = await second.start(spec);
        await until(again, ["awaitingCutover"]);
        await again.act("cutover");
        await until(again, ["done"]);
        assert.equal(await assertEqual(source.url, target.url, ["shop.orders"]), 4);
      } finally {
        await second.close();
      }
    } finally {
      await dock.close();
    }
  },
);

onEachFlavour(
  "a kept fence goes with the dock, also when that is closed the moment that the ferry is done",
  async ({ source, target }) => {
    await makeOrders(source.url);
    await using other = await Sql.open(source.url);
    for (let i = 0; i < 5; i++) {
      await using there = await Sql.open(target.url);
      await there.run("DROP DATABASE IF EXISTS shop");
      const dock = openDock();
      try {
        const cutover = { mode: "auto", fence: "lockTables", keepFence: true, timeoutSeconds: 30 };
        const ferry = await dock.start(shopSpec(source.url, target.url, { id: `kept-${i}`, cutover }));
        const signal = AbortSignal.timeout(60_000);
        while (ferry.resource().state !== "done") {
          signal.throwIfAborted();
          await new Promise((r) => setTimeout(r, 1));
        }
      } finally {
        await dock.close();
      }
      await new Promise((r) => setTimeout(r, 100));
      await other.run(`SET SESSION lock_wait_timeout = 2; INSERT INTO shop.orders VALUES (${100 + i}, 1)`);
    }
  },
);

onEachFlavour("a write that commits while the fence waits for it arrives", async ({ source, target }) => {
  await makeOrders(source.url);
  const dock = openDock();
  try {
    const spec = shopSpec(source.url, target.url, {
      cutover: { mode: "manual", fence: "lockTables", keepFence: false, timeoutSeconds: 30 },
    });
    const ferry = await dock.start(spec);
    await until(ferry, ["awaitingCutover"]);
    await using open = await Sql.open(source.url);
    await open.run("INSERT INTO shop.orders SELECT id + 1000, v FROM shop.orders");
    await open.run("BEGIN; UPDATE shop.orders SET v = v + 100; INSERT INTO shop.orders VALUES (77, 77)");
    await ferry.act("cutover");
    await until(ferry, ["cuttingOver"]);
    await new Promise((r) => setTimeout(r, 700));
    await open.run("COMMIT");
    const done = await until(ferry, ["done"]);
    assert.equal(done.cutover.attempts, 1);
    assert.equal(await assertEqual(source.url, target.url, ["shop.orders"]), 7);
  } finally {
    await dock.close();
  }
});

onEachFlavour(
  "a fence that is up is let go at the deadline when the target does not follow",
  async ({ source, target }) => {
    await makeOrders(source.url);
    const dock = openDock();
    try {
      const spec = shopSpec(source.url, target.url, {
        verify: "off",
        cutover: { mode: "manual", fence: "lockTables", keepFence: false, timeoutSeconds: 5 },
      });
      const ferry = await dock.start(spec);
      await until(ferry, ["awaitingCutover"]);
      await using hold = await Sql.open(target.url);
      await using writer = await Sql.open(source.url);
      await stickBehindFence(ferry, hold, writer);
      const began = performance.now();
      await writer.run("SET SESSION lock_wait_timeout = 20; INSERT INTO shop.orders VALUES (5, 5)");
      const waited = performance.now() - began;
      assert.ok(waited > 500 && waited < 10_000, `the writer waited ${waited} ms`);
      assert.notEqual(ferry.resource().state, "done");
      await hold.run("UNLOCK TABLES");
      await until(ferry, ["awaitingCutover"]);
      await ferry.act("cutover");
      await until(ferry, ["done"]);
      assert.equal(await assertEqual(source.url, target.url, ["shop.orders"]), 5);
    } finally {
      await dock.close();
    }
  },
);

onEachFlavour(
  "a fence that is up is let go when the target is lost behind it, long before the deadline",
  async ({ source, target }) => {
    await makeOrders(source.url);
    const dock = openDock();
    try {
      const ferry = await dock.start(shopSpec(source.url, target.url, manual("lockTables", 120)));
      await until(ferry, ["awaitingCutover"]);
      await using hold = await Sql.open(target.url);
      await using writer = await Sql.open(source.url);
      await stickBehindFence(ferry, hold, writer);
      const written = writer.run("SET SESSION lock_wait_timeout = 60; INSERT INTO shop.orders VALUES (5, 5)");
      const waiting = "SELECT id FROM information_schema.processlist WHERE state LIKE '%metadata lock%'";
      await untilTrue("replay waits on the target", async () => (await hold.run(waiting)).length > 0);
      for (const { id } of await hold.run(waiting)) await hold.run(`KILL ${id}`);
      // Whoever comes next waits on the target, too: the source goes on all the same.
      await written;
      assert.notEqual(ferry.resource().state, "done");
      await hold.run("UNLOCK TABLES");
      await until(ferry, ["awaitingCutover"]);
      await ferry.act("cutover");
      const done = await until(ferry, ["done"]);
      assert.equal(done.cutover.attempts, 2);
      assert.equal(await assertEqual(source.url, target.url, ["shop.orders"]), 5);
    } finally {
      await dock.close();
    }
  },
);

onEachFlavour(
  "a cutover that is ordered twice is tried once, and nothing else is ordered beside it",
  async ({ source, target }) => {
    await makeOrders(source.url);
    const dock = openDock();
    try {
      const ferry = await dock.start(shopSpec(source.url, target.url, manual("lockTables", 2)));
      await until(ferry, ["awaitingCutover"]);
      await using writer = await Sql.open(source.url);
      await writer.run("BEGIN; UPDATE shop.orders SET v = 10 WHERE id = 1");
      // The order is taken, and its intent cannot be recorded yet: until then the state is the same.
      await using lock = await Sql.open(target.url);
      await lock.run("BEGIN; SELECT id FROM _ferry.ferries FOR UPDATE");
      await ferry.act("cutover");
      const intent = "SELECT id FROM information_schema.processlist WHERE info LIKE 'UPDATE%SET crossing%'";
      await untilTrue("the order is taken", async () => (await lock.run(intent)).length > 0);
      await ferry.act("cutover");
      await assert.rejects(ferry.act("verify"), {
        code: "action-not-allowed",
        message: /cutover was asked for before/,
      });
      await lock.run("ROLLBACK");
      await until(ferry, ["cuttingOver"]);
      await until(ferry, ["awaitingCutover"]);
      await writer.run("COMMIT");
      await new Promise((r) => setTimeout(r, 2500));
      const { state, cutover } = ferry.resource();
      assert.deepEqual([state, cutover.attempts], ["awaitingCutover", 1], "nobody has asked again");
      await ferry.act("verify");
      await until(ferry, ["verifying"]);
      await until(ferry, ["awaitingCutover"]);
    } finally {
      await dock.close();
    }
  },
);
