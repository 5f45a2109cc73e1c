/**
 * The form that starts a ferry, with what is wrong beside each field, and what the preflight found.
 * @module
 */
import type { PreflightReport } from "../../lib/ferry/ferry.ts";
import type { SpecFault } from "../../lib/spec/spec_fault.ts";
import { Findings } from "./ferry_page.tsx";
import { Layout } from "./layout.tsx";

/** What was typed, by field. */
export type StartForm = Readonly<Record<string, string>>;

/** A field that is wrong: where in the spec, what was seen and what is needed. */
export type FieldFault = Pick<SpecFault, "pointer" | "detail">;

/** The page. */
export function StartPage(
  { form, faults = [], report, connections }: {
    readonly form: StartForm;
    readonly faults?: readonly FieldFault[] | undefined;
    readonly report?: PreflightReport | undefined;
    /** Names that stand for a URL. */
    readonly connections: readonly string[];
  },
) {
  const of = (field: string) => faults.filter((f) => f.pointer.split("/")[1] === field);
  const rest = faults.filter((f) => !FIELDS.includes(f.pointer.split("/")[1] ?? ""));
  const field = (name: string, label: string, hint: string, more: Record<string, string> = {}) => (
    <Field name={name} label={label} hint={hint} faults={of(name)}>
      <input id={name} name={name} value={form[name] ?? ""} aria-describedby={`${name}-hint`} {...more} />
    </Field>
  );
  return (
    <Layout title="Start a ferry · Chainferry">
      <h1>Start a ferry</h1>
      {rest.map((f) => <p class="refusal" role="alert">{f.detail}</p>)}
      {report === undefined ? null : (
        <section aria-label="Preflight" role="status">
          <h2>{report.ok ? "Ready to start" : "Not ready yet"}</h2>
          <Findings findings={report.findings} />
        </section>
      )}
      <form method="post" action="/ferries" class="start">
        <datalist id="connections">{connections.map((name) => <option value={name} />)}</datalist>
        {field("id", "Name", "Letters, digits, . _ and -; made up where it is empty", {
          autocomplete: "off",
        })}
        {field("source", "Source", "mysql://user:password@host:3306, or the name of a connection", {
          required: "",
          list: "connections",
          autocomplete: "off",
        })}
        {field("target", "Target", "The same for the server that the tables go to", {
          required: "",
          list: "connections",
          autocomplete: "off",
        })}
        <Field name="tables" label="Tables" hint="One a line: shop.*, crm.orders" faults={of("tables")}>
          <textarea id="tables" name="tables" rows={4} required aria-describedby="tables-hint">
            {form.tables ?? ""}
          </textarea>
        </Field>
        <Field name="exclude" label="But not" hint="One a line: shop.tmp_*" faults={of("exclude")}>
          <textarea id="exclude" name="exclude" rows={2} aria-describedby="exclude-hint">
            {form.exclude ?? ""}
          </textarea>
        </Field>
        <Field
          name="fence"
          label="Who stops writes at the cutover"
          hint="none: you have stopped them yourself"
          faults={of("cutover")}
        >
          <select id="fence" name="fence" aria-describedby="fence-hint">
            {["none", "lockTables", "readOnly", "schemaReadOnly"].map((name) => (
              <option value={name} selected={form.fence === name}>{name}</option>
            ))}
          </select>
        </Field>
        <button type="submit" name="do" value="check">Look at both servers</button>{" "}
        <button type="submit" name="do" value="start">Start</button>
      </form>
    </Layout>
  );
}

const FIELDS: readonly string[] = ["id", "source", "target", "tables", "exclude", "cutover"];

function Field({ name, label, hint, faults, children }: {
  readonly name: string;
  readonly label: string;
  readonly hint: string;
  readonly faults: readonly FieldFault[];
  readonly children: unknown;
}) {
  return (
    <p>
      <label for={name}>{label}</label>
      {children as never}
      <small id={`${name}-hint`} class="hint">{hint}</small>
      {faults.map((f) => <span class="fault" role="alert">{f.detail}</span>)}
    </p>
  );
}

/** The spec that a form means. Empty fields are left out. */
export function specOf(form: StartForm): Record<string, unknown> {
  const lines = (text: string | undefined) =>
    (text ?? "").split("\n").map((l) => l.trim()).filter((l) => l !== "");
  const { id = "", source = "", target = "", fence = "none" } = form;
  const exclude = lines(form.exclude);
  return {
    ...(id.trim() === "" ? {} : { id: id.trim() }),
    source: source.trim(),
    target: target.trim(),
    tables: lines(form.tables),
    ...(exclude.length === 0 ? {} : { exclude }),
    cutover: { mode: "manual", fence },
  };
}
