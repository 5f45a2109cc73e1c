/**
 * The HTTP side of the service, without a port: `app.request()` is enough to talk to it.
 * @module
 */
import { type Hook, OpenAPIHono } from "@hono/zod-openapi";
import type { Context, Env } from "hono";
import { bodyLimit } from "hono/body-limit";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { getLogger, withContext } from "@logtape/logtape";
import type { Dock } from "../lib/ferry/ferry.ts";
import type { Settings } from "../lib/spec/settings.ts";
import { healthRoute, metricsRoute, readyRoute } from "./definitions.ts";
import { Drain } from "./drain.ts";
import { ferryRoutes } from "./ferries.ts";
import { BODY_LIMIT, ferryOfPath, originGuard, takingUpGuard, tokenGuard, tooLarge } from "./guards.ts";
import { renderMetrics } from "./metrics.ts";
import { pages } from "./pages.tsx";
import { problemsAsPages } from "./people.tsx";
import { notFound, problem, problemOf } from "./problem.ts";
import { registerSchemas } from "./schemas.ts";

/** What the service is made of. */
export interface AppOptions {
  /** The ferries. */
  readonly dock: Dock;
  /** Token and named connections are used. */
  readonly settings: Pick<Settings, "token" | "connections">;
  /** Tells the routes that the service is going. @default one that never does */
  readonly drain?: Drain;
  /** Shown in `/openapi.json` and `/metrics`. @default {"0.0.0"} */
  readonly version?: string;
  /** Milliseconds between comments in an event stream. @default {15000} */
  readonly heartbeatMs?: number;
  /** Resolves when the ferries that were left are known. @default one that has resolved */
  readonly tookUp?: Promise<unknown>;
  /** Milliseconds that an answer about an unknown ferry waits for that. @default {5000} */
  readonly takeUpWaitMs?: number;
}

/** Builds the service around a dock. */
export function createApp(options: AppOptions): OpenAPIHono {
  const { dock, settings, drain = new Drain(), version = "0.0.0", heartbeatMs = 15_000 } = options;
  const { tookUp = Promise.resolve(), takeUpWaitMs = 5000 } = options;
  const app = new OpenAPIHono({ defaultHook: refuseParameters });
  app.onError(problemOf);
  app.notFound((c) => notFound(`Cannot find ${c.req.path}: there is no such route`));
  app.use(
    requestId(),
    // With no referrer at all a browser says `Origin: null` of our own forms, and they would be refused.
    secureHeaders({ contentSecurityPolicy: { defaultSrc: ["'self'"] }, referrerPolicy: "same-origin" }),
    logRequest,
    problemsAsPages(),
  );
  app.use(originGuard({ loopbackOnly: settings.token === null }));
  if (settings.token !== null) app.use(tokenGuard(settings.token));
  app.use(takingUpGuard({ dock, tookUp, waitMs: takeUpWaitMs, noWork: drain.noWork }));
  app.use(bodyLimit({ maxSize: BODY_LIMIT, onError: tooLarge }));

  app.openapi(healthRoute, (c) => c.text("ok\n"));
  app.openapi(readyRoute, (c) => {
    drain.noWork.throwIfAborted();
    return c.text("ready\n");
  });
  app.openapi(metricsRoute, async (c) => {
    const { text, contentType } = await renderMetrics(dock, version);
    return c.body(text, 200, { "content-type": contentType });
  });
  ferryRoutes(app, { dock, connections: settings.connections, drain, heartbeatMs });
  registerSchemas(app);
  app.openAPIRegistry.registerComponent("securitySchemes", "token", { type: "http", scheme: "bearer" });
  app.doc31("/openapi.json", {
    openapi: "3.1.0",
    info: {
      title: "Chainferry",
      version,
      description: "Moves live MySQL and MariaDB tables between servers",
    },
    ...(settings.token === null ? {} : { security: [{ token: [] }] }),
  });
  pages(app, { dock, connections: settings.connections, token: settings.token, drain });
  refuseOtherMethods(app);
  return app;
}

/** The answer to a query or a header that is wrong, every fault named. */
const refuseParameters: Hook<unknown, Env, string, unknown> = (result) => {
  if (result.success) return;
  const errors = result.error.issues.flatMap((issue) => {
    const unknown = issue.code === "unrecognized_keys";
    const names = unknown ? issue.keys : [issue.path.map(String).join(".")];
    return names.map((parameter) => ({
      parameter,
      code: unknown ? "unknown-parameter" : "invalid-parameter",
      detail: unknown
        ? "Seen an unknown parameter"
        : issue.message.replace(/^needed/, "Seen another value, needed"),
    }));
  });
  const named = errors.map((each) => each.parameter).join(", ");
  return problem({ status: 422, code: "invalid-parameter", detail: `Cannot use ${named}`, errors });
};

/** 405 with `Allow` for every path that has another method. */
function refuseOtherMethods(app: OpenAPIHono): void {
  const methods = new Map<string, Set<string>>();
  for (const { path, method } of app.routes) {
    if (method === "ALL") continue;
    const known = methods.get(path) ?? new Set();
    known.add(method);
    if (method === "GET") known.add("HEAD");
    methods.set(path, known);
  }
  for (const [path, known] of methods) {
    const allow = [...known].sort().join(", ");
    app.all(path, (c) =>
      problem({
        status: 405,
        code: "method-not-allowed",
        detail: `Cannot ${c.req.method} ${c.req.path}: it takes ${allow}`,
        headers: { allow },
      }));
  }
}

/** One line a request; what only reads is told at level debug, as probes come every second. */
async function logRequest(c: Context, next: () => Promise<void>): Promise<void> {
  const started = performance.now();
  const named = ferryOfPath(c.req.path);
  // Whatever is logged while this is answered speaks of the same ferry.
  await (named === null ? next() : withContext({ ferry: named }, next));
  const ms = Math.round(performance.now() - started);
  // Set again: what was set before is lost where a handler answers with a response of its own making.
  c.header("x-request-id", c.get("requestId"));
  // The query is left out: it is the asker's text.
  const facts = { method: c.req.method, path: c.req.path, status: c.res.status, ms };
  const log = getLogger(["chainferry", "http"]);
  const quiet = facts.method === "GET" || facts.method === "HEAD";
  const ferry = named ?? ferryOfPath(c.res.headers.get("location") ?? "");
  log[quiet ? "debug" : "info"]("{method} {path} {status} in {ms} ms", {
    ...facts,
    requestId: String(c.get("requestId")),
    ...(ferry === null ? {} : { ferry }),
  });
}
