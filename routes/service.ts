/**
 * The service with a port: listening, taking up what was left, and going in order.
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { Dock } from "../lib/ferry/ferry.ts";
import { maskUrl } from "../lib/spec/connection_url.ts";
import type { Settings } from "../lib/spec/settings.ts";
import { createApp } from "./app.ts";
import { Drain } from "./drain.ts";

/** What the service is made of. */
export interface ServiceOptions {
  /** The ferries; closed when the service stops. */
  readonly dock: Dock;
  /** Where to listen and the rest. */
  readonly settings: Settings;
  /** Shown in `/openapi.json` and `/metrics`. */
  readonly version: string;
  /** Milliseconds that open connections may take to end before they are left to the process's end. @default {5000} */
  readonly graceMs?: number;
}

/** A service that listens. */
export interface Service {
  /** The port that it listens on. */
  readonly port: number;
  /** Stops in order: no new work, ferries committed and let go, streams ended, connections ended. */
  stop(): Promise<void>;
  /** Resolves when it was stopped and the last connection is gone. */
  readonly finished: Promise<void>;
}

const log = getLogger(["chainferry", "service"]);

/** Listens, and takes up the ferries that the named connections' state tables hold. */
export function startService(options: ServiceOptions): Service {
  const { dock, settings, version, graceMs = 5000 } = options;
  const drain = new Drain();
  const takingUp = takeUp(dock, settings.connections);
  const app = createApp({ dock, settings, drain, version, tookUp: takingUp });
  const server = Deno.serve({
    hostname: settings.host,
    port: settings.port,
    onListen: ({ hostname, port }) =>
      log.info("Listening on {address}", { address: `http://${hostname}:${port}` }),
  }, (request) => app.fetch(request));
  log.info("Settings", { settings: showSettings(settings) });

  let stopped: Promise<void> | null = null;
  const stop = async () => {
    log.info("Stopping: taking no more work");
    drain.stopWork();
    // Streams stay open while ferries commit what is in flight, and tell of it.
    await dock.close();
    await takingUp;
    drain.endStreams();
    // shutdown() waits for every connection, also for that of a client that reads nothing; nor does the server's
    // abort signal cut it once shutdown() has begun (Deno 2.9.6). The end of the process does.
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tooLong = new Promise<void>((resolve) => timer = setTimeout(resolve, graceMs));
    await Promise.race([server.shutdown(), tooLong]);
    clearTimeout(timer);
    log.info("Stopped");
  };
  return {
    port: (server.addr as Deno.NetAddr).port,
    stop: () => stopped ??= stop(),
    finished: server.finished,
  };
}

/** A server that does not answer now must not keep the service from serving the others. */
async function takeUp(dock: Dock, connections: ReadonlyMap<string, string>): Promise<void> {
  if (connections.size === 0) return;
  try {
    await dock.takeUp(connections);
  } catch (error) {
    log.error("Cannot take up ferries: {error}", { error });
  }
}

function showSettings(settings: Settings): Record<string, unknown> {
  return {
    host: settings.host,
    port: settings.port,
    token: settings.token === null ? "not set" : "set",
    stateSchema: settings.stateSchema,
    leaseSeconds: settings.leaseSeconds,
    callbackSecret: settings.callbackSecret === null ? "not set" : "set",
    connections: Object.fromEntries([...settings.connections].map(([name, url]) => [name, maskUrl(url)])),
  };
}

/** Serves until `stop` aborts, then stops in order. Returns the exit code. */
export async function serveUntil(stop: AbortSignal, options: ServiceOptions): Promise<number> {
  const service = startService(options);
  await new Promise<void>((resolve) => {
    if (stop.aborted) resolve();
    stop.addEventListener("abort", () => resolve(), { once: true });
  });
  await service.stop();
  return 0;
}
