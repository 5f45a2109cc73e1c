/**
 * Which writer a table's rows go through.
 * @module
 */
import { RowWriter } from "../mysql/row_writer.ts";
import type { Session } from "../mysql/session.ts";
import type { TableWriter } from "../mysql/table_writer.ts";
import type { FerriedTable } from "./ferried_table.ts";

/** A writer of the table on this data session of the target. `bulk`: a MariaDB target. */
export function writerFor(session: Session, table: FerriedTable, bulk: boolean): TableWriter {
  return new RowWriter(session, { ...table.target, bulk }, table.targetLayout);
}
