/**
 * Which tables of the source a spec means, and what they are called on the target. Pure.
 * @module
 */
import type { ParentLink, TableSelection, WhereFunction } from "./ferry_spec.ts";
import { parseTableName, parseTablePattern } from "./table_pattern.ts";

/** What becomes of one table of the source. */
export interface TableMatch {
  /** Its name on the target. */
  readonly target: { readonly schema: string; readonly name: string };
  /** Which rows, or `null` for all. */
  readonly where: string | WhereFunction | null;
  /** Only the rows of ferried parents, or `null`. */
  readonly through: ParentLink | null;
}

/**
 * Finds the first selection that fits `schema`.`name`; `null` if none does or if it is excluded. `to` of that selection
 * names the target, else the schema's new name does.
 */
export function matchTable(
  selections: readonly TableSelection[],
  exclude: readonly string[],
  renameSchemas: Readonly<Record<string, string>>,
  schema: string,
  name: string,
): TableMatch | null {
  if (exclude.some((pattern) => fits(pattern, schema, name))) return null;
  const selection = selections.find((each) => fits(each.table, schema, name));
  if (selection === undefined) return null;
  const given = selection.to === null ? null : parseTableName(selection.to);
  const renamed = Object.hasOwn(renameSchemas, schema) ? renameSchemas[schema] : schema;
  return { target: given ?? { schema: renamed, name }, where: selection.where, through: selection.through };
}

function fits(text: string, schema: string, name: string): boolean {
  const pattern = parseTablePattern(text);
  return pattern !== null && pattern.schema.matches(schema) && pattern.name.matches(name);
}
