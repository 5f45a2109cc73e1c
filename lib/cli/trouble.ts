/**
 * What went wrong, as a person needs it: the code, what was seen, what to do.
 * @module
 */
import { errorText, FerryError } from "../errors.ts";
import { printable } from "../printable.ts";
import type { FerryResource } from "../progress/resource.ts";
import type { SpecFault } from "../spec/spec_fault.ts";

/** What is told of an error. `code` is `null` where nothing of ours threw it. */
export interface Trouble {
  /** Stable, kebab-case. */
  readonly code: string | null;
  /** What was seen. */
  readonly detail: string;
  /** What to do. */
  readonly hint: string | null;
  /** Everything that a preflight found. */
  readonly findings?: NonNullable<FerryResource["error"]>["findings"];
  /** Everything that is wrong with a spec. */
  readonly errors?: readonly SpecFault[];
}

/** The trouble that an error speaks of. */
export function troubleOf(error: unknown): Trouble {
  const known = error instanceof FerryError ? error : null;
  return { code: known?.code ?? null, detail: errorText(error), hint: known?.hint ?? null };
}

/** As it is written: lines for people, or one JSON object in a line, like those of progress. */
export function troubleText(trouble: Trouble, json: boolean): string {
  if (!json) return troubleLines(trouble).map((line) => `${line}\n`).join("");
  const { detail, ...rest } = trouble;
  return JSON.stringify({ event: "error", text: detail, detail, ...rest }) + "\n";
}

/** One line for each thing that is to be told, without line ends. */
export function troubleLines({ code, detail, hint, findings = [], errors = [] }: Trouble): string[] {
  return [
    `error   ${code === null ? "" : `${code}: `}${detail}`,
    ...(hint === null ? [] : [`hint    ${hint}`]),
    ...errors.map((e) => `error   ${e.code}: ${e.pointer || "/"}: ${e.detail}`),
    ...findings.map((f) => `${f.level.padEnd(7)} ${f.code}: ${f.subject}: ${f.detail}. ${f.hint}`.trimEnd()),
  ].map(printable);
}
