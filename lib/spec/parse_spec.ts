/**
 * From JSON to a {@link FerrySpec} with every default filled in, or to all of its faults at once. Only the form is
 * looked at: what only the servers can tell is preflight's.
 * @module
 */
import { ulid } from "ulid";
import type { z } from "zod";
import { FerryError } from "../errors.ts";
import type { Hold } from "../ferry/ferry_state.ts";
import { connectionName, findConnection } from "./connection_name.ts";
import { readConnectionUrl } from "./connection_url.ts";
import type {
  FenceKind,
  FerrySpec,
  SpecChange,
  TableSelection,
  ThrottleSettings,
  WhereFunction,
} from "./ferry_spec.ts";
import { faultsOf, jsonPointer, type SpecFault } from "./spec_fault.ts";
import { changeSchema, pauseSchema, specSchema } from "./spec_schema.ts";
import { parseTableName, parseTablePattern } from "./table_pattern.ts";

/** The spec, or everything that is wrong with it. */
export type SpecReading = { readonly spec: FerrySpec } | { readonly faults: readonly SpecFault[] };

/** The change, or everything that is wrong with it. */
export type ChangeReading = { readonly change: SpecChange } | { readonly faults: readonly SpecFault[] };

/** Fences that a ferry may ask for now; the others of {@linkcode FenceKind} are laid down but not there yet. */
export const BUILT_FENCES: readonly FenceKind[] = ["none", "lockTables"];

/**
 * Checks `given` and fills in defaults. From TypeScript a `where` may be a {@linkcode WhereFunction}. `connections` holds the named connections' URLs; `makeId` gives the id of a spec
 * that has none.
 */
export function parseSpec(
  given: unknown,
  connections: ReadonlyMap<string, string>,
  makeId: () => string = ulid,
): SpecReading {
  const { input, functions } = withoutFunctions(given);
  const result = specSchema.safeParse(input);
  const faults = result.success ? [] : faultsOf(result.error, input);
  // These look at the input and not at the result, so that they are found beside any other fault.
  const source = readServer(input, "source", connections, faults);
  const target = readServer(input, "target", connections, faults);
  findAmbiguousTargets(input, faults);
  findUnboundedReplicas(input, faults);
  const throttle = readThrottle(result.data?.throttle ?? null, connections, faults);
  if (!result.success || source === null || target === null || faults.length > 0) return { faults };
  const { throttle: _given, callbacks = null, tables, id, ...rest } = result.data;
  return {
    spec: {
      ...rest,
      id: id ?? makeId(),
      source: source.url,
      target: target.url,
      sourceName: source.name,
      targetName: target.name,
      throttle,
      callbacks,
      tables: tables.map((each, i) => {
        const where = functions.get(i);
        return where === undefined ? toSelection(each) : { ...toSelection(each), where };
      }),
    },
  };
}

/** Checks what is sent to `PATCH`. `connections` as for {@linkcode parseSpec}. */
export function parseChange(
  input: unknown,
  connections: ReadonlyMap<string, string> = new Map(),
): ChangeReading {
  const result = changeSchema.safeParse(input);
  const faults = result.success ? [] : faultsOf(result.error, input);
  findUnboundedReplicas(input, faults);
  const throttle = readThrottle(result.data?.throttle ?? null, connections, faults);
  if (!result.success || faults.length > 0) return { faults };
  const { concurrency, chunkBytes } = result.data.copy ?? {};
  const copy = {
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(chunkBytes === undefined ? {} : { chunkBytes }),
  };
  return {
    change: {
      ...(result.data.copy === undefined ? {} : { copy }),
      ...(result.data.throttle === undefined ? {} : { throttle }),
    },
  };
}

/** Checks what is sent to `pause`. */
export function parsePause(
  input: unknown,
): { readonly hold: Hold } | { readonly faults: readonly SpecFault[] } {
  const result = pauseSchema.safeParse(input);
  return result.success ? { hold: result.data.hold } : { faults: faultsOf(result.error, input) };
}

/** Throws `fence-not-implemented` for a fence that the contract names and that is not there yet. */
export function refuseUnbuiltFence(spec: FerrySpec): void {
  const fence = spec.cutover.fence;
  if (BUILT_FENCES.includes(fence)) return;
  throw new FerryError("fence-not-implemented", `Cannot use fence "${fence}": not implemented yet`, {
    hint: `Use one of ${BUILT_FENCES.map((each) => `"${each}"`).join(", ")}`,
  });
}

/** Whether `Idempotency-Key` may give this input its id: only an input that has none of its own. */
export function hasOwnId(input: unknown): boolean {
  return fieldOf(input, "id") !== undefined;
}

