/**
 * The ground that the other integration tests stand on: servers and the proxy in front of them.
 * @module
 */
import assert from "node:assert/strict";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { run } from "../servers/command.ts";
import { clientTools } from "../servers/mod.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import { onEachFlavour } from "../support/flavours.ts";

/** What a driver says of a connection that went away under it. */
const BROKEN = /ECONNRESET|EPIPE|closed|lost/i;

onEachFlavour("a pair is two servers with the binlog on", async ({ source, target }, vendor) => {
  for (const server of [source, target]) {
    await using db = await open(server.url);
    const row = await one(
      db.connection,
      "SELECT VERSION() AS version, @@log_bin, @@binlog_format, @@binlog_row_image",
    );
    assert.deepEqual(Object.values(row), [server.version, 1, "ROW", "FULL"]);
    assert.equal(/mariadb/i.test(server.version), vendor === "mariadb");
  }
  assert.notEqual(await serverId(source.url), await serverId(target.url));
});

onEachFlavour("a server keeps its data and port through a restart and a kill", async ({ source }) => {
  await statements(source.url, "CREATE DATABASE kept", "CREATE TABLE kept.t (n INT PRIMARY KEY)");
  const times = source.kill9 ? 3 : 2;
  for (let n = 1; n < times; n++) {
    await statements(source.url, `INSERT INTO kept.t VALUES (${n})`);
    if (n === 2) await source.kill9?.();
    await source.restart();
    await using db = await open(source.url);
    assert.equal((await one(db.connection, "SELECT COUNT(*) AS n FROM kept.t")).n, n);
  }
});

onEachFlavour("settings win over the defaults", async ({ source, target }) => {
  const query = "SELECT @@max_connections AS n";
  await using first = await open(source.url);
  await using second = await open(target.url);
  assert.equal((await one(first.connection, query)).n, 77);
  assert.equal((await one(second.connection, query)).n, 200);
}, { source: { mysql: { "max-connections": "77" }, mariadb: { max_connections: "77" } } });

onEachFlavour("the vendor's dump goes into the vendor's client", async ({ source, target }, vendor) => {
  await statements(
    source.url,
    "CREATE DATABASE dumped",
    "CREATE TABLE dumped.t (n INT PRIMARY KEY)",
    "INSERT INTO dumped.t VALUES (1), (2)",
  );
  const { dump, client } = await clientTools(vendor);
  const to = (server: typeof source) => [
    `--host=${server.host}`,
    `--port=${server.port}`,
    `--user=${server.user}`,
  ];
  const env = { MYSQL_PWD: source.password };
  const stdin = await run([...dump, ...to(source), "--databases", "dumped"], { env });
  await run([...client, ...to(target)], { env, stdin });
  await using db = await open(target.url);
  assert.equal((await one(db.connection, "SELECT COUNT(*) AS n FROM dumped.t")).n, 2);
});

onEachFlavour("the proxy cuts, refuses, falls silent and lags", async ({ source }) => {
  await using proxy = await FaultProxy.open(source.host, source.port);
  const url = proxy.url(source.url);

  const through = await open(url);
  assert.equal((await one(through.connection, "SELECT 1 AS n")).n, 1);
  assert.equal(proxy.connections, 1);
  proxy.cut();
  await assert.rejects(through.connection.query("SELECT 1"), BROKEN);
  assert.equal(proxy.connections, 0);

  proxy.refuse(true);
  await assert.rejects(open(url), BROKEN);
  proxy.refuse(false);

  {
    await using again = await open(url);
    proxy.delay(50);
    const begun = performance.now();
    await again.connection.query("SELECT 1");
    const took = performance.now() - begun;
    assert.ok(took >= 95, `a question and an answer, each 50 ms late, took ${took} ms`);
    proxy.delay(0);

    proxy.blackhole(true);
    let answered = false;
    const asking = again.connection.query("SELECT 2").then(() => answered = true);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(answered, false);
    proxy.blackhole(false);
    await asking;
    assert.ok(answered);
  }

  const cutOff = await open(url);
  proxy.cutAfterBytes(1 << 20);
  await assert.rejects(cutOff.connection.query("SELECT REPEAT('x', 8 << 20)"), BROKEN);

  // What is not cut passes whole.
  await using last = await open(url);
  const { n } = await one(last.connection, "SELECT REPEAT('x', 8 << 20) AS n");
  assert.equal(n.length, 8 << 20);
});

async function open(url: string): Promise<{ connection: Connection } & AsyncDisposable> {
  const connection = await createConnection(url);
  return { connection, [Symbol.asyncDispose]: () => connection.end() };
}

async function one(connection: Connection, sql: string): Promise<RowDataPacket> {
  const [rows] = await connection.query<RowDataPacket[]>(sql);
  return rows[0];
}

async function statements(url: string, ...all: string[]): Promise<void> {
  await using db = await open(url);
  for (const sql of all) await db.connection.query(sql);
}

async function serverId(url: string): Promise<number> {
  await using db = await open(url);
  return (await one(db.connection, "SELECT @@server_id AS id")).id;
}
