/**
 * Several sources' tables in one target table, beside rows of others: `existingRows: "merge"`.
 */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { openDock } from "../../lib/ferry/dock.ts";
import type { Ferry } from "../../lib/ferry/ferry.ts";
import { ownKeysTable } from "../../lib/state/own_keys.ts";
import { specOf, until, untilTrue } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import {
  EAST,
  hub,
  keyTables,
  makeHub,
  makeSides,
  SIDES,
  sideSpec,
  THIRD,
  union,
  WEST,
  writeMerged,
} from "../support/merging.ts";
import { Service } from "../support/service.ts";
import { Sql } from "../support/sql.ts";

const ROWS = 4000;

onEachFlavour(
  "two sources merge into one table at the same time, and a third party's rows there stay as they are",
  async ({ source, target }) => {
    await makeSides(source.url, ROWS);
    await makeHub(target.url, ROWS);
    const dock = openDock();
    const writers = [
      writeMerged(source.url, ["east"], EAST, ROWS),
      writeMerged(source.url, ["west"], WEST, ROWS),
      writeMerged(target.url, ["hub", "mirror"], THIRD, ROWS, 2),
    ];
    try {
      const more = {
        copy: { concurrency: 2, chunkBytes: 16384 },
        cutover: { mode: "manual", fence: "lockTables", keepFence: false },
      };
      const ferries = await Promise.all(
        SIDES.map((side) => dock.start(specOf(sideSpec(source.url, target.url, side, more)))),
      );
      for (const ferry of ferries) await until(ferry, ["awaitingCutover"]);
      assert.equal((await keyTables(target.url)).length, 4);
      const before = writers.map((w) => w.count);
      await untilTrue("everybody writes on", () => writers.every((w, i) => w.count >= before[i] + 100));
      await Promise.all(writers.slice(0, 2).map((w) => w.stop()));
      for (const ferry of ferries) await ferry.act("cutover");
      for (const ferry of ferries) {
        const done = await until(ferry, ["done"]);
        assert.equal(done.verification.state, "passed");
        assert.ok(done.progress.changesApplied > 0);
        await ferry.ended;
      }
      await writers[2].stop();
      for (const table of ["orders", "tags"]) {
        assert.deepEqual(await hub(target.url, table), await union(source.url, target.url, table));
      }
      assert.deepEqual(await keyTables(target.url), [], "whose rows are whose matters no more");
    } finally {
      await dock.close();
      for (const w of writers) await w.stop();
    }
  },
);

onEachFlavour(
  "ferries that are killed while they merge go on, and everybody's rows are there in the end",
  async ({ source, target }) => {
    const rows = 30_000;
    await makeSides(source.url, rows);
    await makeHub(target.url, rows);
    const writers = [
      writeMerged(source.url, ["east"], EAST, rows, 3),
      writeMerged(source.url, ["west"], WEST, rows, 3),
      writeMerged(target.url, ["hub", "mirror"], THIRD, rows, 5),
    ];
    try {
      const specs = SIDES.map((side) =>
        sideSpec(source.url, target.url, side, {
          copy: { concurrency: 2, chunkBytes: 16384 },
          cutover: { mode: "manual", fence: "lockTables", keepFence: false },
        })
      );
      await using sql = await Sql.open(target.url);
      const seen = new Set<string>();
      const known = async () =>
        Number(
          (await sql.run(`SELECT COUNT(*) AS n FROM _ferry.${ownKeysTable("_ferry", "east", 0).name}`))[0].n,
        );
      let before = 0;
      for (let kill = 0; kill < 6; kill++) {
        await using service = await Service.start();
        for (const spec of specs) assert.equal((await service.ask("POST", "/v1/ferries", spec)).status, 202);
        // Dead in the middle of it: some more rows are there than the last process left.
        for (let i = 0;; i++) {
          const r = (await service.ask("GET", "/v1/ferries/east")).body as {
            state: string;
            tables: unknown[];
          };
          const count = r.tables.length > 0 ? await known().catch(() => 0) : 0;
          if (r.state !== "preflight" && (count > before + 500 || r.state !== "copying")) {
            seen.add(r.state);
            before = count;
            break;
          }
          assert.ok(i < 1000, `does not go on: ${JSON.stringify(r)}`);
          await sleep(20);
        }
        await service.kill9();
      }
      assert.ok(seen.has("copying"), `killed in ${[...seen]}`);
      await using service = await Service.start();
      for (const spec of specs) await service.ask("POST", "/v1/ferries", spec);
      for (const side of SIDES) await service.until(side, ["awaitingCutover"]);
      await Promise.all(writers.slice(0, 2).map((w) => w.stop()));
      for (const side of SIDES) {
        await service.cutOver(side);
        const done = await service.until(side, ["done"]);
        assert.equal(done.verification.state, "passed");
        assert.ok(done.resumedTimes >= 3, `taken up ${done.resumedTimes} times`);
      }
      await writers[2].stop();
      for (const table of ["orders", "tags"]) {
        assert.deepEqual(await hub(target.url, table), await union(source.url, target.url, table));
      }
    } finally {
      for (const w of writers) await w.stop();
    }
  },
);

