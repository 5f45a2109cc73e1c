/**
 * I9: XA transactions. What one that was prepared holds is known to the tail that saw it, and to whoever goes on from
 * there; what one holds that was prepared before the ferry began, nobody knows.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import { shopSpec, until, untilTrue } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { Sql } from "../support/sql.ts";

onEachFlavour(
  "an XA transaction on other tables may commit after a restart; one that was prepared before the ferry stops it",
  async ({ source, target }) => {
    await using sql = await Sql.open(source.url);
    await using there = await Sql.open(target.url);
    await sql.run(
      "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT NOT NULL PRIMARY KEY); " +
        "CREATE TABLE shop.other (id INT PRIMARY KEY); INSERT INTO shop.orders VALUES (1)",
    );
    const prepare = async (xid: string, row: number) => {
      await using session = await sql.again();
      await session.run(`XA START '${xid}'; INSERT INTO shop.other VALUES (${row}); XA END '${xid}'`);
      await session.run(`XA PREPARE '${xid}'`);
    };
    const arrives = async (id: number) => {
      await sql.run(`INSERT INTO shop.orders VALUES (${id})`);
      await untilTrue(
        `row ${id} arrives`,
        async () => (await there.run(`SELECT id FROM shop.orders WHERE id = ${id}`)).length === 1,
      );
    };
    await prepare("before", 1);
    const spec = shopSpec(source.url, target.url, {
      id: "xa",
      tables: ["shop.orders"],
      cutover: { mode: "manual", fence: "none" },
    });
    const first = openDock();
    try {
      await until(await first.start(spec), ["awaitingCutover"]);
      await prepare("meanwhile", 2);
      await prepare("rolled back", 3);
      await arrives(2);
    } finally {
      await first.close();
    }
    const second = openDock();
    try {
      const ferry = await second.start(spec);
      await until(ferry, ["awaitingCutover"]);
      await sql.run("XA COMMIT 'meanwhile'; XA ROLLBACK 'rolled back'");
      await arrives(3);
      await sql.run("XA COMMIT 'before'");
      const failed = await until(ferry, ["failed"], 30);
      assert.equal(failed.error?.code, "xa-transaction", failed.error?.detail);
      assert.match(failed.error!.detail, /prepared before the ferry began/);
      assert.match(failed.error!.hint ?? "", /start another ferry/);
    } finally {
      await second.close();
    }
  },
);
