/**
 * A spec from a file or from stdin, with everything that is wrong told on stderr.
 * @module
 */
import { errorText } from "../errors.ts";
import type { FerrySpec } from "../spec/ferry_spec.ts";
import { parseSpec, refuseUnbuiltFence } from "../spec/parse_spec.ts";
import type { Terminal } from "./terminal.ts";
import { type Trouble, troubleOf, troubleText } from "./trouble.ts";

/** The spec, or `null` when what is wrong was written; the command then ends with exit code 2. */
export async function readSpec(
  path: string,
  connections: ReadonlyMap<string, string>,
  options: { readonly terminal: Terminal; readonly json: boolean },
): Promise<FerrySpec | null> {
  const { terminal, json } = options;
  const read = await readFile(path, terminal);
  const found = "text" in read ? specOf(read.text, path, connections) : read;
  if ("spec" in found) return found.spec;
  terminal.err(troubleText(found.trouble, json));
  return null;
}

type Read<What> = What | { readonly trouble: Trouble };

async function readFile(path: string, terminal: Terminal): Promise<Read<{ readonly text: string }>> {
  try {
    return { text: await terminal.read(path) };
  } catch (error) {
    const [state, hint] = whyUnread(error, path);
    return { trouble: { code: "spec-unreadable", detail: `Cannot read "${path}": ${state}`, hint } };
  }
}

function specOf(
  text: string,
  path: string,
  connections: ReadonlyMap<string, string>,
): Read<{ readonly spec: FerrySpec }> {
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch {
    // The parser's message repeats a piece of the text, which may be a password.
    return {
      trouble: { code: "malformed-json", detail: `Cannot read "${path}": it is not JSON`, hint: null },
    };
  }
  const reading = parseSpec(input, connections);
  if ("faults" in reading) {
    const { faults: errors } = reading;
    const many = errors.length === 1 ? "1 thing is wrong" : `${errors.length} things are wrong`;
    return { trouble: { code: "invalid-spec", detail: `Cannot use "${path}": ${many}`, hint: null, errors } };
  }
  try {
    refuseUnbuiltFence(reading.spec);
  } catch (error) {
    return { trouble: troubleOf(error) };
  }
  return { spec: reading.spec };
}

/** What was seen, and what to do. */
function whyUnread(error: unknown, path: string): [state: string, hint: string | null] {
  if (error instanceof Deno.errors.NotCapable) {
    return ["permission is missing", `Run it with --allow-read=${path}, or give the spec on stdin with -`];
  }
  if (error instanceof Deno.errors.NotFound) return ["there is no such file", null];
  return [errorText(error), null];
}
