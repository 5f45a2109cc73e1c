/**
 * The JSON form of a spec as zod schemas: checked by `parse_spec.ts` and shown in `/openapi.json`. What needs more than
 * one field, or the named connections, is checked there. Every message says what is needed; what was seen goes before.
 * @module
 */
import { z } from "zod";
import { type Hold, HOLDS } from "../ferry/ferry_state.ts";
import { parseTableName, parseTablePattern } from "./table_pattern.ts";

/** What is used where a spec says nothing. */
export const SPEC_DEFAULTS = {
  createTables: "if-missing",
  existingRows: "refuse",
  keyless: "refuse",
  verify: "full",
  copy: { concurrency: 4, chunkBytes: 4_194_304, deferIndexes: true },
  cutover: { mode: "manual", fence: "none", timeoutSeconds: 30, keepFence: true },
} as const;

/** MySQL's bound for the name of a schema, in characters. */
const NAME_LENGTH = 64;

function object<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const known = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: (issue) => issue.code === "unrecognized_keys" ? `needed one of ${known}` : "needed an object",
  });
}

function whole(min: number, max: number) {
  const error = `needed an integer from ${min} to ${max}`;
  return z.number(error).int(error).min(min, error).max(max, error);
}

function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, `needed one of ${values.map((each) => `"${each}"`).join(", ")}`);
}

const flag = () => z.boolean("needed true or false");

const patternNeeded =
  'needed "schema.table", * matching within a part, backticks around a part that holds a dot';
const pattern = z.string(patternNeeded).refine((text) => parseTablePattern(text) !== null, {
  error: patternNeeded,
  params: { code: "bad-pattern" },
});

const nameNeeded = 'needed "schema.table" without *';
const tableName = z.string(nameNeeded).refine((text) => parseTableName(text) !== null, {
  error: nameNeeded,
  params: { code: "bad-table-name" },
});

const columnNeeded = `needed a column's name of 1 to ${NAME_LENGTH} characters`;
const columnName = z.string(columnNeeded).min(1, columnNeeded).max(NAME_LENGTH, columnNeeded);

const schemaNeeded = `needed a schema's name of 1 to ${NAME_LENGTH} characters`;
const schemaName = z.string(schemaNeeded).min(1, schemaNeeded).max(NAME_LENGTH, schemaNeeded);

const server = z.string("needed a mysql:// URL or the name of a connection")
  .meta({ description: "mysql://user:password@host:port/?ssl-mode=…&ssl-ca=…, or the name of a connection" });

const selection = z.union([
  pattern,
  object({
    table: pattern,
    where: z.string("needed a text or null").trim().min(1, "needed an expression, or null for every row")
      .nullish()
      .meta({ description: "A row-local SQL expression: only rows for which it is true are ferried" }),
    through: object({ column: columnName, parent: tableName }).nullish()
      .meta({ description: "Only the rows whose column holds the key of a ferried row of the parent" }),
    to: tableName.nullish().meta({ description: "schema.table on the target" }),
  }),
], 'needed "schema.table" or {table, where, through, to}');

const idNeeded = "needed 1 to 64 of letters, digits, . _ and -, the first a letter or digit";

/** How rows are copied. */
const copySchema = object({
  concurrency: whole(1, 64).default(SPEC_DEFAULTS.copy.concurrency)
    .meta({ description: "Ranges copied at the same time" }),
  chunkBytes: whole(16_384, 268_435_456).default(SPEC_DEFAULTS.copy.chunkBytes)
    .meta({ description: "Bytes of rows that one chunk aims at" }),
  deferIndexes: flag().default(SPEC_DEFAULTS.copy.deferIndexes)
    .meta({ description: "Build secondary indexes after the copy" }),
});

/** How and when the ferry cuts over. */
const cutoverSchema = object({
  mode: oneOf(["manual", "auto"]).default(SPEC_DEFAULTS.cutover.mode),
  fence: oneOf(["none", "lockTables", "readOnly", "schemaReadOnly", "hook"]).default(
    SPEC_DEFAULTS.cutover.fence,
  )
    .meta({ description: "Who stops the writes; readOnly, schemaReadOnly and hook answer 501 for now" }),
  timeoutSeconds: whole(1, 3600).default(SPEC_DEFAULTS.cutover.timeoutSeconds)
    .meta({ description: "Seconds that writes may be stopped before the fence is released" }),
  keepFence: flag().default(SPEC_DEFAULTS.cutover.keepFence)
    .meta({ description: "Leave writes stopped on the source when done" }),
});

