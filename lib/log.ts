/**
 * Log lines, as text or as JSON. Loggers everywhere are LogTape's `getLogger(["chainferry", …])`; a line that
 * speaks of one ferry carries `ferry` among its properties. This is the one place that writes them.
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { configureSync, getJsonLinesFormatter, getTextFormatter, type LogRecord } from "@logtape/logtape";
import { printable } from "./printable.ts";
import { FERRY_LINES } from "./progress/log_lines.ts";
import { maskText } from "./spec/connection_url.ts";

/** How {@link configureLog} writes. */
export interface LogOptions {
  /** Form of the lines. */
  readonly format: "text" | "json";
  /** Lowest level that is written. @default {"info"} */
  readonly level?: "debug" | "info" | "warning" | "error";
  /** Whether a ferry's events are written too. @default {true} */
  readonly ferries?: boolean;
  /** Takes each line, with its line end. @default {@linkcode writeToStderr} */
  readonly write?: (line: string, level: LogRecord["level"]) => void;
}

/** Sets up logging for this process; may be called again. */
export function configureLog(options: LogOptions): void {
  const write = options.write ?? writeToStderr;
  const format = options.format === "json" ? jsonLine : textLine;
  configureSync({
    reset: true,
    // With it, withContext({ferry}) reaches every line that is logged below.
    contextLocalStorage: new AsyncLocalStorage<Record<string, unknown>>(),
    sinks: { stderr: (record) => write(format(masked(record)), record.level) },
    loggers: [
      { category: "chainferry", lowestLevel: options.level ?? "info", sinks: ["stderr"] },
      ...(options.ferries === false ? [{ category: [...FERRY_LINES], lowestLevel: null }] : []),
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["stderr"] },
    ],
  });
}

const jsonLine = getJsonLinesFormatter({ properties: "flatten", message: "rendered" });

const plainLine = getTextFormatter({ timestamp: "rfc3339", level: "full", category: "." });

function textLine(record: LogRecord): string {
  const shown = Object.entries(record.properties)
    .filter(([name, value]) => typeof value === "object" || !record.rawMessage.includes(`{${name}}`))
    .map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  // A line end of others would begin a line that looks like one of ours.
  return printable(plainLine(record).trimEnd() + shown.join("")) + "\n";
}

/** The record with the credentials of every URL in it hidden. */
function masked(record: LogRecord): LogRecord {
  return {
    ...record,
    // One text: the formatters would put every string of a message into quotes.
    message: [record.message.map((part) => showPart(maskValue(part))).join("")],
    properties: Object.fromEntries(
      Object.entries(record.properties).map(([name, value]) => [name, maskValue(value)]),
    ),
  };
}

function showPart(value: unknown): string {
  if (typeof value === "string") return value;
  const error = value as { name?: unknown; message?: unknown } | null;
  // An error's stack is among the properties.
  if (typeof error?.name === "string" && typeof error.message === "string") return error.message;
  return JSON.stringify(value) ?? String(value);
}

function maskValue(value: unknown): unknown {
  if (typeof value === "string") return maskText(value);
  if (typeof value === "bigint") return String(value);
  if (value instanceof Error) return showError(value);
  if (Array.isArray(value)) return value.map(maskValue);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, maskValue(each)]));
}

/** What helps of an error. Its other fields are left out: a driver's error may hold the options of its connection. */
function showError(error: Error): Record<string, unknown> {
  const { code } = error as { code?: unknown };
  return {
    name: error.name,
    ...(typeof code === "string" ? { code } : {}),
    message: maskText(error.message),
    ...(error.stack === undefined ? {} : { stack: maskText(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: maskValue(error.cause) }),
  };
}

const encoder = new TextEncoder();

/** Writes a line to stderr, whole. */
export function writeToStderr(line: string): void {
  let bytes = encoder.encode(line);
  // A pipe may take a part of it.
  while (bytes.length > 0) bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
}

/**
 * Writes a line with the console, which is what Deno exports as log records: with their level, and the span that they
 * were written in. The console has its own mind about where: up to `info` on stdout.
 */
export function writeToConsole(line: string, level: LogRecord["level"]): void {
  const method = level === "fatal"
    ? "error"
    : level === "trace"
    ? "debug"
    : level === "warning"
    ? "warn"
    : level;
  // deno-lint-ignore no-console
  console[method](line.trimEnd());
}
