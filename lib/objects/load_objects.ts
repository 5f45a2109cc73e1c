/**
 * Reads the objects of some schemas from the source.
 * @module
 */
import { errorNumber } from "../errors.ts";
import { quoteName } from "../mysql/identifier.ts";
import type { Row, Session } from "../mysql/session.ts";
import { KINDS, type LoadedObject, type ObjectKind, type ObjectPlace } from "./schema_object.ts";

/** 1044, 1142, 1227, 1370 not allowed · 1305, 1360, 1539 gone meanwhile · 1356 leans on something that is gone. */
const UNREADABLE = new Set([1044, 1142, 1227, 1305, 1356, 1360, 1370, 1539]);

const LISTS: Readonly<Record<Exclude<ObjectKind, "function">, string>> = {
  procedure:
    `SELECT ROUTINE_SCHEMA AS s, ROUTINE_NAME AS name, LOWER(ROUTINE_TYPE) AS kind, DEFINER AS definer,
      IS_DETERMINISTIC = 'YES' OR SQL_DATA_ACCESS IN ('NO SQL', 'READS SQL DATA') AS harmless
    FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA IN (?) ORDER BY ROUTINE_SCHEMA, ROUTINE_NAME`,
  view: `SELECT TABLE_SCHEMA AS s, TABLE_NAME AS name, DEFINER AS definer
    FROM information_schema.VIEWS WHERE TABLE_SCHEMA IN (?) ORDER BY TABLE_SCHEMA, TABLE_NAME`,
  trigger: `SELECT TRIGGER_SCHEMA AS s, TRIGGER_NAME AS name, DEFINER AS definer, EVENT_OBJECT_TABLE AS t
    FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA IN (?)
   ORDER BY EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER`,
  event: `SELECT EVENT_SCHEMA AS s, EVENT_NAME AS name, DEFINER AS definer
    FROM information_schema.EVENTS WHERE EVENT_SCHEMA IN (?) ORDER BY EVENT_SCHEMA, EVENT_NAME`,
};

/** Where they are, with what the lists say; triggers in the order in which they fire. */
export async function listObjects(
  session: Session,
  schemas: readonly string[],
): Promise<(ObjectPlace & { readonly row: Row })[]> {
  if (schemas.length === 0) return [];
  const found: (ObjectPlace & { row: Row })[] = [];
  for (const [kind, sql] of Object.entries(LISTS)) {
    for (const row of await session.query(sql, [schemas])) {
      found.push({ kind: (row.kind ?? kind) as ObjectKind, schema: row.s, name: row.name, row });
    }
  }
  return found.toSorted((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
}

/** The objects with their definitions; `wanted` leaves out others before they are read. */
export async function loadObjects(
  session: Session,
  schemas: readonly string[],
  wanted: (o: ObjectPlace & { readonly table: string | null }) => boolean,
): Promise<LoadedObject[]> {
  await session.run("SET SESSION sql_quote_show_create = 1");
  const loaded: LoadedObject[] = [];
  for (const { row, ...place } of await listObjects(session, schemas)) {
    const table = row.t === undefined ? null : String(row.t);
    if (!wanted({ ...place, table })) continue;
    const shown = await show(session, place);
    loaded.push({
      ...place,
      table,
      definer: String(row.definer ?? ""),
      harmless: place.kind !== "function" || Number(row.harmless) === 1,
      createSql: definition(shown),
      sqlMode: text(shown?.sql_mode),
      charset: text(shown?.character_set_client),
      collation: text(shown?.collation_connection),
      timeZone: text(shown?.time_zone),
    });
  }
  return loaded;
}

async function show(session: Session, place: ObjectPlace): Promise<Row | null> {
  // Kinds that are none of ours (packages) have no such statement.
  if (!KINDS.includes(place.kind)) return null;
  try {
    return await session.one(
      `SHOW CREATE ${place.kind.toUpperCase()} ${quoteName(place.schema)}.${quoteName(place.name)}`,
    );
  } catch (e) {
    if (!UNREADABLE.has(errorNumber(e) ?? 0)) throw e;
    return null;
  }
}

function definition(row: Row | null): string | null {
  if (row === null) return null;
  const column = Object.keys(row).find((name) => /^Create |^SQL Original Statement$/.test(name));
  return column === undefined ? null : text(row[column]);
}

function text(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}
