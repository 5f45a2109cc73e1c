/**
 * What throttles is read over one session for a server's own numbers and one for each query, whatever becomes of them.
 */
import assert from "node:assert/strict";
import type { ThrottleSettings } from "../../lib/spec/ferry_spec.ts";
import { parseChange } from "../../lib/spec/parse_spec.ts";
import { Gauges } from "../../lib/throttle/gauges.ts";
import { judgeReadings } from "../../lib/throttle/limits.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import { untilTrue } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { Sql } from "../support/sql.ts";

function settingsOf(throttle: unknown): ThrottleSettings {
  const reading = parseChange({ throttle });
  assert("change" in reading, JSON.stringify(reading));
  return reading.change.throttle!;
}

/** Ids of the other sessions of the same user. */
async function others(sql: Sql): Promise<string[]> {
  const rows = await sql.run(
    "SELECT id FROM information_schema.processlist " +
      "WHERE user = SUBSTRING_INDEX(CURRENT_USER(), '@', 1) AND id <> CONNECTION_ID()",
  );
  return rows.map((row: { id: unknown }) => String(row.id));
}

/** Waits until so many are there: a server takes a moment to see that one has gone. */
async function untilThere(sql: Sql, count: number, why: string): Promise<string[]> {
  for (let i = 0;; i++) {
    const ids = await others(sql);
    if (ids.length === count) return ids;
    assert(i < 400, `${why}: ${ids.length} sessions, not ${count}`);
    await new Promise((r) => setTimeout(r, 50));
  }
}

const never = new AbortController().signal;

onEachFlavour(
  "a session that was lost is opened again once, and none is left",
  async ({ source, target }) => {
    await using sql = await Sql.open(source.url);
    const checks = ["Threads_running", "Threads_connected", "Uptime"].map((status) => (
      { on: "source", status, max: 1_000_000 }
    ));
    const settings = settingsOf({ checks });
    const gauges = new Gauges({ source: source.url, target: target.url });
    try {
      const known = async () => {
        for (const { name, value } of await gauges.read(settings, null, never)) {
          assert.equal(typeof value, "number", `${name}: ${JSON.stringify(value)}`);
        }
      };
      await known();
      const [id] = await untilThere(sql, 1, "three numbers, one session");
      await sql.run(`KILL ${id}`);
      await untilThere(sql, 0, "it is lost");
      await new Promise((r) => setTimeout(r, 300)); // and this side has heard of it
      await known();
      assert.notDeepEqual(await untilThere(sql, 1, "it is opened again once"), [id]);
    } finally {
      await gauges.close();
    }
    await untilThere(sql, 0, "all are closed");
  },
);

onEachFlavour("a reading that is under way opens nothing once all is closed", async ({ source, target }) => {
  await using sql = await Sql.open(source.url);
  const settings = settingsOf({ checks: [{ on: "source", status: "Uptime", max: 1_000_000 }] });
  const gauges = new Gauges({ source: source.url, target: target.url });
  await gauges.read(settings, null, never);
  const [id] = await untilThere(sql, 1, "the session");
  await sql.run(`KILL ${id}`);
  await untilThere(sql, 0, "it is lost");
  await new Promise((r) => setTimeout(r, 300)); // and this side has heard of it
  const stop = new AbortController();
  const reading = gauges.read(settings, null, stop.signal);
  stop.abort();
  await gauges.close();
  await reading;
  await new Promise((r) => setTimeout(r, 1000));
  await untilThere(sql, 0, "nothing is opened any more");
});

onEachFlavour(
  "a query that takes long keeps no critical level from being read, and is asked once at a time",
  async ({ source, target }) => {
    await using sql = await Sql.open(source.url);
    const long = "SELECT SLEEP(60)";
    const settings = settingsOf({
      criticalThreadsRunning: 20,
      checks: [{ on: "source", query: long, max: 1 }],
    });
    /** Seconds for which the check's query has been running. */
    const asked = async (): Promise<number> => {
      const running = await sql.run(
        "SELECT time FROM information_schema.processlist WHERE info = ? ORDER BY time",
        [long],
      );
      assert(running.length <= 1, `asked ${running.length} times at once`);
      return Number(running[0]?.time ?? -1);
    };
    const others = await Promise.all(Array.from({ length: 25 }, () => sql.again()));
    const gauges = new Gauges({ source: source.url, target: target.url });
    try {
      const first = judgeReadings(await gauges.read(settings, null, never));
      assert.equal(first.reason, `${long} of the source cannot be read: no answer`);
      assert.equal(first.critical, null);
      for (const other of others) void other.send("DO SLEEP(600)").catch(() => {});
      let looks = 0;
      let before = await asked();
      assert(before >= 2, "what was late is left alone");
      await untilTrue("it is asked again when the server has ended it", async () => {
        const began = performance.now();
        const { critical } = judgeReadings(await gauges.read(settings, null, never));
        if (performance.now() - began < 1500) looks++;
        // The first look may come before they have all begun.
        if (looks > 1) {
          assert.match(critical ?? "none", /^Threads_running of the source is \d+, above 20$/);
        }
        const seconds = await asked();
        assert(seconds < 12, "it is not left to run for as long as it likes");
        const again = seconds >= 0 && seconds < before;
        before = seconds;
        return again;
      }, { everyMs: 500 });
      assert(looks >= 4, `${looks} looks did not wait for it`);
    } finally {
      await gauges.close();
      for (const other of others) other.destroy();
    }
  },
);

onEachFlavour(
  "a session that has fallen silent is given up, and another one opened",
  async ({ source, target }) => {
    await using sql = await Sql.open(source.url);
    await using proxy = await FaultProxy.open(source.host, source.port);
    const settings = settingsOf({ checks: [{ on: "source", status: "Uptime", max: 1_000_000 }] });
    const gauges = new Gauges({ source: proxy.url(source.url), target: target.url });
    const value = async () => (await gauges.read(settings, null, never))[0].value;
    try {
      assert.equal(typeof await value(), "number");
      const [id] = await untilThere(sql, 1, "the session");
      proxy.blackhole(true);
      for (const end = performance.now() + 15_000; performance.now() < end;) {
        assert.deepEqual(await value(), { unknown: "no answer" });
        await new Promise((r) => setTimeout(r, 500));
      }
      proxy.blackhole(false);
      await untilTrue("it is read again", async () => typeof await value() === "number");
      assert(!(await others(sql)).includes(id), "over another session");
    } finally {
      await gauges.close();
    }
  },
  { only: ["mysql"] },
);
