/**
 * The form that starts a ferry, with what is wrong, and what preflight found, beside each field.
 * @module
 */
import type { Child } from "hono/jsx";
import { ulid } from "ulid";
import type { PreflightReport } from "../../lib/ferry/ferry.ts";
import type { Finding } from "../../lib/progress/resource.ts";
import { counted } from "../../lib/progress/wording.ts";
import { BUILT_FENCES } from "../../lib/spec/parse_spec.ts";
import { SPEC_DEFAULTS } from "../../lib/spec/spec_schema.ts";
import { Findings } from "./findings.tsx";
import { Layout } from "./layout.tsx";
import {
  type FieldFault,
  fieldOfFault,
  fieldOfFinding,
  shownForm,
  type StartForm,
  THROTTLE_FIELDS,
} from "./start_form.ts";

/** What the page shows. */
export interface StartPageProps {
  /** What was typed; passwords in it are not shown. */
  readonly form: StartForm;
  /** What is wrong with it. */
  readonly faults?: readonly FieldFault[] | undefined;
  /** What both servers said. */
  readonly report?: PreflightReport | undefined;
  /** Names that stand for a URL. */
  readonly connections: readonly string[];
}

const THROTTLE: Readonly<Record<typeof THROTTLE_FIELDS[number], readonly [label: string, hint: string]>> = {
  maxLagSeconds: ["Seconds behind", "Copying waits while replay is further behind"],
  maxThreadsRunning: ["Running threads", "Copying waits while either server has more"],
  criticalThreadsRunning: ["Running threads, to stop", "The ferry ends where either server has more"],
  maxRowsPerSecond: ["Rows a second", "Copied at most"],
  maxBytesPerSecond: ["Bytes a second", "Copied at most"],
};
const FENCES: Readonly<Record<string, string>> = {
  none: "nobody: I have stopped them myself",
  lockTables: "the ferry, by locking the tables (lockTables)",
};

/** What is said where a field does not come back as it was typed. */
const MASKED = "The password is not sent back: type it again in place of ***";
const WITHHELD = "What was typed is not sent back, as it may hold a password: type it again";

