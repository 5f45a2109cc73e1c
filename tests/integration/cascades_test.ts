/**
 * What cascades change on the source arrives, whether or not the binlog tells of it.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import { preflight } from "../../lib/preflight/preflight.ts";
import { startPair, type Vendor } from "../servers/mod.ts";
import { CASCADE_TABLES, makeFamilies, startFamilyWriters, TOO_DEEP } from "../support/cascade_workload.ts";
import { assertEqual } from "../support/equality.ts";
import { shopSpec, until, untilTrue } from "../support/ferries.ts";
import { Service } from "../support/service.ts";
import { Sql } from "../support/sql.ts";

const GTIDS = { "gtid-mode": "ON", "enforce-gtid-consistency": "ON" };

/** Sources that keep silent about cascades, each with another way to read freshly; and the one that does not. */
const SOURCES: { name: string; vendor: Vendor; silent: boolean; settings: Record<string, string> }[] = [
  { name: "mariadb", vendor: "mariadb", silent: true, settings: {} },
  {
    name: "mysql with the engine's foreign keys and GTIDs",
    vendor: "mysql",
    silent: true,
    settings: { ...GTIDS, "innodb-native-foreign-keys": "ON" },
  },
  {
    name: "mysql with the engine's foreign keys, without GTIDs",
    vendor: "mysql",
    silent: true,
    settings: { "gtid-mode": "OFF", "innodb-native-foreign-keys": "ON" },
  },
  { name: "mysql that logs cascades", vendor: "mysql", silent: false, settings: GTIDS },
];

function onEachSource(
  name: string,
  body: (urls: { source: string; target: string }, silent: boolean) => Promise<void>,
): void {
  for (const { name: of, vendor, silent, settings } of SOURCES) {
    Deno.test(`${name} (${of})`, async () => {
      await using pair = await startPair(vendor, { source: settings });
      await body({ source: pair.source.url, target: pair.target.url }, silent);
    });
  }
}

/** Row events of the current binlog file, as `what table`. */
async function rowEvents(sql: Sql): Promise<string[]> {
  const log = (await sql.run("SHOW BINARY LOGS")).at(-1)!.Log_name;
  const names = new Map<string, string>();
  const events: string[] = [];
  for (const { Event_type: type, Info: info } of await sql.run(`SHOW BINLOG EVENTS IN '${log}'`)) {
    const map = /table_id: (\d+) \((.*)\)/.exec(info);
    if (type === "Table_map") names.set(map![1], map![2]);
    const rows = /^(Write|Update|Delete)_rows/.exec(type);
    if (rows) events.push(`${rows[1].toLowerCase()} ${names.get(/table_id: (\d+)/.exec(info)![1])}`);
  }
  return events;
}

/** Tables of which no row goes or changes by a row that a cascade itself has taken away. */
const ONE_LEVEL = ["shop.customers", "shop.profiles", "shop.codes", "shop.items"] as const;

/** All families where the binlog tells of cascades; where it is silent, those of one level. */
function familySpec(source: string, target: string, silent: boolean, more: Record<string, unknown> = {}) {
  return shopSpec(source, target, {
    ...(silent ? { tables: [...ONE_LEVEL] } : {}),
    cutover: { mode: "manual", fence: "lockTables", keepFence: false },
    ...more,
  });
}

onEachSource("cascades that are passed on unseen are refused by name", async ({ source, target }, silent) => {
  await makeFamilies(source, 5);
  const dock = openDock();
  try {
    const { findings } = await dock.check(shopSpec(source, target));
    const refused = findings.filter((f) => f.code === "foreign-key-cascade").map((f) => f.subject).sort();
    assert.deepEqual(refused, silent ? ["shop.lines_", "shop.orders", "shop.tree"] : []);
  } finally {
    await dock.close();
  }
});

onEachSource("the binlog tells of cascades as the preflight believes", async ({ source, target }, silent) => {
  await makeFamilies(source, 10);
  await using sql = await Sql.open(source);
  await sql.run(
    "INSERT INTO shop.orders VALUES (700, 1, ''); INSERT INTO shop.lines_ VALUES (700, 0, 1, '')",
  );
  await sql.run("FLUSH BINARY LOGS");
  await sql.run("DELETE FROM shop.customers WHERE id = 3");
  await sql.run("UPDATE shop.orders SET id = 5000 WHERE id = 700");
  const events = new Set(await rowEvents(sql));
  const of = (table: string) =>
    [...events].filter((e) => e.endsWith(` shop.${table}`)).map((e) => e.split(" ")[0]).sort();
  assert.deepEqual(of("customers"), ["delete"]);
  assert.deepEqual(of("orders"), silent ? ["update"] : ["delete", "update"]);
  assert.deepEqual(
    of("lines_"),
    silent ? [] : ["delete", "update"],
    "of a cascaded change the binlog tells nothing",
  );
  assert.deepEqual(of("extras"), silent ? [] : ["delete"]);
  assert.deepEqual(of("notes"), silent ? [] : ["update"]);
  const { plan } = await preflight(familySpec(source, target, silent), {
    stateSchema: "_ferry",
    made: null,
    savedPosition: null,
  });
  assert.equal(plan!.cascades.length, silent ? 2 : 0);
});

