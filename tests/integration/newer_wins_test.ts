/**
 * I2: a row that changes while its chunk waits to be written is not written by that chunk, however late the chunk comes.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import { assertEqual } from "../support/equality.ts";
import { lockFatOrders, makeFatOrders, untilChunkWaits } from "../support/fat_orders.ts";
import { shopSpec, until, untilTrue } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { Sql } from "../support/sql.ts";

onEachFlavour(
  "what changes behind a chunk's read and is replayed first, stays",
  async ({ source, target }) => {
    // Five rows or so are a chunk.
    await makeFatOrders(source.url, 200, 3000);
    await using sql = await Sql.open(target.url);
    await using hold = await Sql.open(target.url);
    await lockFatOrders(hold);
    const dock = openDock();
    try {
      const ferry = await dock.start(shopSpec(source.url, target.url, {
        copy: { concurrency: 1, chunkBytes: 16_384 },
      }));
      await untilChunkWaits(sql);
      assert.equal(ferry.resource().progress.rowsCopied, 0);
      // Some of each in the chunk that was read ahead: its changes are replayed before it is written, and the chunk that waits
      // before both.
      await using there = await Sql.open(source.url);
      await there.run(
        `UPDATE shop.orders SET v = -1 WHERE id IN (1, 4, 7, 10); DELETE FROM shop.orders WHERE id IN (2, 5, 8);
      UPDATE shop.orders SET id = id + 1000 WHERE id IN (3, 6, 9)`,
      );
      // Deletes and old keys at least; what is not read yet is left out.
      await untilTrue(
        "the changes are delivered",
        () => (ferry.resource().progress.changesPending ?? 0) >= 6,
      );
      await hold.run("ROLLBACK");
      await until(ferry, ["done"]);
      assert.equal(await assertEqual(source.url, target.url, ["shop.orders"]), 197);
    } finally {
      await dock.close();
    }
  },
);
