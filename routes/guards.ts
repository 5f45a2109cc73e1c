/**
 * What stands before every route: who asks, from where, and how much.
 * @module
 */
import type { Context, MiddlewareHandler } from "hono";
import { bearerAuth } from "hono/bearer-auth";
import { getCookie } from "hono/cookie";
import { timingSafeEqual } from "hono/utils/buffer";
import { isLoopback } from "../lib/spec/settings.ts";
import { problem } from "./problem.ts";

const OPEN_PATHS: readonly string[] = ["/healthz", "/readyz"];
/** Where a person signs in, and what that page is made of. */
const SIGN_IN = "/sign-in";
const isSignIn = (path: string) => path === SIGN_IN || path.startsWith("/assets/");
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
      if (c.req.method === "GET" && c.req.header("accept")?.includes("text/html")) {
        return c.redirect(SIGN_IN, 303);
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

/** The 413. */
export function tooLarge(_c: Context): Response {
  return problem({
    status: 413,
    code: "body-too-large",
    detail: `Cannot read the body: it has more than ${BODY_LIMIT} bytes`,
  });
}
