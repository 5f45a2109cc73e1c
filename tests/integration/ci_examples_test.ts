/**
 * The example workflows, their steps run as they are written: with bash and curl, against a service of its own process
 * and real servers.
 */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { FerryResource } from "../../lib/progress/resource.ts";
import { startPair, type Vendor } from "../servers/mod.ts";
import { assertEqual } from "../support/equality.ts";
import { untilTrue } from "../support/ferries.ts";
import { Service } from "../support/service.ts";
import { Sql } from "../support/sql.ts";
import { readWorkflow, runJob } from "../support/workflow.ts";

const ROWS = 30_000;
const TOKEN = "token-of-the-test";
/** Rows a second that leave time for whatever has to happen while it copies. */
const SLOW = { throttle: { maxRowsPerSecond: 300 }, copy: { chunkBytes: 16_384 } };

const EXAMPLES: readonly { path: string; vendor: Vendor; refusedCode: number }[] = [
  { path: "docs/examples/ferry_with_curl.yml", vendor: "mysql", refusedCode: 1 },
  { path: "docs/examples/ferry_with_watch.yml", vendor: "mariadb", refusedCode: 4 },
];

for (const { path, vendor, refusedCode } of EXAMPLES) {
  Deno.test(`${path} ferries, attaches again, cancels, and says why it failed (${vendor})`, async (t) => {
    const workflow = await readWorkflow(path);
    await using pair = await startPair(vendor);
    const { source, target } = pair;
    await using sql = await Sql.open(source.url);
    await sql.run("CREATE DATABASE shop; CREATE TABLE shop.orders (id INT NOT NULL PRIMARY KEY, v INT)");
    const values = Array.from({ length: ROWS }, (_, i) => `(${i},${i * 7})`).join(",");
    await sql.run(`INSERT INTO shop.orders VALUES ${values}; ANALYZE TABLE shop.orders`);
    const env = {
      FERRY_TOKEN: TOKEN,
      FERRY_CONNECTION_SHOP_EU: source.url,
      FERRY_CONNECTION_SHOP_US: target.url,
    };
    let service = await Service.start(env);
    await using _service = { [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() };

    /** A run of the workflow, or another attempt of it. */
    const run = (runId: number, attempt: number, cancel?: AbortSignal) =>
      runJob(workflow, {
        secrets: { FERRY_TOKEN: TOKEN, FERRY_SOURCE: source.url, FERRY_TARGET: target.url },
        vars: { FERRY_URL: service.url, CHAINFERRY: "example/chainferry" },
        github: { repository_id: "77", run_id: String(runId), run_attempt: String(attempt) },
      }, cancel);
    const ask = async (method: string, place: string, body?: unknown) => {
      const answer = await service.ask(method, `/v1/ferries${place}`, body);
      return { status: answer.status, body: answer.body as FerryResource };
    };
    /** Changes the run's ferry as soon as that can be. */
    const change = (runId: number, body: unknown) =>
      untilTrue(
        `run ${runId} takes a change`,
        async () => (await ask("PATCH", `/run-77-${runId}`, body)).status === 200,
        { everyMs: 20 },
      );
    /** A run whose ferry is slowed down before it reads a row, since its table is locked until then, and that copies now. */
    const runSlowly = async (...how: Parameters<typeof run>): Promise<{ job: ReturnType<typeof run> }> => {
      await using lock = await Sql.open(source.url);
      await lock.run("LOCK TABLES shop.orders WRITE");
      const job = run(...how);
      await change(how[0], SLOW);
      await lock.run("UNLOCK TABLES");
      await untilTrue("it copies", async () => {
        const { body } = await ask("GET", `/run-77-${how[0]}`);
        if (body.progress.rowsCopied === 0) return false;
        assert.equal(body.state, "copying", "slow enough for the test");
        return true;
      });
      return { job };
    };

    await t.step("a whole ferry, over a service that is killed and started again", async () => {
      const { job } = await runSlowly(1, 1);
      await service.kill9();
      // While the target is silent the new process cannot see what was left there: it knows the ferry by being told.
      const signal = (name: Deno.Signal) => target.pid !== null && Deno.kill(target.pid, name);
      signal("SIGSTOP");
      try {
        service = await Service.start(env, service.port);
        const end = performance.now() + 30_000;
        while ((await ask("GET", "/run-77-1")).status !== 200) {
          assert.ok(performance.now() < end, "nobody has told it of the ferry");
          await sleep(50);
        }
      } finally {
        signal("SIGCONT");
      }
      await change(1, { throttle: null });
      const { conclusion, log, summary } = await job;
      assert.equal(conclusion, "success", log);
      assert.match(summary, /^## Ferry run-77-1: done$/m);
      assert.match(summary, /comparison passed/);
      assert.match(summary, /^\| shop\.orders \| verified \| \d+ \|$/m);
      assert.match(log, /Done: 1 table .*\(30,000 rows copied/);
      const ids = [...log.matchAll(/^(\d+): /gm)].map(([, id]) => Number(id));
      assert.deepEqual(ids, [...new Set(ids)].sort((a, b) => a - b), "nothing is told twice");
      assert.equal(await assertEqual(source.url, target.url, ["shop.orders"]), ROWS);
      const secrets = [TOKEN, source.password, target.password];
      for (const secret of secrets) assert.ok(!(log + summary).includes(secret), "no secret is shown");
    });

    await t.step("run again, it attaches to the same ferry", async () => {
      const { body: before } = await ask("GET", "/run-77-1");
      const { conclusion, log, summary } = await run(1, 2);
      assert.equal(conclusion, "success", log);
      assert.match(summary, /^## Ferry run-77-1: done$/m);
      const { body } = await service.ask("GET", "/v1/ferries");
      assert.deepEqual(body, { ferries: [before] }, "one ferry, and nothing of it has changed");
    });

    await t.step("a ferry that fails makes the job fail, and the summary says why", async () => {
      const { conclusion, code, log, summary } = await run(2, 1);
      assert.equal(conclusion, "failure", log);
      assert.equal(code, refusedCode);
      assert.match(summary, /^## Ferry run-77-2: failed$/m);
      assert.match(summary, /^\*\*preflight-refused\*\*: /m);
      assert.match(summary, /^- .*shop\.orders.*: .*row/m);
    });

    await t.step(
      "run again when the reason is gone, it goes on its way; cancelled, so is the ferry",
      async () => {
        await using there = await Sql.open(target.url);
        await there.run("DROP DATABASE shop");
        const cancel = new AbortController();
        const { job } = await runSlowly(2, 2, cancel.signal);
        cancel.abort();
        const { conclusion, log, summary } = await job;
        assert.equal(conclusion, "cancelled", log);
        assert.match(summary, /^## Ferry run-77-2: cancelled$/m);
        assert.equal((await ask("GET", "/run-77-2")).body.state, "cancelled");
      },
    );

    await t.step("a spec that is refused is reported with the service's own words", async () => {
      // The id of a ferry that was started with another spec.
      const other = { id: "run-77-3", source: "shop_eu", target: "shop_us", tables: ["shop.orders"] };
      assert.equal((await ask("POST", "", other)).status, 202);
      const { conclusion, log, summary } = await run(3, 1);
      assert.equal(conclusion, "failure", log);
      assert.match(log, /422/);
      assert.match(summary, /run-77-3/);
    });
  });
}
