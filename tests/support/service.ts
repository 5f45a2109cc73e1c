/**
 * The real service as a process of its own: started, spoken to over HTTP, killed.
 * @module
 */
import assert from "node:assert/strict";
import { EventSourceParserStream } from "eventsource-parser/stream";
import type { FerryResource } from "../../lib/progress/resource.ts";

/** One event as it came over the wire. */
export interface WireEvent {
  id: number;
  event: string;
  // deno-lint-ignore no-explicit-any
  data: any;
}

/** A running `main.ts`. */
export class Service implements AsyncDisposable {
  private constructor(
    readonly url: string,
    private readonly child: Deno.ChildProcess,
    /** All that it wrote to stderr, when it has ended. */
    readonly errors: Promise<string>,
    /** What is asked of it carries its token, where it has one. */
    private readonly authorization: Record<string, string>,
  ) {}

  /** Starts it on a free port and waits until it answers. */
  static async start(env: Record<string, string> = {}, port = freePort()): Promise<Service> {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--allow-net",
        "--allow-env",
        new URL("../../main.ts", import.meta.url).pathname,
        "--port",
        String(port),
      ],
      env: { FERRY_LEASE_SECONDS: "2", NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const errors = new Response(child.stderr).text();
    const { FERRY_TOKEN: token } = env;
    const authorization: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
    const service = new Service(`http://127.0.0.1:${port}`, child, errors, authorization);
    const end = performance.now() + 60_000;
    for (;;) {
      try {
        const r = await fetch(`${service.url}/healthz`);
        await r.body?.cancel();
        if (r.ok) return service;
      } catch {
        // not up yet
      }
      if (performance.now() > end) {
        child.kill("SIGKILL");
        assert.fail(`the service does not answer: ${await errors}`);
      }
      await new Promise((r) => setTimeout(r, 50));
    }
  }

  /** The port it listens on. */
  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Bytes of memory that its process has now, and the most that it ever had (Linux: proc_pid_status(5)). */
  async memory(): Promise<{ now: number; peak: number }> {
    const status = await Deno.readTextFile(`/proc/${this.child.pid}/status`);
    const bytes = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)![1]) * 1024;
    return { now: bytes("VmRSS"), peak: bytes("VmHWM") };
  }

  /** One request with JSON in and out. */
  async ask(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; headers: Headers; body: unknown }> {
    const r = await fetch(this.url + path, {
      method,
      headers: {
        ...this.authorization,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await r.text();
    return { status: r.status, headers: r.headers, body: text === "" ? null : JSON.parse(text) };
  }

  /** Waits until a ferry is in one of these states. */
  async until(id: string, states: readonly string[], seconds = 120): Promise<FerryResource> {
    const end = performance.now() + seconds * 1000;
    for (;;) {
      const { status, body } = await this.ask("GET", `/v1/ferries/${id}`);
      const r = body as FerryResource;
      if (status === 200) {
        if (states.includes(r.state)) return r;
        if (["done", "failed", "cancelled"].includes(r.state)) {
          assert.fail(`ended ${r.state}: ${JSON.stringify(r.error)}`);
        }
      }
      if (performance.now() > end) assert.fail(`not ${states} after ${seconds} s: ${JSON.stringify(body)}`);
      await new Promise((r) => setTimeout(r, 100));
    }
  }

  /**
   * Orders the cutover as soon as it is taken. What a killed process told last is told until this one has taken the ferry
   * up, and until then it takes no order (409).
   */
  async cutOver(id: string): Promise<void> {
    const end = performance.now() + 120_000;
    for (;;) {
      await this.until(id, ["awaitingCutover"]);
      const { status, body } = await this.ask("POST", `/v1/ferries/${id}/cutover`);
      if (status === 202) return;
      assert.equal(status, 409);
      assert.ok(performance.now() < end, `the cutover is not taken: ${JSON.stringify(body)}`);
      await new Promise((r) => setTimeout(r, 50));
    }
  }

  /** Reads the event stream until `enough`, or its end; fails where neither comes within two minutes. */
  async events(
    id: string,
    after: number | null,
    enough: (events: WireEvent[]) => boolean,
  ): Promise<WireEvent[]> {
    const late = AbortSignal.timeout(120_000);
    const r = await fetch(`${this.url}/v1/ferries/${id}/events`, {
      signal: late,
      headers: { ...this.authorization, ...(after === null ? {} : { "last-event-id": String(after) }) },
    });
    if (r.status === 204) return [];
    assert.equal(r.status, 200);
    const events: WireEvent[] = [];
    const reader = r.body!.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
      .getReader();
    try {
      while (!enough(events)) {
        const { done, value } = await reader.read();
        if (done) break;
        if (value.data !== "") {
          events.push({ id: Number(value.id), event: value.event ?? "", data: JSON.parse(value.data) });
        }
      }
    } catch (e) {
      if (late.aborted) assert.fail(`still not enough: ${JSON.stringify(events.slice(-5))}`);
      throw e;
    } finally {
      await reader.cancel().catch(() => {});
    }
    return events;
  }

  /** `kill -9`. */
  async kill9(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.child.status;
    await this.errors;
  }

  /** SIGTERM, and its exit code. */
  async term(): Promise<number> {
    this.child.kill("SIGTERM");
    const { code } = await this.child.status;
    await this.errors;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.child.kill("SIGKILL");
    } catch {
      // it is gone already
    }
    await this.child.status;
    await this.errors;
  }
}

/** A port that nobody listens on now. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}
