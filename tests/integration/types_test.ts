/**
 * Every type of column on every road: rows that were there before the start, rows written while the copy is held, and
 * rows that replay alone brings. Both sides end equal, byte for byte.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import type { ServerPair, Vendor } from "../servers/mod.ts";
import { assertEqual } from "../support/equality.ts";
import { shopSpec, until } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import {
  LENIENT,
  makeRoadTable,
  ROADS,
  type RoadTable,
  travel,
  travelled,
  typeTables,
} from "../support/road_tables.ts";
import { Sql } from "../support/sql.ts";
import type { TypeCase } from "../support/type_cases.ts";

const GTIDS = { "gtid-mode": "ON", "enforce-gtid-consistency": "ON" };

/** Ferries the tables, writes to them on both roads, and compares. */
async function ferry(pair: ServerPair, tables: readonly RoadTable[], setup: string[] = []): Promise<void> {
  const { source, target } = pair;
  await using sql = await Sql.open(source.url);
  await sql.run(LENIENT);
  await sql.run("CREATE DATABASE IF NOT EXISTS shop");
  for (const statement of setup) await sql.run(statement);
  let rows = 0;
  for (const t of tables) rows += await makeRoadTable(sql, t);
  const dock = openDock();
  try {
    const under = await dock.start(shopSpec(source.url, target.url, {
      copy: { concurrency: 2 },
      cutover: { mode: "manual", fence: "lockTables", keepFence: false },
    }));
    await under.act("pause");
    await until(under, ["copying"]);
    for (const t of tables) await travel(sql, t, ROADS.held);
    await under.act("resume");
    const waiting = await until(under, ["awaitingCutover"], 300);
    assert.ok(
      waiting.progress.rowsCopied >= rows,
      `${waiting.progress.rowsCopied} of ${rows} rows were copied`,
    );
    for (const t of tables) await travel(sql, t, ROADS.replayed);
    const changes = tables.reduce((sum, t) => sum + travelled(t), 0);
    await until(under, ["awaitingCutover"]);
    await under.act("cutover");
    const done = await until(under, ["done"], 300);
    const replayed = done.progress.changesApplied - waiting.progress.changesApplied;
    assert.ok(replayed >= changes, `${replayed} of ${changes} changes were replayed`);
    assert.equal(done.verification.state, "passed");
    await assertEqual(source.url, target.url, tables.map((t) => `shop.${t.name}`));
  } finally {
    await dock.close();
  }
}

onEachFlavour("every type arrives by copy and by replay", async (pair, vendor) => {
  await ferry(pair, typeTables(vendor, () => true));
}, { source: { mysql: GTIDS } });

/** The first case of each type, whatever its length. */
function oneOfEach(): (c: TypeCase) => boolean {
  const seen = new Set<string>();
  return (c) => {
    const name = c.type.replace(/[(\d].*/, "").trim() + (c.type.includes("COMPRESSED") ? "compressed" : "");
    return !seen.has(name) && seen.add(name) !== undefined;
  };
}

/** How a binlog may be written. */
const BINLOGS: Record<Vendor, Record<string, string>[]> = {
  mysql: [
    { "binlog-row-metadata": "FULL", ...GTIDS },
    { "binlog-row-metadata": "MINIMAL", "binlog-transaction-compression": "ON" },
  ],
  mariadb: [
    { "binlog-row-metadata": "NO_LOG", "log-bin-compress": "ON", "log-bin-compress-min-len": "10" },
    { "binlog-row-metadata": "MINIMAL" },
    { "binlog-row-metadata": "FULL", "log-bin-compress": "ON", "log-bin-compress-min-len": "10" },
  ],
};

for (const vendor of ["mysql", "mariadb"] as const) {
  for (const settings of BINLOGS[vendor]) {
    const name = Object.entries(settings).filter(([k]) => k.includes("bin")).map((e) => e.join("=")).join(
      " ",
    );
    onEachFlavour(`types under ${name}`, async (pair) => {
      await ferry(pair, typeTables(vendor, oneOfEach()));
    }, { only: [vendor], source: { [vendor]: settings } });
  }
}
