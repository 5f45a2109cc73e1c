/**
 * A terminal's screen, as far as a program may drive it here: moving the cursor up, erasing, wrapping, colours. Any other sequence fails the test.
 * @module
 */
import assert from "node:assert/strict";

/** What a person would see. */
export class Screen {
  /** Colour sequences that came. */
  colors = 0;
  /** The lines after each painting. */
  readonly frames: string[][] = [];
  #lines: string[] = [""];
  #x = 0;
  #y = 0;
  #wraps = true;
  #rest = "";

  /** A screen of this size. */
  constructor(readonly columns: number, readonly rows: number) {}

  /** The lines of now, the empty ones at the end left out. */
  get lines(): string[] {
    return this.#lines.map((line) => line.trimEnd()).filter((line, at, all) =>
      line !== "" || all.slice(at).some((l) => l !== "")
    );
  }

  /** Takes what the program wrote. */
  write(text: string): void {
    let at = 0;
    const all = this.#rest + text;
    this.#rest = "";
    while (at < all.length) {
      const c = all[at];
      if (c === "\x1b") {
        // deno-lint-ignore no-control-regex
        const found = /^\x1b\[(\??)(\d*)([A-Za-z])/.exec(all.slice(at, at + 12));
        if (found === null) {
          assert.ok(all.length - at < 12, `unknown sequence: ${JSON.stringify(all.slice(at, at + 12))}`);
          this.#rest = all.slice(at);
          return;
        }
        this.#obey(found[1] + found[3], found[2]);
        at += found[0].length;
        continue;
      }
      if (c === "\r") this.#x = 0;
      else if (c === "\n") this.#down();
      else {
        assert.ok(c >= " ", `unknown control character: ${JSON.stringify(c)}`);
        this.#put(c);
      }
      at++;
    }
  }

  #obey(what: string, argument: string): void {
    const n = Number(argument || "1");
    const lines = this.#lines;
    switch (what) {
      case "A":
        this.#y = Math.max(0, this.#y - n);
        break;
      case "G": // Deno's own, while it loads modules
        this.#x = Math.max(0, n - 1);
        break;
      case "K":
        assert.equal(argument, "2", "unknown erasure");
        lines[this.#y] = "";
        break;
      case "J":
        assert.ok(argument === "" || argument === "0", "unknown erasure");
        lines[this.#y] = (lines[this.#y] ?? "").slice(0, this.#x);
        lines.length = this.#y + 1;
        break;
      case "m":
        this.colors++;
        break;
      case "?h":
      case "?l":
        assert.equal(argument, "7", "unknown mode");
        this.#wraps = what === "?h";
        // Wrapping comes back when a painting is whole.
        if (this.#wraps) this.frames.push(this.lines);
        break;
      default:
        assert.fail(`unknown sequence: ${what} ${argument}`);
    }
  }

  #put(c: string): void {
    if (this.#x >= this.columns && this.#wraps) {
      this.#x = 0;
      this.#down();
    }
    // Without wrapping, what is too long is written over the last place.
    const x = Math.min(this.#x, this.columns - 1);
    const line = (this.#lines[this.#y] ?? "").padEnd(x);
    this.#lines[this.#y] = line.slice(0, x) + c + line.slice(x + 1);
    this.#x = x + 1;
  }

  #down(): void {
    this.#y++;
    if (this.#y < this.rows) this.#lines[this.#y] ??= "";
    else {
      this.#lines.shift();
      this.#y = this.rows - 1;
      this.#lines[this.#y] = "";
    }
  }
}
