/**
 * The JSON that goes out, as zod schemas held against the types of `lib`, and all schemas as components of OpenAPI 3.1.
 * @module
 */
import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { ACTIONS, HOLDS, STATES } from "../lib/ferry/ferry_state.ts";
import type { PreflightReport } from "../lib/ferry/ferry.ts";
import type { FerryEvent, FerryResource, Finding } from "../lib/progress/resource.ts";
import { changeSchema, pauseSchema, specSchema } from "../lib/spec/spec_schema.ts";

const count = z.int().min(0);
const unknownOr = (schema: z.ZodNumber) => schema.nullable();
const amount = z.number().min(0);
const time = z.iso.datetime();
const state = z.enum(STATES as [typeof STATES[number]]);
const action = z.enum(ACTIONS as [typeof ACTIONS[number]]);

const position = z.object({ file: z.string(), position: amount, gtidSet: z.string().nullable() });

const finding = z.object({
  level: z.enum(["error", "warning", "info"]),
  code: z.string(),
  subject: z.string(),
  detail: z.string(),
  hint: z.string(),
}) satisfies z.ZodType<Finding>;

/** What a dry run answers. */
export const preflightSchema = z.object({
  ok: z.boolean(),
  findings: z.array(finding),
}) satisfies z.ZodType<PreflightReport>;

const table = z.object({
  source: z.string(),
  target: z.string(),
  state: z.enum(["waiting", "copying", "copied", "indexing", "verifying", "verified", "differing"]),
  rowsCopied: count,
  rowsEstimated: unknownOr(amount),
  bytesCopied: count,
  verified: z.boolean().nullable(),
  strip: z.string().nullable().meta({
    description:
      "The key range, one letter a cell: . to come, c copied, r changed again in the last seconds, v verified, d differing",
  }),
});

/** A ferry. */
export const resourceSchema = z.object({
  id: z.string(),
  state,
  paused: z.boolean(),
  hold: z.enum(HOLDS as [typeof HOLDS[number]]).nullable()
    .meta({ description: "What is held while it is paused: copying and comparing, or replay too" }),
  throttled: z.object({
    reason: z.string(),
    name: z.string().meta({ description: "What the reason speaks of, the same while its number moves" }),
  }).nullable(),
  resumedTimes: count,
  source: z.string().meta({ description: "URL, password masked" }),
  target: z.string().meta({ description: "URL, password masked" }),
  tables: z.array(table),
  progress: z.object({
    rowsCopied: count,
    rowsEstimated: unknownOr(amount),
    bytesCopied: count,
    rowsPerSecond: unknownOr(amount),
    changesApplied: count,
    changesPending: unknownOr(amount),
    lagSeconds: unknownOr(amount),
    etaSeconds: unknownOr(amount),
  }),
  position: position.nullable(),
  verification: z.object({
    state: z.enum(["pending", "running", "passed", "failed", "off"]),
    rowsCompared: count,
    differences: z.array(z.object({
      table: z.string(),
      key: z.record(z.string(), z.string().nullable()),
      kind: z.enum(["missing on target", "only on target", "unlike"]),
    })),
  }),
  cutover: z.object({
    attempts: count,
    writesStoppedMs: unknownOr(amount),
    position: position.nullable(),
    fenceKept: z.boolean().meta({
      description: "This process still holds the fence: writes to the source's tables wait until it ends",
    }),
  }),
  phases: z.array(z.object({ state, startedAt: time, endedAt: time.nullable() })),
  actions: z.array(action).meta({ description: "What may be posted now" }),
  error: z.object({
    code: z.string(),
    detail: z.string(),
    hint: z.string().nullable(),
    retryable: z.boolean(),
    findings: z.array(finding).optional(),
  }).nullable(),
  createdAt: time,
  updatedAt: time,
  endedAt: time.nullable(),
}).meta({ description: "An unknown number is null, never 0" });

// `findings?` of the type and of the schema differ in an explicit undefined, which JSON has not.
resourceSchema satisfies z.ZodType<Omit<FerryResource, "error">>;

/** One event of the stream: `id:`, `event:` and `data:` of the SSE message. */
export const eventSchema = z.object({
  id: count,
  type: z.enum(["state", "progress", "log", "done", "failed", "cancelled"]),
  data: z.looseObject({ text: z.string() }),
}) satisfies z.ZodType<FerryEvent>;

/** An error. */
export const problemSchema = z.looseObject({
  type: z.string().meta({ description: "/problems/<code>" }),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  retryable: z.boolean(),
  errors: z.array(z.object({
    pointer: z.string().optional().meta({ description: "RFC 6901 JSON pointer into the body" }),
    parameter: z.string().optional().meta({ description: "Query parameter or header" }),
    code: z.string(),
    detail: z.string(),
  })),
  actions: z.array(action).optional().meta({ description: "With 409: what the state allows" }),
  hint: z.string().optional(),
});

const COMPONENTS = {
  FerrySpec: [specSchema, "input"],
  FerryChange: [changeSchema, "input"],
  FerryPause: [pauseSchema, "input"],
  Ferry: [resourceSchema, "output"],
  FerryList: [z.object({ ferries: z.array(resourceSchema) }), "output"],
  FerryEvent: [eventSchema, "output"],
  PreflightReport: [preflightSchema, "output"],
  Problem: [problemSchema, "output"],
} as const;

type Component = Parameters<OpenAPIHono["openAPIRegistry"]["registerComponent"]>[2];

/** Name of a schema in `/openapi.json`. */
export type ComponentName = keyof typeof COMPONENTS;

/** A reference to one of the components. */
export function ref(name: ComponentName): { $ref: string } {
  return { $ref: `#/components/schemas/${name}` };
}

/** Puts every schema among the components of the document. */
export function registerSchemas(app: OpenAPIHono): void {
  for (const [name, [schema, io]] of Object.entries(COMPONENTS)) {
    // OpenAPI 3.1 takes JSON Schema as it is.
    const { $schema: _dialect, ...json } = z.toJSONSchema(schema, { io, target: "draft-2020-12" });
    app.openAPIRegistry.registerComponent("schemas", name, json as Component);
  }
}
