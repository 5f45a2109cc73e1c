/**
 * The state schema on the target: its tables, and how they come to be.
 * @module
 */
import { FerryError } from "../errors.ts";
import { quoteName } from "../mysql/identifier.ts";
import type { Session } from "../mysql/session.ts";

/** The version that this code writes. Never migrated backwards. */
export const STATE_VERSION = 3;

/** One step a version; a step may run twice, since DDL commits by itself and two processes may race. */
function migrations(s: string): readonly (readonly string[])[] {
  return [[
    `CREATE TABLE IF NOT EXISTS ${s}.ferries (
      id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
      fingerprint CHAR(64) CHARACTER SET ascii NOT NULL,
      spec LONGTEXT CHARACTER SET utf8mb4 NOT NULL,
      state VARCHAR(20) CHARACTER SET ascii NOT NULL,
      snapshot LONGTEXT CHARACTER SET utf8mb4 NOT NULL,
      crossing LONGTEXT CHARACTER SET utf8mb4 NULL,
      epoch BIGINT UNSIGNED NOT NULL,
      created_at DATETIME(3) NOT NULL
    ) ENGINE=InnoDB`,
    `CREATE TABLE IF NOT EXISTS ${s}.leases (
      ferry_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
      owner VARCHAR(64) CHARACTER SET ascii NOT NULL,
      epoch BIGINT UNSIGNED NOT NULL,
      until DATETIME(3) NOT NULL
    ) ENGINE=InnoDB`,
    `CREATE TABLE IF NOT EXISTS ${s}.positions (
      ferry_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
      file VARCHAR(255) CHARACTER SET utf8mb4 NOT NULL,
      log_offset BIGINT UNSIGNED NOT NULL,
      gtids LONGTEXT CHARACTER SET ascii NULL,
      changes BIGINT UNSIGNED NOT NULL,
      epoch BIGINT UNSIGNED NOT NULL
    ) ENGINE=InnoDB`,
    `CREATE TABLE IF NOT EXISTS ${s}.ranges (
      ferry_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      table_no INT UNSIGNED NOT NULL,
      range_no INT UNSIGNED NOT NULL,
      lower_key VARBINARY(8192) NULL,
      upper_key VARBINARY(8192) NULL,
      cursor_key VARBINARY(8192) NULL,
      done BOOLEAN NOT NULL,
      copied_rows BIGINT UNSIGNED NOT NULL,
      copied_bytes BIGINT UNSIGNED NOT NULL,
      epoch BIGINT UNSIGNED NOT NULL,
      PRIMARY KEY (ferry_id, table_no, range_no)
    ) ENGINE=InnoDB`,
    `CREATE TABLE IF NOT EXISTS ${s}.events (
      ferry_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      id BIGINT UNSIGNED NOT NULL,
      type VARCHAR(20) CHARACTER SET ascii NOT NULL,
      data LONGTEXT CHARACTER SET utf8mb4 NOT NULL,
      epoch BIGINT UNSIGNED NOT NULL,
      PRIMARY KEY (ferry_id, id)
    ) ENGINE=InnoDB`,
  ], [
    `CREATE TABLE IF NOT EXISTS ${s}.settings (
      ferry_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
      changed LONGTEXT CHARACTER SET utf8mb4 NOT NULL,
      epoch BIGINT UNSIGNED NOT NULL
    ) ENGINE=InnoDB`,
  ], [
    // A table, and no further column of positions: ferries run with the right to CREATE here, and none to ALTER.
    `CREATE TABLE IF NOT EXISTS ${s}.prepared (
      ferry_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
      xids LONGTEXT CHARACTER SET ascii NOT NULL
    ) ENGINE=InnoDB`,
  ]];
}

/** The version found, 0 for none. Throws `state-schema-newer`. */
export async function stateVersion(session: Session, schema: string): Promise<number> {
  const there = await session.one(
    "SELECT COUNT(*) AS n FROM information_schema.tables WHERE table_schema = ? AND table_name = 'meta'",
    [schema],
  );
  if (Number(there!.n) === 0) return 0;
  const row = await session.one(`SELECT MAX(version) AS version FROM ${quoteName(schema)}.meta`);
  const version = Number(row?.version ?? 0);
  if (version > STATE_VERSION) {
    throw new FerryError(
      "state-schema-newer",
      `Cannot use state schema "${schema}": version ${version}, this program knows ${STATE_VERSION}`,
      {
        hint: "Run the newer program, or name another FERRY_STATE_SCHEMA",
      },
    );
  }
  return version;
}

/** Makes or lifts the state schema. Two processes may do it at once: every step is idempotent and guarded by a named lock. */
export async function migrateState(session: Session, schema: string): Promise<void> {
  if (await stateVersion(session, schema) === STATE_VERSION) return;
  const s = quoteName(schema);
  const lock = `chainferry:${schema}`.slice(0, 64);
  const got = await session.one("SELECT GET_LOCK(?, 30) AS got", [lock]);
  if (Number(got!.got) !== 1) {
    throw new FerryError(
      "state-busy",
      `Cannot prepare state schema "${schema}": another process holds its lock`,
      { retryable: true },
    );
  }
  try {
    await session.run(`CREATE DATABASE IF NOT EXISTS ${s}`);
    await session.run(
      `CREATE TABLE IF NOT EXISTS ${s}.meta (version INT UNSIGNED NOT NULL PRIMARY KEY) ENGINE=InnoDB`,
    );
    const from = await stateVersion(session, schema);
    for (let v = from; v < STATE_VERSION; v++) {
      for (const statement of migrations(s)[v]) await session.run(statement);
      await session.run(`INSERT IGNORE INTO ${s}.meta VALUES (?)`, [v + 1]);
    }
  } finally {
    await session.query("SELECT RELEASE_LOCK(?)", [lock]);
  }
}
