/**
 * What throttles is read over one session a server, whatever is asked of it and whatever becomes of it.
 */
import assert from "node:assert/strict";
import type { ThrottleSettings } from "../../lib/spec/ferry_spec.ts";
import { parseChange } from "../../lib/spec/parse_spec.ts";
import { Gauges } from "../../lib/throttle/gauges.ts";
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
    assert(i < 100, `${why}: ${ids.length} sessions, not ${count}`);
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
  // Where the first question fails, a second one is asked.
  const settings = settingsOf({ maxLagSeconds: 5, replicas: [source.url] });
  const gauges = new Gauges({ source: source.url, target: target.url });
  await gauges.read(settings, null, never);
  await untilThere(sql, 1, "the replica's session");
  const stop = new AbortController();
  const reading = gauges.read(settings, null, stop.signal);
  stop.abort();
  await gauges.close();
  await reading;
  await new Promise((r) => setTimeout(r, 1000));
  await untilThere(sql, 0, "nothing is opened any more");
});
