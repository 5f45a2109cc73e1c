/**
 * Views, triggers, routines and events are told, and carried over at the cutover when they are asked for: behind everything
 * else, and gone again before replay goes on where the cutover does not come to its end.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import { preflight } from "../../lib/preflight/preflight.ts";
import { assertEqual } from "../support/equality.ts";
import { ended, specOf, until, untilShown } from "../support/ferries.ts";
import { onEachCrossing, onEachFlavour } from "../support/flavours.ts";
import { Service } from "../support/service.ts";
import { Sql } from "../support/sql.ts";

const ALL = ["views", "triggers", "routines", "events"];
const OPTIONS = { stateSchema: "_ferry", made: null, savedPosition: null };
const TRUST = { "log-bin-trust-function-creators": "1" };
const trusting = { source: { mysql: TRUST, mariadb: TRUST }, target: { mysql: TRUST, mariadb: TRUST } };

async function runAll(sql: Sql, ...statements: string[]): Promise<void> {
  for (const statement of statements) await sql.run(statement);
}

/** What a schema holds beside tables, as `kind name`. */
async function objectsOf(sql: Sql, schema: string): Promise<string[]> {
  const rows = await sql.run(
    `SELECT CONCAT('view ', TABLE_NAME) AS o FROM information_schema.VIEWS WHERE TABLE_SCHEMA = '${schema}'
     UNION ALL SELECT CONCAT('trigger ', TRIGGER_NAME) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = '${schema}'
     UNION ALL SELECT CONCAT(LOWER(ROUTINE_TYPE), ' ', ROUTINE_NAME) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = '${schema}'
     UNION ALL SELECT CONCAT('event ', EVENT_NAME) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = '${schema}'`,
  );
  return rows.map((row) => String(row.o)).sort();
}

const SHOP = [
  "CREATE DATABASE shop COLLATE utf8mb4_general_ci",
  "CREATE TABLE shop.t (id INT AUTO_INCREMENT PRIMARY KEY, v INT)",
  "CREATE TABLE shop.u (id INT AUTO_INCREMENT PRIMARY KEY, v INT)",
  "INSERT INTO shop.t (v) VALUES (1), (2), (3)",
  "INSERT INTO shop.u (v) VALUES (1)",
];

const EVERYTHING = [
  "CREATE FUNCTION shop.twice(a INT) RETURNS INT NOT DETERMINISTIC COMMENT 'ß' BEGIN RETURN a * 2; END",
  "CREATE PROCEDURE shop.`add``one`(IN a INT) SQL SECURITY INVOKER BEGIN INSERT INTO t (v) VALUES (a); END",
  // Named so that the one that leans on the other comes first.
  "CREATE VIEW shop.base AS SELECT id, v, shop.twice(v) AS w, 'shop.x' AS s FROM shop.t WHERE v > 0",
  "CREATE SQL SECURITY INVOKER VIEW shop.above AS SELECT b.w AS w, b.s FROM shop.base b JOIN shop.t ON t.id = b.id",
  "CREATE TRIGGER shop.first BEFORE INSERT ON shop.t FOR EACH ROW SET NEW.v = NEW.v + 1",
  "CREATE TRIGGER shop.second BEFORE INSERT ON shop.t FOR EACH ROW BEGIN SET NEW.v = NEW.v * 10; END",
  "CREATE EVENT shop.nightly ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01 00:00:00' COMMENT 'é' DO DELETE FROM t WHERE id < 0",
];
const NAMES = [
  "event nightly",
  "function twice",
  "procedure add`one",
  "trigger first",
  "trigger second",
  "view above",
  "view base",
];

onEachCrossing(
  "objects are carried over at the cutover, with their definer, under the schema's new name",
  async (pair, route) => {
    await using source = await Sql.open(pair.source.url);
    await using target = await Sql.open(pair.target.url);
    await runAll(source, ...SHOP, ...EVERYTHING);
    const dock = openDock();
    try {
      const ferry = await dock.start(specOf({
        source: pair.source.url,
        target: pair.target.url,
        tables: ["shop.*"],
        renameSchemas: { shop: "new_shop" },
        objects: ALL,
        cutover: { mode: "manual", fence: "lockTables", keepFence: false },
      }));
      await until(ferry, ["awaitingCutover"]);
      assert.deepEqual(await objectsOf(target, "new_shop"), []);
      await source.run("INSERT INTO shop.t (v) VALUES (50)");
      await ferry.act("cutover");
      const done = await until(ferry, ["done"]);
      assert.equal(done.verification.state, "passed");
    } finally {
      await dock.close();
    }
    assert.deepEqual(await objectsOf(target, "new_shop"), NAMES);
    await assertEqual(pair.source.url, pair.target.url, [["shop.t", "new_shop.t"], ["shop.u", "new_shop.u"]]);
    await runAll(target, "USE new_shop", "CALL new_shop.`add``one`(6)");
    const [row] = await target.run("SELECT v FROM new_shop.t ORDER BY id DESC LIMIT 1");
    assert.equal(row.v, 70, "both triggers fire, in their order");
    const [above] = await target.run("SELECT MAX(w) AS w, MIN(s) AS s FROM new_shop.above");
    assert.deepEqual([Number(above.w), above.s], [1020, "shop.x"]);
    for (const table of ["VIEWS", "TRIGGERS", "ROUTINES", "EVENTS"]) {
      const schema = { VIEWS: "TABLE", TRIGGERS: "TRIGGER", ROUTINES: "ROUTINE", EVENTS: "EVENT" }[table];
      const definers = (sql: Sql, name: string) =>
        sql.run(
          `SELECT DISTINCT DEFINER AS d FROM information_schema.${table} WHERE ${schema}_SCHEMA = '${name}'`,
        );
      assert.deepEqual(await definers(target, "new_shop"), await definers(source, "shop"), table);
    }
    if (route.source !== route.target) return;
    const show = async (sql: Sql, what: string) =>
      Object.values((await sql.run(`SHOW CREATE ${what}`))[0]).slice(1, 3);
    for (const what of ["FUNCTION", "EVENT"]) {
      const name = what === "EVENT" ? "nightly" : "twice";
      assert.deepEqual(
        await show(target, `${what} new_shop.${name}`),
        await show(source, `${what} shop.${name}`),
      );
    }
  },
  trusting,
);

