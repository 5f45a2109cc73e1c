/**
 * Lines that are painted over in place on a terminal, with the lines of a log above them. What stands in them comes from
 * elsewhere.
 * @module
 */
import type { Terminal } from "./terminal.ts";

const [UP, ERASE_LINE, ERASE_BELOW] = [(lines: number) => `\x1b[${lines}A`, "\x1b[2K", "\x1b[J"];
/** A letter that is two places wide makes a line longer than it was counted; wrapped, it would be painted over wrongly. */
const [NO_WRAP, WRAP] = ["\x1b[?7l", "\x1b[?7h"];

/** The lines. Each painting is one piece, so nothing flickers; the cursor waits in the line below. */
export class ProgressBars {
  #lines: readonly string[] = [];

  /** For a terminal on which somebody looks on. */
  constructor(private readonly terminal: Terminal) {}

  /** Shows these lines in place of those before. */
  show(lines: readonly string[]): void {
    const painted = lines.map((line) => `${ERASE_LINE}${line}\n`).join("");
    this.terminal.err(`${this.#toTop()}${NO_WRAP}${painted}${WRAP}${ERASE_BELOW}`);
    this.#lines = lines;
  }

  /** Lets `write` write above them: whole lines, as long as they may be. */
  above(write: () => void): void {
    const lines = this.#lines;
    this.close();
    write();
    this.show(lines);
  }

  /** Takes the lines away. */
  close(): void {
    this.terminal.err(`${this.#toTop()}${ERASE_BELOW}`);
    this.#lines = [];
  }

  #toTop(): string {
    return this.#lines.length === 0 ? "\r" : `\r${UP(this.#lines.length)}`;
  }
}
