/**
 * Which rows of a merged target table are this ferry's own: for each source table a table of its keys in the state
 * schema, written in the transaction of the rows (I5). What is not in there is somebody else's.
 * @module
 */
import { createHash } from "node:crypto";
import { quoteName, quoteTable } from "../mysql/identifier.ts";
import type { Session } from "../mysql/session.ts";
import type { TableName } from "../schema/create_table.ts";
import type { Column } from "../schema/table.ts";

/** What every such table of a ferry is called, up to the table's number. Ids differ by case, table names may not. */
function prefixOf(ferryId: string): string {
  return `keys_${createHash("sha256").update(ferryId).digest("hex").slice(0, 40)}_`;
}

/** The table of the keys that the ferry's table with this number has on the target. */
export function ownKeysTable(stateSchema: string, ferryId: string, tableNo: number): TableName {
  return { schema: stateSchema, name: `${prefixOf(ferryId)}${tableNo}` };
}

/** Makes it. `key`: the target's own columns, so that keys compare here as they do there. */
export function createOwnKeysSql(place: TableName, key: readonly Column[]): string {
  const columns = key.map((c) => {
    const charset = c.charset === null || c.collation === null
      ? ""
      : ` CHARACTER SET ${c.charset} COLLATE ${c.collation}`;
    // Without one of its own a TIMESTAMP may get a default that changes by itself.
    const preset = c.dataType === "timestamp" ? " DEFAULT '2000-01-01 00:00:00'" : "";
    return `${quoteName(c.name)} ${c.columnType}${charset} NOT NULL${preset}`;
  });
  return `CREATE TABLE IF NOT EXISTS ${quoteTable(place)} (${columns.join(", ")}, ` +
    `PRIMARY KEY (${key.map((c) => quoteName(c.name)).join(", ")})) ENGINE=InnoDB ROW_FORMAT=DYNAMIC`;
}

/** A condition on rows of `table` that holds for this ferry's own. `table` must stand in FROM under this name. */
export function ownRowCondition(keys: TableName, table: TableName, key: readonly string[]): string {
  const same = key.map((name) => `own.${quoteName(name)} = ${quoteTable(table)}.${quoteName(name)}`);
  return `EXISTS (SELECT 1 FROM ${quoteTable(keys)} AS own WHERE ${same.join(" AND ")})`;
}

/** Names of the ferry's tables of keys that are there. */
export async function ownKeysThere(
  session: Session,
  stateSchema: string,
  ferryId: string,
): Promise<Set<string>> {
  const prefix = prefixOf(ferryId);
  return new Set((await allThere(session, stateSchema)).filter((name) => name.startsWith(prefix)));
}

/** Drops them: the ferry is done or cancelled, and its rows are rows like any other. */
export async function dropOwnKeys(session: Session, stateSchema: string, ferryId: string): Promise<void> {
  for (const name of await ownKeysThere(session, stateSchema, ferryId)) {
    await session.run(`DROP TABLE IF EXISTS ${quoteTable({ schema: stateSchema, name })}`);
  }
}

/** Drops what ferries left whose process went between recording the end and dropping. `ended`: ids of all that are over. */
export async function sweepOwnKeys(
  session: Session,
  stateSchema: string,
  ended: readonly string[],
): Promise<void> {
  const there = await allThere(session, stateSchema);
  if (there.length === 0) return;
  const prefixes = new Set(ended.map(prefixOf));
  for (const name of there) {
    if (!prefixes.has(name.slice(0, name.lastIndexOf("_") + 1))) continue;
    await session.run(`DROP TABLE IF EXISTS ${quoteTable({ schema: stateSchema, name })}`);
  }
}

async function allThere(session: Session, stateSchema: string): Promise<string[]> {
  const rows = await session.query(
    "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME LIKE 'keys\\\\_%'",
    [stateSchema],
  );
  return rows.map((row) => String(row.name));
}
