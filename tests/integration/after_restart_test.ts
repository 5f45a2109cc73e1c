/**
 * What a service that is started again knows: how ferries ended, whose servers its named connections are, and what was
 * cancelled while a target was away.
 */
import assert from "node:assert/strict";
import type { FerryResource } from "../../lib/progress/resource.ts";
import { assertEqual } from "../support/equality.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import { untilTrue } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { makeOrders } from "../support/orders.ts";
import { Service } from "../support/service.ts";
import { Sql } from "../support/sql.ts";

const cutover = { mode: "auto", fence: "lockTables", keepFence: false };

onEachFlavour(
  "how a ferry ended is told after a restart as before it, and a failed one can be tried again",
  async ({ source, target }) => {
    await makeOrders(source.url);
    await using there = await Sql.open(target.url);
    await there.run(
      "CREATE DATABASE full; CREATE TABLE full.orders (id INT NOT NULL PRIMARY KEY, v INT NOT NULL)",
    );
    await there.run("INSERT INTO full.orders VALUES (9, 9)");
    const env = { FERRY_CONNECTION_EU: source.url, FERRY_CONNECTION_US: target.url };
    const ends = { source: "eu", target: "us", cutover };
    const well = { ...ends, id: "well", tables: ["shop.*"] };
    const badly = { ...ends, id: "badly", tables: ["shop.*"], renameSchemas: { shop: "full" } };
    let last: number;
    let done: FerryResource;
    {
      await using service = await Service.start(env);
      for (const spec of [well, badly]) {
        assert.equal((await service.ask("POST", "/v1/ferries", spec)).status, 202);
      }
      done = await service.until("well", ["done"]);
      await service.until("badly", ["failed"]);
      last = (await service.events("well", null, () => false)).at(-1)!.id;
      assert.equal(await service.term(), 0);
    }
    await using service = await Service.start(env);
    const { status, body } = await service.ask("GET", "/v1/ferries/well");
    assert.deepEqual([status, body], [200, done], "everything, to the last number");
    assert.deepEqual(
      await service.events("well", last, () => false),
      [],
      "204: there is nothing to come back for",
    );
    const missed = await service.events("well", last - 1, () => false);
    assert.deepEqual(missed.map((e) => [e.id, e.event]), [[last, "done"]]);
    const posted = await service.ask("POST", "/v1/ferries", well);
    assert.deepEqual([posted.status, posted.body], [202, done], "and to whoever posts it again");
    const all = (await service.ask("GET", "/v1/ferries")).body as { ferries: FerryResource[] };
    assert.deepEqual(all.ferries.map((f) => [f.id, f.state]).sort(), [["badly", "failed"], ["well", "done"]]);
    await there.run("TRUNCATE TABLE full.orders");
    assert.equal((await service.ask("POST", "/v1/ferries/badly/retry")).status, 202);
    await service.until("badly", ["done"]);
    assert.equal(await service.term(), 0);
    assert.doesNotMatch(await service.errors, /Took up a ferry/, "nothing was left to go on with");
  },
);

onEachFlavour(
  "a ferry posted with URLs is taken up where these are named, without what has a password that nobody named",
  async ({ source, target }) => {
    await makeOrders(source.url);
    const manual = { mode: "manual", fence: "none" };
    const throttle = { maxLagSeconds: 60, http: "http://ops:Zq9secretZq9@127.0.0.1:1/gate" };
    const spec = { source: source.url, target: target.url, tables: ["shop.*"], cutover: manual };
    {
      await using service = await Service.start();
      assert.equal((await service.ask("POST", "/v1/ferries", { ...spec, id: "left" })).status, 202);
      await service.until("left", ["awaitingCutover"]);
      const change = await service.ask("PATCH", "/v1/ferries/left", { throttle });
      assert.equal(change.status, 200, JSON.stringify(change.body));
      await service.kill9();
    }
    await using service = await Service.start({
      FERRY_CONNECTION_EU: source.url,
      FERRY_CONNECTION_US: target.url,
    });
    await service.cutOver("left");
    const done = await service.until("left", ["done"]);
    assert.equal(done.resumedTimes, 1);
    await assertEqual(source.url, target.url, ["shop.orders"]);
    const events = await service.events("left", null, () => false);
    const lost = events.filter((e) => e.data.code === "throttle-incomplete").map((e) => e.data.text);
    assert.match(lost.join("; "), /goes on without http http:\/\/\*\*\*:\*\*\*@127\.0\.0\.1:1\/gate/);
    assert.doesNotMatch(JSON.stringify(events), /Zq9secretZq9/);
  },
);

onEachFlavour(
  "a ferry that is cancelled while its target is away stays cancelled when that comes back",
  async ({ source, target }) => {
    await makeOrders(source.url);
    await using proxy = await FaultProxy.open(target.host, target.port);
    const env = { FERRY_CONNECTION_EU: source.url, FERRY_CONNECTION_US: proxy.url(target.url) };
    const spec = {
      id: "gone",
      source: "eu",
      target: "us",
      tables: ["shop.*"],
      cutover: { mode: "manual", fence: "none" },
    };
    await using sql = await Sql.open(target.url);
    const recorded = async () =>
      (await sql.run("SELECT state FROM _ferry.ferries WHERE id = 'gone'"))[0].state;
    {
      await using service = await Service.start(env);
      assert.equal((await service.ask("POST", "/v1/ferries", spec)).status, 202);
      await service.until("gone", ["awaitingCutover"]);
      proxy.refuse(true);
      proxy.cut();
      assert.equal((await service.ask("POST", "/v1/ferries/gone/cancel")).status, 202);
      await service.until("gone", ["cancelled"]);
      assert.notEqual(await recorded(), "cancelled", "nobody could record it");
      proxy.refuse(false);
      await untilTrue("it is recorded", async () => await recorded() === "cancelled");
      assert.equal(await service.term(), 0);
    }
    await using service = await Service.start(env);
    const { state, resumedTimes } = await service.until("gone", ["cancelled"]);
    assert.deepEqual([state, resumedTimes], ["cancelled", 0]);
  },
);
