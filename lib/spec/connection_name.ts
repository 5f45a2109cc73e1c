/**
 * Names of connections: `FERRY_CONNECTION_SHOP_EU` is `shop-eu`, `Shop_EU` and `SHOP-EU` alike.
 * @module
 */

/** The one way of writing a name: lower case, `-` for `_`. */
export function connectionName(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}

/** The URL of a named connection, however the name and the map's keys are written; `null` if there is none. */
export function findConnection(
  connections: ReadonlyMap<string, string>,
  name: string,
): string | null {
  const wanted = connectionName(name);
  for (const [key, url] of connections) if (connectionName(key) === wanted) return url;
  return null;
}
