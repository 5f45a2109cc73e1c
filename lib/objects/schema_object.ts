/**
 * What a schema holds beside tables: views, triggers, routines and events.
 * @module
 */
import type { SchemaObject } from "../spec/ferry_spec.ts";

/** What an object is, as DROP names it. */
export type ObjectKind = "function" | "procedure" | "view" | "trigger" | "event";

/** Where an object is. */
export interface ObjectPlace {
  /** What it is. */
  readonly kind: ObjectKind;
  /** Its schema. */
  readonly schema: string;
  /** Its name. */
  readonly name: string;
}

/** An object as the source holds it. */
export interface LoadedObject extends ObjectPlace {
  /** SHOW CREATE; `null` where it may not be read. */
  readonly createSql: string | null;
  /** The table of a trigger. */
  readonly table: string | null;
  /** `user@host`. */
  readonly definer: string;
  /** The session that it was made in; `null` where that does not matter. */
  readonly sqlMode: string | null;
  /** Likewise. */
  readonly charset: string | null;
  /** Likewise. */
  readonly collation: string | null;
  /** Of an event. */
  readonly timeZone: string | null;
  /** A function that a server whose binlog is on takes from anybody. */
  readonly harmless: boolean;
}

/** An object as it is to be on the target. */
export interface PlannedObject extends ObjectPlace {
  /** The source's object. */
  readonly source: LoadedObject;
  /** Makes it, with its schema as the current one. */
  readonly createSql: string;
}

/** Which word of the spec asks for it. */
export const ASKED_BY: Readonly<Record<ObjectKind, SchemaObject>> = {
  function: "routines",
  procedure: "routines",
  view: "views",
  trigger: "triggers",
  event: "events",
};

/** The order in which they are made: what others may lean on first, what acts by itself last. */
export const KINDS: readonly ObjectKind[] = ["function", "procedure", "view", "trigger", "event"];

/** `view shop.v`, for people. */
export function objectLabel(o: ObjectPlace): string {
  return `${o.kind} ${o.schema}.${o.name}`;
}
