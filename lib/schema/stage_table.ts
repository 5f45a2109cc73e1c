/**
 * The table that rows wait in before they are merged: the target's own columns, generated ones included, its key, and
 * none of its other indexes.
 * @module
 */
import { quoteName, quoteTable } from "../mysql/identifier.ts";
import { bareText, columnDefinitions, type TableName } from "./create_table.ts";
import type { Column } from "./table.ts";

/**
 * `CREATE TEMPORARY TABLE …` from the target's `SHOW CREATE TABLE`. Not LIKE: that carries partitions, which a temporary
 * table cannot have, and the indexes.
 */
export function stageDefinition(createSql: string, stage: TableName, key: readonly Column[]): string {
  const { columns, tail } = columnDefinitions(createSql);
  const items = columns.map((c) => c.definition);
  const names = key.map((c) => quoteName(c.name)).join(", ");
  items.push(key.some((c) => c.nullable) ? `UNIQUE KEY (${names})` : `PRIMARY KEY (${names})`);
  // The server wants an index that begins with its counter.
  const counter = columns.find((c) => /\bAUTO_INCREMENT\b/i.test(bareText(c.definition)));
  if (counter !== undefined) items.push(`KEY (${quoteName(counter.name)})`);
  // A column whose charset is the table's own does not say it.
  const charset = /\bDEFAULT CHARSET=\w+(?: COLLATE=\w+)?/i.exec(bareText(tail));
  return `CREATE TEMPORARY TABLE IF NOT EXISTS ${quoteTable(stage)} (\n  ${
    items.join(",\n  ")
  }\n) ENGINE=InnoDB${charset === null ? "" : ` ${charset[0]}`}`;
}
