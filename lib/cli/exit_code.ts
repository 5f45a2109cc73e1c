/**
 * How a command ends, as the number that a pipeline branches on.
 * @module
 */
import { FerryError } from "../errors.ts";
import type { PreflightReport } from "../ferry/ferry.ts";
import type { FerryResource, Finding } from "../progress/resource.ts";

/** The numbers; signals add theirs, 130 and 143. */
export const EXIT = {
  /** It is done. */
  done: 0,
  /** It failed, or was cancelled. */
  failed: 1,
  /** The command or the spec is wrong. */
  usage: 2,
  /** Both sides were compared and are unlike. */
  differs: 3,
  /** Preflight refused it; nothing was written. */
  refused: 4,
  /** Trying again later may help (EX_TEMPFAIL). */
  tryAgain: 75,
} as const;

const UNREACHABLE: readonly string[] = ["source-unreachable", "target-unreachable"];
const WRONG_SPEC: readonly string[] = ["spec-differs", "fence-not-implemented", "invalid-connection-url"];

/** For a ferry that has ended or was let go. */
export function exitCodeOfFerry(resource: Pick<FerryResource, "state" | "error">): number {
  if (resource.state === "done") return EXIT.done;
  if (resource.state === "cancelled") return EXIT.failed;
  // Let go while under way: another process has it, or will.
  if (resource.state !== "failed") return EXIT.tryAgain;
  return resource.error === null ? EXIT.failed : exitCodeOfFailure(resource.error);
}

/** For a preflight report. */
export function exitCodeOfReport(report: PreflightReport): number {
  return report.ok ? EXIT.done : exitCodeOfFindings(report.findings);
}

/** For an error that was thrown before there was a ferry. */
export function exitCodeOfError(error: unknown): number {
  if (!(error instanceof FerryError)) return EXIT.failed;
  return WRONG_SPEC.includes(error.code) ? EXIT.usage : exitCodeOfFailure(error);
}

function exitCodeOfFailure(
  error: { code: string; retryable: boolean; findings?: readonly Finding[] },
): number {
  if (error.code === "verification-failed") return EXIT.differs;
  if (error.code === "preflight-refused") return exitCodeOfFindings(error.findings ?? []);
  const elsewhere = error.code === "ferry-owned-elsewhere" || UNREACHABLE.includes(error.code);
  return elsewhere || error.retryable ? EXIT.tryAgain : EXIT.failed;
}

/** A refusal is final, unless all that is wrong is a server that does not answer. */
function exitCodeOfFindings(findings: readonly Finding[]): number {
  const errors = findings.filter((finding) => finding.level === "error");
  const waits = errors.length > 0 && errors.every((finding) => UNREACHABLE.includes(finding.code));
  return waits ? EXIT.tryAgain : EXIT.refused;
}
