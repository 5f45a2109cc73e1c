/**
 * The filter of a table, as it stands in a statement on the source.
 * @module
 */

/**
 * A condition that holds for the rows that are ferried, or `null` for all rows. The line break keeps a comment at the
 * expression's end from swallowing the parenthesis; that the expression cannot get out of it is preflight's to see to.
 */
export function rowCondition(table: { readonly where: string | null }): string | null {
  return table.where === null ? null : `(${table.where}\n)`;
}