/**
 * Starts a ferry and makes a table on the target when its preflight has seen none there, and before it makes it: the
 * preflight waits for a lock on the source, what follows it for one on the state.
 */
async function makeBetween(
  pair: { source: { url: string }; target: { url: string } },
  start: () => Promise<Ferry>,
  id: string,
  ddl: string,
): Promise<Ferry> {
  await using source = await Sql.open(pair.source.url);
  await using state = await Sql.open(pair.target.url);
  await using hand = await Sql.open(pair.target.url);
  const waits = async (sql: Sql, info: string) => {
    for (let i = 0;; i++) {
      const rows = await sql.run("SELECT 1 FROM information_schema.processlist WHERE info LIKE ?", [info]);
      if (rows.length > 0) return;
      assert.ok(i < 500, `nobody waits with ${info}`);
      await sleep(20);
    }
  };
  await source.run("LOCK TABLES east.tags WRITE");
  const ferry = await start();
  await waits(source, "SELECT * FROM `east`.`tags` LIMIT 0");
  await state.run("BEGIN");
  await state.run("SELECT id FROM _ferry.ferries WHERE id = ? FOR UPDATE", [id]);
  await source.run("UNLOCK TABLES");
  await waits(hand, "UPDATE `%`.ferries SET crossing%");
  await hand.run(ddl);
  await state.run("COMMIT");
  return ferry;
}

const THEIRS = `CREATE TABLE hub.orders (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, slot INT NULL,
  state ENUM('neu','bezahlt','zurück') NOT NULL, note VARCHAR(200), amount DECIMAL(12,2), further INT NOT NULL DEFAULT 7,
  UNIQUE KEY slot (slot)) CHARSET latin1; INSERT INTO hub.orders (id, slot, state, note) VALUES (2, 2, 1, 'theirs')`;

onEachFlavour("a table that somebody else makes meanwhile is merged into as it is", async (pair) => {
  const { source, target } = pair;
  await makeSides(source.url, 300);
  await using sql = await Sql.open(target.url);
  await sql.run("CREATE DATABASE hub");
  const dock = openDock();
  try {
    const east = await makeBetween(
      pair,
      () => dock.start(specOf(sideSpec(source.url, target.url, "east"))),
      "east",
      THEIRS,
    );
    const west = await dock.start(specOf(sideSpec(source.url, target.url, "west")));
    for (const each of [east, west]) assert.equal((await until(each, ["done"])).verification.state, "passed");
    const codes: unknown[] = [];
    for await (const e of east.events(0, AbortSignal.timeout(5000))) {
      codes.push((e.data as { code?: string }).code);
    }
    assert.ok(codes.includes("target-table-appeared"), `${codes}`);
    const [count] = await sql.run(
      "SELECT COUNT(*) AS n, SUM(further = 7) AS sevens, SUM(note = 'theirs') AS theirs FROM hub.orders",
    );
    assert.deepEqual([Number(count.n), Number(count.sevens), Number(count.theirs)], [601, 601, 1]);
    const indexes = await sql.run(
      "SELECT table_name AS t, COUNT(DISTINCT index_name) AS n FROM information_schema.statistics WHERE table_schema = 'hub' GROUP BY 1 ORDER BY 1",
    );
    assert.deepEqual(
      indexes.map((r) => [r.t, Number(r.n)]),
      [["orders", 2], ["tags", 1]],
      "nothing is added to a table of somebody else",
    );
  } finally {
    await dock.close();
  }
});

onEachFlavour(
  "a ferry that does not merge stops at a table that somebody else makes meanwhile",
  async (pair) => {
    const { source, target } = pair;
    await makeSides(source.url, 10);
    await using sql = await Sql.open(target.url);
    await sql.run("CREATE DATABASE hub");
    const dock = openDock();
    try {
      const spec = specOf(sideSpec(source.url, target.url, "east", { existingRows: "refuse" }));
      const ferry = await makeBetween(pair, () => dock.start(spec), "east", THEIRS);
      for (let i = 0; i < 2; i++) {
        const failed = await ferry.ended;
        assert.deepEqual([failed.state, failed.error?.code], ["failed", "target-table-appeared"]);
        if (i === 0) await ferry.act("retry");
      }
      assert.equal(Number((await sql.run("SELECT COUNT(*) AS n FROM hub.orders"))[0].n), 1);
    } finally {
      await dock.close();
    }
  },
);

