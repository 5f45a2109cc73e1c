/**
 * Keys of every kind, with writers that move rows over the cursor while they are copied (I4, I10).
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import type { ServerPair } from "../servers/mod.ts";
import { assertEqual } from "../support/equality.ts";
import { shopSpec, until } from "../support/ferries.ts";
import { onEachCrossing, onEachFlavour } from "../support/flavours.ts";
import { type KeyCase, keyTables, makeKeyTables, startKeyWriters } from "../support/key_cases.ts";
import { Sql } from "../support/sql.ts";

const GTIDS = { "gtid-mode": "ON", "enforce-gtid-consistency": "ON" };

/** Ferries tables that are written to all the while, and compares. Answers the ranges of each table. */
async function ferry({ source, target }: ServerPair, all: readonly KeyCase[]): Promise<Map<string, number>> {
  await using sql = await Sql.open(source.url);
  await makeKeyTables(sql, all);
  const dock = openDock();
  const { findings } = await dock.check(shopSpec(source.url, target.url));
  const refused = new Set(findings.filter((f) => f.level === "error").map((f) => f.subject));
  const cases = all.filter((c) => !refused.has(`shop.${c.name}`));
  const writers = startKeyWriters(source.url, cases);
  try {
    const under = await dock.start(shopSpec(source.url, target.url, {
      id: "keys",
      exclude: [...refused],
      copy: { concurrency: 2, chunkBytes: 16384 },
      cutover: { mode: "manual", fence: "lockTables", keepFence: false },
    }));
    await until(under, ["copying"]);
    const before = new Map(writers.counts);
    await until(under, ["catchingUp", "verifying", "awaitingCutover"]);
    const quiet = cases.filter((c) => (writers.counts.get(c.name) ?? 0) === (before.get(c.name) ?? 0));
    assert.deepEqual(quiet.map((c) => c.name), [], "tables that were not written to while copying");
    await until(under, ["awaitingCutover"], 240);
    await new Promise((r) => setTimeout(r, 1000));
    await writers.stop();
    await until(under, ["awaitingCutover"], 60);
    await under.act("cutover");
    const done = await until(under, ["done"], 120);
    assert.equal(done.verification.state, "passed");
    await assertEqual(source.url, target.url, cases.map((c) => `shop.${c.name}`));
    await using there = await Sql.open(target.url);
    const ranges = await there.run(
      "SELECT table_no, COUNT(*) AS n FROM _ferry.ranges WHERE ferry_id = 'keys' GROUP BY table_no",
    );
    const [{ crossing }] = await there.run("SELECT crossing FROM _ferry.ferries WHERE id = 'keys'");
    const names = (JSON.parse(crossing) as { tables: string[] }).tables;
    return new Map(ranges.map((r) => [names[Number(r.table_no)], Number(r.n)]));
  } finally {
    await writers.stop().catch(() => {});
    await dock.close();
  }
}

onEachFlavour("keys of every kind are copied under writers that move them", async (pair, vendor) => {
  const cases = keyTables(vendor);
  assert.equal((await ferry(pair, cases)).size, cases.length);
}, { source: { mysql: GTIDS } });

onEachCrossing("keys of every kind cross between the families under writers", async (pair, route) => {
  const cases = keyTables(route.source);
  const carried = await ferry(pair, cases);
  const only = { mysql: [], mariadb: ["nopad_latin", "uuids", "hosts", "hosts4"] };
  assert.deepEqual(cases.map((c) => c.name).filter((n) => !carried.has(`shop.${n}`)), only[route.source]);
}, { only: (route) => route.source !== route.target, source: { mysql: GTIDS } });

onEachFlavour(
  "ranges of keys that only the server can order lose nothing under writers",
  async (pair, vendor) => {
    // Some numbers share a key, and a server's guess is no count: half as many again as make two ranges.
    const big = (c: KeyCase) => ({ ...c, rows: 150_000 });
    const names = ["pairs", "bytes", vendor === "mysql" ? "cases" : "uuids"];
    const cases = keyTables(vendor).filter((c) => names.includes(c.name)).map(big);
    cases.push({
      name: "wide_words",
      definition: "k VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL PRIMARY KEY",
      key: ["k"],
      values: (n) => [`CONCAT('Wörd ', REVERSE(${n}), IF((${n}) % 2, 'a', 'A'))`],
      rows: 150_000,
    });
    const ranges = await ferry(pair, cases);
    assert.ok([...ranges.values()].filter((n) => n > 1).length >= 2, JSON.stringify([...ranges]));
  },
);
