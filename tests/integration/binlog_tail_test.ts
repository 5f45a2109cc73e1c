/**
 * The tail against real servers: what is told when, in which order, and how it ends.
 * @module
 */
import assert from "node:assert/strict";
import { untilTrue } from "../support/ferries.ts";
import { Sql } from "../support/sql.ts";
import { dataSession, Recorder, selectRows, tablesOf } from "./binlog_tail_recorder.ts";
import { fatal, here, onServer, replay, tailOf } from "./binlog_tail_setup.ts";

const WIDE = "CREATE TABLE shop.t0 (" +
  Array.from(
    { length: 20 },
    (_, i) => `c${i} ${["INT", "VARCHAR(300)", "DECIMAL(10,2)", "DATETIME(3)"][i % 4]}`,
  ).join() +
  ", g1 INT AS (c0 + 1) VIRTUAL, k2 VARCHAR(20) NOT NULL, g2 VARCHAR(400) AS (CONCAT(k2, '!')) STORED," +
  " k1 DECIMAL(8,3) NOT NULL, j LONGTEXT, PRIMARY KEY (k1, k2))";

async function fillWide(sql: Sql): Promise<void> {
  const columns = Array.from({ length: 20 }, (_, i) => `c${i}`);
  for (let n = 0; n < 60; n++) {
    const values = columns.map((_, i) =>
      (n * 7 + i * 5) % 3 === 0
        ? "NULL"
        : [`${n - 30}`, `repeat('v', ${n * 5})`, `${n}.${n}`, "'2024-01-02 03:04:05.678'"][i % 4]
    );
    await sql.run(
      `INSERT INTO shop.t0 (${columns}, k1, k2, j) VALUES (${values}, ${n % 7 - 3}.5, 'k${n}', repeat('j', ${
        n * 50
      }))`,
    );
  }
  await sql.run("UPDATE shop.t0 SET c1 = 'x', k1 = k1 * 2 WHERE k1 > 0");
  await sql.run("UPDATE shop.t0 SET c0 = NULL");
}

onServer("compressed binlogs give the same rows, in the same order", async (server, sql) => {
  await sql.run(WIDE);
  const logs: Recorder[] = [];
  const mysql = server.vendor === "mysql";
  const on = mysql
    ? "SET SESSION binlog_transaction_compression=ON"
    : "SET GLOBAL log_bin_compress=ON, GLOBAL log_bin_compress_min_len=10";
  for (const setting of ["DO 0", on]) {
    await sql.run(setting);
    const start = await here(sql);
    await fillWide(sql);
    await sql.run(
      "BEGIN; UPDATE shop.t0 SET c3 = NULL WHERE k1 < 0; DELETE FROM shop.t0 WHERE k1 >= 0; COMMIT",
    );
    const end = await here(sql);
    const recorder = await replay(server, start, end);
    assert.deepEqual(recorder.ends.at(-1)!.position, end);
    logs.push(recorder);
    const session = await dataSession(server.url);
    const left = await selectRows(session, recorder.tables.get("shop.t0")!);
    await session.close();
    const told = new Set(recorder.rows.get("shop.t0"));
    assert(left.length > 10 && left.every((row) => told.has(row)), "what is left was told");
    await sql.run("DELETE FROM shop.t0");
  }
  assert.deepEqual(logs[1].log, logs[0].log);
  assert.deepEqual(logs[1].rows, logs[0].rows);
  assert.deepEqual(logs[1].keys, logs[0].keys);
  const events = await sql.run(`SHOW BINLOG EVENTS IN '${(await here(sql)).file}' LIMIT 5000`);
  const compressed = events.some((e) => /Transaction_payload|compressed/i.test(e.Event_type));
  assert.equal(compressed, true, "the second run was compressed");
});

