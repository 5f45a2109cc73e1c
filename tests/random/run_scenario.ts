/**
 * Runs the ferry of a random scenario and compares both sides, told by the test and not by the ferry.
 * @module
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/mod.ts";
import type { ServerPair } from "../servers/mod.ts";
import { assertSame, dumpTable } from "../support/equality.ts";
import { cutOver, specOf, until } from "../support/ferries.ts";
import { Sql } from "../support/sql.ts";
import type { Scenario } from "./scenario.ts";
import { ScenarioSql } from "./scenario_sql.ts";

/** 1062 duplicate · 1205, 1213 locks · 1216, 1217, 1451, 1452 foreign keys: an application's daily bread. */
const DAILY = new Set([1062, 1205, 1213, 1216, 1217, 1451, 1452]);

/** What came of it. */
export interface Outcome {
  /** Rows that both sides hold. */
  readonly rows: number;
  /** Changes that were replayed. */
  readonly changes: number;
  /** Times that the ferry was taken up by another process. */
  readonly handovers: number;
}

/** Runs it between two servers, in schemas named after `seed`. Fails where the sides differ. */
export async function runScenario(scenario: Scenario, pair: ServerPair, seed: number): Promise<Outcome> {
  const from = `random_${seed}`;
  const to = scenario.settings.rename ? `renamed_${seed}` : from;
  const sql = new ScenarioSql(scenario, from);
  await using source = await open(pair.source.url);
  await using target = await open(pair.target.url);
  for (const statement of sql.setUp()) await source.run(statement);
  const spec = specOf({
    id: `random-${seed}`,
    source: pair.source.url,
    target: pair.target.url,
    tables: scenario.tables.map((t, i) => ({
      table: `${from}.${patternOf(t.name)}`,
      ...(t.where === null ? {} : { where: t.where }),
      ...(t.hanging === "through"
        ? { through: { column: "parent", parent: `${from}.${patternOf(scenario.tables[i - 1].name)}` } }
        : {}),
    })),
    ...(to === from ? {} : { renameSchemas: { [from]: to } }),
    copy: {
      concurrency: scenario.settings.concurrency,
      chunkBytes: scenario.settings.chunkBytes,
      deferIndexes: scenario.settings.deferIndexes,
    },
    cutover: { mode: "manual", fence: "lockTables", keepFence: false },
  });
  let dock = openDock({ leaseSeconds: 2 });
  let handovers = 0;
  try {
    let ferry = await dock.start(spec);
    const due = [...scenario.handovers];
    for (const [n, w] of scenario.writes.entries()) {
      await write(source, sql.write(w));
      if (due.length > 0 && n * 100 >= due[0] * scenario.writes.length) {
        due.shift();
        await dock.close();
        dock = openDock({ leaseSeconds: 2 });
        ferry = await dock.start(spec);
        handovers++;
      }
    }
    await until(ferry, ["awaitingCutover"]);
    // The same once more while it waits: every row of it comes by replay.
    for (const w of scenario.writes.slice(0, 80)) await write(source, sql.write({ ...w, salt: w.salt + 1 }));
    await cutOver(ferry);
    const done = await until(ferry, ["done"]);
    assert.equal(done.verification.state, "passed");
    let rows = 0;
    for (const [i, t] of scenario.tables.entries()) {
      const where = condition(scenario, sql, i);
      const signedZero = scenario.vendors[0] === scenario.vendors[1];
      const a = await dumpTable(source, from, t.name, { where, signedZero });
      const b = await dumpTable(target, to, t.name, { signedZero });
      assertSame(a, b, t.name);
      rows += a.length;
    }
    return { rows, changes: done.progress.changesApplied, handovers };
  } finally {
    await dock.close();
    await source.run(`DROP DATABASE IF EXISTS \`${from}\``);
    await target.run(`DROP DATABASE IF EXISTS \`${to}\``);
  }
}

async function open(url: string): Promise<Sql> {
  const sql = await Sql.open(url);
  await sql.run(
    "SET SESSION sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00', innodb_lock_wait_timeout = 5",
  );
  return sql;
}

async function write(sql: Sql, statements: readonly string[]): Promise<void> {
  try {
    if (statements.length > 1) await sql.run("START TRANSACTION");
    for (const statement of statements) await sql.run(statement);
    if (statements.length > 1) await sql.run("COMMIT");
  } catch (e) {
    if (!DAILY.has((e as { errno: number }).errno)) throw e;
    await sql.run("ROLLBACK");
  }
}

/** Which rows the target must hold, as a condition on the source. */
function condition(scenario: Scenario, sql: ScenarioSql, i: number): string | null {
  const t = scenario.tables[i];
  const parts: string[] = [];
  if (t.where !== null) parts.push(`(${t.where})`);
  if (t.hanging === "through") {
    const above = condition(scenario, sql, i - 1);
    parts.push(
      `parent IN (SELECT k FROM ${sql.place(i - 1)}${above === null ? "" : ` WHERE ${above}`})`,
    );
  }
  return parts.length === 0 ? null : parts.join(" AND ");
}

function patternOf(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}