const most = (text: string) =>
  z.number("needed a number above 0, or null").positive("needed a number above 0, or null").nullable()
    .default(null).meta({ description: text });

const checkNeeded = "needed {on, status or query, max}";
const checkSchema = object({
  on: oneOf(["source", "target"]),
  status: z.string("needed the name of a status variable").regex(
    /^\w{1,64}$/,
    "needed the name of a status variable",
  )
    .nullable().default(null),
  query: z.string("needed a query").trim().regex(/^\(?\s*SELECT\b/i, "needed a SELECT").nullable().default(
    null,
  ),
  max: z.number("needed a number"),
  critical: z.number("needed a number, or null").nullable().default(null),
}).refine((each) => (each.status === null) !== (each.query === null), checkNeeded);

/** When copying waits. */
const throttleSchema = object({
  maxLagSeconds: most("Seconds that the ferry's replay, or one of the replicas, may be behind"),
  replicas: z.array(server, "needed a list of mysql:// URLs or names of connections").default([])
    .meta({ description: "Servers that may be maxLagSeconds behind, without which they are refused" }),
  maxThreadsRunning: most("Threads_running of source and target"),
  criticalThreadsRunning: most("Threads_running of either, above which the ferry ends"),
  maxHistoryListLength: most("Length of InnoDB's history list on the source"),
  maxRowsPerSecond: most("Rows copied a second"),
  maxBytesPerSecond: most("Bytes of rows copied a second"),
  checks: z.array(checkSchema, "needed a list of checks").default([]),
  http: z.url({ protocol: /^https?$/, error: "needed an http:// or https:// URL, or null" }).nullable()
    .default(null)
    .meta({ description: "Asked every second: copying goes on while it answers 2xx" }),
});

const throttle = throttleSchema.nullish();

const callbackNeeded = "needed an http:// or https:// URL without a user, or null";
const callbackUrl = z.url({ protocol: /^https?$/, error: callbackNeeded })
  .refine((url) => URL.parse(url)?.username === "" && URL.parse(url)?.password === "", callbackNeeded)
  .nullable().default(null);

const callbacks = object({ state: callbackUrl, progress: callbackUrl, error: callbackUrl }).nullish()
  .meta({ description: "Events are posted there as JSON, signed where FERRY_CALLBACK_SECRET is set" });

/** The whole spec. */
export const specSchema = object({
  id: z.string(idNeeded).regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, idNeeded).optional()
    .meta({ description: "Without it a ULID, or one made of the Idempotency-Key" }),
  source: server,
  target: server,
  tables: z.array(selection, "needed a list of tables").min(1, "needed at least one table"),
  exclude: z.array(pattern, "needed a list of patterns").default([]),
  renameSchemas: z.record(schemaName, schemaName, "needed an object of old and new schema names").default({}),
  createTables: oneOf(["if-missing", "never"]).default(SPEC_DEFAULTS.createTables),
  existingRows: oneOf(["refuse", "merge"]).default(SPEC_DEFAULTS.existingRows)
    .meta({ description: "merge: rows of others in the target tables stay untouched" }),
  keyless: oneOf(["refuse", "copyBehindFence"]).default(SPEC_DEFAULTS.keyless)
    .meta({
      description: "copyBehindFence: tables without a usable key are copied whole while writes are stopped",
    }),
  objects: z.array(oneOf(["views", "triggers", "routines", "events"]), "needed a list").default([])
    .meta({ description: "Carried over at the cutover, behind the last change" }),
  copy: copySchema.prefault({}),
  verify: oneOf(["full", "off"]).default(SPEC_DEFAULTS.verify),
  cutover: cutoverSchema.prefault({}),
  throttle,
  callbacks,
});

/** What `pause` takes. */
export const pauseSchema = object({
  hold: oneOf(HOLDS as [Hold]).default("copy")
    .meta({ description: "copy: copying and comparing, replay goes on; all: replay too" }),
});

/** What `PATCH` takes. */
export const changeSchema = object({
  copy: object({
    concurrency: whole(1, 64).optional(),
    chunkBytes: whole(16_384, 268_435_456).optional(),
  }).optional(),
  throttle,
});