onEachFlavour(
  "objects are told whether or not they are asked for, and refused by name",
  async ({ source: s, target: t }, vendor) => {
    await using source = await Sql.open(s.url);
    await using target = await Sql.open(t.url);
    await runAll(source, ...SHOP, ...EVERYTHING);
    await runAll(
      source,
      "CREATE PROCEDURE shop.other() SELECT COUNT(*) FROM shop.t",
      "CREATE VIEW shop.alias AS SELECT shop.id AS id FROM shop.t AS shop",
    );
    const find = async (more: Record<string, unknown>) =>
      (await preflight(specOf({ source: s.url, target: t.url, tables: ["shop.t"], ...more }), OPTIONS))
        .findings;
    const told = await find({});
    for (const kind of ALL) {
      const [one, ...rest] = told.filter((f) => f.code === kind);
      assert.deepEqual([one.level, one.subject, rest.length], [
        "info",
        kind === "triggers" ? "shop.t" : "shop",
        0,
      ]);
      assert.match(one.detail, /stay behind: /);
    }
    assert.match(told.find((f) => f.code === "triggers")!.detail, /"first", "second"/);
    assert.match(told.find((f) => f.code === "views")!.detail, /"above", "alias", "base"/);
    assert.deepEqual(told.filter((f) => f.level === "error"), []);
    const errors = async (more: Record<string, unknown>) =>
      (await find(more)).filter((f) => f.level === "error").map((f) => `${f.code} ${f.subject}`).sort();
    assert.deepEqual(await errors({ objects: ALL }), []);
    assert.deepEqual(await errors({ objects: ALL, renameSchemas: { shop: "new_shop" } }), [
      "object-not-carried procedure shop.other",
      "object-not-carried view shop.alias",
    ]);
    // A table with a name of its own: whatever speaks of it is not carried.
    assert.deepEqual(
      await errors({ objects: ["triggers", "views"], tables: [{ table: "shop.t", to: "shop.moved" }] }),
      [
        "object-not-carried view shop.above",
        "object-not-carried view shop.alias",
        "object-not-carried view shop.base",
      ],
    );
    await runAll(
      target,
      "CREATE DATABASE shop",
      "CREATE VIEW shop.base AS SELECT 1 AS one",
      "CREATE FUNCTION shop.twice() RETURNS INT DETERMINISTIC RETURN 1",
    );
    assert.deepEqual(await errors({ objects: ["views", "routines"] }), [
      "object-exists function shop.twice",
      "object-exists view shop.base",
    ]);
    assert.deepEqual(await errors({ objects: ["events"] }), []);
    await target.run("SET GLOBAL log_bin_trust_function_creators = 0");
    assert.deepEqual((await errors({ objects: ["routines"] })).filter((e) => /untrusted/.test(e)), [
      "object-untrusted log_bin_trust_function_creators",
    ]);
    assert.ok(vendor);
  },
  trusting,
);

onEachFlavour(
  "an object that the target refuses fails the ferry by name, and leaves nothing behind",
  async ({ source: s, target: t }) => {
    await using source = await Sql.open(s.url);
    await using target = await Sql.open(t.url);
    await runAll(
      source,
      ...SHOP,
      ...EVERYTHING,
      "CREATE DATABASE elsewhere",
      "CREATE TABLE elsewhere.x (id INT PRIMARY KEY)",
      "CREATE VIEW shop.far AS SELECT id FROM elsewhere.x",
    );
    const dock = openDock();
    try {
      const ferry = await dock.start(specOf({
        source: s.url,
        target: t.url,
        tables: ["shop.*"],
        objects: ALL,
        cutover: { mode: "auto", fence: "lockTables", keepFence: true },
      }));
      await ended(ferry);
      const { state, error } = ferry.resource();
      assert.equal(state, "failed");
      assert.equal(error?.code, "object-refused");
      assert.match(error!.detail, /^Cannot make view shop.far on the target: it says .*elsewhere/);
      assert.deepEqual(await objectsOf(target, "shop"), []);
      await source.run("INSERT INTO shop.t (v) VALUES (5)"); // the fence is down

      // Put right, it goes on from where it was.
      await target.run("CREATE DATABASE elsewhere");
      await target.run("CREATE TABLE elsewhere.x (id INT PRIMARY KEY)");
      await ferry.act("retry");
      // What the state held is shown for a moment before the new attempt begins.
      await untilShown(ferry, ({ state }) => state === "done");
    } finally {
      await dock.close();
    }
    assert.deepEqual(await objectsOf(target, "shop"), [...NAMES, "view far"].sort());
    await assertEqual(s.url, t.url, ["shop.t", "shop.u"]);
  },
  trusting,
);

