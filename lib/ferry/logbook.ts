/**
 * What a crossing tells its ferry, and what it hears from it.
 * @module
 */
import type { FerriedTable } from "../copy/ferried_table.ts";
import type { BinlogPosition } from "../binlog/position.ts";
import type { CopySettings, ThrottleSettings } from "../spec/ferry_spec.ts";
import type { Fence } from "../cutover/fence.ts";
import type { FerryState } from "./ferry_state.ts";

/** The seam between the road and whoever asked for it. */
export interface Logbook {
  /** Goes to a state; recorded before it resolves. */
  move(state: FerryState): Promise<void>;
  /** A sentence for people. */
  log(text: string): void;
  /** Rows were committed. */
  copied(table: FerriedTable, rows: number, bytes: number): void;
  /** Where a table stands that is copied behind the fence; `waiting` begins its count anew. */
  keyless(table: FerriedTable, state: "waiting" | "copying" | "copied" | "verified"): void;
  /** Indexes of a table are being built. */
  indexing(table: FerriedTable): void;
  /** The copy settings of now. */
  copySettings(): CopySettings;
  /** The throttle of now, or `null`. */
  throttleSettings(): ThrottleSettings | null;
  /** Copying waits for this reason from now on, or, with `null`, no longer. */
  throttled(reason: string | null): void;
  /** Resolves unless copying is held. */
  copyAllowed(signal: AbortSignal): Promise<void>;
  /** The next thing that a person asks for. */
  order(signal: AbortSignal): Promise<"cutover" | "verify">;
  /** A cutover is tried; its intent is recorded when this resolves. */
  cutoverBegins(attempt: number): void;
  /** The cutover is through: `done` is recorded when this resolves. */
  cutoverDone(position: BinlogPosition, gtids: string | null, stoppedAt: number | null): Promise<void>;
  /** Takes a fence over that stays up after the end. */
  keepFence(fence: Fence): void;
}
