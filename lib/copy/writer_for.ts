/**
 * Which writer a table's rows go through.
 * @module
 */
import { MergeWriter } from "../mysql/merge_writer.ts";
import { RowWriter } from "../mysql/row_writer.ts";
import type { Session } from "../mysql/session.ts";
import type { TableWriter } from "../mysql/table_writer.ts";
import { FerryError } from "../errors.ts";
import { tableLabel } from "../schema/table.ts";
import type { FerriedTable } from "./ferried_table.ts";

/** A writer of the table on this data session of the target. `bulk`: a MariaDB target. */
export function writerFor(session: Session, table: FerriedTable, bulk: boolean): TableWriter {
  const { target, targetLayout, merging } = table;
  if (merging !== null) return new MergeWriter(session, target, targetLayout, merging, bulk);
  if (table.merge) {
    throw new FerryError(
      "rule-broken",
      `Cannot write table "${tableLabel(target)}": which rows are whose is not known yet`,
    );
  }
  return new RowWriter(session, { ...target, bulk }, targetLayout);
}
