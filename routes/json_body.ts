/**
 * Reading a JSON body, with its own answers for the two ways in which it is none.
 * @module
 */
import type { Context } from "hono";
import type { SpecFault } from "../lib/spec/spec_fault.ts";
import { problem } from "./problem.ts";

/** The parsed body, or the problem to answer with: 415 by its type, 400 by its text. */
export async function readJson(
  c: Context,
): Promise<{ readonly value: unknown } | { readonly refusal: Response }> {
  const type = c.req.header("content-type")?.split(";")[0].trim().toLowerCase() ?? "";
  if (!/^application\/([\w.-]+\+)?json$/.test(type)) {
    return {
      refusal: problem({
        status: 415,
        code: "not-json",
        detail: `Cannot read the body: seen ${type === "" ? "no content type" : `content type "${type}"`}, ` +
          "needed application/json",
        headers: { accept: "application/json" },
      }),
    };
  }
  try {
    return { value: JSON.parse(await c.req.text()) };
  } catch {
    // The parser's own message repeats a piece of the text, which may be a password.
    return {
      refusal: problem({
        status: 400,
        code: "malformed-json",
        detail: "Cannot read the body: it is not JSON",
      }),
    };
  }
}

/** The 422 that names every fault of a body. */
export function invalidBody(faults: readonly SpecFault[]): Response {
  return problem({
    status: 422,
    code: "invalid-spec",
    detail: faults.length === 1
      ? `Cannot use the spec: ${faults[0].detail}`
      : `Cannot use the spec: ${faults.length} things are wrong`,
    errors: faults,
  });
}