onEachSource("cascades arrive while the ferry waits, level by level", async ({ source, target }, silent) => {
  await makeFamilies(source, 20);
  const dock = openDock();
  try {
    const ferry = await dock.start(
      familySpec(source, target, silent),
    );
    await until(ferry, ["awaitingCutover"]);
    await using sql = await Sql.open(source);
    for (
      const statement of [
        "DELETE FROM shop.customers WHERE id = 3",
        "UPDATE shop.customers SET id = 1004 WHERE id = 4",
        "UPDATE shop.orders SET id = 2000 WHERE id = 5",
        "DELETE FROM shop.orders WHERE id = 6",
        "DELETE FROM shop.tree WHERE id = 2",
        "UPDATE shop.codes SET code = 'CODE7' WHERE code = 'code7'",
        "UPDATE shop.codes SET code = 'other' WHERE code = 'code8'",
        "DELETE FROM shop.codes WHERE code = 'CODE9'",
        // The key is there again before anybody looked, and its family is not.
        "BEGIN; DELETE FROM shop.orders WHERE id = 8; INSERT INTO shop.orders VALUES (8, 1, 'again'); COMMIT",
        // The middle is there again, and elsewhere: nothing but its insert tells that it was gone.
        `BEGIN; DELETE FROM shop.customers WHERE id = 9; INSERT INTO shop.customers VALUES (9, 'again');
          INSERT INTO shop.orders VALUES (9, 1, 'again'); INSERT INTO shop.lines_ VALUES (9, 0, 1, 'again'); COMMIT`,
        // There and back.
        "BEGIN; UPDATE shop.orders SET id = 3000 WHERE id = 10; UPDATE shop.orders SET id = 10 WHERE id = 3000; COMMIT",
        "UPDATE shop.orders SET id = 4000 WHERE id = 11; UPDATE shop.orders SET id = 4001 WHERE id = 4000; DELETE FROM shop.orders WHERE id = 4001",
        // A unique value passes from one child to the next.
        "BEGIN; UPDATE shop.customers SET id = 1012 WHERE id = 12; INSERT INTO shop.customers VALUES (12, 'new'); INSERT INTO shop.profiles VALUES (500, 12); COMMIT",
      ]
    ) {
      await sql.run(statement).catch(async (e) => {
        // MySQL's own cascades refuse a key that changes through two levels, and large trees; then nothing has changed.
        if (silent || ![1452, ...TOO_DEEP].includes(e.errno)) throw e;
        await sql.run("ROLLBACK");
      });
    }
    await ferry.act("cutover");
    const done = await until(ferry, ["done"]);
    assert.equal(done.verification.state, "passed");
    await assertEqual(source, target, silent ? ONE_LEVEL : CASCADE_TABLES);
  } finally {
    await dock.close();
  }
});

onEachSource(
  "families change all the while, and both sides end equal",
  async ({ source, target }, silent) => {
    const customers = 600;
    await makeFamilies(source, customers);
    const dock = openDock();
    const writers = startFamilyWriters(source, { customers, writers: 3 });
    try {
      const ferry = await dock.start(
        familySpec(source, target, silent, { copy: { concurrency: 3, chunkBytes: 16384 } }),
      );
      await until(ferry, ["awaitingCutover"], 240);
      const waiting = writers.count;
      await untilTrue("they write on while it waits", () => writers.count > Math.max(500, waiting + 200));
      await ferry.act("cutover");
      const done = await until(ferry, ["done"], 240);
      assert.equal(done.verification.state, "passed");
      assert.equal(done.cutover.attempts, 1, "cascades of the last moment are read through the fence");
    } finally {
      await dock.close();
      await writers.stop();
    }
  },
);

Deno.test("a ferry whose process is killed follows cascades all the same", async () => {
  await using pair = await startPair("mariadb");
  const [source, target] = [pair.source.url, pair.target.url];
  const customers = 900;
  await makeFamilies(source, customers);
  await using writers = startFamilyWriters(source, { customers, writers: 2, pauseMs: 2 });
  const spec = {
    id: "killed",
    source,
    target,
    tables: [...ONE_LEVEL],
    copy: { concurrency: 1, chunkBytes: 16384 },
    cutover: { mode: "manual", fence: "lockTables", keepFence: false },
  };
  for (let i = 0; i < 6; i++) {
    await using service = await Service.start();
    assert.equal((await service.ask("POST", "/v1/ferries", spec)).status, 202);
    await service.until("killed", ["copying", "catchingUp", "verifying", "awaitingCutover"]);
    await new Promise((r) => setTimeout(r, 300 + Math.random() * 1500));
    await service.kill9();
  }
  await using service = await Service.start();
  await service.ask("POST", "/v1/ferries", spec);
  await service.cutOver("killed");
  assert.ok(writers.count > 100);
  const done = await service.until("killed", ["done"]);
  await writers.stop();
  assert.equal(done.verification.state, "passed");
});
