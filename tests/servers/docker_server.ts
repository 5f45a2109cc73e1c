/**
 * A server in a container, through testcontainers.
 * @module
 */
import type { StartedTestContainer } from "testcontainers";
import { freePort, waitForGreeting } from "./greeting.ts";
import {
  createUser,
  PASSWORD,
  type ServerOptions,
  serverOptions,
  serverUrl,
  type TestServer,
  USER,
  type Vendor,
} from "./test_server.ts";

/** Images that we built ourselves hold their data folder, user included; official ones make theirs at their first start. */
export const OWN_IMAGE = /^chainferry-test-/;

const OFFICIAL: Record<Vendor, string> = { mysql: "mysql:8.4", mariadb: "mariadb:11.4" };
const PROBE_MS = 1000;
const START_MS = 120_000;

/** The image that servers of a vendor are started from. */
export function imageOf(vendor: Vendor): string {
  return Deno.env.get(`FERRY_TEST_${vendor.toUpperCase()}_IMAGE`) || OFFICIAL[vendor];
}

/** Whether an engine is there and answers. */
export async function dockerAnswers(): Promise<boolean> {
  if (Deno.env.get("FERRY_TEST_DOCKER") === "off") return false;
  const address = URL.parse(Deno.env.get("DOCKER_HOST") || "unix:///var/run/docker.sock");
  try {
    if (address?.protocol === "unix:") {
      return await pings(await Deno.connect({ transport: "unix", path: address.pathname }));
    }
    if (!address?.hostname) return false;
    return await pings(
      await Deno.connect({ hostname: address.hostname, port: Number(address.port || 2375) }),
    );
  } catch {
    return false;
  }
}

/**
 * testcontainers, loaded with this module where it may be needed: loading it registers handlers of signals, which in the
 * middle of a test would count as that test's leak.
 */
const loaded = await mayNeedDocker() ? await import("testcontainers") : null;

async function mayNeedDocker(): Promise<boolean> {
  const way = Deno.env.get("FERRY_TEST_SERVERS");
  return way === "docker" || (way !== "packages" && await dockerAnswers());
}

/** Starts a server in a container; throws when the image is neither there nor to be had. */
export async function startInDocker({ vendor, settings }: ServerOptions): Promise<TestServer> {
  // Its helper container would be one more image to fetch; we stop what we start.
  Deno.env.set("TESTCONTAINERS_RYUK_DISABLED", "true");
  const { GenericContainer, Wait } = loaded ?? await import("testcontainers");
  const image = imageOf(vendor);
  const port = freePort();
  const onHost = Deno.env.get("FERRY_TEST_DOCKER_NETWORK") === "host";
  const inside = onHost ? port : 3306;
  const options = [...serverOptions(vendor, settings), `--port=${inside}`];
  if (onHost) options.push("--bind-address=127.0.0.1");
  let container = new GenericContainer(image)
    .withCommand(options)
    // Official images start a server without a port first, to make the users; it is not the one.
    .withWaitStrategy(Wait.forLogMessage(new RegExp(`port: ${inside}\\b`)))
    .withStartupTimeout(START_MS);
  // A port that is fixed outlives a restart, a mapped one would change.
  container = onHost
    ? container.withNetworkMode("host")
    : container.withExposedPorts({ container: inside, host: port });
  if (!OWN_IMAGE.test(image)) {
    container = container
      .withEnvironment({
        [vendor === "mysql" ? "MYSQL_ROOT_PASSWORD" : "MARIADB_ROOT_PASSWORD"]: PASSWORD,
      })
      .withCopyContentToContainer([
        { content: createUser(vendor), target: "/docker-entrypoint-initdb.d/ferry.sql" },
      ]);
  }
  const started = await container.start();
  try {
    // To the vendors' clients "localhost" means a socket file.
    const host = onHost ? "127.0.0.1" : started.getHost().replace(/^localhost$/, "127.0.0.1");
    return new DockerServer(vendor, host, port, started, await waitForGreeting(host, port, START_MS));
  } catch (error) {
    await started.stop({ remove: true, removeVolumes: true });
    throw error;
  }
}

class DockerServer implements TestServer {
  readonly user = USER;
  readonly password = PASSWORD;
  readonly url: string;
  /** It is the engine's process, maybe on another machine. */
  readonly pid = null;
  #stopped = false;

  constructor(
    readonly vendor: Vendor,
    readonly host: string,
    readonly port: number,
    readonly container: StartedTestContainer,
    readonly version: string,
  ) {
    this.url = serverUrl(this);
  }

  async restart(): Promise<void> {
    if (this.#stopped) throw new Error("the server has been stopped, and its data removed");
    await this.container.restart({ timeout: 30_000 });
    await waitForGreeting(this.host, this.port, START_MS);
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await this.container.stop({ timeout: 0, remove: true, removeVolumes: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Asks the engine for a sign of life, in HTTP by hand: a hung engine must not cost more than the probe's time. */
async function pings(connection: Deno.Conn): Promise<boolean> {
  using _ = connection;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    connection.close();
  }, PROBE_MS);
  try {
    await connection.write(new TextEncoder().encode("GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n"));
    const bytes = new Uint8Array(64);
    const n = await connection.read(bytes) ?? 0;
    return !late && /^HTTP\/1\.\d 200/.test(new TextDecoder().decode(bytes.subarray(0, n)));
  } finally {
    clearTimeout(timer);
  }
}
