/**
 * The queue's bound holds while the target is slow: the source's dump waits, and memory does not grow with the backlog.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import { PENDING_LIMIT } from "../../lib/replay/replayer.ts";
import { assertEqual } from "../support/equality.ts";
import { shopSpec, until } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { Sql } from "../support/sql.ts";

/** Bytes written to the source while the target is held: ten times the bound. */
const BACKLOG = 10 * PENDING_LIMIT;

onEachFlavour("a target that stands still holds the tail, not the memory", async ({ source, target }) => {
  await using sql = await Sql.open(source.url);
  await sql.run(
    "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT NOT NULL PRIMARY KEY, body LONGBLOB)",
  );
  await sql.run("INSERT INTO shop.orders VALUES (0, 'x')");
  const dock = openDock();
  try {
    const ferry = await dock.start(
      shopSpec(source.url, target.url, {
        verify: "off",
        cutover: { mode: "manual", fence: "lockTables", keepFence: false },
      }),
    );
    await until(ferry, ["awaitingCutover"]);
    await using hold = await Sql.open(target.url);
    await hold.run("LOCK TABLES shop.orders WRITE");
    const before = Deno.memoryUsage().rss;
    const size = 1 << 20;
    let peak = 0;
    for (let i = 1; i * size <= BACKLOG; i++) {
      await sql.run(`INSERT INTO shop.orders VALUES (${i}, REPEAT(CHAR(${i % 256}), ${size}))`);
      peak = Math.max(peak, Deno.memoryUsage().rss - before);
    }
    await new Promise((r) => setTimeout(r, 1000));
    peak = Math.max(peak, Deno.memoryUsage().rss - before);
    const pending = ferry.resource().progress.changesPending!;
    assert.ok(pending * size < 3 * PENDING_LIMIT, `${pending} changes of 1 MiB wait in memory`);
    // Two batches (one waits for the target, one gathers), the packets they are sent in, and the driver's buffers.
    assert.ok(peak < BACKLOG * 0.8, `memory grew by ${peak >> 20} MiB for a backlog of ${BACKLOG >> 20} MiB`);
    await hold.run("UNLOCK TABLES");
    await ferry.act("cutover");
    await until(ferry, ["done"]);
    await assertEqual(source.url, target.url, ["shop.orders"]);
  } finally {
    await dock.close();
  }
});
