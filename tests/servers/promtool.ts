/**
 * promtool, from an unpacked package.
 * @module
 */
import { unpackedPrometheus } from "./packages.ts";

/** The executable; it is fetched when it is not there yet. */
export async function promtool(): Promise<string> {
  return `${await unpackedPrometheus()}/usr/bin/promtool`;
}
