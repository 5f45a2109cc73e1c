/**
 * A ferry that was left on a target which does not answer while the service starts is taken up when it answers again.
 */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { assertEqual } from "../support/equality.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { Service } from "../support/service.ts";
import { Sql } from "../support/sql.ts";

onEachFlavour(
  "a ferry on a target that hangs at the service's start is taken up by itself later",
  async (pair) => {
    const { source, target } = pair;
    await using proxy = await FaultProxy.open(target.host, target.port);
    // The server itself stands still where it is a process of this machine, otherwise the network before it.
    const hang = (on: boolean) =>
      target.pid === null ? proxy.blackhole(on) : Deno.kill(target.pid, on ? "SIGSTOP" : "SIGCONT");
    await using sql = await Sql.open(source.url);
    await sql.run("CREATE DATABASE shop; CREATE TABLE shop.orders (id INT NOT NULL PRIMARY KEY, v INT)");
    await sql.run("INSERT INTO shop.orders VALUES (1,1),(2,2)");
    const env = { FERRY_CONNECTION_SHOP_EU: source.url, FERRY_CONNECTION_SHOP_US: proxy.url(target.url) };
    {
      await using before = await Service.start(env);
      const spec = {
        id: "left",
        source: "shop_eu",
        target: "shop_us",
        tables: ["shop.*"],
        cutover: { mode: "manual", fence: "none" },
      };
      assert.equal((await before.ask("POST", "/v1/ferries", spec)).status, 202);
      await before.until("left", ["awaitingCutover"]);
      assert.equal(await before.term(), 0);
    }
    hang(true);
    let service: Service;
    try {
      service = await Service.start(env);
    } catch (error) {
      hang(false);
      throw error;
    }
    await using _service = service;
    try {
      // Once all were looked at nobody is kept waiting: the ferry is denied although it is there.
      let status = 503;
      for (let i = 0; status === 503 && i < 5; i++) {
        ({ status } = await service.ask("GET", "/v1/ferries/left"));
      }
      assert.equal(status, 404);
    } finally {
      hang(false);
    }
    const end = performance.now() + 30_000;
    while ((await service.ask("GET", "/v1/ferries/left")).status !== 200) {
      assert.ok(performance.now() < end, "nobody has taken it up");
      await sleep(100);
    }
    await service.cutOver("left");
    const { resumedTimes } = await service.until("left", ["done"]);
    assert.equal(resumedTimes, 1);
    await assertEqual(source.url, target.url, ["shop.orders"]);
    assert.equal(await service.term(), 0);
    const told = await service.errors;
    assert.equal([...told.matchAll(/\[warning\] .*Cannot look for ferries at shop-us, /g)].length, 1, told);
    assert.equal([...told.matchAll(/Took up a ferry ferry="left"/g)].length, 1, told);
    assert.ok(!told.includes(target.password), "no secret is shown");
  },
);
