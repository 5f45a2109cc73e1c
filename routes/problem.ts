/**
 * Errors as `application/problem+json` (RFC 9457): one way of making them, one way of turning what was thrown into them.
 * @module
 */
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { getLogger } from "@logtape/logtape";
import { FerryError } from "../lib/errors.ts";
import { maskText } from "../lib/spec/connection_url.ts";

/** One of the things that are wrong. */
export interface ProblemItem {
  /** JSON pointer into the body, where the body is wrong. */
  readonly pointer?: string;
  /** Name of the query parameter or header that is wrong. */
  readonly parameter?: string;
  /** Stable, kebab-case. */
  readonly code: string;
  /** What was seen and what is needed. */
  readonly detail: string;
}

/** What a problem is made of. */
export interface ProblemOptions {
  /** HTTP status. */
  readonly status: number;
  /** Stable, kebab-case. */
  readonly code: string;
  /** What happened here. */
  readonly detail: string;
  /** Whether the same request may succeed later. @default {false} */
  readonly retryable?: boolean;
  /** Everything that is wrong, one by one. @default {[]} */
  readonly errors?: readonly ProblemItem[];
  /** Further members, as `actions` with a 409. */
  readonly extra?: Readonly<Record<string, unknown>>;
  /** Further response headers. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Content type of a problem. */
export const PROBLEM_TYPE = "application/problem+json";

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Not authorized",
  403: "Forbidden",
  404: "Not found",
  405: "Method not allowed",
  409: "Not possible in this state",
  413: "Body too large",
  415: "Not JSON",
  422: "Not valid",
  500: "Internal error",
  501: "Not implemented",
  503: "Not available now",
};

/** Statuses of the errors that the dock and its ferries throw; others are 503 if retryable, else 500. */
const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  "action-not-allowed": 409,
  "ferry-owned-elsewhere": 409,
  "spec-differs": 422,
  "idempotency-key-reused": 422,
  "invalid-connection-url": 422,
  "fence-not-implemented": 501,
};

/** The response for a problem. */
export function problem(options: ProblemOptions): Response {
  const body = {
    type: `/problems/${options.code}`,
    title: TITLES[options.status] ?? "Error",
    status: options.status,
    detail: maskText(options.detail),
    code: options.code,
    retryable: options.retryable ?? false,
    errors: options.errors ?? [],
    ...options.extra,
  };
  return new Response(JSON.stringify(body), {
    status: options.status,
    headers: { "content-type": PROBLEM_TYPE, ...options.headers },
  });
}

/** No such thing, or no such ferry. */
export function notFound(detail: string): Response {
  return problem({ status: 404, code: "not-found", detail });
}

/** Turns anything that a handler threw into a problem. What is not explained stays out of the answer and is logged. */
export function problemOf(error: unknown, c: Context): Response {
  if (error instanceof FerryError) return ferryProblem(error);
  if (error instanceof HTTPException) return httpProblem(error);
  const requestId = String(c.get("requestId") ?? "");
  getLogger(["chainferry", "http"]).error("Cannot answer {method} {path}: {error}", {
    method: c.req.method,
    path: c.req.path,
    requestId,
    error,
  });
  return problem({
    status: 500,
    code: "internal",
    detail: `Cannot answer: an unexpected error was logged with request id "${requestId}"`,
  });
}

/** The response for an error of the ferry's own; a 409 carries what may be done `instead`. */
export function ferryProblem(error: FerryError, instead: Readonly<Record<string, unknown>> = {}): Response {
  const status = STATUS_BY_CODE[error.code] ?? (error.retryable ? 503 : 500);
  return problem({
    status,
    code: error.code,
    detail: error.message,
    retryable: error.retryable,
    extra: {
      ...(status === 409 ? instead : {}),
      ...(error.hint === null ? {} : { hint: maskText(error.hint) }),
    },
    ...(status === 503 ? { headers: { "retry-after": "5" } } : {}),
  });
}

function httpProblem(error: HTTPException): Response {
  const challenge = error.res?.headers.get("www-authenticate");
  if (challenge) {
    // The library answers 400 to a header that is no bearer token; to the asker it is the same: not let in.
    return problem({
      status: 401,
      code: "unauthorized",
      detail: "Cannot let you in: needed Authorization: Bearer with the token of FERRY_TOKEN",
      headers: { "www-authenticate": challenge },
    });
  }
  return problem({
    status: error.status,
    code: "bad-request",
    detail: error.message || "Cannot read the request",
  });
}
