/**
 * I5: `kill -9` of the service at any moment, and the next process goes on; nothing is lost and nothing is wrong.
 */
import assert from "node:assert/strict";
import { assertEqual } from "../support/equality.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { Service } from "../support/service.ts";
import { Sql } from "../support/sql.ts";
import { makeWorkload, startWorkload, WORKLOAD_TABLES } from "../support/workload.ts";

const ROWS = 150_000;
const KILLS = 10;

onEachFlavour(
  "a ferry whose process is killed ten times ends with both sides equal",
  async ({ source, target }) => {
    await makeWorkload(source.url, ROWS);
    const spec = {
      id: "crash",
      source: source.url,
      target: target.url,
      tables: ["shop.*"],
      copy: { concurrency: 1, chunkBytes: 16384 },
      cutover: { mode: "manual", fence: "lockTables", keepFence: false },
    };
    await using writers = startWorkload(source.url, { rows: ROWS, writers: 2, pauseMs: 2 });
    await using sql = await Sql.open(target.url);
    const seen = new Set<string>();
    let taken = -1;
    for (let i = 0; i < KILLS; i++) {
      await using service = await Service.start();
      const posted = await service.ask("POST", "/v1/ferries", spec);
      assert.equal(posted.status, 202, JSON.stringify(posted.body));
      taken = await owned(service, i === 0 ? -1 : taken);
      await new Promise((r) => setTimeout(r, Math.random() * 1200));
      const { body } = await service.ask("GET", "/v1/ferries/crash");
      seen.add((body as { state: string }).state);
      await service.kill9();
    }
    const [ranges] = await sql.run("SELECT COUNT(*) AS n FROM _ferry.ranges WHERE ferry_id = 'crash'");
    assert.ok(Number(ranges.n) >= 4, "the copy had begun");
    assert.ok(
      seen.has("copying"),
      `killed in ${[...seen]}`,
    );
    await using service = await Service.start();
    await service.ask("POST", "/v1/ferries", spec);
    await owned(service, taken);
    const waiting = await service.until("crash", ["awaitingCutover"]);
    assert.ok(waiting.resumedTimes >= KILLS / 2, `taken up ${waiting.resumedTimes} times`);
    await writers.stop();
    const cut = await service.ask("POST", "/v1/ferries/crash/cutover");
    assert.equal(cut.status, 202);
    const done = await service.until("crash", ["done"]);
    assert.equal(done.verification.state, "passed");
    await assertEqual(source.url, target.url, WORKLOAD_TABLES);
  },
);

onEachFlavour(
  "a ferry is taken up by a process that only knows its named connections",
  async ({ source, target }) => {
    await makeWorkload(source.url, 2000);
    const env = { FERRY_CONNECTION_HERE: source.url, FERRY_CONNECTION_THERE: target.url };
    const spec = {
      id: "named",
      source: "here",
      target: "there",
      tables: ["shop.*"],
      cutover: { mode: "manual", fence: "none" },
    };
    {
      await using service = await Service.start(env);
      assert.equal((await service.ask("POST", "/v1/ferries", spec)).status, 202);
      await service.until("named", ["awaitingCutover"]);
      await service.kill9();
    }
    // Whatever else is named: one that is not there, and one whose state is of a program that is newer than this.
    await using sql = await Sql.open(source.url);
    await sql.run(
      "CREATE DATABASE _ferry; CREATE TABLE _ferry.meta (version INT); INSERT INTO _ferry.meta VALUES (999)",
    );
    await using service = await Service.start({ FERRY_CONNECTION_GONE: "mysql://a:b@127.0.0.1:1", ...env });
    for (let i = 0;; i++) {
      const { status, body } = await service.ask("GET", "/v1/ferries/named");
      assert.equal(status, 200, "no client is told that there is no such ferry");
      if ((body as { resumedTimes: number }).resumedTimes > 0) break;
      assert.ok(i < 300, "it is taken up");
      await new Promise((r) => setTimeout(r, 100));
    }
    await service.until("named", ["awaitingCutover"]);
    await service.cutOver("named");
    await service.until("named", ["done"]);
    await assertEqual(source.url, target.url, WORKLOAD_TABLES);
  },
);

/** Waits until this process has taken the ferry up, which was taken up `before` times; returns how often that is now. */
async function owned(service: Service, before: number): Promise<number> {
  for (let i = 0;; i++) {
    const { body } = await service.ask("GET", "/v1/ferries/crash");
    const r = body as { resumedTimes: number; actions: string[]; tables: unknown[] };
    if (r.resumedTimes > before && r.tables.length > 0 && r.actions.length > 0) return r.resumedTimes;
    assert.ok(i < 1000, `not taken up: ${JSON.stringify(body)}`);
    await new Promise((r) => setTimeout(r, 20));
  }
}
