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
