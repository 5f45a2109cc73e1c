/**
 * Row-for-row comparison by the demo itself: every column of every row, as hexadecimal text, in the order of the key.
 * Nothing of the ferry is used here.
 * @module
 */
import { Connection } from "./connection.ts";

/** How two tables compare. */
export interface Comparison {
  /** Rows read on both sides. */
  readonly rows: number;
  /** The first row that is not the same, or `null`. */
  readonly difference: string | null;
}

/** Compares a table that has the same name on both sides. */
export async function compareTable(sourceUrl: string, targetUrl: string, table: string): Promise<Comparison> {
  await using source = await Connection.open(sourceUrl);
  await using target = await Connection.open(targetUrl);
  const [sql, onTarget] = await Promise.all([source, target].map((side) => selectOf(side, table)));
  if (sql !== onTarget) return { rows: 0, difference: `its columns or key differ: ${sql} / ${onTarget}` };
  const here = source.values(sql);
  const there = target.values(sql);
  for (let rows = 0;; rows++) {
    const [a, b] = await Promise.all([here.next(), there.next()]);
    if (a.done && b.done) return { rows, difference: null };
    if (a.value === b.value) continue;
    // The connections are closed with what is still on its way.
    await Promise.all([here.return(undefined), there.return(undefined)]);
    const shown = (side: IteratorResult<string>) => side.done ? "no row" : side.value;
    return { rows, difference: `row ${rows + 1}: ${shown(a)} on the source, ${shown(b)} on the target` };
  }
}

/** One text a row; `-` stands for NULL, which no hexadecimal text is. */
async function selectOf(sql: Connection, table: string): Promise<string> {
  await sql.run("SET SESSION time_zone = '+00:00', net_write_timeout = 600");
  const [schema, name] = table.split(".");
  const columns = await sql.run(
    `SELECT COLUMN_NAME AS name, DATA_TYPE AS type FROM information_schema.COLUMNS
     WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY COLUMN_NAME`,
    [schema, name],
  );
  const key = await sql.run(
    `SELECT COLUMN_NAME AS name FROM information_schema.STATISTICS
     WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND INDEX_NAME = 'PRIMARY' ORDER BY SEQ_IN_INDEX`,
    [schema, name],
  );
  const bytes = ({ name, type }: Record<string, unknown>) =>
    // HEX() of a number would round it; its text says it all.
    /char|text|binary|blob/.test(String(type)) ? `HEX(\`${name}\`)` : `HEX(CAST(\`${name}\` AS CHAR))`;
  const row = columns.map((column) => `COALESCE(${bytes(column)}, '-')`).join(", ");
  return `SELECT CONCAT_WS(' ', ${row}) FROM ${table} ORDER BY ${key.map((c) => `\`${c.name}\``).join(", ")}`;
}
