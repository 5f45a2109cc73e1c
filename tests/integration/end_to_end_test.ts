/**
 * The whole road on real servers, with and without an application that goes on writing.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import { assertEqual } from "../support/equality.ts";
import { shopSpec, until, untilTrue } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { Sql } from "../support/sql.ts";
import { makeWorkload, startWorkload, WORKLOAD_TABLES } from "../support/workload.ts";

const ROWS = 20_000;

onEachFlavour("a quiet source is copied, compared and equal", async ({ source, target }) => {
  await makeWorkload(source.url, ROWS);
  const dock = openDock();
  try {
    const ferry = await dock.start(shopSpec(source.url, target.url));
    const done = await until(ferry, ["done"]);
    assert.equal(done.verification.state, "passed");
    assert.equal(done.progress.changesApplied, 0, "what was there before the ferry began is not replayed");
    assert.equal(await assertEqual(source.url, target.url, WORKLOAD_TABLES), done.progress.rowsCopied);
    await using sql = await Sql.open(target.url);
    const [index] = await sql.run(
      "SELECT COUNT(*) AS n FROM information_schema.statistics WHERE table_schema = 'shop' AND index_name IN ('customer', 'slot')",
    );
    assert.equal(Number(index.n), 2, "secondary indexes are built after the copy");
  } finally {
    await dock.close();
  }
});

onEachFlavour("writers go on all the while, and both sides end equal", async ({ source, target }) => {
  await makeWorkload(source.url, ROWS);
  const dock = openDock();
  const writers = startWorkload(source.url, { rows: ROWS, writers: 3 });
  try {
    const spec = shopSpec(source.url, target.url, {
      copy: { concurrency: 3, chunkBytes: 65536 },
      cutover: { mode: "manual", fence: "lockTables", keepFence: true },
    });
    const ferry = await dock.start(spec);
    await until(ferry, ["awaitingCutover"]);
    const before = writers.count;
    await untilTrue("writes go on while it waits", () => writers.count > before + 100);
    await ferry.act("cutover");
    const done = await until(ferry, ["done"]);
    assert.equal(done.verification.state, "passed");
    assert.ok(done.progress.changesApplied > 0);
    assert.ok(
      done.cutover.writesStoppedMs !== null && done.cutover.writesStoppedMs < 5000,
      `${done.cutover.writesStoppedMs}`,
    );
    const stopping = writers.stop().catch(() => {}); // they wait for the fence, which the dock holds
    await using sql = await Sql.open(source.url);
    const [held] = await sql.run("SHOW OPEN TABLES FROM shop WHERE `Table` = 'orders' AND In_use > 0");
    assert.ok(held, "keepFence leaves the tables locked");
    await using target2 = await Sql.open(target.url);
    const [count] = await target2.run("SELECT COUNT(*) AS n FROM shop.orders");
    assert.ok(Number(count.n) > 0);
    // Letting the fence go lets the waiting statements in, so the comparison is made under it, by killing the writers.
    for (
      const p of await sql.run(
        "SELECT id FROM information_schema.processlist WHERE state LIKE '%lock%' AND info LIKE '%shop.%'",
      )
    ) {
      await sql.run(`KILL ${p.id}`).catch(() => {});
    }
    await stopping;
    await dock.close();
    await assertEqual(source.url, target.url, WORKLOAD_TABLES);
  } finally {
    await dock.close();
    await writers.stop().catch(() => {}); // they were killed
  }
}, { source: { mysql: { "gtid-mode": "ON", "enforce-gtid-consistency": "ON" } } });
