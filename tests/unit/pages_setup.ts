/**
 * The pages' app over ferries that are made up, asked as a browser without JavaScript asks.
 * @module
 */
import { createApp } from "../../routes/app.ts";
import { FakeDock, SPEC } from "./routes_fake_dock.ts";

/** An app, with a token where it wants one, and what asks it: pages, forms, and the start of a ferry by its name. */
export function setUp(token: string | null = null) {
  const dock = new FakeDock();
  const app = createApp({ dock, settings: { token, connections: new Map([["eu", SPEC.source]]) } });
  const get = (path: string, headers: Record<string, string> = {}) =>
    app.request(path, { headers: { accept: "text/html", ...headers } }) as Promise<Response>;
  const post = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
    app.request(path, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
      body: new URLSearchParams(fields).toString(),
    }) as Promise<Response>;
  const start = (id: string) =>
    app.request("/v1/ferries", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...SPEC, id }),
    }) as Promise<Response>;
  return { dock, get, post, start };
}