onServer("transactions, statements and their ends are told in order", async (server, sql) => {
  await sql.run(
    "CREATE TABLE shop.t0 (id INT PRIMARY KEY, v INT); CREATE TABLE shop.other (id INT PRIMARY KEY)",
  );
  const start = await here(sql);
  await sql.run("INSERT INTO shop.t0 VALUES (1,1),(2,2),(3,3)");
  await sql.run(
    "BEGIN; SAVEPOINT a; INSERT INTO shop.other VALUES (1); INSERT INTO shop.t0 VALUES (4,4);" +
      " SAVEPOINT b; DELETE FROM shop.t0 WHERE id = 4; ROLLBACK TO b; COMMIT",
  );
  await sql.run("UPDATE shop.t0 SET v = v + 1 WHERE id < 3");
  await sql.run("BEGIN; INSERT INTO shop.t0 VALUES (5,5); ROLLBACK");
  const beforeDdl = await here(sql);
  await sql.run("USE shop; CREATE TABLE late (id INT PRIMARY KEY)");
  const ddl = await here(sql);
  await sql.run("CREATE TABLE shop.made AS SELECT * FROM shop.t0");
  await sql.run("FLUSH BINARY LOGS");
  await sql.run("DELETE FROM shop.t0 WHERE id = 1");
  const end = await here(sql);
  const tables = await tablesOf(server.url, "shop");
  tables.delete("shop.other");
  const recorder = new Recorder(tables);
  const tail = tailOf(server, recorder, start);
  await tail.start(new AbortController().signal);
  await recorder.reach(end, tail.done);
  const t = (...told: string[]) => ["begin", ...told, "commit"];
  assert.deepEqual(recorder.log, [
    ...t("insert", "insert", "insert"),
    ...t("insert"),
    ...t("update", "update"),
    ...t("statement"),
    ...t("statement", "insert", "insert", "insert", "insert"),
    ...t("delete"),
  ]);
  assert.equal(recorder.statements[0], "shop: CREATE TABLE late (id INT PRIMARY KEY)");
  assert.match(recorder.statements[1], /^shop: CREATE TABLE .*made/s);
  const positions = recorder.ends.map((e) => e.position);
  assert.deepEqual(positions[2], beforeDdl);
  assert.deepEqual(positions[3], ddl);
  assert.deepEqual(positions.at(-1), end);
  assert(recorder.ends.every((e) => Math.abs(e.timestamp - Date.now() / 1000) < 600));
  const gtid = server.vendor === "mysql" ? /^[0-9a-f-]{36}:\d+$/ : /^0-\d+-\d+$/;
  assert(recorder.ends.every((e) => gtid.test(e.gtid!)));
  // Beginning again at any end tells exactly the rest.
  for (const [i, from] of positions.slice(0, -1).entries()) {
    const rest = await replay(server, from, end);
    assert.deepEqual(rest.ends, recorder.ends.slice(i + 1));
  }
  const beats = recorder.heartbeats;
  await recorder.next(tail.done);
  await recorder.next(tail.done);
  assert(recorder.heartbeats >= beats + 2, "it says that it is there");
  // MariaDB notes a checkpoint behind the end, some time after it began a file.
  await untilTrue("it stands where the source does", async () => {
    const { file, offset } = await here(sql);
    return recorder.position.file === file && recorder.position.offset === offset;
  });
  await tail.stop();
  await tail.done;
  const threads = await sql.run(
    "SELECT * FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'",
  );
  assert.deepEqual(threads, [], "no dump is left on the source");
});

onServer("a GTID set is a place to begin, tagged GTIDs included", async (server, sql) => {
  await sql.run("CREATE TABLE shop.t0 (id INT PRIMARY KEY); INSERT INTO shop.t0 VALUES (1)");
  const [{ set }] = await sql.run("SELECT @@GLOBAL.gtid_executed AS `set`");
  await sql.run("SET SESSION gtid_next='AUTOMATIC:blue'; INSERT INTO shop.t0 VALUES (2)");
  await sql.run("SET SESSION gtid_next='AUTOMATIC'; INSERT INTO shop.t0 VALUES (3)");
  const end = await here(sql);
  const recorder = await replay(server, { file: end.file, offset: 0 }, end, { startGtids: set });
  assert.equal(recorder.rows.get("shop.t0")!.length, 2);
  assert.match(recorder.ends[0].gtid!, /^[0-9a-f-]{36}:blue:1$/);
  assert.deepEqual(recorder.ends[1].position, end);
  const all = await replay(server, { file: end.file, offset: 0 }, end, { startGtids: "" });
  assert.equal(all.rows.get("shop.t0")!.length, 3);
}, ["mysql"]);

