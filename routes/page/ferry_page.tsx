/**
 * One ferry: how it goes, table by table, and what may be asked of it now.
 * @module
 */
import { holdsReplay, isEnded } from "../../lib/ferry/ferry_state.ts";
import type { FerryEvent, FerryResource } from "../../lib/progress/resource.ts";
import { Actions } from "./actions.tsx";
import { Bar } from "./bar.tsx";
import { Events } from "./events.tsx";
import { Findings } from "./findings.tsx";
import { count, counted, headline, seconds, serverName, throttledText } from "../../lib/progress/wording.ts";
import { inOrder } from "../../lib/progress/table_order.ts";
import { Layout } from "./layout.tsx";
import { Phases } from "./phases.tsx";
import { Picture } from "./picture.tsx";
import { rowsText, Strip, StripLegend } from "./strip.tsx";

/** Tables that are shown, the most urgent ones; the others are counted. */
const SHOWN = 200;

/** What the page shows. */
export interface FerryPageProps {
  /** The snapshot of now. */
  readonly resource: FerryResource;
  /** What happened last, the oldest first. */
  readonly events: readonly FerryEvent[];
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Why something that was asked was not done. */
  readonly refusal?: string | undefined;
}

/** The page. */
export function FerryPage({ resource, events, now, refusal }: FerryPageProps) {
  const path = `/ferries/${encodeURIComponent(resource.id)}`;
  return (
    <Layout title={headline(resource)}>
      {refusal === undefined ? null : <p class="notice bad" role="alert">{refusal}</p>}
      <div id="live" data-live={`${path}/live`} data-events={`/v1${path}/events`}>
        <FerryView resource={resource} now={now} />
      </div>
      <Events events={events} path={path} now={now} />
    </Layout>
  );
}

/** What changes all the while, as it is fetched again and again. */
export function FerryView({ resource: r, now }: { readonly resource: FerryResource; readonly now: number }) {
  return (
    <article
      class={`ferry ${r.state}`}
      data-title={headline(r)}
      {...(isEnded(r.state) ? { "data-ended": "" } : {})}
    >
      <p class="id">{r.id}</p>
      <h1>{headline(r)}</h1>
      <Notices resource={r} />
      {r.error === null ? null : <Trouble error={r.error} />}
      <Actions resource={r} />
      <section class="card" aria-label="The crossing">
        <Picture resource={r} />
        <Bar resource={r} />
        <Phases resource={r} now={now} />
      </section>
      <Numbers resource={r} />
      <Differences resource={r} />
      <figure id="charts" class="charts" data-keep hidden>
        <h2>Speed and lag</h2>
        <div id="rates"></div>
        <div id="lags"></div>
        <figcaption>
          Since this page was opened. Grey: copying waited
          <ul id="spells"></ul>
        </figcaption>
      </figure>
      <Tables resource={r} />
    </article>
  );
}

function Notices({ resource: r }: { readonly resource: FerryResource }) {
  return (
    <>
      {r.cutover.fenceKept
        ? (
          <p class="notice wait">
            <strong>Writes to {serverName(r.source)} are still stopped.</strong>{" "}
            The fence stays up until this service ends: point the applications at {serverName(r.target)}{" "}
            before.
          </p>
        )
        : null}
      {r.throttled === null ? null : (
        <p class="notice wait">
          {throttledText(r.state, r.throttled.reason)}.{holdsReplay(r.state, r.hold)
            ? ""
            : " Replay goes on."}
        </p>
      )}
    </>
  );
}

function Trouble({ error }: { readonly error: NonNullable<FerryResource["error"]> }) {
  return (
    <section class="notice bad" role="alert">
      {error.findings === undefined
        ? (error.hint === null ? null : <p>{error.hint}</p>)
        : <Findings findings={error.findings} />}
      <p class="hint">
        <code>{error.code}</code>
        {error.retryable ? " · may pass by itself" : ""}
      </p>
    </section>
  );
}

function Numbers({ resource: r }: { readonly resource: FerryResource }) {
  const p = r.progress;
  const known = (n: number | null, write: (n: number) => string) => n === null ? "measuring" : write(n);
  const going = !isEnded(r.state);
  const pairs: readonly (readonly [name: string, value: string, applies: boolean])[] = [
    ["Rows copied", count(p.rowsCopied), true],
    ["Rows a second", known(p.rowsPerSecond, count), r.state === "copying" && !r.paused],
    ["Changes replayed", count(p.changesApplied), true],
    ["Changes waiting", known(p.changesPending, count), going],
    ["Behind", known(p.lagSeconds, seconds), going],
    ["Comparison", r.verification.state, true],
    ["Rows compared", count(r.verification.rowsCompared), r.verification.rowsCompared > 0],
    ["Writes stopped for", `${r.cutover.writesStoppedMs} ms`, r.cutover.writesStoppedMs !== null],
  ];
  return (
    <dl class="numbers">
      {pairs.filter(([, , applies]) => applies).map(([name, value]) => (
        <div data-key={name}>
          <dt>{name}</dt>
          <dd class={value === "measuring" ? "unknown" : ""}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Differences({ resource: r }: { readonly resource: FerryResource }) {
  const found = r.verification.differences;
  if (found.length === 0) return null;
  return (
    <section class="notice bad">
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
  const hidden = r.tables.length - SHOWN;
  return (
    <section>
      <div class="titled">
        <h2>Tables</h2>
        <StripLegend />
      </div>
      <table class="tables card">
        <thead>
          <tr>
            <th scope="col">Table</th>
            <th scope="col">From its first key to its last</th>
            <th scope="col">Rows</th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {inOrder(r.tables).slice(0, SHOWN).map((t) => (
            <tr data-key={t.source}>
              <th scope="row">
                {t.source}
                {t.target === t.source ? null : <small>to {t.target}</small>}
              </th>
              <td>
                <Strip table={t} />
              </td>
              <td>{rowsText(t)}</td>
              <td>
                <span class={`state ${t.state}`}>{t.state}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {hidden > 0 ? <p>{counted(hidden, "more table")} {hidden === 1 ? "is" : "are"} not shown</p> : null}
    </section>
  );
}
