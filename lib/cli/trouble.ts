/**
 * What went wrong, as a person needs it: the code, what was seen, what to do.
 * @module
 */
import { errorText, FerryError } from "../errors.ts";
import { printable } from "../printable.ts";
import type { FerryResource } from "../progress/resource.ts";

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
}

/** The trouble that an error speaks of. */
export function troubleOf(error: unknown): Trouble {
  const known = error instanceof FerryError ? error : null;
  return { code: known?.code ?? null, detail: errorText(error), hint: known?.hint ?? null };
}

/** One line for each thing that is to be told, without line ends. */
export function troubleLines({ code, detail, hint, findings = [] }: Trouble): string[] {
  return [
    `error   ${code === null ? "" : `${code}: `}${detail}`,
    ...(hint === null ? [] : [`hint    ${hint}`]),
    ...findings.map((f) => `${f.level.padEnd(7)} ${f.code}: ${f.subject}: ${f.detail}. ${f.hint}`.trimEnd()),
  ].map(printable);
}
