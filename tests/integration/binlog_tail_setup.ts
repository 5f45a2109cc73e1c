/**
 * Servers, tails and recorders for the tests of the tail.
 * @module
 */
import assert from "node:assert/strict";
import { FerryError } from "../../lib/errors.ts";
import type { BinlogPosition } from "../../lib/binlog/position.ts";
import { BinlogTail, type BinlogTailOptions } from "../../lib/binlog/tail.ts";
import { startServer, type TestServer, type Vendor } from "../servers/mod.ts";
import { VENDORS } from "../support/flavours.ts";
import { Sql } from "../support/sql.ts";
import { type RecordedTable, Recorder, tablesOf } from "./binlog_tail_recorder.ts";

const SETTINGS: Record<Vendor, Record<string, string>> = {
  mysql: { "gtid-mode": "ON", "enforce-gtid-consistency": "ON", "max-allowed-packet": "64M" },
  mariadb: { "max-allowed-packet": "64M", "max-binlog-size": "1G" },
};

/** One server for all steps of a family. */
export function onServer(
  name: string,
  body: (server: TestServer, sql: Sql) => Promise<void>,
  only = VENDORS,
): void {
  for (const vendor of only) {
    Deno.test(`${name} (${vendor})`, async () => {
      await using server = await startServer({ vendor, settings: SETTINGS[vendor] });
      await using sql = await Sql.open(server.url);
      await sql.run(
        "SET SESSION time_zone='+00:00', sql_mode='ALLOW_INVALID_DATES', character_set_connection=utf8mb4",
      );
      await sql.run("CREATE DATABASE shop");
      await body(server, sql);
    });
  }
}

/** The end of the binlog. */
export async function here(sql: Sql): Promise<BinlogPosition> {
  const mariadb = /mariadb/i.test((await sql.run("SELECT VERSION() AS v"))[0].v);
  const [row] = await sql.run(mariadb ? "SHOW MASTER STATUS" : "SHOW BINARY LOG STATUS");
  return { file: row.File, offset: Number(row.Position) };
}

/** No two dumps of one server may have the same. */
let serverId = 900_000_000 + (Deno.pid % 10_000) * 100;

/** A tail with fast heartbeats. */
export function tailOf(
  server: TestServer,
  handler: Recorder,
  start: BinlogPosition,
  options: Partial<BinlogTailOptions<RecordedTable>> = {},
): BinlogTail<RecordedTable> {
  const { host, port, user, password } = server;
  return new BinlogTail<RecordedTable>({
    connection: { host, port, user, password },
    serverId: serverId++,
    start,
    handler,
    heartbeatSeconds: 0.2,
    ...options,
  });
}

/** Everything between two positions, told to a recorder. */
export async function replay(
  server: TestServer,
  start: BinlogPosition,
  end: BinlogPosition,
  options: Partial<BinlogTailOptions<RecordedTable>> = {},
): Promise<Recorder> {
  const recorder = new Recorder(await tablesOf(server.url, "shop"));
  recorder.until = end;
  const tail = tailOf(server, recorder, start, options);
  try {
    await tail.start(new AbortController().signal);
    await recorder.reach(end, tail.done);
  } finally {
    await tail.stop();
  }
  return recorder;
}

/** How the tail dies of what `change` writes. */
export async function fatal(
  server: TestServer,
  sql: Sql,
  change: () => Promise<unknown>,
): Promise<FerryError> {
  const start = await here(sql);
  await change();
  const recorder = new Recorder(await tablesOf(server.url, "shop"));
  const tail = tailOf(server, recorder, start);
  try {
    await tail.start(new AbortController().signal);
    await recorder.reach(await here(sql), tail.done);
  } catch (e) {
    assert(e instanceof FerryError, String((e as Error)?.stack ?? e));
    return e;
  } finally {
    await tail.stop();
  }
  throw new Error("the tail did not die");
}
