/**
 * What a crossing tells its ferry.
 * @module
 */
import type { FerriedTable } from "../copy/ferried_table.ts";
import type { BinlogPosition } from "../binlog/position.ts";
import type { FerryState } from "./ferry_state.ts";

/** The seam between the road and whoever tells of it. */
export interface Logbook {
  /** Goes to a state; recorded before it resolves. */
  move(state: FerryState): Promise<void>;
  /** A sentence for people. */
  log(text: string): void;
  /** So many rows and bytes of a table are committed, by whichever attempt. */
  stands(table: FerriedTable, rows: number, bytes: number): void;
  /** Rows were committed. */
  copied(table: FerriedTable, rows: number, bytes: number): void;
  /** Where a table stands that is copied behind the fence; `waiting` begins its count anew. */
  keyless(table: FerriedTable, state: "waiting" | "copying" | "copied" | "verified"): void;
  /** Indexes of a table are being built. */
  indexing(table: FerriedTable): void;
  /** Copying, or comparing, is throttled for this reason from now on, or, with `null`, no longer. */
  throttled(reason: string | null): void;
  /** A cutover is tried; its intent is recorded when this resolves. */
  cutoverBegins(attempt: number): void;
  /** The cutover is through: `done` is recorded when this resolves. */
  cutoverDone(position: BinlogPosition, gtids: string | null, stoppedAt: number | null): Promise<void>;
}
