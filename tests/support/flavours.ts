/**
 * One test, run on both families of servers, or on every crossing between them.
 * @module
 */
import { type ServerPair, startPair, startServer, type Vendor } from "../servers/mod.ts";

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

/** From one family to another, or to itself. */
export interface Route {
  /** The source's family. */
  source: Vendor;
  /** The target's family. */
  target: Vendor;
}

/** Every way that a ferry goes. */
export const ROUTES: readonly Route[] = VENDORS.flatMap((source) =>
  VENDORS.map((target) => ({ source, target }))
);

/** Registers `body` once for each way between the families, each with two servers of its own. */
export function onEachCrossing(
  name: string,
  body: (pair: ServerPair, route: Route, t: Deno.TestContext) => Promise<void>,
  options: Omit<FlavourOptions, "only"> & { only?: (route: Route) => boolean } = {},
): void {
  for (const route of ROUTES.filter(options.only ?? (() => true))) {
    Deno.test(`${name} (${route.source} to ${route.target})`, async (t) => {
      const source = options.source?.[route.source];
      const target = options.target?.[route.target];
      await using pair = await startRoute(route, { ...(source && { source }), ...(target && { target }) });
      await body(pair, route, t);
    });
  }
}

/** Starts two servers, side by side. */
export async function startRoute(
  route: Route,
  settings: { source?: Record<string, string>; target?: Record<string, string> } = {},
): Promise<ServerPair> {
  if (route.source === route.target) return await startPair(route.source, settings);
  const started = await Promise.allSettled((["source", "target"] as const).map((side) => {
    const own = settings[side];
    return startServer({ vendor: route[side], ...(own && { settings: own }) });
  }));
  const servers = started.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  const failed = started.find((one) => one.status === "rejected");
  if (failed) {
    await stop();
    throw failed.reason;
  }
  return { source: servers[0], target: servers[1], [Symbol.asyncDispose]: stop };
}
