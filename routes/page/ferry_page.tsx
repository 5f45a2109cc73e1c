/**
 * One ferry: how it goes, table by table, and what may be asked of it now.
 * @module
 */
import type { FerryAction } from "../../lib/ferry/ferry_state.ts";
import type { FerryResource } from "../../lib/progress/resource.ts";
import { Bar, TableBar } from "./bar.tsx";
import { count, headline, seconds } from "../../lib/progress/wording.ts";
import { Layout } from "./layout.tsx";
import { Phases } from "./phases.tsx";
import { Picture } from "./picture.tsx";

/** Tables that are shown; more are counted. */
const SHOWN = 200;

/** The page. */
export function FerryPage(
  { resource, now, refusal }: {
    readonly resource: FerryResource;
    readonly now: number;
    readonly refusal?: string | undefined;
  },
) {
  const path = `/ferries/${encodeURIComponent(resource.id)}`;
  return (
    <Layout title={headline(resource)}>
      {refusal === undefined ? null : <p class="refusal" role="alert">{refusal}</p>}
      <div id="live" data-live={`${path}/live`} data-events={`/v1${path}/events`}>
        <FerryView resource={resource} now={now} />
      </div>
      <Actions resource={resource} />
      <figure id="charts" class="charts" hidden>
        <figcaption>Since this page was opened; grey where copying was held</figcaption>
        <div id="rates"></div>
        <div id="lags"></div>
      </figure>
      <section>
        <h2>What happened</h2>
        <ol id="events" class="events" aria-live="polite"></ol>
        <noscript>
          <p>
            Without JavaScript this page shows one moment; load it again for another. The events are under
            {" "}
            <a href={`/v1${path}/events?after=0`}>/v1{path}/events</a>.
          </p>
        </noscript>
      </section>
    </Layout>
  );
}

/** What changes all the while, as it is fetched again and again. */
export function FerryView({ resource: r, now }: { readonly resource: FerryResource; readonly now: number }) {
  return (
    <article class={`ferry ${r.state}`} data-title={headline(r)} data-actions={r.actions.join(" ")}>
      <p class="id">{r.id}</p>
      <h1>{headline(r)}</h1>
      {r.error === null ? null : <Trouble error={r.error} />}
      <Bar resource={r} />
      <Phases resource={r} now={now} />
      <Picture resource={r} />
      <Numbers resource={r} />
      <Differences resource={r} />
      <Tables resource={r} />
    </article>
  );
}

function Trouble({ error }: { readonly error: NonNullable<FerryResource["error"]> }) {
  return (
    <section class="trouble" role="alert">
      <p>
        <code>{error.code}</code>
        {error.hint === null ? null : <span>{error.hint}</span>}
      </p>
      {error.findings === undefined ? null : <Findings findings={error.findings} />}
    </section>
  );
}

/** What preflight found, errors first. */
export function Findings(
  { findings }: { readonly findings: NonNullable<NonNullable<FerryResource["error"]>["findings"]> },
) {
  return (
    <ul class="findings">
      {findings.map((f) => (
        <li class={f.level}>
          <strong>{f.level}</strong> <code>{f.code}</code> <em>{f.subject}</em>
          <span>{f.detail}</span>
          <span class="hint">{f.hint}</span>
        </li>
      ))}
    </ul>
  );
}

function Numbers({ resource: r }: { readonly resource: FerryResource }) {
  const p = r.progress;
  const known = (n: number | null, write: (n: number) => string) => n === null ? "measuring" : write(n);
  const pairs: readonly (readonly [string, string])[] = [
    ["Rows copied", count(p.rowsCopied)],
    ["Rows a second", known(p.rowsPerSecond, count)],
    ["Changes replayed", count(p.changesApplied)],
    ["Changes waiting", known(p.changesPending, count)],
    ["Behind", known(p.lagSeconds, seconds)],
    ["Comparison", r.verification.state],
    ["Throttled", r.throttled?.reason ?? "no"],
    ["Writes stopped", r.cutover.writesStoppedMs === null ? "not yet" : `${r.cutover.writesStoppedMs} ms`],
  ];
  return (
    <dl class="numbers">
      {pairs.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Differences({ resource: r }: { readonly resource: FerryResource }) {
  const found = r.verification.differences;
  if (found.length === 0) return null;
  return (
    <section class="trouble">
      <h2>Rows that differ</h2>
      <ul>
        {found.map((d) => (
          <li>
            <code>{d.table}</code> {Object.entries(d.key).map(([k, v]) => `${k}=${v ?? "NULL"}`).join(", ")}:
            {" "}
            {d.kind}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Tables({ resource: r }: { readonly resource: FerryResource }) {
  if (r.tables.length === 0) return null;
  return (
    <section>
      <h2>Tables</h2>
      <table class="tables">
        <thead>
          <tr>
            <th scope="col">Table</th>
            <th scope="col">Rows</th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {r.tables.slice(0, SHOWN).map((t) => (
            <tr>
              <th scope="row">
                {t.source}
                {t.target === t.source ? null : <small>to {t.target}</small>}
              </th>
              <td>
                <TableBar table={t} /> <small>{count(t.rowsCopied)}</small>
              </td>
              <td class={t.state}>{t.state}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {r.tables.length > SHOWN ? <p>and {r.tables.length - SHOWN} more</p> : null}
    </section>
  );
}

const NAMES: Readonly<Record<FerryAction, string>> = {
  pause: "Pause copying",
  resume: "Go on copying",
  cutover: "Cut over",
  cancel: "Cancel",
  verify: "Compare again",
  retry: "Try again",
};

/** Only what is allowed now; what cannot be taken back asks for the ferry's name. */
export function Actions({ resource: r }: { readonly resource: FerryResource }) {
  return (
    <section id="actions" class="actions" aria-label="Actions" data-actions={r.actions.join(" ")}>
      {r.actions.map((action) => (
        <form method="post" action={`/ferries/${encodeURIComponent(r.id)}/${action}`} class={action}>
          {action === "cutover" || action === "cancel"
            ? (
              <label>
                Type <strong>{r.id}</strong> to {action === "cutover" ? "cut over" : "cancel"}
                <input name="name" required pattern={patternOf(r.id)} autocomplete="off" spellcheck={false} />
              </label>
            )
            : null}
          <button type="submit">{NAMES[action]}</button>
        </form>
      ))}
    </section>
  );
}

/** A pattern that only this text fulfils. */
function patternOf(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
