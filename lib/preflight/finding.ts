/**
 * Findings, short to write, and their order.
 * @module
 */
import type { Finding } from "../progress/resource.ts";

/** Refuses the ferry. `detail` is what was seen, `hint` what is needed. */
export function refuse(code: string, subject: string, detail: string, hint: string): Finding {
  return { level: "error", code, subject, detail, hint };
}

/** May go wrong. */
export function warn(code: string, subject: string, detail: string, hint: string): Finding {
  return { level: "warning", code, subject, detail, hint };
}

/** Good to know. */
export function inform(code: string, subject: string, detail: string, hint: string): Finding {
  return { level: "info", code, subject, detail, hint };
}

const ORDER = { error: 0, warning: 1, info: 2 };

/** Errors first, then warnings; otherwise as they were found. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => ORDER[a.level] - ORDER[b.level]);
}

/** Names, quoted and listed for people. */
export function listed(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}
