/**
 * Makes objects on the target, and takes them away.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { errorNumber, errorText, FerryError } from "../errors.ts";
import { quoteName } from "../mysql/identifier.ts";
import { isAtLeast, type Server } from "../mysql/server.ts";
import type { Session } from "../mysql/session.ts";
import { isLockConflict } from "../mysql/passing_errors.ts";
import { objectLabel, type ObjectPlace, type PlannedObject } from "./schema_object.ts";

/** Seconds that one statement may wait for a lock: the application of the target waits behind it. */
const LOCK_WAIT_SECONDS = 2;
/** Tries to get a lock, where no deadline ends them. */
const TRIES = 30;
/** A table (1146), a function (1305) or a view's inside (1356) is not there: perhaps not yet. */
const NOT_YET = new Set([1146, 1305, 1356]);
/** 1050 table or view · 1304 routine · 1359 trigger · 1537 event: somebody else's. */
const EXISTS = new Set([1050, 1304, 1359, 1537]);

/** How objects are made. */
export interface BuildOptions {
  /** What the target is. */
  readonly server: Server;
  /** Its name for a collation of the source. */
  readonly collation: (name: string) => string | null;
  /** Records that an object is about to be made; resolves when that is safe. */
  readonly intend: (o: ObjectPlace) => Promise<void>;
  /** Takes that back: it is somebody else's. */
  readonly disown: (o: ObjectPlace) => Promise<void>;
  /** Ends it between two statements. */
  readonly signal: AbortSignal;
}

/** Makes them in their order; what leans on others of its kind is tried again once those are there. */
export async function buildObjects(
  session: Session,
  objects: readonly PlannedObject[],
  options: BuildOptions,
): Promise<void> {
  await session.run(`SET SESSION lock_wait_timeout=${LOCK_WAIT_SECONDS}`);
  for (const group of Map.groupBy(objects, (o) => o.kind).values()) {
    for (let left = group; left.length > 0;) {
      const later: PlannedObject[] = [];
      let reason: unknown = null;
      for (const o of left) {
        await options.intend(o);
        try {
          await build(session, o, options);
        } catch (e) {
          if (EXISTS.has(errorNumber(e) ?? 0)) await options.disown(o);
          if (!NOT_YET.has(errorNumber(e) ?? 0)) throw refused(o, e);
          reason ??= refused(o, e);
          later.push(o);
        }
      }
      if (later.length === left.length) throw reason;
      left = later;
    }
  }
}

/** Takes away what is there of them, the last first. */
export async function dropObjects(session: Session, objects: readonly ObjectPlace[]): Promise<void> {
  await session.run(`SET SESSION lock_wait_timeout=${LOCK_WAIT_SECONDS}`);
  for (const o of objects.toReversed()) {
    const name = `${quoteName(o.schema)}.${quoteName(o.name)}`;
    await unlocked(session, `DROP ${o.kind.toUpperCase()} IF EXISTS ${name}`, null);
  }
}

async function build(session: Session, o: PlannedObject, options: BuildOptions): Promise<void> {
  const { sqlMode, timeZone } = o.source;
  await session.run(`USE ${quoteName(o.schema)}`);
  if (sqlMode !== null) await session.query("SET SESSION sql_mode = ?", [modesOn(options.server, sqlMode)]);
  if (timeZone !== null) await session.query("SET SESSION time_zone = ?", [timeZone]);
  // Objects remember the client's charset; the text is sent as UTF-8, so another one goes for plain letters only.
  const utf8 = /^utf8/.test(o.source.charset ?? "utf8mb4");
  // deno-lint-ignore no-control-regex
  const plain = /^[\x00-\x7f]*$/.test(o.createSql);
  const charset = utf8 || plain ? o.source.charset ?? "utf8mb4" : "utf8mb4";
  const collation = o.source.collation === null ? null : options.collation(o.source.collation);
  await session.run(`SET SESSION character_set_client = ${charset}`);
  try {
    if (collation !== null) await session.run(`SET SESSION collation_connection = ${collation}`);
    await unlocked(session, o.createSql, options.signal);
  } finally {
    if (session.usable) await session.run("SET NAMES utf8mb4");
  }
}

/** Modes that the target knows. */
function modesOn(server: Server, modes: string): string {
  const foreign = server.vendor === "mariadb"
    ? /^TIME_TRUNCATE_FRACTIONAL$/
    : isAtLeast(server, 8, 0)
    ? /^(NO_AUTO_CREATE_USER|NO_(KEY|FIELD|TABLE)_OPTIONS|MYSQL\d+|EMPTY_STRING_IS_NULL|SIMULTANEOUS_ASSIGNMENT|TIME_ROUND_FRACTIONAL|IGNORE_BAD_TABLE_OPTIONS)$/
    : /^(EMPTY_STRING_IS_NULL|SIMULTANEOUS_ASSIGNMENT|TIME_ROUND_FRACTIONAL|IGNORE_BAD_TABLE_OPTIONS)$/;
  return modes.split(",").filter((mode) => !foreign.test(mode)).join(",");
}

async function unlocked(session: Session, sql: string, signal: AbortSignal | null): Promise<void> {
  for (let tries = 1;; tries++) {
    signal?.throwIfAborted();
    try {
      await session.run(sql);
      return;
    } catch (e) {
      if (!isLockConflict(e) || tries === TRIES) throw e;
      await delay(100);
    }
  }
}

function refused(o: PlannedObject, e: unknown): unknown {
  if (errorNumber(e) === null) return e;
  return new FerryError(
    "object-refused",
    `Cannot make ${objectLabel(o)} on the target: it says ${errorText(e)}`,
    { hint: "Change it on the source, or carry it over by hand and leave its kind out of objects", cause: e },
  );
}
