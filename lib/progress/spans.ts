/**
 * A ferry as a trace: one span for the time that it is in this process, and below it one for each phase. With
 * `OTEL_DENO=true` Deno exports them; otherwise the API's spans are empty and cost nothing.
 * @module
 */
import { type Attributes, context, ROOT_CONTEXT, type Span, SpanStatusCode, trace } from "@opentelemetry/api";
import type { FerryResource } from "./resource.ts";

type Phase = FerryResource["phases"][number];

/** Spans under way. */
interface Open {
  readonly ferry: Span;
  /** The phase that the ferry is in. */
  phase: Span | null;
  /** The last that was told. */
  resource: FerryResource;
}

/** The spans of one ferry. */
export class FerrySpans {
  readonly #tracer = trace.getTracer("chainferry");
  #open: Open | null = null;
  /** Phases that were told, by this process or by one that had the ferry before. */
  #told = 0;
  #since = new Date().toISOString();

  /** Begins with the first phase that is followed. */
  constructor(private readonly id: string) {}

  /** Ends and begins the phases that have changed, with the times that the resource gives them. */
  follow(resource: FerryResource): void {
    const { phases } = resource;
    const before = phases.filter((phase) => phase.startedAt < this.#since).length;
    this.#told = Math.max(this.#told, before);
    const open = this.#open ??= this.#begin(resource, phases[this.#told]);
    const under = phases[this.#told - 1];
    if (open.phase !== null && under !== undefined && under.endedAt !== null) {
      finish(open.phase, resource, under.endedAt);
      open.phase = null;
    }
    for (const phase of phases.slice(this.#told)) {
      const span = this.#tracer.startSpan(
        phase.state,
        { startTime: new Date(phase.startedAt), attributes: this.#names },
        trace.setSpan(ROOT_CONTEXT, open.ferry),
      );
      if (phase.endedAt === null) open.phase = span;
      else finish(span, resource, phase.endedAt);
    }
    this.#told = phases.length;
    open.resource = resource;
  }

  /** Runs `f` with the span of the present phase as the current one. */
  within(f: () => void): void {
    const span = this.#open?.phase ?? this.#open?.ferry;
    if (span === undefined) f();
    else context.with(trace.setSpan(ROOT_CONTEXT, span), f);
  }

  /** The ferry has ended. */
  end(resource: FerryResource): void {
    const open = this.#open;
    if (open === null) return;
    open.ferry.setAttribute("chainferry.end", resource.state);
    finish(open.ferry, resource, resource.endedAt!);
    this.#open = null;
    this.#since = new Date().toISOString();
  }

  /** The process lets go of a ferry that has not ended. */
  leave(): void {
    const open = this.#open;
    if (open === null) return;
    const at = new Date().toISOString();
    if (open.phase !== null) finish(open.phase, open.resource, at);
    open.ferry.setAttribute("chainferry.end", "left");
    finish(open.ferry, open.resource, at);
    this.#open = null;
  }

  #begin(resource: FerryResource, first: Phase | undefined): Open {
    const startTime = first === undefined ? new Date() : new Date(first.startedAt);
    // A root: a ferry outlives the request that started it.
    const ferry = this.#tracer.startSpan("ferry", { root: true, startTime, attributes: this.#names });
    return { ferry, phase: null, resource };
  }

  get #names(): Attributes {
    return { "chainferry.ferry": this.id };
  }
}

/** Ends a span with the ferry's numbers of now; a failure with its code, not with its text. */
function finish(span: Span, resource: FerryResource, at: string): void {
  const { progress, error, state, endedAt } = resource;
  span.setAttributes({
    "chainferry.tables": resource.tables.length,
    "chainferry.rows_copied": progress.rowsCopied,
    "chainferry.bytes_copied": progress.bytesCopied,
    "chainferry.rows_compared": resource.verification.rowsCompared,
    "chainferry.changes_applied": progress.changesApplied,
  });
  if (state === "failed" && error !== null && endedAt === at) {
    span.setAttribute("error.type", error.code);
    span.setStatus({ code: SpanStatusCode.ERROR, message: error.code });
  }
  span.end(new Date(at));
}
