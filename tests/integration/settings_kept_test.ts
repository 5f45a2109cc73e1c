/**
 * Settings changed by PATCH outlive the process: whoever takes the ferry up goes on under them, and no password is stored.
 */
import assert from "node:assert/strict";
import type { FerryResource } from "../../lib/progress/resource.ts";
import { assertEqual } from "../support/equality.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { Service } from "../support/service.ts";
import { Sql } from "../support/sql.ts";

const ROWS = 60_000;
const wait = (ms: number) => new Promise((r) => setTimeout(r, ms));

async function makeOrders(url: string): Promise<void> {
  await using sql = await Sql.open(url);
  await sql.run(
    "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT NOT NULL PRIMARY KEY, v INT NOT NULL, fat CHAR(200) NOT NULL)",
  );
  const values = Array.from({ length: ROWS }, (_, i) => `(${i}, ${i}, REPEAT('x', 200))`);
  await sql.run(`INSERT INTO shop.orders VALUES ${values.join(",")}; ANALYZE TABLE shop.orders`);
}

async function resource(service: Service): Promise<FerryResource> {
  return (await service.ask("GET", "/v1/ferries/kept")).body as FerryResource;
}

async function untilSo(
  service: Service,
  what: string,
  so: (r: FerryResource) => boolean,
): Promise<FerryResource> {
  for (let i = 0;; i++) {
    const r = await resource(service);
    if (so(r)) return r;
    assert(i < 400, `${what}: ${JSON.stringify(r)}`);
    await wait(50);
  }
}

/** Every text that the state holds. */
async function stateTexts(url: string): Promise<string> {
  await using sql = await Sql.open(url);
  const rows = [
    ...await sql.run("SELECT spec, snapshot, crossing FROM _ferry.ferries"),
    ...await sql.run("SELECT data FROM _ferry.events"),
    ...await sql.run("SELECT changed FROM _ferry.settings"),
  ];
  return JSON.stringify(rows);
}

onEachFlavour(
  "after kill -9 another process goes on under the patched settings",
  async ({ source, target }) => {
    await makeOrders(source.url);
    const port = new URL(target.url).port;
    const spec = {
      id: "kept",
      source: source.url,
      target: target.url,
      tables: ["shop.*"],
      throttle: { maxRowsPerSecond: 4000 },
      copy: { chunkBytes: 16_384 },
      cutover: { mode: "manual", fence: "lockTables", keepFence: false },
    };
    {
      await using service = await Service.start();
      assert.equal((await service.ask("POST", "/v1/ferries", spec)).status, 202);
      await untilSo(service, "it copies", (r) => r.progress.rowsCopied > 0);
      const first = await service.ask("PATCH", "/v1/ferries/kept", { copy: { concurrency: 1 } });
      assert.equal(first.status, 200);
      const second = await service.ask("PATCH", "/v1/ferries/kept", {
        copy: { chunkBytes: 20_000 },
        throttle: {
          maxRowsPerSecond: 300,
          maxLagSeconds: 60,
          replicas: [`mysql://nobody:replica-pw@127.0.0.1:${port}`],
          http: "http://probe:http-pw@127.0.0.1:9/ready",
        },
      });
      assert.equal(second.status, 200);
      await untilSo(
        service,
        "the replica cannot be read",
        (r) => /^the lag of replica/.test(r.throttled?.reason ?? ""),
      );
      await service.kill9();
    }
    const texts = await stateTexts(target.url);
    assert(!/replica-pw|http-pw/.test(texts), "no password is in the state");
    await using service = await Service.start();
    assert.equal((await service.ask("POST", "/v1/ferries", spec)).status, 202, "the same spec attaches");
    const taken = await untilSo(service, "taken up", (r) => r.resumedTimes === 1 && r.state === "copying");
    const events = await service.events(
      "kept",
      0,
      (all) => all.some((e) => e.data.state === "copying" && e.data.resumedTimes === 1),
    );
    assert(
      events.at(-1)!.data.progress.rowsCopied > 0,
      "what was copied before is told from the first word on",
    );
    const told = events.map((e) => e.data.text as string);
    const lost = events.find((e) => e.data.code === "throttle-incomplete")?.data.text ?? "nothing is told";
    assert(lost.includes(`replica mysql://nobody:***@127.0.0.1:${port}`), lost);
    assert(lost.includes("http http://***:***@127.0.0.1:9/ready"), lost);
    assert.equal(
      told.filter((t) => t.startsWith("Copying now takes")).at(-1),
      "Copying now takes one range at a time, in chunks of about 20,000 bytes",
    );
    // The pace is the patched one; at the posted one it were 4000 rows/s.
    const began = performance.now();
    const before = taken.progress.rowsCopied;
    await wait(4000);
    const after = await resource(service);
    const pace = (after.progress.rowsCopied - before) * 1000 / (performance.now() - began);
    assert.equal(after.state, "copying");
    assert(pace > 50 && pace < 1500, `copying goes on without the replica, at ${pace} rows/s`);
    assert.equal((await service.ask("PATCH", "/v1/ferries/kept", { throttle: null })).status, 200);
    await service.cutOver("kept");
    await service.until("kept", ["done"]);
    assert.equal(await assertEqual(source.url, target.url, ["shop.orders"]), ROWS);
  },
);

onEachFlavour("a process that knows the names fills their passwords in again", async ({ source, target }) => {
  await makeOrders(source.url);
  const env = {
    FERRY_CONNECTION_HERE: source.url,
    FERRY_CONNECTION_THERE: target.url,
    FERRY_CONNECTION_WATCH: target.url,
  };
  const spec = {
    id: "kept",
    source: "here",
    target: "there",
    tables: ["shop.*"],
    throttle: { maxRowsPerSecond: 300 },
  };
  {
    await using service = await Service.start(env);
    assert.equal((await service.ask("POST", "/v1/ferries", spec)).status, 202);
    await untilSo(service, "it copies", (r) => r.progress.rowsCopied > 0);
    const throttle = { maxLagSeconds: 60, replicas: ["watch"] };
    assert.equal((await service.ask("PATCH", "/v1/ferries/kept", { throttle })).status, 200);
    await untilSo(service, "it waits for the replica", (r) => r.throttled !== null);
    await service.kill9();
  }
  await using service = await Service.start(env);
  for (let i = 0; (await service.ask("GET", "/v1/ferries/kept")).status !== 200; i++) {
    assert(i < 200, "it is taken up");
    await wait(50);
  }
  const r = await untilSo(service, "it waits again", (r) => r.resumedTimes === 1 && r.throttled !== null);
  assert.equal(
    r.throttled!.reason,
    "the lag of replica watch in seconds cannot be read: it does not replicate",
  );
  assert.equal((await service.ask("PATCH", "/v1/ferries/kept", { throttle: null })).status, 200);
  await service.until("kept", ["awaitingCutover"]);
  await service.kill9();
  await using third = await Service.start(env);
  for (let i = 0; (await third.ask("GET", "/v1/ferries/kept")).status !== 200; i++) {
    assert(i < 200, "it is taken up");
    await wait(50);
  }
  await untilSo(third, "taken up", (r) => r.resumedTimes === 2 && r.state === "awaitingCutover");
  const told = await third.events(
    "kept",
    0,
    (all) => all.filter((e) => e.data.state === "awaitingCutover" && e.data.resumedTimes === 2).length > 0,
  );
  const none = told.filter((e) => e.data.text === "Nothing slows copying down now");
  assert.equal(none.length, 2, "taken away is taken away, in the next process too");
});
