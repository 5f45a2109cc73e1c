/**
 * What happened last, the newest first; the script goes on behind it.
 * @module
 */
import type { FerryEvent } from "../../lib/progress/resource.ts";

/** Events that a page begins with. */
export const EVENTS_SHOWN = 50;

/** What the list is made of. */
export interface EventsProps {
  /** The oldest first. */
  readonly events: readonly FerryEvent[];
  /** The ferry's page. */
  readonly path: string;
  /** Milliseconds since 1970: the day that is not named. */
  readonly now: number;
}

/** The list. */
export function Events({ events, path, now }: EventsProps) {
  return (
    <section aria-labelledby="events-title">
      <h2 id="events-title">What happened</h2>
      <ol id="events" class="events" aria-live="polite" reversed data-after={String(events.at(-1)?.id ?? 0)}>
        {events.toReversed().map(({ id, type, data }) => (
          <li data-id={String(id)} class={type}>
            {data.at === undefined ? null : <time datetime={data.at}>{timeText(data.at, now)}</time>}
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

/** `10:00:05 UTC`, with the date where that is not today's. */
function timeText(at: string, now: number): string {
  const [date, time] = [at.slice(0, 10), at.slice(11, 19)];
  const today = new Date(now).toISOString().startsWith(date);
  return `${today ? "" : `${date} `}${time} UTC`;
}
