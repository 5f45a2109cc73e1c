/**
 * Every ferry that this process knows, trouble first.
 * @module
 */
import { isEnded } from "../../lib/ferry/ferry_state.ts";
import type { FerryResource } from "../../lib/progress/resource.ts";
import { headline } from "../../lib/progress/wording.ts";
import { Bar } from "./bar.tsx";
import { Layout } from "./layout.tsx";

/** The page. */
export function FerriesPage({ ferries }: { readonly ferries: readonly FerryResource[] }) {
  return (
    <Layout title={titleOf(ferries)}>
      <div id="live" data-live="/live">
        <FerryList ferries={ferries} />
      </div>
    </Layout>
  );
}

/** The list alone, as it is fetched again and again. */
export function FerryList({ ferries }: { readonly ferries: readonly FerryResource[] }) {
  if (ferries.length === 0) {
    return (
      <section class="empty" data-title={titleOf(ferries)}>
        <h1>No ferry yet</h1>
        <p>A ferry moves tables from one live server to another while both are used.</p>
        <p>
          <a class="button primary" href="/new">Start a ferry</a>
        </p>
      </section>
    );
  }
  return (
    <section data-title={titleOf(ferries)}>
      <h1>Ferries</h1>
      <ul class="ferries">
        {ferries.toSorted((a, b) => urgency(a) - urgency(b)).map((r) => (
          <li class={`ferry ${r.state}`} data-key={r.id}>
            <a href={`/ferries/${encodeURIComponent(r.id)}`}>
              <strong>{r.id}</strong>
              <span>{headline(r)}</span>
            </a>
            <Bar resource={r} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What the tab says. */
function titleOf(ferries: readonly FerryResource[]): string {
  const trouble = ferries.filter((r) => r.state === "failed").length;
  const going = ferries.filter((r) => !isEnded(r.state)).length;
  const title = trouble > 0 ? `${trouble} stopped, ${going} under way` : `${going} under way`;
  return `${title} · Chainferry`;
}

/** What needs a person comes first, what is over comes last. */
function urgency({ state }: FerryResource): number {
  if (state === "failed") return 0;
  if (state === "awaitingCutover") return 1;
  return isEnded(state) ? 3 : 2;
}
