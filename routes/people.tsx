/**
 * Who asks: a person with a browser, or a machine.
 * @module
 */
import type { Context, MiddlewareHandler } from "hono";
import { ProblemPage, type ProblemPageProps } from "./page/problem_page.tsx";
import { PROBLEM_TYPE } from "./problem.ts";

/** What only machines are told, in their own formats, whatever they accept. */
const MACHINES = /^\/(?:v1(?:\/|$)|metrics$|openapi\.json$)/;

/** Whether it is a person who asks. */
export function wantsPage(c: Context): boolean {
  return !MACHINES.test(c.req.path) && (c.req.header("accept")?.includes("text/html") ?? false);
}

/** Writes a problem as a page where a person gets it; its status and its headers stay. */
export function problemsAsPages(): MiddlewareHandler {
  return async function writeProblemAsPage(c, next) {
    await next();
    if (c.res.headers.get("content-type") !== PROBLEM_TYPE) return;
    if (!wantsPage(c)) return;
    const { status } = c.res;
    const problem: ProblemPageProps = await c.res.json();
    const content = <ProblemPage title={problem.title} detail={problem.detail} hint={problem.hint} />;
    c.res = new Response(`<!DOCTYPE html>${content}`, {
      status,
      headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
    });
  };
}
