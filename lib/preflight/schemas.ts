/**
 * The schemas that the target does not have yet.
 * @module
 */
import type { Session } from "../mysql/session.ts";
import type { Pair } from "./pairs.ts";

/** A schema to be made. */
export interface MissingSchema {
  /** Its name on the target. */
  readonly name: string;
  /** Its default collation: the source's in the target's words, or `null` for the server's own. */
  readonly collation: string | null;
}

/** `missing` with the defaults of the schemas whose tables go there; what is made in them later looks at those. */
export async function schemasToMake(
  source: Session,
  pairs: readonly Pair[],
  missing: readonly string[],
  collation: (name: string) => string | null,
): Promise<MissingSchema[]> {
  if (missing.length === 0) return [];
  const rows = await source.query(
    "SELECT SCHEMA_NAME AS s, DEFAULT_COLLATION_NAME AS collation FROM information_schema.SCHEMATA",
  );
  const defaults = new Map(rows.map((row) => [String(row.s), String(row.collation)]));
  return missing.map((name) => {
    const from = pairs.find((pair) => pair.target.schema === name)!.source.table.schema;
    const own = defaults.get(from);
    return { name, collation: own === undefined ? null : collation(own) };
  });
}
