/**
 * One test, run on both families of servers.
 * @module
 */
import { type ServerPair, startPair, type Vendor } from "../servers/mod.ts";

/** Every family that a ferry runs on. */
export const VENDORS: readonly Vendor[] = ["mysql", "mariadb"];

/** What a test on both families may ask for. */
export interface FlavourOptions {
  /** Further options of the source, by family. */
  source?: Partial<Record<Vendor, Record<string, string>>>;
  /** Further options of the target, by family. */
  target?: Partial<Record<Vendor, Record<string, string>>>;
  /** The families to run on, when not on all. */
  only?: readonly Vendor[];
}

/** Registers `body` once for each family, each with a pair of servers of its own. */
export function onEachFlavour(
  name: string,
  body: (pair: ServerPair, vendor: Vendor, t: Deno.TestContext) => Promise<void>,
  options: FlavourOptions = {},
): void {
  for (const vendor of options.only ?? VENDORS) {
    Deno.test(`${name} (${vendor})`, async (t) => {
      const source = options.source?.[vendor];
      const target = options.target?.[vendor];
      await using pair = await startPair(vendor, { ...(source && { source }), ...(target && { target }) });
      await body(pair, vendor, t);
    });
  }
}
