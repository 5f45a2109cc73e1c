/**
 * `check`: preflight and nothing else.
 * @module
 */
import type { Dock } from "../ferry/ferry.ts";
import { printable } from "../printable.ts";
import type { FerrySpec } from "../spec/ferry_spec.ts";
import { exitCodeOfError, exitCodeOfReport } from "./exit_code.ts";
import type { Terminal } from "./terminal.ts";
import { troubleOf, troubleText } from "./trouble.ts";

/** Prints every finding on stdout and returns the exit code. Closes the dock. */
export async function checkSpec(
  dock: Dock,
  spec: FerrySpec,
  options: { readonly terminal: Terminal; readonly json: boolean; readonly stop: AbortSignal },
): Promise<number> {
  const { terminal, json, stop } = options;
  try {
    const report = await dock.check(spec, stop);
    if (json) terminal.out(JSON.stringify(report, null, 2) + "\n");
    else {
      for (const { level, code, subject, detail, hint } of report.findings) {
        const lines = [
          `${level.padEnd(7)}  ${subject}: ${detail} [${code}]`,
          ...(hint ? [`         ${hint}`] : []),
        ];
        terminal.out(lines.map((line) => `${printable(line)}\n`).join(""));
      }
      terminal.out(report.ok ? "ok       nothing stands in the way\n" : "refused  see the errors above\n");
    }
    return exitCodeOfReport(report);
  } catch (error) {
    if (stop.aborted) return Number(stop.reason);
    terminal.err(troubleText(troubleOf(error), json));
    return exitCodeOfError(error);
  } finally {
    await dock.close();
  }
}
