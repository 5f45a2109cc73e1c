/**
 * Lines that are painted over in place, on stderr. What stands in them comes from elsewhere.
 * @module
 */
import process from "node:process";
import cliProgress from "cli-progress";

/** The lines on a terminal. */
export class ProgressBars {
  readonly #bars = new cliProgress.MultiBar({
    stream: process.stderr,
    // Each bar is one line of ours.
    format: (_options, _params, payload: { line: string }) => payload.line,
    hideCursor: true,
    clearOnComplete: true,
    // Signals are heard by the command, which ends in order.
    gracefulExit: false,
  });
  readonly #lines: cliProgress.SingleBar[] = [];

  /** Shows these lines in place of those before. */
  show(lines: readonly string[]): void {
    while (this.#lines.length > lines.length) this.#bars.remove(this.#lines.pop()!);
    for (const [at, line] of lines.entries()) {
      if (at < this.#lines.length) this.#lines[at].update(0, { line });
      else this.#lines.push(this.#bars.create(1, 0, { line }));
    }
  }

  /** Writes a line above. */
  log(text: string): void {
    this.#bars.log(`${text}\n`);
  }

  /** Takes the lines away. */
  close(): void {
    this.#bars.update();
    this.#bars.stop();
  }
}
