/**
 * Servers to test on. Where they come from, the first that works: addresses in the environment (pairs only), a Docker
 * engine that answers, Debian packages unpacked into a cache folder.
 *
 * | variable | says |
 * |---|---|
 * | `FERRY_TEST_MYSQL_SOURCE`, `…_TARGET`, `FERRY_TEST_MARIADB_SOURCE`, `…_TARGET` | `mysql://` URLs of a pair that is given |
 * | `FERRY_TEST_SERVERS` | `docker` or `packages`: only this way |
 * | `FERRY_TEST_DOCKER` | `off`: look for no engine |
 * | `FERRY_TEST_MYSQL_IMAGE`, `FERRY_TEST_MARIADB_IMAGE` | the image, instead of the official one |
 * | `FERRY_TEST_DOCKER_NETWORK` | `host`: the engine has no bridge, use the host's network |
 * | `FERRY_CACHE` | the cache folder |
 * @module
 */
import { note } from "./command.ts";
import { dockerAnswers, startInDocker } from "./docker_server.ts";
import { givenServer } from "./given_server.ts";
import { startLocal } from "./local_server.ts";
import type { ServerOptions, TestServer, Vendor } from "./test_server.ts";

export type { ServerOptions, TestServer, Vendor } from "./test_server.ts";
export { clientTools } from "./client_tools.ts";
export type { ClientTools } from "./client_tools.ts";
export { mydumperTools } from "./mydumper.ts";

/** Two servers of one family. Disposing of the pair stops both. */
export type ServerPair = { source: TestServer; target: TestServer } & AsyncDisposable;

/** Starts a server. Whoever calls stops it, best with `await using`. */
export async function startServer(options: ServerOptions): Promise<TestServer> {
  const way = Deno.env.get("FERRY_TEST_SERVERS") ?? "";
  if (way === "packages") return await startLocal(options);
  if (way === "docker") return await startInDocker(options);
  if (way !== "") throw new Error(`FERRY_TEST_SERVERS is "${way}", not docker or packages`);
  const { vendor } = options;
  if (notInDocker.has(vendor) || !await dockerAnswers()) return await startLocal(options);
  try {
    return await startInDocker(options);
  } catch (error) {
    // Asked once: an image that was not to be had a moment ago would cost every further start its timeout.
    if (!notInDocker.has(vendor)) {
      notInDocker.add(vendor);
      await note(`no ${vendor} from Docker, taking Debian packages: ${(error as Error).message ?? error}`);
    }
    return await startLocal(options);
  }
}

const notInDocker = new Set<Vendor>();

/** Starts two servers of one family, side by side. `options` are further server options for each. */
export async function startPair(
  vendor: Vendor,
  options: { source?: Record<string, string>; target?: Record<string, string> } = {},
): Promise<ServerPair> {
  const given = await givenPair(vendor);
  if (given) {
    if (options.source || options.target) {
      await note(`the ${vendor} pair is given: its settings are left as they are`);
    }
    return given;
  }
  const started = await Promise.allSettled([
    startServer({ vendor, ...(options.source && { settings: options.source }) }),
    startServer({ vendor, ...(options.target && { settings: options.target }) }),
  ]);
  const servers = started.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
  const failed = started.find((one) => one.status === "rejected");
  if (failed) {
    await Promise.all(servers.map((server) => server.stop()));
    throw failed.reason;
  }
  return pairOf(servers[0], servers[1]);
}

async function givenPair(vendor: Vendor): Promise<ServerPair | null> {
  const names = ["SOURCE", "TARGET"].map((end) => `FERRY_TEST_${vendor.toUpperCase()}_${end}`);
  const [source, target] = await Promise.all(names.map((name) => givenServer(vendor, name)));
  if (!source && !target) return null;
  if (!source || !target) throw new Error(`${names.join(" and ")} go together: one of them is not set`);
  return pairOf(source, target);
}

function pairOf(source: TestServer, target: TestServer): ServerPair {
  return {
    source,
    target,
    async [Symbol.asyncDispose]() {
      await Promise.all([source.stop(), target.stop()]);
    },
  };
}
