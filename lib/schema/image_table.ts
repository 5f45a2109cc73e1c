/**
 * A temporary table on the source with the columns of one of its tables, in which the server judges row images. It is
 * the session's own, is in no binlog (row format), and goes with its connection.
 * @module
 */
import { quoteName, quoteTable } from "../mysql/identifier.ts";
import type { Session } from "../mysql/session.ts";
import { columnDefinitions, type TableName } from "./create_table.ts";

/** Before an image table is made: names in backticks; what a CHECK let through once is let through again. */
const DRESS = "SET SESSION sql_quote_show_create=1 /*M!100201 , check_constraint_checks=0 */";

/**
 * Makes the temporary table `place` after `createSql`, the `SHOW CREATE TABLE` of a table; `more` are further columns.
 * Keys, foreign keys and partitions stay behind; a row number is the key, for servers that demand one.
 */
export async function makeImageTable(
  session: Session,
  createSql: string,
  place: TableName,
  more: readonly string[] = [],
): Promise<void> {
  const { columns, charset } = columnDefinitions(createSql);
  const number = `${
    quoteName(freeName("_ferry_row", columns))
  } BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY`;
  const list = [...columns, number, ...more].join(",\n  ");
  await session.run(DRESS);
  await session.run(`CREATE TEMPORARY TABLE ${quoteTable(place)} (\n  ${list}\n) ENGINE=InnoDB ${charset}`);
}

/** `name`, or with underscores behind it where a column has that name. */
export function freeName(name: string, columns: readonly string[]): string {
  let free = name;
  while (columns.some((each) => each.toLowerCase().startsWith(`\`${free}\``))) free += "_";
  return free;
}
