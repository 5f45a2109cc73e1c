/**
 * One thing that is wrong with a JSON document, and how zod's issues become such things.
 * @module
 */
import type { z } from "zod";
import { maskText } from "./connection_url.ts";

/** One fault: where, which, what was seen and what is needed. */
export interface SpecFault {
  /** RFC 6901 JSON pointer; empty for the whole document. */
  readonly pointer: string;
  /** Stable, kebab-case. */
  readonly code: string;
  /** What was seen and what is needed. Never holds a password. */
  readonly detail: string;
}

type Path = readonly PropertyKey[];

/** The JSON pointer of a path. */
export function jsonPointer(path: Path): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** Every fault that zod found in `input`, one for each place. */
export function faultsOf(error: z.ZodError, input: unknown): SpecFault[] {
  const faults = new Map<string, SpecFault>();
  for (const issue of error.issues) {
    for (const fault of explain(issue, [], input)) {
      // Several checks of one number say the same.
      if (!faults.has(fault.pointer)) faults.set(fault.pointer, fault);
    }
  }
  return [...faults.values()];
}

function explain(issue: z.core.$ZodIssue, above: Path, input: unknown): SpecFault[] {
  const path = [...above, ...issue.path];
  const value = valueAt(input, path);
  if (issue.code === "unrecognized_keys") {
    // The value is not repeated: a field named "password" is just what is found here.
    return issue.keys.map((key) => ({
      pointer: jsonPointer([...path, key]),
      code: "unknown-field",
      detail: `Seen an unknown field, ${issue.message}`,
    }));
  }
  if (issue.code === "invalid_union") {
    // The branch whose type fits knows what is wrong within; if none fits, the union says what it takes.
    const inner = issue.errors.find((branch) =>
      !branch.some((each) => each.code === "invalid_type" && each.path.length === 0)
    );
    if (inner) return inner.flatMap((each) => explain(each, path, input));
  }
  if (issue.code === "invalid_key") {
    // A record's key: its own check says what is needed.
    const needed = issue.issues[0]?.message ?? issue.message;
    return [{
      pointer: jsonPointer(path),
      code: "out-of-bounds",
      detail: `Seen a key that is no name, ${needed}`,
    }];
  }
  return [{
    pointer: jsonPointer(path),
    code: codeOf(issue, value),
    detail: `Seen ${showSeen(value, path)}, ${issue.message}`,
  }];
}

function codeOf(issue: z.core.$ZodIssue, value: unknown): string {
  if (value === undefined) return "required";
  switch (issue.code) {
    case "custom":
      return String(issue.params?.code ?? "invalid");
    case "invalid_value":
      return "unknown-value";
    case "too_small":
    case "too_big":
    case "invalid_format":
      return "out-of-bounds";
    default:
      return "wrong-type";
  }
}

/** Where URLs stand, which may hold a password. */
const URL_FIELDS = /^\/(?:source|target|callbacks|throttle\/(?:http|replicas))(?:\/|$)/;

/** What was seen, short; nothing of a field that holds a URL. */
function showSeen(value: unknown, path: Path): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return "an object";
  if (URL_FIELDS.test(jsonPointer(path))) return `a ${typeof value}`;
  if (typeof value !== "string") return String(value);
  const text = maskText(value);
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

function valueAt(input: unknown, path: Path): unknown {
  let value = input;
  for (const part of path) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}
