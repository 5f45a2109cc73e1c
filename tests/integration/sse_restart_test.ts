/**
 * The event stream survives a restart of the service: ids go on, and what was missed is told.
 */
import assert from "node:assert/strict";
import { onEachFlavour } from "../support/flavours.ts";
import { Service, type WireEvent } from "../support/service.ts";
import { Sql } from "../support/sql.ts";

const stateNamed = (name: string) => (events: WireEvent[]) =>
  events.some((e) => e.event === "state" && e.data.state === name);

onEachFlavour(
  "Last-Event-ID is honoured across a restart, SIGTERM ends streams, and the end is told once",
  async ({ source, target }) => {
    await using sql = await Sql.open(source.url);
    await sql.run(
      "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT NOT NULL PRIMARY KEY, v INT); INSERT INTO shop.orders VALUES (1,1),(2,2)",
    );
    const spec = {
      id: "sse",
      source: source.url,
      target: target.url,
      tables: ["shop.*"],
      cutover: { mode: "manual", fence: "none" },
    };
    let first: WireEvent[];
    let port: number;
    {
      await using service = await Service.start();
      port = service.port;
      assert.equal((await service.ask("POST", "/v1/ferries", spec)).status, 202);
      first = await service.events("sse", null, stateNamed("awaitingCutover"));
      const ids = first.map((e) => e.id);
      assert.deepEqual(ids, [...ids].sort((a, b) => a - b));
      assert.equal(new Set(ids).size, ids.length);
      for (const e of first) assert.equal(typeof e.data.text, "string");
      const open = service.events("sse", ids.at(-1)!, () => false); // must end by itself
      await new Promise((r) => setTimeout(r, 200));
      assert.equal(await service.term(), 0, "SIGTERM ends with 0");
      await open.catch(() => {});
    }
    const last = first.at(-1)!.id;
    await using service = await Service.start({}, port);
    assert.equal((await service.ask("POST", "/v1/ferries", spec)).status, 202);
    const missed = await service.events("sse", last, stateNamed("awaitingCutover"));
    assert.ok(missed.every((e) => e.id > last), "nothing is told twice");
    assert.ok(missed.length > 0);
    const all = await service.events("sse", 0, stateNamed("awaitingCutover"));
    const states = all.filter((e) => e.event === "state").map((e) => e.data.state);
    assert.ok(states.includes("copying"), `what the first process told is still there: ${states}`);
    await service.cutOver("sse");
    const rest = await service.events("sse", missed.at(-1)!.id, () => false);
    assert.equal(rest.at(-1)!.event, "done");
    assert.equal(rest.filter((e) => e.event === "done").length, 1);
    assert.deepEqual(
      await service.events("sse", rest.at(-1)!.id, () => false),
      [],
      "after the end a reconnect gets 204",
    );
  },
);
