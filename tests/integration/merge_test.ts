/**
 * Several sources' tables in one target table, beside rows of others: `existingRows: "merge"`.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import { specOf, until } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import {
  EAST,
  hub,
  keyTables,
  makeHub,
  makeSides,
  SIDES,
  sideSpec,
  THIRD,
  union,
  WEST,
  writeMerged,
} from "../support/merging.ts";

const ROWS = 4000;

onEachFlavour(
  "two sources merge into one table at the same time, and a third party's rows there stay as they are",
  async ({ source, target }) => {
    await makeSides(source.url, ROWS);
    await makeHub(target.url, ROWS);
    const dock = openDock();
    const writers = [
      writeMerged(source.url, ["east"], EAST, ROWS),
      writeMerged(source.url, ["west"], WEST, ROWS),
      writeMerged(target.url, ["hub", "mirror"], THIRD, ROWS, 2),
    ];
    try {
      const more = {
        copy: { concurrency: 2, chunkBytes: 16384 },
        cutover: { mode: "manual", fence: "lockTables", keepFence: false },
      };
      const ferries = await Promise.all(
        SIDES.map((side) => dock.start(specOf(sideSpec(source.url, target.url, side, more)))),
      );
      for (const ferry of ferries) await until(ferry, ["awaitingCutover"]);
      assert.equal((await keyTables(target.url)).length, 4);
      const before = writers.map((w) => w.count);
      while (writers.some((w, i) => w.count < before[i] + 100)) await new Promise((r) => setTimeout(r, 50));
      await Promise.all(writers.slice(0, 2).map((w) => w.stop()));
      for (const ferry of ferries) await ferry.act("cutover");
      for (const ferry of ferries) {
        const done = await until(ferry, ["done"]);
        assert.equal(done.verification.state, "passed");
        assert.ok(done.progress.changesApplied > 0);
        await ferry.ended;
      }
      await writers[2].stop();
      for (const table of ["orders", "tags"]) {
        assert.deepEqual(await hub(target.url, table), await union(source.url, target.url, table));
      }
      assert.deepEqual(await keyTables(target.url), [], "whose rows are whose matters no more");
    } finally {
      await dock.close();
      for (const w of writers) await w.stop();
    }
  },
);
