/**
 * A ferry's events as log lines, each with the ferry's id.
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { FerryEvent } from "./resource.ts";

/** Category of these lines. */
export const FERRY_LINES = ["chainferry", "ferry"] as const;

/** Logs one event; a failure at level error. */
export function logEvent(ferry: string, type: FerryEvent["type"], data: FerryEvent["data"]): void {
  const { code: given, error, state } = data as {
    code?: string | null;
    error?: { code: string } | null;
    state?: string;
  };
  const code = error?.code ?? given;
  // Braces are LogTape's placeholders.
  const message = data.text.replace(/[{}]/g, "$&$&");
  getLogger(FERRY_LINES)[type === "failed" ? "error" : "info"](message, {
    ferry,
    ...(type === "log" ? {} : { state }),
    ...(typeof code === "string" ? { code } : {}),
  });
}
