/**
 * The writer of merged tables by itself: what it does inside one transaction, and beside other writers.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { MergeWriter, type Merging } from "../../lib/mysql/merge_writer.ts";
import { RowList } from "../../lib/mysql/row_list.ts";
import { RowReader } from "../../lib/mysql/row_reader.ts";
import { Session } from "../../lib/mysql/session.ts";
import { uniqueKeyName } from "../../lib/preflight/target.ts";
import { loadTables } from "../../lib/schema/load_tables.ts";
import { stageDefinition } from "../../lib/schema/stage_table.ts";
import { type WireLayout, wireLayout } from "../../lib/schema/wire_layout.ts";
import { parseConnectionUrl } from "../../lib/spec/connection_url.ts";
import { createOwnKeysSql, ownKeysTable } from "../../lib/state/own_keys.ts";
import type { Vendor } from "../servers/mod.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { Sql } from "../support/sql.ts";

/** A target table `m.<name>`, a table `m.<name>_from` like it that rows are read from, and writers. */
class Bench implements AsyncDisposable {
  readonly #open: Session[] = [];

  private constructor(
    readonly url: string,
    readonly vendor: Vendor,
    readonly name: string,
    readonly sql: Sql,
    readonly layout: WireLayout,
    readonly merging: Merging,
  ) {}

  static async open(url: string, vendor: Vendor, name: string, definition: string): Promise<Bench> {
    const sql = await Sql.open(url);
    await sql.run("CREATE DATABASE IF NOT EXISTS m; CREATE DATABASE IF NOT EXISTS keeps");
    for (const table of [name, `${name}_from`]) await sql.run(`CREATE TABLE m.${table} ${definition}`);
    const talk = await Session.open(parseConnectionUrl(url), { side: "target" });
    const [there] = await loadTables(talk, (schema, table) => schema === "m" && table === name);
    const keys = ownKeysTable("keeps", name, 0);
    await talk.run(createOwnKeysSql(keys, there.table.key));
    await talk.close();
    const stage = { schema: "keeps", name: "stage_0" };
    const keyIndex = uniqueKeyName(there, there.table.key)!;
    const uniques = there.indexes.filter((i) => i.unique && i.name !== keyIndex)
      .map((i) => ({ name: i.name, columns: i.columns as string[] }));
    const stageSql = stageDefinition(there.createSql, stage, there.table.key);
    return new Bench(url, vendor, name, sql, wireLayout(there.table), {
      keys,
      stage,
      stageSql,
      keyIndex,
      uniques,
    });
  }

  async session(): Promise<Session> {
    const session = await Session.open(parseConnectionUrl(this.url), { side: "target", data: true });
    this.#open.push(session);
    return session;
  }

  async writer(): Promise<{ session: Session; writer: MergeWriter }> {
    const session = await this.session();
    const target = { schema: "m", name: this.name };
    const writer = new MergeWriter(session, target, this.layout, this.merging, this.vendor === "mariadb");
    await writer.prepare();
    return { session, writer };
  }

  /** These rows, as they travel. */
  async rows(values: string): Promise<RowList> {
    await this.sql.run(`DELETE FROM m.${this.name}_from; INSERT INTO m.${this.name}_from ${values}`);
    const session = await this.session();
    const list = new RowList();
    const columns = this.layout.columns.map((c) => c.select).join(",");
    await new RowReader(session, `SELECT ${columns} FROM m.${this.name}_from`, [], [], false)
      .read([], 0, (b, start, end) => list.push(b, start, end));
    return list;
  }

  async there(columns = "*"): Promise<string[]> {
    const rows = await this.sql.run(`SELECT ${columns} FROM m.${this.name} ORDER BY 1`);
    return rows.map((r) => Object.values(r).join(":"));
  }

  async own(): Promise<string[]> {
    const rows = await this.sql.run(`SELECT * FROM keeps.${this.merging.keys.name} ORDER BY 1`);
    return rows.map((r) => Object.values(r).join(":"));
  }