onServer("checksums may come and go", async (server, sql) => {
  await sql.run("CREATE TABLE shop.t0 (id INT PRIMARY KEY)");
  const start = await here(sql);
  for (const [i, kind] of ["CRC32", "NONE", "CRC32", "NONE"].entries()) {
    await sql.run(`SET GLOBAL binlog_checksum=${kind}`);
    await sql.run(`INSERT INTO shop.t0 VALUES (${i})`);
  }
  const end = await here(sql);
  assert.equal((await replay(server, start, end)).rows.get("shop.t0")!.length, 4);
  await sql.run("SET GLOBAL binlog_checksum=CRC32");
  assert.equal((await replay(server, start, await here(sql))).rows.get("shop.t0")!.length, 4);
});

onServer("what cannot be replayed stops the tail with its position", async (server, sql) => {
  const mysql = server.vendor === "mysql";
  await sql.run(
    "CREATE TABLE shop.t0 (id INT PRIMARY KEY, v VARCHAR(100), j JSON); INSERT INTO shop.t0 VALUES (1,'a','{}')",
  );
  const stops = async (code: string, ...statements: string[]) => {
    const at = await here(sql);
    const error = await fatal(server, sql, () => sql.run(statements.join("; ")));
    assert.equal(error.code, code);
    assert.equal(error.retryable, false);
    assert(error.message.includes(`"${at.file}:`), error.message);
  };
  await stops(
    "row-image-not-full",
    "SET binlog_row_image=MINIMAL",
    "UPDATE shop.t0 SET v='b'",
    "SET binlog_row_image=FULL",
  );
  await stops(
    "xa-transaction",
    "XA START 'one'",
    "UPDATE shop.t0 SET v='c'",
    "XA END 'one'",
    "XA PREPARE 'one'",
    "XA COMMIT 'one'",
  );
  await stops(
    "statement-format",
    "SET binlog_format=STATEMENT",
    "SET @a = 'u'",
    "UPDATE shop.t0 SET v=@a",
    "SET binlog_format=ROW",
  );
  if (mysql) {
    await sql.run("UPDATE shop.t0 SET j=JSON_OBJECT('a', repeat('x', 200), 'b', 1)");
    await stops(
      "row-image-partial",
      "SET binlog_row_value_options=PARTIAL_JSON",
      "UPDATE shop.t0 SET j=JSON_SET(j, '$.b', 2)",
      "SET binlog_row_value_options=''",
    );
  }
  // Of a table that is not ferried, all of that is harmless; and so is XA in one phase.
  await sql.run("CREATE TABLE shop.other (id INT PRIMARY KEY, v INT)");
  const start = await here(sql);
  await sql.run(
    "XA START 'two'; INSERT INTO shop.other VALUES (1, 1); XA END 'two'; XA PREPARE 'two'; XA COMMIT 'two'",
  );
  await sql.run(
    "XA START 'three'; INSERT INTO shop.other VALUES (2, 1); XA END 'three'; XA PREPARE 'three'; XA ROLLBACK 'three'",
  );
  await sql.run("XA START 'four'; UPDATE shop.t0 SET v='d'; XA END 'four'; XA COMMIT 'four' ONE PHASE");
  await sql.run("SET binlog_row_image=MINIMAL; UPDATE shop.other SET v=2; SET binlog_row_image=FULL");
  const tables = await tablesOf(server.url, "shop");
  tables.delete("shop.other");
  const recorder = new Recorder(tables);
  const tail = tailOf(server, recorder, start);
  await tail.start(new AbortController().signal);
  await recorder.reach(await here(sql), tail.done);
  await tail.stop();
  assert.deepEqual(recorder.log.filter((x) => x !== "begin" && x !== "commit"), ["update"]);
});

onServer(
  "a tail that begins by GTIDs in the middle of a file tells places as they are",
  async (server, sql) => {
    await sql.run("CREATE TABLE shop.t0 (id INT PRIMARY KEY); INSERT INTO shop.t0 VALUES (1)");
    const start = await here(sql);
    const [{ gtids }] = await sql.run("SELECT @@GLOBAL.gtid_executed AS gtids");
    await sql.run("INSERT INTO shop.t0 VALUES (2)");
    const middle = await here(sql);
    await sql.run("INSERT INTO shop.t0 VALUES (3)");
    const end = await here(sql);
    const recorder = await replay(server, start, end, { startGtids: gtids });
    assert.deepEqual(recorder.ends.map((e) => e.position), [middle, end]);
    assert.equal(recorder.rows.get("shop.t0")!.length, 2);
  },
  ["mysql"],
);

