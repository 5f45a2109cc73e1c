/**
 * Who asks: a person with a browser, or a machine.
 * @module
 */
import type { Context, MiddlewareHandler } from "hono";
import { ProblemPage, type ProblemPageProps } from "./page/problem_page.tsx";
import { PROBLEM_TYPE } from "./problem.ts";

/** Whether it is a person who asks. */
export function wantsPage(c: Context): boolean {
  return c.req.header("accept")?.includes("text/html") ?? false;
}

/** Writes a problem as a page where a person gets it, but for the API's; its status and its headers stay. */
export function problemsAsPages(): MiddlewareHandler {
  return async function writeProblemAsPage(c, next) {
    await next();
    if (c.res.headers.get("content-type") !== PROBLEM_TYPE) return;
    if (!wantsPage(c) || c.req.path.startsWith("/v1/")) return;
    const { status } = c.res;
    const problem: ProblemPageProps = await c.res.json();
    const content = <ProblemPage title={problem.title} detail={problem.detail} hint={problem.hint} />;
    c.res = new Response(`<!DOCTYPE html>${content}`, {
      status,
      headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
    });
  };
}