  /** Waits until this session waits for a lock or the like. */
  async blocked(session: Session): Promise<void> {
    for (let i = 0;; i++) {
      const [row] = await this.sql.run(
        "SELECT trx_state AS state FROM information_schema.innodb_trx WHERE trx_mysql_thread_id = ?",
        [session.id],
      );
      if (row?.state === "LOCK WAIT") return;
      assert.ok(i < 50, "it does not wait");
      // The server answers from what it saw last, unless nobody has asked for 100 ms.
      await new Promise((r) => setTimeout(r, 150));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#open) session.destroy();
    await this.sql[Symbol.asyncDispose]();
  }
}

const SLOTS = "(id INT NOT NULL PRIMARY KEY, slot INT NULL, UNIQUE KEY slot (slot))";

async function commit(w: { session: Session }, work: () => Promise<unknown>): Promise<void> {
  await w.session.run("START TRANSACTION");
  await work();
  await w.session.run("COMMIT");
}

onEachFlavour("merged rows: what is ours makes way, what is not is an error", async (pair, vendor, t) => {
  const url = pair.target.url;

  await t.step("an own row that holds the unique value goes, and is ours no more", async () => {
    await using bench = await Bench.open(url, vendor, "way", SLOTS);
    await bench.sql.run("INSERT INTO m.way VALUES (90, 90)");
    const w = await bench.writer();
    const first = await bench.rows("VALUES (1, 10), (2, 20), (3, NULL), (4, NULL)");
    await commit(w, () => w.writer.replace(first, null));
    assert.deepEqual(await bench.own(), ["1", "2", "3", "4"]);
    const second = await bench.rows("VALUES (1, 20), (4, NULL)");
    await commit(w, () => w.writer.replace(second, null));
    assert.deepEqual(await bench.there(), ["1:20", "3:", "4:", "90:90"]);
    assert.deepEqual(await bench.own(), ["1", "3", "4"]);
    const swapped = await bench.rows("VALUES (2, 20), (1, 10)");
    await commit(w, () => w.writer.replace(swapped, null));
    assert.deepEqual(await bench.there(), ["1:10", "2:20", "3:", "4:", "90:90"]);
    assert.deepEqual(await bench.own(), ["1", "2", "3", "4"]);
  });

  await t.step("only what is wanted is written, and removed is only what is ours", async () => {
    await using bench = await Bench.open(url, vendor, "wanted", SLOTS);
    await bench.sql.run("INSERT INTO m.wanted VALUES (5, 50)");
    const w = await bench.writer();
    const rows = await bench.rows("VALUES (1, 1), (2, 2), (3, 3)");
    await commit(w, async () => assert.equal(await w.writer.replace(rows, (i) => i !== 1), 2));
    assert.deepEqual(await bench.there(), ["1:1", "3:3", "5:50"]);
    const keys = new RowList();
    for (const id of [1, 2, 5]) {
      const b = Buffer.alloc(4);
      b.writeInt32LE(id);
      keys.push(b, 0, 4);
    }
    await commit(w, () => w.writer.remove(keys));
    assert.deepEqual(await bench.there(), ["3:3", "5:50"]);
    assert.deepEqual(await bench.own(), ["3"]);
  });

  await t.step("what was rolled back can be written again, as often as wanted", async () => {
    await using bench = await Bench.open(url, vendor, "again", SLOTS);
    const w = await bench.writer();
    const rows = await bench.rows("VALUES (1, 1), (2, 2)");
    for (let i = 0; i < 2; i++) {
      await w.session.run("START TRANSACTION");
      await w.writer.replace(rows, null);
      await w.session.run("ROLLBACK");
      assert.deepEqual([await bench.there(), await bench.own()], [[], []], "nothing commits by itself");
    }
    await commit(w, () => w.writer.replace(rows, null));
    assert.deepEqual([await bench.there(), await bench.own()], [["1:1", "2:2"], ["1", "2"]]);
  });

  await t.step("an own row that another writer commits meanwhile makes way too", async () => {
    await using bench = await Bench.open(url, vendor, "beside", SLOTS);
    const [a, b] = [await bench.writer(), await bench.writer()];
    const [early, late] = [await bench.rows("VALUES (2, 7)"), await bench.rows("VALUES (1, 7)")];
    await a.session.run("START TRANSACTION");
    await a.writer.replace(early, null);
    const other = commit(b, () => b.writer.replace(late, null));
    other.catch(() => {});
    await bench.blocked(b.session);
    await a.session.run("COMMIT");
    await other;
    assert.deepEqual([await bench.there(), await bench.own()], [["1:7"], ["1"]]);
  });

  await t.step(
    "an own row that is committed between making way and inserting makes way after all",
    async () => {
      await using bench = await Bench.open(url, vendor, "between", SLOTS);
      const [a, b] = [await bench.writer(), await bench.writer()];
      const [early, late] = [await bench.rows("VALUES (2, 7)"), await bench.rows("VALUES (1, 7)")];
      const run = b.session.run.bind(b.session);
      let tries = 0;
      b.session.run = async (sql, values) => {
        if (sql.startsWith("INSERT INTO `m`") && tries++ === 0) {
          await commit(a, () => a.writer.replace(early, null));
        }
        return await run(sql, values);
      };
      await commit(b, () => b.writer.replace(late, null));
      assert.equal(tries, 2);
      assert.deepEqual([await bench.there(), await bench.own()], [["1:7"], ["1"]]);
    },
  );

  await t.step("somebody who inserts the key meanwhile keeps it; who takes it back leaves room", async () => {
    await using bench = await Bench.open(url, vendor, "meanwhile", SLOTS);
    const w = await bench.writer();
    const rows = await bench.rows("VALUES (1, 1)");
    for (const end of ["COMMIT", "ROLLBACK"]) {
      await bench.sql.run("DELETE FROM m.meanwhile");
      const app = await bench.session();
      await app.run("START TRANSACTION");
      await app.run("INSERT INTO m.meanwhile VALUES (1, 99)");
      await w.session.run("START TRANSACTION");
      const written = w.writer.replace(rows, null).then(() => null, (e) => e);
      await bench.blocked(w.session);
      await app.run(end);
      const error = await written;
      await w.session.run("COMMIT");
      if (end === "COMMIT") {
        assert.equal(error.code, "merge-clash");
        assert.deepEqual([await bench.there(), await bench.own()], [["1:99"], []]);
      } else {
        assert.equal(error, null);
        assert.deepEqual([await bench.there(), await bench.own()], [["1:1"], ["1"]]);
      }
    }
  });

  await t.step("rows of the source that the target's index takes only one of are named", async () => {
    await using bench = await Bench.open(
      url,
      vendor,
      "narrow",
      "(a INT NOT NULL, b VARCHAR(9) NOT NULL, slot INT NULL, PRIMARY KEY (a, b))",
    );
    await bench.sql.run("ALTER TABLE m.narrow ADD UNIQUE KEY one (slot)");
    const w = await bench.writer();
    const rows = await bench.rows("VALUES (1, 'x', NULL), (2, 'x', NULL), (3, 'y', 5), (4, 'y', 5)");
    const narrow = { ...bench.merging, uniques: [{ name: "one", columns: ["slot"] }] };
    const writer = new MergeWriter(
      w.session,
      { schema: "m", name: "narrow" },
      bench.layout,
      narrow,
      vendor === "mariadb",
    );
    await writer.prepare();
    await w.session.run("START TRANSACTION");
    await assert.rejects(writer.replace(rows, null), (e: { code: string; message: string }) => {
      assert.equal(e.code, "merge-clash");
      assert.match(e.message, /unique index "one" .*\(a=[34], b=y\)/);
      return true;
    });
    await w.session.run("ROLLBACK");
  });

  await t.step("keys that the collation holds equal are one, labels and partitions are met", async () => {
    await using bench = await Bench.open(
      url,
      vendor,
      "odd",
      `(k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL, e ENUM('ä','ß,','c') NOT NULL DEFAULT 'ß,',
        n INT NOT NULL AUTO_INCREMENT, j JSON, d TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
        g VARCHAR(30) AS (CONCAT(k, '!')) STORED, PRIMARY KEY (e, k), KEY n (n)) CHARSET latin1 ROW_FORMAT=COMPRESSED COMMENT='it''s ) KEY'
        PARTITION BY KEY (k) PARTITIONS 3`,
    );
    await bench.sql.run("INSERT INTO m.odd (k, e, n) VALUES ('Their', 'ä', 7)");
    const w = await bench.writer();
    const rows = await bench.rows(
      `(k, e, n, j, d) VALUES ('foo', 'ä', 1, '{"a": [1, null]}', '2024-02-03 04:05:06.789'),
      ('bar', 'ß,', 0, NULL, '2024-02-03 04:05:06'), ('Foo', 'ß,', 3, '"ü"', '2024-02-03 04:05:06')`,
    );
    await commit(w, () => w.writer.replace(rows, null));
    const upper = await bench.rows("(k, e, n) VALUES ('FOO', 'ä', 9)");
    await commit(w, () => w.writer.replace(upper, null));
    assert.deepEqual((await bench.there("CONCAT(k, ' ', HEX(e), ' ', e + 0, ' ', g)")).sort(), [
      "FOO E4 1 FOO!",
      "Foo DF2C 2 Foo!",
      "Their E4 1 Their!",
      "bar DF2C 2 bar!",
    ]);
    assert.equal((await bench.own()).length, 3);
    const clash = await bench.rows("(k, e) VALUES ('THEIR', 'ä')");
    await w.session.run("START TRANSACTION");
    await assert.rejects(w.writer.replace(clash, null), { message: /the source's row \(e=1, k=THEIR\)$/ });
    await w.session.run("ROLLBACK");
  });

  await t.step("many rows and wide ones are merged in one transaction", async () => {
    await using bench = await Bench.open(url, vendor, "many", "(id INT NOT NULL PRIMARY KEY, body LONGTEXT)");
    const w = await bench.writer();
    const digits =
      "(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)";
    const rows = await bench.rows(
      `SELECT 1000*a.d + 100*b.d + 10*c.d + e.d, IF(e.d = 0 AND c.d = 0 AND b.d = 0, REPEAT('x', 3000000), 'y')
       FROM ${digits} a, ${digits} b, ${digits} c, ${digits} e`,
    );
    for (let i = 0; i < 2; i++) {
      await commit(w, async () => assert.equal(await w.writer.replace(rows, (k) => k !== 9999), 9999));
      const [sum] = await bench.sql.run("SELECT COUNT(*) AS n, SUM(LENGTH(body)) AS bytes FROM m.many");
      assert.deepEqual([Number(sum.n), Number(sum.bytes)], [9999, 10 * 3000000 + 9989]);
    }
    assert.equal((await bench.own()).length, 9999);
  });

  await t.step("nothing that waits reaches the target's binlog", async () => {
    await using bench = await Bench.open(url, vendor, "logged", SLOTS);
    const status = vendor === "mysql" ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS";
    const [before] = await bench.sql.run(status);
    const w = await bench.writer();
    const rows = await bench.rows("VALUES (1, 1)");
    await commit(w, () => w.writer.replace(rows, null));
    await w.session.close();
    const events = await bench.sql.run(`SHOW BINLOG EVENTS IN '${before.File}' FROM ${before.Position}`);
    // Comments on row events tell a statement's text, and are no statements.
    const texts = events.filter((e) => !["Annotate_rows", "Rows_query"].includes(e.Event_type)).map((e) =>
      String(e.Info)
    );
    assert.ok(texts.some((text) => text.includes("logged")), "the rows themselves do");
    assert.deepEqual(texts.filter((text) => text.includes("stage_")), []);
  });
}, { target: { mariadb: { "binlog-format": "MIXED" }, mysql: { "binlog-format": "MIXED" } } });
