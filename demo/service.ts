/**
 * The service as a process of its own, and what is said to it over HTTP.
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { freePort } from "../tests/servers/greeting.ts";

/** One message of a ferry's event stream. */
export interface Message {
  /** `state`, `progress`, `log`, `done`, `failed`, `cancelled`. */
  readonly type: string;
  /** What it carries; `text` is for people. */
  readonly data: { readonly text: string; readonly [field: string]: unknown };
}

/** The running service. Disposing of it stops the process. */
export class Service implements AsyncDisposable {
  /** The end of its log, shown when it fails. */
  #log = "";

  private constructor(
    /** Where it listens, and where its page is. */
    readonly url: string,
    private readonly child: Deno.ChildProcess,
  ) {
    void this.#readLog();
  }

  /** Starts `main.ts` with the permissions that the README names, and waits until it takes work. */
  static async start(port = usualPort()): Promise<Service> {
    const main = new URL("../main.ts", import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--allow-net", "--allow-env", main, "--port", String(port)],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      clearEnv: true,
      env: environment(),
    }).spawn();
    const service = new Service(`http://127.0.0.1:${port}`, child);
    let code: number | null = null;
    child.status.then((status) => code = status.code);
    for (let tries = 0; tries < 600; tries++) {
      if (code !== null) throw new Error(`the service ended at its start with exit ${code}: ${service.#log}`);
      const answer = await fetch(`${service.url}/readyz`).catch(() => null);
      await answer?.body?.cancel();
      if (answer?.ok) return service;
      await sleep(100);
    }
    await service.stop();
    throw new Error("the service does not answer after 60 s");
  }

  /** Where it listens. */
  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** POSTs; throws what the problem says where it is refused. */
  async post(path: string, body?: unknown): Promise<Record<string, unknown>> {
    const answer = await fetch(this.url + path, {
      method: "POST",
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    const json = await answer.json();
    if (!answer.ok) {
      throw new Error(`POST ${path}: ${answer.status} ${json.detail} ${JSON.stringify(json.errors ?? "")}`);
    }
    return json;
  }

  /** GETs JSON. */
  async get(path: string): Promise<Record<string, unknown>> {
    const answer = await fetch(this.url + path);
    return await answer.json();
  }

  /** A ferry's events, as they come. */
  async *events(id: string, signal: AbortSignal): AsyncGenerator<Message> {
    const answer = await fetch(`${this.url}/v1/ferries/${id}/events`, { signal });
    if (!answer.ok || answer.body === null) throw new Error(`no events of ferry "${id}": ${answer.status}`);
    const messages = answer.body.pipeThrough(new TextDecoderStream()).pipeThrough(
      new EventSourceParserStream(),
    );
    for await (const { event, data } of messages) yield { type: event ?? "message", data: JSON.parse(data) };
  }

  /** The last lines of its log. */
  get log(): string {
    return this.#log;
  }

  /** SIGTERM, and SIGKILL for one that does not heed it. Returns the exit code. */
  async stop(): Promise<number> {
    const kill = (signal: Deno.Signal) => {
      try {
        this.child.kill(signal);
      } catch {
        // It has ended.
      }
    };
    kill("SIGTERM");
    const timer = setTimeout(() => kill("SIGKILL"), 15_000);
    const { code } = await this.child.status;
    clearTimeout(timer);
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #readLog(): Promise<void> {
    for await (const text of this.child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#log = (this.#log + text).slice(-4000);
    }
  }
}

/** The port that everybody knows, or another where that one is taken. */
function usualPort(): number {
  try {
    using _listener = Deno.listen({ hostname: "127.0.0.1", port: 8080 });
    return 8080;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return freePort();
    throw error;
  }
}

/** What the user's environment says about other services is none of this one's business, nor are their connections. */
function environment(): Record<string, string> {
  const others = Object.entries(Deno.env.toObject()).filter(([name]) => !/^(FERRY_.*|HOST|PORT)$/.test(name));
  return Object.fromEntries(others);
}
