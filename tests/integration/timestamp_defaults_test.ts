/**
 * A target that gives a TIMESTAMP a default of its own, which would change with every UPDATE behind the cutover.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import { assertEqual } from "../support/equality.ts";
import { shopSpec, until } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { Sql } from "../support/sql.ts";

const OFF = { "explicit-defaults-for-timestamp": "OFF" };

onEachFlavour(
  "a TIMESTAMP without a default has none on the target either",
  async ({ source, target }) => {
    await using sql = await Sql.open(source.url);
    await sql.run(
      "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT NOT NULL PRIMARY KEY, ts TIMESTAMP NOT NULL, v INT);" +
        "INSERT INTO shop.orders VALUES (1, '2026-01-02 03:04:05', 1)",
    );
    await using there = await Sql.open(target.url);
    const dock = openDock();
    try {
      await until(await dock.start(shopSpec(source.url, target.url)), ["done"]);
    } finally {
      await dock.close();
    }
    const [made] = await there.run("SHOW CREATE TABLE shop.orders");
    assert.doesNotMatch(String(made["Create Table"]), /DEFAULT (CURRENT|current)_|ON UPDATE/);
    await there.run("UPDATE shop.orders SET v = 2");
    await sql.run("UPDATE shop.orders SET v = 2");
    await assertEqual(source.url, target.url, ["shop.orders"]);
  },
  { target: { mysql: OFF, mariadb: OFF } },
);
