/**
 * What a command sees of the world: two streams to write on, files and stdin to read.
 * @module
 */

/** The seam that tests fake. */
export interface Terminal {
  /** Writes a result. */
  out(text: string): void;
  /** Writes progress, or what went wrong. */
  err(text: string): void;
  /** Whether a person watches stderr, so that bars may be drawn. */
  readonly isInteractive: boolean;
  /** The text of a file, or of stdin for `-`. */
  read(path: string): Promise<string>;
}

const encoder = new TextEncoder();

/** The process's own streams. */
export const processTerminal: Terminal = {
  out: (text) => writeAll(Deno.stdout, text),
  err: (text) => writeAll(Deno.stderr, text),
  isInteractive: Deno.stderr.isTerminal(),
  read: (path) => path === "-" ? new Response(Deno.stdin.readable).text() : Deno.readTextFile(path),
};

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = encoder.encode(text);
  // A pipe may take a part of it.
  while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
}
