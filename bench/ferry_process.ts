/**
 * A ferry as people run it: the service in a process of its own, spoken to over HTTP.
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { FerryResource } from "../lib/progress/resource.ts";
import { freePort } from "../tests/servers/greeting.ts";
import { cpuOf, peakOf } from "./meter.ts";

/** A running service. */
export class FerryProcess implements AsyncDisposable {
  private constructor(private readonly child: Deno.ChildProcess, private readonly url: string) {}

  /** Starts it and waits until it answers. */
  static async start(flags: readonly string[] = []): Promise<FerryProcess> {
    const port = freePort();
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--allow-net",
        "--allow-env",
        ...flags,
        new URL("../main.ts", import.meta.url).pathname,
        "--port",
        String(port),
      ],
      env: { NO_COLOR: "1", FERRY_LEASE_SECONDS: "2" },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const service = new FerryProcess(child, `http://127.0.0.1:${port}`);
    for (let i = 0;; i++) {
      try {
        const answer = await fetch(`${service.url}/healthz`);
        await answer.body?.cancel();
        return service;
      } catch (e) {
        if (i > 400) throw e;
        await sleep(25);
      }
    }
  }

  /** Its process. */
  get pid(): number {
    return this.child.pid;
  }

  /** Processor seconds used so far. */
  get cpu(): number {
    return cpuOf(this.child.pid);
  }

  /** Peak memory in bytes. */
  get peak(): number {
    return peakOf(this.child.pid);
  }

  /** Posts a spec. */
  async post(spec: Record<string, unknown>): Promise<void> {
    const answer = await fetch(`${this.url}/v1/ferries`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(spec),
    });
    const text = await answer.text();
    if (answer.status !== 202) throw new Error(`the ferry was not taken: ${text}`);
  }

  /** Asks for an action. */
  async act(id: string, action: string): Promise<void> {
    const answer = await fetch(`${this.url}/v1/ferries/${id}/${action}`, { method: "POST" });
    const text = await answer.text();
    if (answer.status !== 202) throw new Error(`${action} was not taken: ${text}`);
  }

  /** The ferry as it is; with `wait` when its state changes, or after so many seconds. */
  async look(id: string, wait?: number): Promise<FerryResource> {
    const answer = await fetch(`${this.url}/v1/ferries/${id}${wait === undefined ? "" : `?wait=${wait}`}`);
    return await answer.json();
  }

  /** Waits for a state. */
  async until(id: string, state: string): Promise<FerryResource> {
    for (;;) {
      const ferry = await this.look(id);
      if (ferry.state === state) return ferry;
      if (ferry.error !== null) throw new Error(`the ferry ended: ${JSON.stringify(ferry.error)}`);
      await this.look(id, 5);
    }
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.child.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.child.kill("SIGTERM");
    } catch {
      return; // it is gone already
    }
    const timer = setTimeout(() => this.child.kill("SIGKILL"), 5000);
    await this.child.status;
    clearTimeout(timer);
  }
}
