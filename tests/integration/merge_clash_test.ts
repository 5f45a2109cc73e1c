/**
 * A row of somebody else that stands where a source's row is to go: an error that names the key, and never a lost row.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import type { Ferry } from "../../lib/ferry/ferry.ts";
import { ownKeysTable } from "../../lib/state/own_keys.ts";
import { dumpTable } from "../support/equality.ts";
import { ended, specOf, until, untilShown } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { keyTables } from "../support/merging.ts";
import { Sql } from "../support/sql.ts";

const TABLE =
  "(id INT NOT NULL PRIMARY KEY, email VARCHAR(50) NULL, v INT NOT NULL, UNIQUE KEY email (email))";

/** One source table, one target table with a row of somebody else, and the ferry between them. */
class Bench implements AsyncDisposable {
  readonly dock = openDock();

  private constructor(
    readonly from: Sql,
    readonly to: Sql,
    readonly urls: { source: string; target: string },
    readonly schema: string,
  ) {}

  static async open(
    pair: { source: { url: string }; target: { url: string } },
    schema: string,
    sourceRows: string,
    others: string,
  ): Promise<Bench> {
    const urls = { source: pair.source.url, target: pair.target.url };
    const bench = new Bench(await Sql.open(urls.source), await Sql.open(urls.target), urls, schema);
    for (const [sql, rows] of [[bench.from, sourceRows], [bench.to, others]] as const) {
      await sql.run(`CREATE DATABASE ${schema}; CREATE TABLE ${schema}.people ${TABLE}`);
      await sql.run(`INSERT INTO ${schema}.people VALUES ${rows}`);
    }
    return bench;
  }

  start(more: Record<string, unknown> = {}): Promise<Ferry> {
    return this.dock.start(specOf({
      id: this.schema,
      ...this.urls,
      tables: [`${this.schema}.people`],
      existingRows: "merge",
      cutover: { mode: "manual", fence: "none" },
      ...more,
    }));
  }

  /** The target's rows, as `id:email:v`. */
  async rows(): Promise<string[]> {
    const rows = await this.to.run(
      `SELECT CONCAT_WS(':', id, COALESCE(email, '-'), v) AS r FROM ${this.schema}.people ORDER BY id`,
    );
    return rows.map((r) => String(r.r));
  }

  /** Waits for the end, which must be this clash, and that nothing of others' has changed. */
  async clashes(ferry: Ferry, others: readonly string[], ...names: RegExp[]): Promise<void> {
    const r = await ended(ferry);
    assert.equal(r.state, "failed", JSON.stringify(r.error));
    assert.equal(r.error?.code, "merge-clash", JSON.stringify(r.error));
    assert.equal(r.error?.retryable, false);
    for (const name of [new RegExp(`"${this.schema}.people"`), ...names]) {
      assert.match(r.error!.detail, name);
    }
    const rows = await this.rows();
    for (const row of others) assert.ok(rows.includes(row), `${row} of somebody else, in ${rows}`);
    assert.ok(await this.knowsItsKeys(), "kept for a retry");
  }

  /** Takes what is in the way away, retries, and goes the whole road. */
  async retries(ferry: Ferry, removal: string, expected: readonly string[]): Promise<void> {
    await this.to.run(removal);
    const before = ferry.resource().resumedTimes;
    await ferry.act("retry");
    await untilShown(ferry, ({ resumedTimes }) => resumedTimes > before);
    await until(ferry, ["awaitingCutover"], 30);
    await ferry.act("cutover");
    assert.equal((await until(ferry, ["done"])).verification.state, "passed");
    await ferry.ended;
    assert.deepEqual(await this.rows(), expected);
    assert.equal(await this.knowsItsKeys(), false);
  }

