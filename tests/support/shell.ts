/**
 * Commands of a shell as a person types them, with all that they started ended at the end.
 * @module
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";

/** A running script of `bash`. */
export class Shell implements AsyncDisposable {
  /** What it wrote, both streams. */
  text = "";
  /** Its exit code. */
  readonly ended: Promise<number>;
  readonly #child: Deno.ChildProcess;
  #over = false;

  /** Starts it in a folder; the Deno that runs the tests is its `deno`. */
  constructor(script: string, cwd: string, env: Record<string, string> = {}) {
    this.#child = new Deno.Command("bash", {
      args: ["--noprofile", "--norc", "-euo", "pipefail", "-c", script],
      cwd,
      env: { PATH: `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}`, NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      // A group of its own: nothing of it is left.
      detached: true,
    }).spawn();
    this.ended = this.#follow();
  }

  /** Waits until something is written. */
  async until(wanted: RegExp, seconds = 60): Promise<RegExpExecArray> {
    const end = performance.now() + seconds * 1000;
    for (;;) {
      const found = wanted.exec(this.text);
      if (found !== null) return found;
      if (this.#over || performance.now() > end) assert.fail(`no ${wanted}: ${this.text}`);
      await new Promise((r) => setTimeout(r, 50));
    }
  }

  /** Types Ctrl-C. */
  interrupt(): void {
    Deno.kill(-this.#child.pid, "SIGINT");
  }

  /** Fails where it does not end well, and in time. */
  async well(seconds = 180): Promise<string> {
    await this.#within(seconds * 1000);
    assert.ok(this.#over, `no end within ${seconds} s: ${this.text}`);
    assert.equal(await this.ended, 0, this.text);
    return this.text;
  }

  async #within(milliseconds: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout>;
    await Promise.race([this.ended, new Promise((r) => timer = setTimeout(r, milliseconds))]);
    clearTimeout(timer!);
  }

  async #follow(): Promise<number> {
    await Promise.all([this.#child.stdout, this.#child.stderr].map(async (stream) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) this.text += text;
    }));
    const { code } = await this.#child.status;
    this.#over = true;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#over) {
      for (const signal of ["SIGTERM", "SIGKILL"] as const) {
        try {
          Deno.kill(-this.#child.pid, signal);
        } catch {
          break; // all of it is gone
        }
        await this.#within(5000);
      }
    }
    await this.ended;
  }
}
