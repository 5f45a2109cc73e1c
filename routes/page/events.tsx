/**
 * What happened last, the newest first; the script goes on behind it.
 * @module
 */
import type { FerryEvent } from "../../lib/progress/resource.ts";

/** Events that a page begins with. */
export const EVENTS_SHOWN = 50;

/** The list. `events` are the oldest first. */
export function Events({ events, path }: { readonly events: readonly FerryEvent[]; readonly path: string }) {
  return (
    <section aria-labelledby="events-title">
      <h2 id="events-title">What happened</h2>
      <ol id="events" class="events" aria-live="polite" reversed data-after={String(events.at(-1)?.id ?? 0)}>
        {events.toReversed().map(({ id, type, data }) => (
          <li data-id={String(id)} class={type}>
            {data.at === undefined ? null : <time datetime={data.at}>{`${data.at.slice(11, 19)} UTC`}</time>}
            <span>{data.text}</span>
          </li>
        ))}
      </ol>
      <noscript>
        <p class="hint">
          This is one moment: load the page again for another. All events are under{" "}
          <a href={`/v1${path}/events?after=0`}>/v1{path}/events</a>.
        </p>
      </noscript>
    </section>
  );
}
