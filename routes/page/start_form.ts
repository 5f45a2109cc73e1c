/**
 * What is typed into the form that starts a ferry, the spec that it means, and which field a fault or a finding belongs to.
 * @module
 */
import { isValid, ulid } from "ulid";
import type { Finding } from "../../lib/progress/resource.ts";
import { readConnectionUrl } from "../../lib/spec/connection_url.ts";
import type { SpecFault } from "../../lib/spec/spec_fault.ts";

/** What was typed, by field. */
export type StartForm = Readonly<Record<string, string>>;

/** A field that is wrong: where in the spec, what was seen and what is needed. */
export type FieldFault = Pick<SpecFault, "pointer" | "detail">;

/** Fields of `throttle` that are numbers. */
export const THROTTLE_FIELDS = [
  "maxLagSeconds",
  "maxThreadsRunning",
  "criticalThreadsRunning",
  "maxRowsPerSecond",
  "maxBytesPerSecond",
] as const;

/** Fields that hold a server's URL, or the name of a connection. */
const SERVERS: readonly string[] = ["source", "target"];
/** Stands for a password. One that is this itself is typed with percent signs. */
const MASK = "***";
/** A name, or what begins like a URL and in which no password has a place. */
const HARMLESS = /^(\w+:\/\/)?([\w.-]*|[\w.-]+@[\w.-]+(:\d+)?(\/[\w.-]*)?)$/;

/** Where each field stands in the spec. */
const POINTERS: Readonly<Record<string, string>> = {
  id: "/id",
  source: "/source",
  target: "/target",
  tables: "/tables",
  exclude: "/exclude",
  fence: "/cutover/fence",
  keepFence: "/cutover/keepFence",
  mode: "/cutover/mode",
  timeoutSeconds: "/cutover/timeoutSeconds",
  ...Object.fromEntries(THROTTLE_FIELDS.map((name) => [name, `/throttle/${name}`])),
};

/** The field that a fault is about, or `null`: none of this form. */
export function fieldOfFault({ pointer }: FieldFault): string | null {
  const found = Object.entries(POINTERS).find(([, at]) => pointer === at || pointer.startsWith(`${at}/`));
  return found?.[0] ?? null;
}

/** Codes of findings about the fence, a pattern or a server, whatever setting, schema or table they name. */
const FIELD_CODES: readonly (readonly [string, RegExp])[] = [
  ["fence", /^lock-tables-denied$/],
  ["source", /^(source|binlog|replication)-/],
  ["exclude", /^exclude-unused$/],
  ["target", /^(target|state)-|^merge-binlog-format$/],
];

/** The field that a finding is about: the fence, a pattern's, a server's own, or the tables for what one of them is like. */
export function fieldOfFinding({ subject, code }: Finding): string | null {
  const found = FIELD_CODES.find(([, codes]) => codes.test(code))?.[0];
  if (found !== undefined) return found;
  if (SERVERS.includes(subject)) return subject;
  return code === "no-tables" || subject.includes(".") || subject === "tables" ? "tables" : null;
}

/** What was typed as it may be sent back: without passwords, and without what cannot be read and may hold one. */
export function shownForm(form: StartForm): StartForm {
  return Object.fromEntries(
    Object.entries(form).map(([name, typed]) => [name, SERVERS.includes(name) ? shownServer(typed) : typed]),
  );
}

function shownServer(typed: string): string {
  const text = typed.trim();
  if (HARMLESS.test(text)) return typed;
  const reading = readConnectionUrl(text);
  if ("faults" in reading) return "";
  if (reading.target.password === "") return typed;
  const url = new URL(text);
  url.password = MASK;
  return url.href;
}

/** A fault for each password that {@linkcode shownForm} took out and that nobody has typed again. */
export function maskedFaults(form: StartForm): FieldFault[] {
  return SERVERS.filter((name) => URL.parse((form[name] ?? "").trim())?.password === MASK).map((name) => ({
    pointer: POINTERS[name],
    detail: `Seen ${MASK}, needed the password (%2A%2A%2A where that is ${MASK} itself)`,
  }));
}

/**
 * The id of a ferry that nobody gave a name: the form brings it along, so that a form that is sent twice starts one ferry.
 */
export function madeId({ madeId: brought = "" }: StartForm): string {
  return isValid(brought) ? brought : ulid();
}

/** The spec that a form means. Empty fields are left out; a number that is none stays what was typed, to be told so. */
export function specOf(form: StartForm): Record<string, unknown> {
  const text = (name: string) => (form[name] ?? "").trim();
  const lines = (name: string) => text(name).split("\n").map((l) => l.trim()).filter((l) => l !== "");
  const filled = (name: string, value: (typed: string) => unknown) =>
    text(name) === "" ? {} : { [name]: value(text(name)) };
  const number = (typed: string) => Number.isNaN(Number(typed)) ? typed : Number(typed);
  const asIs = (typed: string) => typed;
  const throttle = Object.assign({}, ...THROTTLE_FIELDS.map((name) => filled(name, number)));
  return {
    ...filled("id", asIs),
    source: text("source"),
    target: text("target"),
    tables: lines("tables"),
    ...filled("exclude", () => lines("exclude")),
    ...filled("verify", asIs),
    cutover: {
      ...filled("mode", asIs),
      ...filled("fence", asIs),
      ...filled("timeoutSeconds", number),
      ...filled("keepFence", (typed) => typed === "yes"),
    },
    ...(Object.keys(throttle).length === 0 ? {} : { throttle }),
  };
}
