/**
 * A server as a child process of ours, from unpacked packages, in its own folder and on its own port.
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { removeFolder } from "./cache_folder.ts";
import { run, tail } from "./command.ts";
import { freePort, greeting } from "./greeting.ts";
import { dataTemplate, installation } from "./installation.ts";
import { claimFolder, notePid, sweepFolders } from "./server_folder.ts";
import {
  PASSWORD,
  type ServerOptions,
  serverOptions,
  serverUrl,
  type TestServer,
  USER,
  type Vendor,
} from "./test_server.ts";

const HOST = "127.0.0.1";
const START_MS = 60_000;
const SHUTDOWN_MS = 30_000;

/** Starts a server from the unpacked packages. */
export async function startLocal({ vendor, settings }: ServerOptions): Promise<TestServer> {
  const at = await installation(vendor);
  const template = await dataTemplate(at);
  await sweepFolders();
  const folder = await claimFolder(vendor);
  try {
    // Sparse, because the logs are mostly holes.
    await run(["cp", "-a", "--sparse=always", template, `${folder}/data`]);
    await Deno.mkdir(`${folder}/tmp`);
    const argv = [...at.server(), ...serverOptions(vendor, settings)];
    // Between finding a free port and the server's taking it another process may take it.
    for (let attempt = 1;; attempt++) {
      const server = new LocalServer(vendor, folder, freePort(), argv);
      try {
        await server.start();
        return server;
      } catch (error) {
        if (attempt === 5 || !/address already in use/i.test(String(error))) throw error;
      }
    }
  } catch (error) {
    await removeFolder(folder);
    throw error;
  }
}

class LocalServer implements TestServer {
  readonly host = HOST;
  readonly user = USER;
  readonly password = PASSWORD;
  readonly url: string;
  version = "";
  #child: Deno.ChildProcess | null = null;
  #exited: Promise<Deno.CommandStatus> | null = null;
  #stopped = false;

  constructor(
    readonly vendor: Vendor,
    readonly folder: string,
    readonly port: number,
    readonly argv: readonly string[],
  ) {
    this.url = serverUrl(this);
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  async start(): Promise<void> {
    const log = `${this.folder}/error.log`;
    // A log for each start: "ready" of the last one would be taken for this one's.
    await Deno.writeTextFile(log, "");
    this.#child = new Deno.Command(this.argv[0], {
      args: [
        ...this.argv.slice(1),
        `--datadir=${this.folder}/data`,
        // A server that starts removes every temporary table that it finds there: in /tmp also those of its neighbours.
        `--tmpdir=${this.folder}/tmp`,
        `--socket=${this.folder}/s.sock`,
        `--pid-file=${this.folder}/server.pid`,
        `--log-error=${log}`,
        `--bind-address=${HOST}`,
        `--port=${this.port}`,
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    let code: number | null = null;
    this.#exited = this.#child.status.then((status) => {
      code = status.code;
      return status;
    });
    await notePid(this.folder, this.#child.pid);
    const deadline = Date.now() + START_MS;
    for (;;) {
      const said = await Deno.readTextFile(log);
      // The log, not the port, says that it is up: at the port somebody else may be answering.
      if (/ready for connections/.test(said)) break;
      if (code !== null || Date.now() > deadline) {
        await this.#kill();
        throw new Error(`${this.vendor} did not start (exit code ${code}): ${tail(said)}`);
      }
      await sleep(20);
    }
    this.version = await greeting(HOST, this.port);
  }

  async restart(): Promise<void> {
    if (this.#stopped) throw new Error("the server has been stopped, and its data removed");
    if (this.#child && this.#exited) {
      signal(this.#child, "SIGTERM");
      const timer = new AbortController();
      const late = sleep(SHUTDOWN_MS, "late", { signal: timer.signal }).catch(() => "in time");
      const how = await Promise.race([this.#exited, late]);
      timer.abort();
      if (how === "late") {
        await this.#kill();
        throw new Error(`${this.vendor} did not shut down within ${SHUTDOWN_MS} ms`);
      }
      this.#child = null;
    }
    await this.start();
  }

  async kill9(): Promise<void> {
    await this.#kill();
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    // No shutdown in order: nobody will read this data again.
    await this.#kill();
    await removeFolder(this.folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #kill(): Promise<void> {
    if (!this.#child) return;
    signal(this.#child, "SIGKILL");
    await this.#exited;
    this.#child = null;
  }
}

function signal(child: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    child.kill(name);
  } catch (error) {
    // Already gone, which is what was wanted.
    if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
  }
}
