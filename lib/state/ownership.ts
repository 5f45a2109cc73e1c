/**
 * Who may write a ferry's rows: the owner whose lease has the newest epoch (I8).
 * @module
 */
import { FerryError } from "../errors.ts";
import type { Session } from "../mysql/session.ts";

/** What one owner may write under. */
export interface Ownership {
  /** The ferry. */
  readonly id: string;
  /** Grows by one with every owner. */
  readonly epoch: number;
}

/** A newer owner has taken the ferry. */
export function leaseLost(id: string): FerryError {
  return new FerryError("lease-lost", `Cannot write for ferry "${id}": another process owns it now`, {
    retryable: true,
    hint: "Watch it where it runs; nothing more is written from here",
  });
}

/** Runs a statement that changes the one row it names with its epoch. Throws `lease-lost` where there is none. */
export async function writeOwned(
  session: Session,
  own: Ownership,
  sql: string,
  values: readonly unknown[] = [],
): Promise<void> {
  const outcome = await session.run(sql, values);
  if (outcome.affectedRows !== 1) throw leaseLost(own.id);
}
