/**
 * The command line on a real pseudo-terminal, made by util-linux's `script`.
 * @module
 */
import { Screen } from "./screen.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** A `main.ts` that believes that a person looks on. */
export class Pty implements AsyncDisposable {
  /** What the person sees. */
  readonly screen: Screen;
  /** All that was written. */
  text = "";
  /** The exit code. */
  readonly ended: Promise<number>;
  readonly #child: Deno.ChildProcess;
  #over = false;

  /** Starts `main.ts` with these arguments; its stdout goes to the file `out`. */
  constructor(
    args: readonly string[],
    options: { columns: number; rows: number; out: string; env: Record<string, string> },
  ) {
    const { columns, rows, out, env } = options;
    this.screen = new Screen(columns, rows);
    const command = [Deno.execPath(), "run", "-A", MAIN, ...args].map(quote).join(" ");
    this.#child = new Deno.Command("script", {
      args: [
        "--quiet",
        "--return",
        "--command",
        `stty cols ${columns} rows ${rows}; exec ${command} > ${quote(out)}`,
        "/dev/null",
      ],
      clearEnv: true,
      env: { ...others(), TERM: "xterm", SHELL: "/bin/sh", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.ended = this.#follow();
    this.ended.catch(() => {}).finally(() => this.#over = true);
  }

  /** Waits until something is written. */
  async until(wanted: RegExp, seconds = 60): Promise<RegExpExecArray> {
    const end = performance.now() + seconds * 1000;
    for (;;) {
      const found = wanted.exec(this.text);
      if (found !== null) return found;
      if (this.#over || performance.now() > end) {
        await Promise.race([this.ended, null]); // a sequence that the screen does not know is the better reason
        throw new Error(`no ${wanted}: ${this.text.slice(-2000)}`);
      }
      await new Promise((r) => setTimeout(r, 50));
    }
  }

  async #follow(): Promise<number> {
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      this.text += text;
      this.screen.write(text);
    }
    return (await this.#child.status).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close().catch(() => {});
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // it has ended
    }
    await this.ended.catch(() => {}); // the test has seen why
  }
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The environment without what says how a terminal is used. */
function others(): Record<string, string> {
  const { NO_COLOR: _color, COLUMNS: _columns, LINES: _lines, ...rest } = Deno.env.toObject();
  return rest;
}
