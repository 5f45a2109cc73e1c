/**
 * The routes under `/v1/ferries`: validate, call the dock, render.
 * @module
 */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { accepts } from "hono/accepts";
import { FerryError } from "../lib/errors.ts";
import type { Dock, Ferry } from "../lib/ferry/ferry.ts";
import { type Hold, isEnded } from "../lib/ferry/ferry_state.ts";
import { hasOwnId, parseChange, parsePause, parseSpec, refuseUnbuiltFence } from "../lib/spec/parse_spec.ts";
import {
  actionRoutes,
  changeFerryRoute,
  createFerryRoute,
  ferryEventsRoute,
  listFerriesRoute,
  MAX_WAIT_SECONDS,
  readFerryRoute,
} from "./definitions.ts";
import type { Drain } from "./drain.ts";
import { eventStream } from "./event_stream.ts";
import { idOfKey, KeyMemory, keyReused } from "./idempotency.ts";
import { invalidBody, readJson } from "./json_body.ts";
import { ferryProblem, notFound } from "./problem.ts";

/** What the routes work with. */
export interface FerryRoutesOptions {
  /** The ferries. */
  readonly dock: Dock;
  /** Named connections that a spec may use. */
  readonly connections: ReadonlyMap<string, string>;
  /** Tells when the service goes. */
  readonly drain: Drain;
  /** Milliseconds between comments in an event stream. */
  readonly heartbeatMs: number;
}

/** Adds the routes. */
export function ferryRoutes(app: OpenAPIHono, options: FerryRoutesOptions): void {
  const { dock, drain, heartbeatMs } = options;
  const keys = new KeyMemory();

  app.openapi(createFerryRoute, async (c) => {
    drain.noWork.throwIfAborted();
    const body = await readJson(c);
    if ("refusal" in body) return body.refusal;
    const key = c.req.valid("header")["idempotency-key"];
    const keyId = key === undefined || hasOwnId(body.value) ? null : await idOfKey(key);
    const reading = parseSpec(body.value, options.connections, keyId === null ? undefined : () => keyId);
    if ("faults" in reading) return invalidBody(reading.faults);
    const spec = reading.spec;
    refuseUnbuiltFence(spec);
    if (c.req.valid("query").dryRun) return c.json(await dock.check(spec, drain.noWork));
    if (key !== undefined) await keys.claim(key, spec);
    const ferry = await dock.start(spec).catch((error) => {
      if (keyId === null || !(error instanceof FerryError) || error.code !== "spec-differs") throw error;
      throw keyReused();
    });
    const location = `/v1/ferries/${encodeURIComponent(ferry.id)}`;
    if (!wantsEvents(c)) return c.json(ferry.resource(), 202, { location });
    const after = c.req.valid("header")["last-event-id"] ?? 0;
    const response = await eventStream(c, ferry, { after, drain, heartbeatMs });
    response.headers.set("location", location);
    return response;
  });

  app.openapi(listFerriesRoute, (c) => {
    const { state } = c.req.valid("query");
    const all = dock.list().map((ferry) => ferry.resource());
    return fresh(c, { ferries: state === undefined ? all : all.filter((each) => each.state === state) });
  });

  app.openapi(readFerryRoute, async (c) => {
    const ferry = dock.find(c.req.valid("param").id);
    if (ferry === null) return noFerry(c.req.valid("param").id);
    const { wait = 0 } = c.req.valid("query");
    if (wait > 0) {
      await waitForChange(ferry, Math.min(wait, MAX_WAIT_SECONDS), drain.noWork);
    }
    return fresh(c, ferry.resource());
  });

  app.openapi(changeFerryRoute, async (c) => {
    const ferry = dock.find(c.req.valid("param").id);
    if (ferry === null) return noFerry(c.req.valid("param").id);
    const body = await readJson(c);
    if ("refusal" in body) return body.refusal;
    const reading = parseChange(body.value, options.connections);
    if ("faults" in reading) return invalidBody(reading.faults);
    return await allowed(ferry, () => ferry.change(reading.change)) ?? fresh(c, ferry.resource());
  });

  app.openapi(ferryEventsRoute, async (c) => {
    const ferry = dock.find(c.req.valid("param").id);
    if (ferry === null) return noFerry(c.req.valid("param").id);
    // A browser that comes back asks for the same URL, so its header knows more than the query.
    const after = c.req.valid("header")["last-event-id"] ?? c.req.valid("query").after ?? 0;
    return await eventStream(c, ferry, { after, drain, heartbeatMs });
  });

  for (const [action, route] of actionRoutes) {
    app.openapi(route, async (c) => {
      const ferry = dock.find(c.req.valid("param").id);
      if (ferry === null) return noFerry(c.req.valid("param").id);
      let hold: Hold | undefined;
      if (action === "pause" && await c.req.text() !== "") {
        const body = await readJson(c);
        if ("refusal" in body) return body.refusal;
        const reading = parsePause(body.value);
        if ("faults" in reading) return invalidBody(reading.faults);
        hold = reading.hold;
      }
      return await allowed(ferry, () => ferry.act(action, hold)) ?? c.json(ferry.resource(), 202);
    });
  }
}

/** Does it, or answers 409 with what the state allows instead. */
async function allowed(ferry: Ferry, act: () => Promise<void>): Promise<Response | null> {
  try {
    await act();
    return null;
  } catch (error) {
    if (!(error instanceof FerryError)) throw error;
    const { state, actions } = ferry.resource();
    return ferryProblem(error, { state, actions });
  }
}

/**
 * Returns when the state changes, after `seconds`, or when the service goes. That the client went is not looked at: Deno
 * 2.9 aborts a request's signal on success too, and says so on stderr once someone listens.
 */
async function waitForChange(ferry: Ferry, seconds: number, noWork: AbortSignal): Promise<void> {
  const { state } = ferry.resource();
  if (isEnded(state)) return; // nothing more happens by itself
  const stop = new AbortController();
  const abort = () => stop.abort();
  const timer = setTimeout(abort, seconds * 1000);
  if (noWork.aborted) abort();
  noWork.addEventListener("abort", abort);
  try {
    // More is told than a state: a hold, a throttle, whatever another process records.
    while (!stop.signal.aborted && ferry.resource().state === state) await ferry.changed(stop.signal);
  } finally {
    clearTimeout(timer);
    noWork.removeEventListener("abort", abort);
  }
}

function wantsEvents(c: Context): boolean {
  return accepts(c, {
    header: "Accept",
    supports: ["application/json", "text/event-stream"],
    default: "application/json",
  }) === "text/event-stream";
}

/** JSON that is old as soon as it is read. */
function fresh(c: Context, value: object): Response {
  return c.json(value, 200, { "cache-control": "no-store" });
}

function noFerry(id: string): Response {
  return notFound(
    `Cannot find ferry ${JSON.stringify(id.slice(0, 64))}: this process knows none with that id`,
  );
}