onEachFlavour(
  "what says whose rows are whose is missed when it is lost, and swept when it is left",
  async ({ source, target }) => {
    await makeSides(source.url, 10);
    await using sql = await Sql.open(target.url);
    const more = { cutover: { mode: "manual", fence: "none" } };
    {
      const dock = openDock();
      const ferry = await dock.start(specOf(sideSpec(source.url, target.url, "east", more)));
      await until(ferry, ["awaitingCutover"]);
      await dock.close();
    }
    await sql.run(`RENAME TABLE _ferry.${ownKeysTable("_ferry", "east", 1).name} TO _ferry.aside`);
    const dock = openDock();
    try {
      const ferry = await dock.start(specOf(sideSpec(source.url, target.url, "east", more)));
      const failed = await ferry.ended;
      assert.equal(failed.error?.code, "own-keys-lost", failed.error?.detail);
      await sql.run("UPDATE _ferry.ferries SET state = 'done' WHERE id = 'east'");
      assert.equal((await keyTables(target.url)).length, 1);
      const other = await dock.start(specOf(sideSpec(source.url, target.url, "west", more)));
      await until(other, ["awaitingCutover"]);
      const names = [0, 1].map((n) => ownKeysTable("_ferry", "west", n).name);
      assert.deepEqual((await keyTables(target.url)).sort(), names);
    } finally {
      await dock.close();
    }
  },
);

onEachFlavour(
  "preflight tells what merging lacks, and takes rows that are there",
  async ({ source, target }) => {
    await makeSides(source.url, 10);
    await makeHub(target.url, 10);
    await using sql = await Sql.open(target.url);
    const dock = openDock();
    try {
      const check = async (url: string) => {
        const { ok, findings } = await dock.check(specOf(sideSpec(source.url, url, "east")));
        return [
          ok,
          ...findings.filter((f) => f.level === "error").map((f) => `${f.code} ${f.subject} ${f.detail}`),
        ];
      };
      const { findings } = await dock.check(specOf(sideSpec(source.url, target.url, "east")));
      assert.ok(
        findings.some((f) => f.level === "info" && f.code === "merge"),
        "clashes are not looked for: said so",
      );
      assert.deepEqual(await check(target.url), [true]);

      await sql.run("ALTER TABLE hub.orders ADD UNIQUE KEY start (note(5))");
      const [ok, prefix] = await check(target.url);
      assert.equal(ok, false);
      assert.match(String(prefix), /^merge-unique-index hub.orders .*"start"/);
      await sql.run("ALTER TABLE hub.orders DROP KEY start");

      await sql.run("CREATE USER few@'%' IDENTIFIED BY 'few'");
      await sql.run("GRANT SELECT, INSERT, DELETE ON hub.* TO few@'%'");
      await sql.run("GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON `_ferry`.* TO few@'%'");
      const url = new URL(target.url);
      [url.username, url.password] = ["few", "few"];
      const lacking = await check(url.href);
      assert.equal(lacking.length, 4, lacking.join("\n"));
      assert.match(
        String(lacking[1]),
        /^target-privilege hub.orders .*no ALTER is listed/,
        "for its next counter",
      );
      assert.match(String(lacking[3]), /^merge-binlog-format binlog_format /);
      assert.match(
        String(lacking[2]),
        /^target-privilege _ferry .*no DROP, CREATE TEMPORARY TABLES is listed/,
      );
      await sql.run("GRANT ALTER ON hub.* TO few@'%'");
      await sql.run("GRANT DROP, CREATE TEMPORARY TABLES ON `_ferry`.* TO few@'%'");
      await sql.run("SET GLOBAL binlog_format = 'ROW'");
      assert.deepEqual(await check(url.href), [true]);
      // With no more than that it goes the whole road.
      const ferry = await dock.start(specOf(sideSpec(source.url, url.href, "east")));
      assert.equal((await until(ferry, ["done"])).verification.state, "passed");
      await ferry.ended;
      assert.deepEqual(await keyTables(target.url), []);
    } finally {
      await dock.close();
    }
  },
  { target: { mariadb: { "binlog-format": "MIXED" }, mysql: { "binlog-format": "MIXED" } } },
);
