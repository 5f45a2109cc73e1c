/**
 * The table that rows wait in before they are merged: the target's own columns, generated ones included, its key, and
 * none of its other indexes.
 * @module
 */
import { quoteName, quoteTable } from "../mysql/identifier.ts";
import { columnDefinitions, type TableName } from "./create_table.ts";
import type { Column } from "./table.ts";

/**
 * `CREATE TEMPORARY TABLE …` from the target's `SHOW CREATE TABLE`. Not LIKE: that carries partitions, which a temporary
 * table cannot have, and the indexes.
 */
export function stageDefinition(createSql: string, stage: TableName, key: readonly Column[]): string {
  const { columns, charset } = columnDefinitions(createSql);
  const names = key.map((c) => quoteName(c.name)).join(", ");
  const index = key.some((c) => c.nullable) ? `UNIQUE KEY (${names})` : `PRIMARY KEY (${names})`;
  return `CREATE TEMPORARY TABLE IF NOT EXISTS ${quoteTable(stage)} (\n  ${
    [...columns, index].join(",\n  ")
  }\n) ENGINE=InnoDB ${charset}`.trimEnd();
}