  /** Whether it is still noted on the target which rows are this ferry's. */
  async knowsItsKeys(): Promise<boolean> {
    return (await keyTables(this.urls.target)).includes(ownKeysTable("_ferry", this.schema, 0).name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dock.close();
    await this.from[Symbol.asyncDispose]();
    await this.to[Symbol.asyncDispose]();
  }
}

onEachFlavour("clashes are named and nothing of others' is lost", async (pair, _vendor, t) => {
  await t.step("on the key, in the copy; a retry goes on where it is out of the way", async () => {
    await using bench = await Bench.open(
      pair,
      "c1",
      "(1,'a',1),(5,'e',1),(9,'i',1)",
      "(5,'their',7),(6,'x',7)",
    );
    const ferry = await bench.start();
    await bench.clashes(ferry, ["5:their:7", "6:x:7"], /same key as the source's row id=5$/);
    await bench.retries(ferry, "DELETE FROM c1.people WHERE id = 5", ["1:a:1", "5:e:1", "6:x:7", "9:i:1"]);
  });

  await t.step("on another unique index, in the copy", async () => {
    await using bench = await Bench.open(pair, "c2", "(1,'a',1),(5,'e',1)", "(7,'e',7)");
    const ferry = await bench.start();
    await bench.clashes(ferry, ["7:e:7"], /unique index "email" as the source's row id=5$/);
    await bench.retries(ferry, "UPDATE c2.people SET email = 'z' WHERE id = 7", ["1:a:1", "5:e:1", "7:z:7"]);
  });

  await t.step("on the key, in replay", async () => {
    await using bench = await Bench.open(pair, "c3", "(1,'a',1)", "(5,'their',7)");
    const ferry = await bench.start();
    await until(ferry, ["awaitingCutover"], 30);
    await bench.from.run("INSERT INTO c3.people VALUES (4,'d',1)");
    await bench.from.run("INSERT INTO c3.people VALUES (5,'e',1)");
    await bench.clashes(ferry, ["5:their:7"], /same key as the source's row id=5$/);
    await bench.from.run("UPDATE c3.people SET v = 2");
    await bench.retries(ferry, "DELETE FROM c3.people WHERE id = 5", ["1:a:2", "4:d:2", "5:e:2"]);
  });

  await t.step("on another unique index, in replay", async () => {
    await using bench = await Bench.open(pair, "c4", "(1,'a',1)", "(5,'their',7)");
    const ferry = await bench.start();
    await until(ferry, ["awaitingCutover"], 30);
    await bench.from.run("UPDATE c4.people SET email = 'their' WHERE id = 1");
    await bench.clashes(ferry, ["5:their:7"], /unique index "email" as the source's row id=1$/);
    await bench.from.run("UPDATE c4.people SET email = 'b' WHERE id = 1");
    // What was replayed as it was then still comes first: somebody else's value has to go for that moment.
    await bench.retries(ferry, "UPDATE c4.people SET email = 'q' WHERE id = 5", ["1:b:1", "5:q:7"]);
  });

  await t.step("deletes and changed keys take nothing of others' that has the same key", async () => {
    await using bench = await Bench.open(
      pair,
      "c5",
      "(1,'a',1),(2,'b',1),(3,'c',1),(4,'d',1)",
      "(2,'x',7),(3,'y',7)",
    );
    const ferry = await bench.start();
    await ferry.act("pause");
    await until(ferry, ["copying"]);
    // Replay is on, and nothing is copied: these keys come as removals, and never were ours.
    await bench.from.run("DELETE FROM c5.people WHERE id = 2; UPDATE c5.people SET id = 30 WHERE id = 3");
    await bench.from.run("UPDATE c5.people SET v = 2 WHERE id = 4");
    await ferry.act("resume");
    await until(ferry, ["awaitingCutover"], 30);
    assert.deepEqual(await bench.rows(), ["1:a:1", "2:x:7", "3:y:7", "4:d:2", "30:c:1"]);
    await bench.from.run(
      "BEGIN; UPDATE c5.people SET email = NULL; UPDATE c5.people SET email = 'a' WHERE id = 4; COMMIT",
    );
    await bench.from.run(
      "BEGIN; UPDATE c5.people SET email = 'd' WHERE id = 1; UPDATE c5.people SET id = 31 WHERE id = 30; COMMIT",
    );
    await bench.from.run("UPDATE c5.people SET id = 5 WHERE id = 4; DELETE FROM c5.people WHERE id = 31");
    await ferry.act("cutover");
    await until(ferry, ["done"]);
    assert.deepEqual(await bench.rows(), ["1:d:1", "2:x:7", "3:y:7", "5:a:2"]);
  });

  await t.step("rows that a filter leaves out take nothing of others' with them", async () => {
    await using bench = await Bench.open(pair, "c9", "(1,'a',1),(2,'b',9),(3,'c',1)", "(2,'x',7)");
    const ferry = await bench.start({ tables: [{ table: "c9.people", where: "v < 5" }] });
    await until(ferry, ["awaitingCutover"], 30);
    await bench.from.run("UPDATE c9.people SET v = 8 WHERE id = 2; UPDATE c9.people SET v = 6 WHERE id = 3");
    await ferry.act("cutover");
    assert.equal((await until(ferry, ["done"], 30)).verification.state, "passed");
    assert.deepEqual(await bench.rows(), ["1:a:1", "2:x:7"]);
  });

  await t.step("what is verified is ours: others' rows do not count, ours do", async () => {
    await using bench = await Bench.open(pair, "c6", "(1,'a',1),(3,'c',1)", "(2,'x',7),(9,'y',7)");
    const ferry = await bench.start();
    await until(ferry, ["awaitingCutover"], 30);
    await bench.to.run("DELETE FROM c6.people WHERE id = 3; UPDATE c6.people SET v = 8 WHERE id = 9");
    await ferry.act("verify");
    const r = await ended(ferry);
    assert.equal(r.error?.code, "verification-failed");
    assert.deepEqual(r.verification.differences.map((d) => [d.key.id, d.kind]), [["3", "missing on target"]]);
  });

  await t.step("a cancelled ferry leaves its rows, and nothing that says whose they are", async () => {
    await using bench = await Bench.open(pair, "c7", "(1,'a',1)", "(2,'x',7)");
    const ferry = await bench.start();
    await until(ferry, ["awaitingCutover"], 30);
    assert.ok(await bench.knowsItsKeys());
    await ferry.act("cancel");
    assert.deepEqual(await bench.rows(), ["1:a:1", "2:x:7"]);
    assert.equal(await bench.knowsItsKeys(), false);
  });

  await t.step("two tables of one ferry go into one, and a clash between them is one", async () => {
    await using bench = await Bench.open(pair, "c8", "(1,'a',1),(3,'c',1)", "(7,'x',7)");
    await bench.from.run(`CREATE TABLE c8.more ${TABLE}; INSERT INTO c8.more VALUES (2,'b',2),(4,'d',2)`);
    const made = (name: string) => ["c8.people", "c8.more"].map((table) => ({ table, to: `c8.${name}` }));
    const ferry = await bench.start({ tables: made("people") });
    await until(ferry, ["awaitingCutover"], 30);
    assert.deepEqual(await bench.rows(), ["1:a:1", "2:b:2", "3:c:1", "4:d:2", "7:x:7"]);
    // A row goes over from one table to the other.
    await bench.from.run(
      "BEGIN; INSERT INTO c8.more SELECT * FROM c8.people WHERE id = 1; DELETE FROM c8.people WHERE id = 1; COMMIT",
    );
    await ferry.act("cutover");
    await until(ferry, ["done"]);
    await ferry.ended;
    assert.deepEqual(await bench.rows(), ["1:a:1", "2:b:2", "3:c:1", "4:d:2", "7:x:7"]);

    const fresh = await bench.start({ id: "c8fresh", tables: made("fresh") });
    await until(fresh, ["awaitingCutover"]);
    assert.equal((await dumpTable(bench.to, "c8", "fresh")).length, 4, "a missing table is made once");
    await bench.from.run("INSERT INTO c8.people VALUES (2,'z',1)");
    const r = await ended(fresh);
    assert.equal(r.error?.code, "merge-clash");
    assert.match(r.error!.detail, /id=2$/);
  });
});
