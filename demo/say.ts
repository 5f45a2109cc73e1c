/**
 * Lines for the person who looks on.
 * @module
 */

const encoder = new TextEncoder();

/** Writes one line to stdout. */
export async function say(line = ""): Promise<void> {
  let bytes = encoder.encode(line + "\n");
  // A pipe may take a part of it.
  while (bytes.length > 0) bytes = bytes.subarray(await Deno.stdout.write(bytes));
}

/** A whole number with its thousands set apart. */
export function whole(n: number): string {
  return Math.round(n).toLocaleString("en-US");
}

/** Milliseconds as seconds, one digit behind the point. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
