/**
 * The source's tables at the moment from which its binlog is followed.
 * @module
 */
import { FerryError } from "../errors.ts";
import type { Session } from "../mysql/session.ts";
import type { FerryPlan } from "../preflight/preflight.ts";
import { loadTables } from "../schema/load_tables.ts";
import { type Table, tableLabel } from "../schema/table.ts";

/**
 * Throws `schema-changed` where a table is not what preflight saw: the binlog tells of DDL behind its first position alone
 * (I9). Another attempt looks again, and begins at the same position. `session` is a talk session on the source.
 */
export async function assertUnchanged(session: Session, plan: FerryPlan): Promise<void> {
  const seen = new Map([...plan.tables, ...plan.keyless].map(({ table }) => [tableLabel(table), table]));
  const loaded = await loadTables(session, (schema, name) => seen.has(tableLabel({ schema, name })));
  const now = new Map(loaded.map(({ table }) => [tableLabel(table), shapeOf(table)]));
  for (const [label, table] of seen) {
    if (now.get(label) === shapeOf(table)) continue;
    throw new FerryError(
      "schema-changed",
      `Cannot begin with table "${label}": its definition changed since the preflight`,
      { retryable: true, hint: "Nothing: it is looked at again" },
    );
  }
}

/** What rows are read and written by. */
function shapeOf({ columns, key, keyName }: Table): string {
  return JSON.stringify([columns, keyName, key.map((column) => column.name)]);
}