type GivenSelection = z.output<typeof specSchema>["tables"][number];

function toSelection(given: GivenSelection): TableSelection {
  if (typeof given === "string") return { table: given, where: null, through: null, to: null };
  const { table, where = null, through = null, to = null } = given;
  return { table, where, through, to };
}

/** The input with a text in place of each `where` that is a function, so that what is checked is JSON; and those functions. */
function withoutFunctions(given: unknown): { input: unknown; functions: Map<number, WhereFunction> } {
  const functions = new Map<number, WhereFunction>();
  const tables = fieldOf(given, "tables");
  if (!Array.isArray(tables)) return { input: given, functions };
  const plain = tables.map((each, i) => {
    const where = fieldOf(each, "where");
    if (typeof where !== "function") return each;
    functions.set(i, where as WhereFunction);
    return { ...each, where: "function" };
  });
  return { input: functions.size === 0 ? given : { ...given as object, tables: plain }, functions };
}

/** The throttle with the URLs of its replicas. */
function readThrottle(
  given: z.output<typeof changeSchema>["throttle"] | null,
  connections: ReadonlyMap<string, string>,
  faults: SpecFault[],
): ThrottleSettings | null {
  if (given === null || given === undefined) return null;
  const replicas = given.replicas.flatMap((value, i) =>
    readConnection(value, jsonPointer(["throttle", "replicas", i]), connections, faults) ?? []
  );
  return { ...given, replicas };
}

/** Reads one side; `null` where there is a fault, which is then among `faults`. */
function readServer(
  input: unknown,
  field: "source" | "target",
  connections: ReadonlyMap<string, string>,
  faults: SpecFault[],
): { url: string; name: string | null } | null {
  const value = fieldOf(input, field);
  if (typeof value !== "string") return null; // the schema has said so
  return readConnection(value, jsonPointer([field]), connections, faults);
}

function readConnection(
  value: string,
  pointer: string,
  connections: ReadonlyMap<string, string>,
  faults: SpecFault[],
): { url: string; name: string | null } | null {
  // Anything with a mark of a URL is taken as one, so that a mistyped URL is never repeated as a name.
  const named = /^[\w.-]*$/.test(value);
  const url = named ? findConnection(connections, value) : value;
  if (url === null) {
    const known = [...connections.keys()].sort().join(", ");
    faults.push({
      pointer,
      code: "unknown-connection",
      detail: `Seen ${JSON.stringify(value.slice(0, 64))}, needed a mysql:// URL or ` +
        (known === "" ? "a name set by FERRY_CONNECTION_<NAME> (none is)" : `one of the names ${known}`),
    });
    return null;
  }
  const reading = readConnectionUrl(url);
  if ("target" in reading) return { url, name: named ? connectionName(value) : null };
  for (const detail of reading.faults) faults.push({ pointer, code: "invalid-connection-url", detail });
  return null;
}

/** `to` names one table: with a pattern, every table that it matches would be poured into it. */
function findAmbiguousTargets(input: unknown, faults: SpecFault[]): void {
  const tables = fieldOf(input, "tables");
  if (!Array.isArray(tables)) return;
  for (const [index, entry] of tables.entries()) {
    const [table, to] = [fieldOf(entry, "table"), fieldOf(entry, "to")];
    if (typeof table !== "string" || typeof to !== "string") continue;
    if (parseTablePattern(table) === null || parseTableName(table) !== null) continue;
    faults.push({
      pointer: jsonPointer(["tables", index, "to"]),
      code: "ambiguous-target",
      detail: `Seen a new name for ${JSON.stringify(table)}, needed a table without *: ` +
        "several tables cannot become one",
    });
  }
}

/** A replica is looked at for its lag alone: without a bound for that nothing would wait for it, and nobody would know. */
function findUnboundedReplicas(input: unknown, faults: SpecFault[]): void {
  const throttle = fieldOf(input, "throttle");
  const replicas = fieldOf(throttle, "replicas");
  if (!Array.isArray(replicas) || replicas.length === 0) return;
  if ((fieldOf(throttle, "maxLagSeconds") ?? null) !== null) return;
  faults.push({
    pointer: jsonPointer(["throttle", "replicas"]),
    code: "unbounded-replicas",
    detail: "Seen replicas without maxLagSeconds, needed both: it bounds how far behind they may be",
  });
}

function fieldOf(input: unknown, field: string): unknown {
  if (input === null || typeof input !== "object" || Array.isArray(input)) return undefined;
  return Object.hasOwn(input, field) ? (input as Record<string, unknown>)[field] : undefined;
}