/** The page. */
export function StartPage({ form: typed, faults = [], report, connections }: StartPageProps) {
  const form = shownForm(typed);
  const findings = report?.findings ?? [];
  const rest = faults.filter((f) => fieldOfFault(f) === null);
  const others = findings.filter((f) => fieldOfFinding(f) === null);
  const field = (name: string, label: string, hint: string, control: (more: Attributes) => Child) => (
    <Field
      name={name}
      label={label}
      hint={hint}
      faults={faults.filter((f) => fieldOfFault(f) === name)}
      findings={findings.filter((f) => fieldOfFinding(f) === name)}
      again={form[name] === typed[name] ? null : form[name] === "" ? WITHHELD : MASKED}
      control={control}
    />
  );
  const line = (name: string, label: string, hint: string, more: Attributes = {}) =>
    field(
      name,
      label,
      hint,
      (own) => <input {...own} value={form[name] ?? ""} autocomplete="off" {...more} />,
    );
  const lines = (name: string, label: string, hint: string, rows: number, more: Attributes = {}) =>
    field(name, label, hint, (own) => <textarea {...own} rows={rows} {...more}>{form[name] ?? ""}</textarea>);
  const choice = (name: string, label: string, hint: string, of: readonly (readonly [string, string])[]) =>
    field(name, label, hint, (own) => (
      <select {...own}>
        {of.map(([value, text]) => <option value={value} selected={form[name] === value}>{text}</option>)}
      </select>
    ));
  const server = { required: "", list: "connections" };
  const throttled = THROTTLE_FIELDS.some((name) => (form[name] ?? "") !== "");
  return (
    <Layout title="Start a ferry · Chainferry">
      <h1>Start a ferry</h1>
      {rest.map((f) => <p class="notice bad" role="alert">{f.detail}</p>)}
      {report === undefined
        ? null
        : (
          <section class={`notice ${report.ok ? "good" : "bad"}`} aria-label="Preflight" role="status">
            <h2>{report.ok ? "Ready to start" : "Not ready yet"}</h2>
            <p>
              {findings.length === 0
                ? "Both servers have what is needed."
                : `${counted(findings.length, "finding")}${
                  others.length < findings.length ? ", beside the fields below" : ""
                }`}
            </p>
            {others.length === 0 ? null : <Findings findings={others} />}
          </section>
        )}
      <form method="post" action="/ferries" class="start">
        {/* Another one each time: what is sent again after a change is another ferry. */}
        <input type="hidden" name="madeId" value={ulid()} />
        <datalist id="connections">{connections.map((name) => <option value={name} />)}</datalist>
        <fieldset>
          <legend>From where to where</legend>
          {line("id", "Name", "Letters, digits, . _ and -; made up where it is empty")}
          {line("source", "Source", "mysql://user:password@host:3306, or the name of a connection", server)}
          {line("target", "Target", "The same for the server that the tables go to", server)}
        </fieldset>
        <fieldset>
          <legend>What</legend>
          {lines("tables", "Tables", "One a line: shop.*, crm.orders", 4, { required: "" })}
          {lines("exclude", "But not", "One a line: shop.tmp_*", 2)}
          {choice(
            "verify",
            "Compare both sides",
            "While writes go on, and what changed once more at the cutover",
            [
              ["full", "every row"],
              ["off", "not at all"],
            ],
          )}
        </fieldset>
        <fieldset>
          <legend>Cutover</legend>
          {choice("mode", "When", "Until then the target follows, seconds behind", [
            ["manual", "when I say so"],
            ["auto", "as soon as both sides are equal"],
          ])}
          {choice(
            "fence",
            "Who stops writes",
            "Needed for a moment, so that nothing is written past the end",
            [
              ...BUILT_FENCES.map((name) => [name, FENCES[name] ?? name] as const),
            ],
          )}
          {choice(
            "keepFence",
            "Writes to the source afterwards",
            "For applications that are not switched over yet",
            [
              ["yes", "stay stopped, as long as this service runs"],
              ["no", "go on"],
            ],
          )}
          {line(
            "timeoutSeconds",
            "Seconds that writes may be stopped",
            "Past it they go on, and the ferry tries later",
            {
              inputmode: "numeric",
              placeholder: String(SPEC_DEFAULTS.cutover.timeoutSeconds),
            },
          )}
        </fieldset>
        <details {...(throttled ? { open: true } : {})}>
          <summary>Slow it down</summary>
          <div class="pairs">
            {THROTTLE_FIELDS.map((name) =>
              line(name, ...THROTTLE[name], { inputmode: "numeric", placeholder: "no limit" })
            )}
          </div>
        </details>
        <p class="buttons">
          <button type="submit" name="do" value="check">Look at both servers</button>
          <button type="submit" name="do" value="start" class="primary">Start</button>
        </p>
      </form>
    </Layout>
  );
}

type Attributes = Readonly<Record<string, string>>;

function Field({ name, label, hint, faults, findings, again, control }: {
  readonly name: string;
  readonly label: string;
  readonly hint: string;
  readonly faults: readonly FieldFault[];
  readonly findings: readonly Finding[];
  /** What has to be typed again, or `null`. */
  readonly again: string | null;
  /** Gets what ties it to its label, its hint and what is wrong with it. */
  readonly control: (attributes: Attributes) => Child;
}) {
  const wrong = faults.length > 0 || findings.some((f) => f.level === "error");
  const told = faults.length + findings.length > 0 || again !== null;
  return (
    <div class="field">
      <label for={name}>{label}</label>
      {control({
        id: name,
        name,
        "aria-describedby": told ? `${name}-hint ${name}-told` : `${name}-hint`,
        ...(wrong ? { "aria-invalid": "true" } : {}),
      })}
      <small id={`${name}-hint`} class="hint">{hint}</small>
      {told
        ? (
          <div id={`${name}-told`}>
            {faults.map((f) => <p class="fault" role="alert">{f.detail}</p>)}
            {again === null ? null : <p class="hint">{again}</p>}
            {findings.length === 0 ? null : <Findings findings={findings} />}
          </div>
        )
        : null}
    </div>
  );
}
