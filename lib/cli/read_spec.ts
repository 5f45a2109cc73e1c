/**
 * A spec from a file or from stdin, with everything that is wrong told on stderr.
 * @module
 */
import { errorText } from "../errors.ts";
import { printable } from "../printable.ts";
import type { FerrySpec } from "../spec/ferry_spec.ts";
import { parseSpec, refuseUnbuiltFence } from "../spec/parse_spec.ts";
import type { Terminal } from "./terminal.ts";
import { troubleLines, troubleOf } from "./trouble.ts";

/** The spec, or `null` when what is wrong was written; the command then ends with exit code 2. */
export async function readSpec(
  path: string,
  connections: ReadonlyMap<string, string>,
  terminal: Terminal,
): Promise<FerrySpec | null> {
  let text: string;
  try {
    text = await terminal.read(path);
  } catch (error) {
    terminal.err(`Cannot read "${path}": ${whyUnread(error, path)}\n`);
    return null;
  }
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch {
    // The parser's message repeats a piece of the text, which may be a password.
    terminal.err(`Cannot read "${path}": it is not JSON\n`);
    return null;
  }
  const reading = parseSpec(input, connections);
  if ("faults" in reading) {
    terminal.err(`Cannot use "${path}": ${reading.faults.length} wrong\n`);
    for (const { pointer, detail } of reading.faults) {
      terminal.err(`  ${printable(`${pointer || "/"}  ${detail}`)}\n`);
    }
    return null;
  }
  try {
    refuseUnbuiltFence(reading.spec);
  } catch (error) {
    terminal.err(troubleLines(troubleOf(error)).join("\n") + "\n");
    return null;
  }
  return reading.spec;
}

function whyUnread(error: unknown, path: string): string {
  if (error instanceof Deno.errors.NotCapable) {
    return `permission is missing, run with --allow-read=${path} or give the spec on stdin with -`;
  }
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  return errorText(error);
}
