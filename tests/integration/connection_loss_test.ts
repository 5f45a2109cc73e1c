/**
 * The source's connection is cut, or goes silent, in the middle of copy and of replay: the ferry goes on from what is saved.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import { assertEqual } from "../support/equality.ts";
import { cutOver, shopSpec, until } from "../support/ferries.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { Sql } from "../support/sql.ts";
import { makeWorkload, startWorkload, WORKLOAD_TABLES } from "../support/workload.ts";

const ROWS = 20_000;

onEachFlavour("a source that is cut again and again loses no row", async ({ source, target }) => {
  await makeWorkload(source.url, ROWS);
  await using proxy = await FaultProxy.open(source.host, source.port);
  await using writers = startWorkload(source.url, { rows: ROWS, writers: 2, pauseMs: 3 });
  const dock = openDock();
  try {
    const spec = shopSpec(proxy.url(source.url), target.url, {
      copy: { concurrency: 2, chunkBytes: 16384 },
      cutover: { mode: "manual", fence: "lockTables", keepFence: false },
    });
    const ferry = await dock.start(spec);
    await until(ferry, ["copying"]);
    let cuts = 0;
    for (; cuts < 4 && ferry.resource().state === "copying"; cuts++) {
      await new Promise((r) => setTimeout(r, 300));
      proxy.cut();
    }
    assert.ok(cuts > 0, "it was cut while copying");
    await until(ferry, ["awaitingCutover"]);
    proxy.cut(); // now it only replays
    await new Promise((r) => setTimeout(r, 500));
    await until(ferry, ["awaitingCutover"]);
    await writers.stop();
    await new Promise((r) => setTimeout(r, 1500));
    await cutOver(ferry);
    await until(ferry, ["done"]);
    await assertEqual(source.url, target.url, WORKLOAD_TABLES);
  } finally {
    await dock.close();
  }
});

onEachFlavour(
  "a dump thread that is killed on the source is begun again from the saved position",
  async ({ source, target }) => {
    await makeWorkload(source.url, 2000);
    const dock = openDock();
    try {
      const ferry = await dock.start(
        shopSpec(source.url, target.url, {
          cutover: { mode: "manual", fence: "lockTables", keepFence: false },
        }),
      );
      await until(ferry, ["awaitingCutover"]);
      await using sql = await Sql.open(source.url);
      const dumps = await sql.run(
        "SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'",
      );
      assert.equal(dumps.length, 1);
      await sql.run(`KILL ${dumps[0].id}`);
      await sql.run("UPDATE shop.orders SET note = 'after the kill' WHERE id <= 100");
      await new Promise((r) => setTimeout(r, 1500));
      await cutOver(ferry);
      await until(ferry, ["done"]);
      await assertEqual(source.url, target.url, WORKLOAD_TABLES);
    } finally {
      await dock.close();
    }
  },
);
