/**
 * What preflight's findings mean for a ferry.
 * @module
 */
import { FerryError } from "../errors.ts";
import type { Finding } from "../progress/resource.ts";

/** The error that ends a ferry with these findings, or `null` where none is an error. `underWay`: it has crossed before. */
export function refusal(id: string, findings: readonly Finding[], underWay: boolean): FerryError | null {
  const errors = findings.filter((f) => f.level === "error");
  if (errors.length === 0) return null;
  const passing = errors.every(isAway);
  return new FerryError(
    "preflight-refused",
    `Cannot start ferry "${id}": ${errors.map((f) => f.detail).join("; ")}`,
    // Under way a server that is away for a moment is no reason to give up.
    { hint: errors[0].hint, retryable: passing && underWay },
  );
}

/** Whether a server did not answer, or was lost amid its answers, and may be back in a moment. */
export function isAway({ code }: Finding): boolean {
  return /^(source|target)-(unreachable|connection-lost)$/.test(code);
}
