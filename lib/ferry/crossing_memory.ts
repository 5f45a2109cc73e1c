/**
 * What a crossing must know after a crash beside positions and cursors: JSON in the state.
 * @module
 */
import type { ObjectPlace } from "../objects/schema_object.ts";

/** Written before the thing it speaks of is done. */
export interface CrossingMemory {
  /** The tables, `schema.name` on the source; a range's table number counts in this order. */
  readonly tables: readonly string[];
  /** Tables without a key, `schema.name` on the source, which are copied behind the fence. */
  readonly keyless?: readonly string[];
  /** The filter of each table that has one, by `schema.name` on the source: it stays what it was. */
  readonly filters?: Readonly<Record<string, string>>;
  /** Target tables that this ferry makes, `schema.name`. */
  readonly made: readonly string[];
  /** Identity of the source that positions speak of. */
  readonly source: string;
  /** Every range of every table is stored. */
  readonly planned: boolean;
  /** Target tables that were to be made and that somebody else had made by then, `schema.name`. */
  readonly appeared?: readonly string[];
  /** The tables of this ferry's own keys were made (merging): none that is missing later may be made anew. */
  readonly ownKeys?: boolean;
  /** Tries of the cutover; the last one's intent is recorded before a fence is raised (I7). */
  readonly cutoverAttempts: number;
  /** Objects beside tables that a cutover makes; dropped before replay goes on, should it not come to its end. */
  readonly objects?: readonly ObjectPlace[];
}