/** Waits until a statement on the target waits for a table's metadata. */
async function stuck(sql: Sql, what: string): Promise<void> {
  for (const end = performance.now() + 60_000; performance.now() < end;) {
    const rows = await sql.run(
      `SELECT 1 FROM information_schema.PROCESSLIST WHERE STATE LIKE '%metadata lock%' AND INFO LIKE '%${what}%'`,
    );
    if (rows.length > 0) return;
    await new Promise((r) => setTimeout(r, 20));
  }
  assert.fail(`no ${what} waits`);
}

onEachFlavour(
  "a cutover that is let go takes its objects away before replay goes on",
  async ({ source: s, target: t }) => {
    await using source = await Sql.open(s.url);
    await using target = await Sql.open(t.url);
    await using reader = await Sql.open(t.url);
    await runAll(source, ...SHOP, ...EVERYTHING);
    await source.run("CREATE TRIGGER shop.third BEFORE INSERT ON shop.u FOR EACH ROW SET NEW.v = -1");
    const dock = openDock();
    try {
      const ferry = await dock.start(specOf({
        source: s.url,
        target: t.url,
        tables: ["shop.*"],
        objects: ALL,
        cutover: { mode: "manual", fence: "lockTables", keepFence: false, timeoutSeconds: 8 },
      }));
      await until(ferry, ["awaitingCutover"]);
      // A reader of the target that does not end: no trigger can be made on that table.
      await runAll(reader, "START TRANSACTION", "SELECT * FROM shop.u");
      await ferry.act("cutover");
      await stuck(target, "TRIGGER");
      assert.ok((await objectsOf(target, "shop")).includes("trigger first"));
      await until(ferry, ["catchingUp", "verifying", "awaitingCutover"]);
      assert.deepEqual(await objectsOf(target, "shop"), []);
      await runAll(source, "INSERT INTO shop.t (v) VALUES (5)", "INSERT INTO shop.u (v) VALUES (5)");
      await reader.run("COMMIT");
      await until(ferry, ["awaitingCutover"]);
      await ferry.act("cutover");
      const done = await until(ferry, ["done"]);
      assert.equal(done.verification.state, "passed");
      assert.ok(done.cutover.attempts >= 2);
    } finally {
      await dock.close();
    }
    assert.deepEqual(await objectsOf(target, "shop"), [...NAMES, "trigger third"].sort());
    await assertEqual(s.url, t.url, ["shop.t", "shop.u"]);
  },
  trusting,
);

onEachFlavour(
  "a process killed among its objects: the next one drops them before it replays",
  async ({ source: s, target: t }) => {
    await using source = await Sql.open(s.url);
    await using target = await Sql.open(t.url);
    await using reader = await Sql.open(t.url);
    await runAll(source, ...SHOP, ...EVERYTHING);
    await source.run("CREATE TRIGGER shop.third BEFORE INSERT ON shop.u FOR EACH ROW SET NEW.v = -1");
    const spec = {
      id: "killed",
      source: s.url,
      target: t.url,
      tables: ["shop.*"],
      objects: ALL,
      cutover: { mode: "manual", fence: "lockTables", keepFence: false, timeoutSeconds: 30 },
    };
    {
      await using service = await Service.start();
      await service.ask("POST", "/v1/ferries", spec);
      await service.until("killed", ["awaitingCutover"]);
      await runAll(reader, "START TRANSACTION", "SELECT * FROM shop.u");
      await service.ask("POST", "/v1/ferries/killed/cutover");
      await stuck(target, "TRIGGER");
      await service.kill9();
    }
    await reader.run("COMMIT");
    const left = await objectsOf(target, "shop");
    assert.ok(left.includes("trigger first") && left.includes("view above"), left.join());
    await source.run("INSERT INTO shop.t (v) VALUES (5)");
    await using service = await Service.start();
    await service.ask("POST", "/v1/ferries", spec);
    await service.until("killed", ["awaitingCutover"]);
    assert.deepEqual(await objectsOf(target, "shop"), []);
    await service.ask("POST", "/v1/ferries/killed/cutover");
    await service.until("killed", ["done"]);
    assert.deepEqual(await objectsOf(target, "shop"), [...NAMES, "trigger third"].sort());
    await assertEqual(s.url, t.url, ["shop.t", "shop.u"]);
  },
  trusting,
);
