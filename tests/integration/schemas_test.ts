/**
 * Any schema that one server can hold is made again on another, of its own family or of the other, with all its rows; or it
 * is refused before anything is written, by name and reason.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import { preflight } from "../../lib/preflight/preflight.ts";
import { assertEqual } from "../support/equality.ts";
import { specOf, until } from "../support/ferries.ts";
import { onEachCrossing } from "../support/flavours.ts";
import { Sql } from "../support/sql.ts";
import { CASES, REFUSED, type SchemaCase } from "./schemas_tables.ts";

const quoted = (name: string) => `\`${name.replaceAll("`", "``")}\``;
const tableOf = (one: SchemaCase) => one.table ?? one.name;

/** `t` in a statement is the table. */
function spoken(sql: string, table: string): string {
  return sql.replace(/(INTO|UPDATE|FROM) t\b/, `$1 ${quoted(table)}`);
}

async function showCreate(sql: Sql, schema: string, table: string): Promise<string> {
  const [row] = await sql.run(`SHOW CREATE TABLE ${quoted(schema)}.${quoted(table)}`);
  return String(row["Create Table"]);
}

/** The next value of the counter has an assertion of its own; MySQL says a charset that is the collation's only once. */
function normalised(definition: string): string {
  return definition.replace(/ AUTO_INCREMENT=\d+/, "").replace(/ CHARACTER SET \w+(?= COLLATE)/g, "");
}

async function fill(sql: Sql, cases: readonly SchemaCase[]): Promise<void> {
  for (const one of cases) {
    const table = quoted(tableOf(one));
    await using own = await sql.again();
    await own.run("USE `lab`");
    if (one.session !== undefined) await own.run(one.session);
    await own.run(`CREATE TABLE ${table} ${one.ddl}`);
    for (const rows of one.rows) await own.run(`INSERT INTO ${table} ${rows}`);
  }
}

onEachCrossing("tables of every kind arrive with their definitions and rows", async (pair, route) => {
  const same = route.source === route.target;
  const refusedThere = new Set(["functional index"]);
  const cases = CASES.filter((one) =>
    (one.on === undefined || one.on === route.source) && (same || !refusedThere.has(one.name))
  );
  await using source = await Sql.open(pair.source.url);
  await using target = await Sql.open(pair.target.url);
  await source.run("CREATE DATABASE lab COLLATE utf8mb4_general_ci");
  await fill(source, cases);
  const dock = openDock();
  try {
    const ferry = await dock.start(specOf({
      source: pair.source.url,
      target: pair.target.url,
      tables: ["lab.*"],
      cutover: { mode: "manual", fence: "lockTables", keepFence: false },
    }));
    await until(ferry, ["awaitingCutover"]);
    await source.run("USE lab");
    for (const one of cases) {
      for (const sql of one.writes) await source.run(spoken(sql, tableOf(one)));
    }
    await ferry.act("cutover");
    const done = await until(ferry, ["done"]);
    assert.equal(done.verification.state, "passed");
    assert.ok(done.progress.changesApplied > cases.length);
  } finally {
    await dock.close();
  }
  await assertEqual(
    pair.source.url,
    pair.target.url,
    cases.map((one) =>
      [{ schema: "lab", name: tableOf(one) }, { schema: "lab", name: tableOf(one) }] as const
    ),
  );
  const [schema] = await target.run(
    "SELECT default_collation_name AS c FROM information_schema.schemata WHERE schema_name = 'lab'",
  );
  assert.equal(schema.c, "utf8mb4_general_ci");
  for (const one of cases) {
    const there = await showCreate(target, "lab", tableOf(one));
    if (same) {
      const here = await showCreate(source, "lab", tableOf(one));
      assert.equal(normalised(there), normalised(here), one.name);
      if (one.name === "counter") assert.match(there, /AUTO_INCREMENT=901\b/);
      continue;
    }
    // `there` speaks of the other family; what both say alike is said once.
    for (const pattern of one.there ?? []) assert.match(there, pattern, `${one.name}: ${there}`);
    for (const pattern of one.notThere ?? []) assert.doesNotMatch(there, pattern, `${one.name}: ${there}`);
  }
});

onEachCrossing(
  "what the other family cannot hold is refused by name and reason, and nothing is written",
  async (pair, route) => {
    const cases = REFUSED.filter((one) => one.on === route.source);
    await using source = await Sql.open(pair.source.url);
    await using target = await Sql.open(pair.target.url);
    await source.run("CREATE DATABASE lab");
    await target.run("CREATE DATABASE lab");
    for (const one of cases) await source.run(`CREATE TABLE lab.${quoted(one.name)} ${one.ddl}`);
    await source.run("CREATE TABLE lab.fine (id INT PRIMARY KEY)");
    const spec = specOf({ source: pair.source.url, target: pair.target.url, tables: ["lab.*"] });
    const { findings, plan } = await preflight(spec, {
      stateSchema: "_ferry",
      made: null,
      savedPosition: null,
    });
    assert.equal(plan, null);
    for (const one of cases) {
      const found = findings.filter((f) => f.level === "error" && f.subject === `lab.${one.name}`);
      assert.deepEqual(found.map((f) => f.code), [one.code], `${one.name}: ${JSON.stringify(found)}`);
      assert.match(found[0].detail, one.says);
    }
    assert.deepEqual(findings.filter((f) => f.level === "error" && f.subject === "lab.fine"), []);
    assert.deepEqual(await target.run("SHOW TABLES FROM lab"), []);
  },
  { only: (route) => route.source !== route.target },
);