onServer("a lost source may be tried again, a purged binlog or a wrong password not", async (server, sql) => {
  await sql.run("CREATE TABLE shop.t0 (id INT PRIMARY KEY)");
  const start = await here(sql);
  const tables = await tablesOf(server.url, "shop");
  const recorder = new Recorder(tables);
  const tail = tailOf(server, recorder, start);
  await tail.start(new AbortController().signal);
  await sql.run("INSERT INTO shop.t0 VALUES (1)");
  await recorder.next(tail.done);
  await Promise.all([
    assert.rejects(tail.done, { code: "source-connection-lost", retryable: true }),
    server.restart(),
  ]);
  await tail.stop();
  await using again = await Sql.open(server.url);
  const before = recorder.position;
  await again.run("INSERT INTO shop.t0 VALUES (2)");
  // Table ids begin anew with the server; the rows are still those of this table.
  assert.equal((await replay(server, before, await here(again))).rows.get("shop.t0")!.length, 1);

  const [{ id }] = await again.run("SELECT CONNECTION_ID() AS id");
  const second = tailOf(server, new Recorder(tables), await here(again));
  await second.start(new AbortController().signal);
  const dumps = "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'";
  for (const row of await again.run(dumps)) if (row.id !== id) await again.run(`KILL ${row.id}`);
  await assert.rejects(second.done, { code: "source-connection-lost", retryable: true });
  await second.stop();

  const stranger = tailOf(server, new Recorder(tables), start, {
    connection: { host: server.host, port: server.port, user: server.user, password: "wrong" },
  });
  await assert.rejects(stranger.start(new AbortController().signal), { code: "source-access-denied" });
  const nowhere = tailOf(server, new Recorder(tables), start, {
    connection: { host: server.host, port: 1, user: server.user, password: server.password },
  });
  await assert.rejects(nowhere.start(new AbortController().signal), { code: "source-connection-lost" });
  const aborted = tailOf(server, new Recorder(tables), start);
  await assert.rejects(aborted.start(AbortSignal.abort(new Error("no longer"))), /no longer/);

  await again.run("FLUSH BINARY LOGS");
  await again.run(`PURGE BINARY LOGS TO '${(await here(again)).file}'`);
  const late = tailOf(server, new Recorder(tables), start);
  await assert.rejects(late.start(new AbortController().signal), { code: "binlog-purged", retryable: false });
});

onServer("a paused tail holds the source back and loses nothing; silence is a loss", async (server, sql) => {
  await sql.run("CREATE TABLE shop.t0 (id INT AUTO_INCREMENT PRIMARY KEY, v LONGTEXT)");
  const start = await here(sql);
  await sql.run("INSERT INTO shop.t0 (v) VALUES (repeat('a', 100000))");
  for (let i = 0; i < 8; i++) await sql.run("INSERT INTO shop.t0 (v) SELECT v FROM shop.t0");
  const end = await here(sql);
  const recorder = new Recorder(await tablesOf(server.url, "shop"));
  const tail = tailOf(server, recorder, start);
  let paused = 0;
  let holding = false;
  recorder.onCommit = () => {
    assert.equal(holding, false, "told while it was paused");
    tail.pause();
    holding = true;
    paused++;
    setTimeout(() => {
      holding = false;
      tail.resume();
    }, 30);
  };
  await tail.start(new AbortController().signal);
  await recorder.reach(end, tail.done);
  assert.equal(recorder.count, 256);
  assert.equal(paused, 9);
  await tail.stop();

  const mute = tailOf(server, recorder, end, { heartbeatSeconds: 60, watchdogSeconds: 0.5 });
  await mute.start(new AbortController().signal);
  await assert.rejects(mute.done, { code: "source-connection-lost", retryable: true });
  await mute.stop();

  const controller = new AbortController();
  const stopped = tailOf(server, recorder, end);
  await stopped.start(controller.signal);
  controller.abort();
  await stopped.done;
});
