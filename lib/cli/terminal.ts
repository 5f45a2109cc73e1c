/**
 * What a command sees of the world: two streams to write on, files and stdin to read.
 * @module
 */
import type { Screen } from "./bar_lines.ts";

/** The seam that tests fake. */
export interface Terminal {
  /** Writes a result. */
  out(text: string): void;
  /** Writes progress, or what went wrong. */
  err(text: string): void;
  /** Whether a person watches stderr, so that bars may be drawn. */
  readonly isInteractive: boolean;
  /** What bars have to fit now. */
  screen(): Screen;
  /** The text of a file, or of stdin for `-`. */
  read(path: string): Promise<string>;
}

const encoder = new TextEncoder();

/** The process's own streams. */
export const processTerminal: Terminal = {
  out: (text) => writeAll(Deno.stdout, text),
  err: (text) => writeAll(Deno.stderr, text),
  isInteractive: Deno.stderr.isTerminal() && Deno.env.get("TERM") !== "dumb",
  screen: () => ({ ...size(), color: !Deno.noColor }),
  read: (path) => path === "-" ? new Response(Deno.stdin.readable).text() : Deno.readTextFile(path),
};

/** Of the terminal; what terminals have always had where it does not say. */
function size(): { columns: number; rows: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    if (columns > 0 && rows > 0) return { columns, rows };
  } catch {
    // no terminal tells
  }
  return { columns: 80, rows: 24 };
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = encoder.encode(text);
  // A pipe may take a part of it.
  while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
}
