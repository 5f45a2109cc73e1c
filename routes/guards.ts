/**
 * What stands before every route: who asks, from where, and how much.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Context, MiddlewareHandler } from "hono";
import { bearerAuth } from "hono/bearer-auth";
import { getCookie } from "hono/cookie";
import { timingSafeEqual } from "hono/utils/buffer";
import type { Dock } from "../lib/ferry/ferry.ts";
import { isLoopback } from "../lib/spec/settings.ts";
import { wantsPage } from "./people.tsx";
import { problem } from "./problem.ts";
import { SIGN_IN, wayIn } from "./way_in.ts";

const OPEN_PATHS: readonly string[] = ["/healthz", "/readyz"];
/** Where a person signs in, and what that page is made of. */
const isSignIn = (path: string) => path === SIGN_IN || path.startsWith("/assets/");
/** Milliseconds between two looks whether a ferry is known. */
const LOOK_AGAIN_MS = 50;
const SAFE_METHODS: readonly string[] = ["GET", "HEAD", "OPTIONS"];

/** Bytes that a request's body may have. */
export const BODY_LIMIT = 1_048_576;

/** Cookie in which a browser that has signed in keeps the token. */
export const TOKEN_COOKIE = "chainferry_token";

/** Whether a text is the token; takes the same time however much of it is right. */
export function isToken(text: string, token: string): Promise<boolean> {
  return timingSafeEqual(text, token);
}

/**
 * Asks for the token everywhere but on the probes: as a bearer token, or in the cookie of a browser that has signed in.
 * People without one are shown where to sign in; the comparison takes the same time however much of it is right.
 */
export function tokenGuard(token: string): MiddlewareHandler {
  const guard = bearerAuth({ token, realm: "chainferry" });
  return async function checkToken(c, next) {
    if (OPEN_PATHS.includes(c.req.path) || isSignIn(c.req.path)) return await next();
    if (c.req.header("authorization") === undefined) {
      const cookie = getCookie(c, TOKEN_COOKIE);
      if (cookie !== undefined && await isToken(cookie, token)) return await next();
      if (c.req.method === "GET" && wantsPage(c)) {
        return c.redirect(wayIn(c.req.url), 303);
      }
    }
    return await guard(c, next);
  };
}

/**
 * Keeps other sites' pages out: a browser sends their origin with whatever they post. Without a token it also wants the
 * name that was asked for to be this machine's, as a page may point a name of its own at 127.0.0.1.
 */
export function originGuard(options: { readonly loopbackOnly: boolean }): MiddlewareHandler {
  return async function checkOrigin(c, next) {
    const host = c.req.header("host") ?? new URL(c.req.url).host;
    const open = OPEN_PATHS.includes(c.req.path);
    if (options.loopbackOnly && !open && !isLoopback(host.replace(/:\d+$/, ""))) {
      return problem({
        status: 403,
        code: "host-not-allowed",
        detail: "Cannot answer under this host name: without FERRY_TOKEN only loopback names are served",
      });
    }
    const origin = c.req.header("origin");
    if (origin !== undefined && !SAFE_METHODS.includes(c.req.method) && !isSameHost(origin, host)) {
      return problem({
        status: 403,
        code: "cross-origin",
        detail: "Cannot take a request from a page of another origin",
      });
    }
    return await next();
  };
}

/** Only hosts are compared: behind a proxy that ends TLS the schemes differ. */
function isSameHost(origin: string, host: string): boolean {
  const url = URL.parse(origin);
  if (url === null) return false;
  return url.host === URL.parse(`${url.protocol}//${host}`)?.host;
}

/** The ferry that a path speaks of. */
export function ferryOfPath(path: string): string | null {
  return /^(?:\/v1)?\/ferries\/([A-Za-z0-9._-]{1,64})(?:\/|$)/.exec(path)?.[1] ?? null;
}

/** What {@linkcode takingUpGuard} goes by. */
export interface TakingUpOptions {
  /** The ferries. */
  readonly dock: Pick<Dock, "find">;
  /** Resolves when the service has looked for what was left to it. */
  readonly tookUp: Promise<unknown>;
  /** Milliseconds that an answer waits for it. */
  readonly waitMs: number;
  /** The service goes. */
  readonly noWork: AbortSignal;
}

/**
 * Keeps "there is no such ferry" back until it is true: a service that has just begun may know the ferry in a moment. An
 * answer waits for that, and is a 503 where it takes long. Event streams of before a restart would end for good with a 404.
 */
export function takingUpGuard({ dock, tookUp, waitMs, noWork }: TakingUpOptions): MiddlewareHandler {
  let looked = false;
  tookUp.finally(() => looked = true).catch(() => {});
  return async function waitForTakingUp(c, next) {
    const id = ferryOfPath(c.req.path);
    const unknown = () => id !== null && !looked && dock.find(id) === null;
    const end = performance.now() + waitMs;
    while (unknown() && !noWork.aborted && performance.now() < end) await delay(LOOK_AGAIN_MS);
    if (!unknown()) return await next();
    return problem({
      status: 503,
      code: "taking-up",
      detail: "Cannot tell of this ferry: the service has just begun and still looks for what was left to it",
      retryable: true,
      headers: { "retry-after": "1" },
    });
  };
}

/** The 413. */
export function tooLarge(_c: Context): Response {
  return problem({
    status: 413,
    code: "body-too-large",
    detail: `Cannot read the body: it has more than ${BODY_LIMIT} bytes`,
  });
}
