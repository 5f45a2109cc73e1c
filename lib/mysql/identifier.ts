/**
 * The one place where names become SQL.
 * @module
 */

/** Quotes one identifier: schema, table, column or index name. */
export function quoteName(name: string): string {
  return "`" + name.replaceAll("`", "``") + "`";
}

/** `` `schema`.`table` ``. */
export function quoteTable(t: { readonly schema: string; readonly name: string }): string {
  return `${quoteName(t.schema)}.${quoteName(t.name)}`;
}

/** A string literal for SQL texts that take no parameters. Needs a session without NO_BACKSLASH_ESCAPES. */
export function quoteText(text: string): string {
  return "'" + text.replaceAll("\\", "\\\\").replaceAll("'", "\\'") + "'";
}
