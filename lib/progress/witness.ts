/**
 * What the process itself tells of a ferry while it goes: a span for each phase, and a log line for each event.
 * @module
 */
import type { EventWitness } from "./event_log.ts";
import { logEvent } from "./log_lines.ts";
import type { FerryEvent, FerryResource } from "./resource.ts";
import { FerrySpans } from "./spans.ts";

/** Turns one ferry's events into spans and log lines. */
export class Witness implements EventWitness {
  readonly #spans: FerrySpans;

  /** Nothing is told before the first event. */
  constructor(private readonly ferry: string) {
    this.#spans = new FerrySpans(ferry);
  }

  saw(type: FerryEvent["type"], data: FerryEvent["data"]): void {
    if (type === "progress") return; // twice a second, and in the metrics
    const resource = type === "log" ? null : data as unknown as FerryResource;
    if (resource !== null) this.#spans.follow(resource);
    // Lines within a span carry its ids, so the one leads to the other.
    this.#spans.within(() => logEvent(this.ferry, type, data));
    if (resource !== null && resource.endedAt !== null) this.#spans.end(resource);
  }

  left(): void {
    this.#spans.leave();
  }
}
