/**
 * Stored generated columns that are made of a moment: the source has stored what the writing session's time zone made of
 * it, and the target computes its own.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import { ended, shopSpec, until } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { Sql } from "../support/sql.ts";

onEachFlavour(
  "a stored generated column that is of another time zone is found, and one of UTC arrives",
  async ({ source, target }, vendor) => {
    await using sql = await Sql.open(source.url);
    const made = vendor === "mysql" ? ", f DATETIME AS (FROM_UNIXTIME(n)) STORED" : "";
    await sql.run(
      "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT NOT NULL PRIMARY KEY, n INT NOT NULL, " +
        `d DATE AS (DATE(ts)) STORED, ts TIMESTAMP NOT NULL${made}, v INT AS (HOUR(ts)) VIRTUAL)`,
    );
    const insert = "INSERT INTO shop.orders (id, n, ts) VALUES";
    await sql.run(`SET time_zone = '+00:00'; ${insert} (1, 0, '2026-01-01 01:00:00')`);
    const dock = openDock();
    try {
      const manual = { mode: "manual", fence: "none" };
      const ferry = await dock.start(shopSpec(source.url, target.url, { cutover: manual }));
      await until(ferry, ["awaitingCutover"]);
      const warned = ferry.lastEvents(20).find((event) => event.data.code === "generated-zone");
      assert.match(warned!.data.text, vendor === "mysql" ? /: "d", "f"$/ : /: "d"$/);
      await sql.run(`SET time_zone = '+05:00'; ${insert} (2, 0, '2026-01-01 01:00:00')`);
      await ferry.act("verify");
      const { error, verification } = await ended(ferry);
      assert.equal(error?.code, "verification-failed");
      assert.deepEqual(verification.differences.map(({ key, kind }) => [key.id, kind]), [["2", "unlike"]]);
    } finally {
      await dock.close();
    }
  },
);
