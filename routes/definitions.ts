/**
 * What each route takes and answers. The router checks queries by it, and `/openapi.json` shows it.
 * @module
 */
import { createRoute, type RouteConfig, z } from "@hono/zod-openapi";
import { ACTIONS, type FerryAction, STATES } from "../lib/ferry/ferry_state.ts";
import { type ComponentName, ref } from "./schemas.ts";

/** Seconds that `?wait=` may hold an answer. */
export const MAX_WAIT_SECONDS = 60;

// Declared wide: handlers answer with `Response`s, not with the library's typed ones.
function answers(responses: RouteConfig["responses"], problems: readonly number[]): RouteConfig["responses"] {
  const all: RouteConfig["responses"] = { ...responses };
  for (const status of [401, ...problems].sort()) {
    all[status] = {
      description: "Problem",
      content: { "application/problem+json": { schema: ref("Problem") } },
    };
  }
  return all;
}

const json = (name: ComponentName) => ({ "application/json": { schema: ref(name) } });
const text = (type: string) => ({ [type]: { schema: { type: "string" as const } } });

const body = (name: ComponentName) => ({ required: true, content: json(name) });

const integer = (description: string) =>
  z.string().regex(/^\d{1,15}$/, "needed an integer of 0 or more").transform(Number).optional()
    .openapi({ type: "integer", minimum: 0, description });

const boolean = (description: string) =>
  z.enum(["true", "false"], 'needed "true" or "false"').transform((value) => value === "true").optional()
    .openapi({ type: "boolean", enum: [true, false], description });

const params = z.object({ id: z.string().openapi({ description: "The ferry's id" }) });

const lastEventId = z.object({
  // Empty is what a stream has before its first id: no place to go on from.
  "last-event-id": z.preprocess(
    (value) => value === "" ? undefined : value,
    integer("Replays what came behind this event; wins over ?after"),
  ),
});

const idempotencyKey = z.object({
  "idempotency-key": z.string().regex(/^[\x21-\x7e]{1,255}$/, "needed 1 to 255 visible ASCII characters")
    .optional().openapi({
      description: "The same key with the same spec is the same ferry, also after a restart",
    }),
});

const streamed = "Server-Sent Events: each data: is the data of a FerryEvent in one line";

/** `POST /v1/ferries`. */
export const createFerryRoute = createRoute({
  method: "post",
  path: "/v1/ferries",
  summary: "Start a ferry, or attach to the one with this id",
  request: {
    headers: idempotencyKey.extend(lastEventId.shape),
    query: z.strictObject({ dryRun: boolean("Only preflight: nothing is started or written") }),
    body: body("FerrySpec"),
  },
  responses: answers({
    200: {
      description:
        "With ?dryRun=true the preflight report; with Accept: text/event-stream the ferry's events",
      content: { ...json("PreflightReport"), ...text("text/event-stream") },
    },
    202: { description: "The ferry; Location is its address", content: json("Ferry") },
    204: { description: "With Accept: text/event-stream: it has ended and Last-Event-ID is its last event" },
  }, [400, 403, 413, 415, 422, 501, 503]),
});

/** `GET /v1/ferries`. */
export const listFerriesRoute = createRoute({
  method: "get",
  path: "/v1/ferries",
  summary: "The ferries of this process, newest first",
  request: {
    query: z.strictObject({
      state: z.enum(STATES as [typeof STATES[number]], `needed one of ${STATES.join(", ")}`).optional(),
    }),
  },
  responses: answers({ 200: { description: "The ferries", content: json("FerryList") } }, [422]),
});

/** `GET /v1/ferries/{id}`. */
export const readFerryRoute = createRoute({
  method: "get",
  path: "/v1/ferries/{id}",
  summary: "One ferry",
  request: {
    params,
    query: z.strictObject({
      wait: integer(`Seconds to hold the answer until the state changes; ${MAX_WAIT_SECONDS} at most`),
    }),
  },
  responses: answers({ 200: { description: "The ferry", content: json("Ferry") } }, [404, 422, 503]),
});

/** `PATCH /v1/ferries/{id}`. */
export const changeFerryRoute = createRoute({
  method: "patch",
  path: "/v1/ferries/{id}",
  summary: "Change settings while it runs: each of `copy` by itself, `throttle` as a whole",
  request: { params, body: body("FerryChange") },
  responses: answers(
    { 200: { description: "The ferry", content: json("Ferry") } },
    [400, 403, 404, 409, 413, 415, 422, 503],
  ),
});

/** `GET /v1/ferries/{id}/events`. */
export const ferryEventsRoute = createRoute({
  method: "get",
  path: "/v1/ferries/{id}/events",
  summary: "The ferry's events, those missed first",
  request: {
    params,
    headers: lastEventId,
    query: z.strictObject({ after: integer("Replays what came behind this event") }),
  },
  responses: answers({
    200: { description: streamed, content: text("text/event-stream") },
    204: { description: "The ferry has ended and there is nothing behind that event: do not reconnect" },
  }, [404, 422, 503]),
});

/** `POST /v1/ferries/{id}/{action}`, one for each action. */
export const actionRoutes: readonly [FerryAction, ReturnType<typeof actionRoute>][] = ACTIONS.map((
  action,
) => [action, actionRoute(action)]);

function actionRoute(action: FerryAction) {
  return createRoute({
    method: "post",
    path: `/v1/ferries/{id}/${action}`,
    summary: `Ask the ferry to ${action}`,
    request: action === "pause"
      ? { params, body: { required: false, content: json("FerryPause") } }
      : { params },
    responses: answers(
      { 202: { description: "The ferry", content: json("Ferry") } },
      action === "pause" ? [400, 403, 404, 409, 413, 415, 422, 503] : [403, 404, 409, 503],
    ),
  });
}

/** `GET /healthz`. */
export const healthRoute = createRoute({
  method: "get",
  path: "/healthz",
  summary: "The process is alive",
  responses: { 200: { description: "It is", content: text("text/plain") } },
});

/** `GET /readyz`. */
export const readyRoute = createRoute({
  method: "get",
  path: "/readyz",
  summary: "Able to take work",
  responses: {
    200: { description: "It is", content: text("text/plain") },
    503: {
      description: "It is going",
      content: { "application/problem+json": { schema: ref("Problem") } },
    },
  },
});

/** `GET /metrics`. */
export const metricsRoute = createRoute({
  method: "get",
  path: "/metrics",
  summary: "For Prometheus",
  responses: answers({ 200: { description: "Metrics", content: text("text/plain") } }, []),
});
