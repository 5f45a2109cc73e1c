/**
 * The pages for people: rendered here, kept fresh by one small script, and of use without it.
 * @module
 */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { setCookie } from "hono/cookie";
import { FerryError } from "../lib/errors.ts";
import type { Dock, Ferry } from "../lib/ferry/ferry.ts";
import { ACTIONS, type FerryAction } from "../lib/ferry/ferry_state.ts";
import { parseSpec, refuseUnbuiltFence } from "../lib/spec/parse_spec.ts";
import type { Drain } from "./drain.ts";
import { isToken, TOKEN_COOKIE } from "./guards.ts";
import { ASSETS } from "./page/assets.ts";
import { FerriesPage, FerryList } from "./page/ferries_page.tsx";
import { EVENTS_SHOWN } from "./page/events.tsx";
import { FerryPage, FerryView } from "./page/ferry_page.tsx";
import { SignInPage } from "./page/sign_in_page.tsx";
import { type FieldFault, madeId, maskedFaults, specOf, type StartForm } from "./page/start_form.ts";
import { StartPage } from "./page/start_page.tsx";
import { notFound } from "./problem.ts";
import { ownPath, SIGN_IN } from "./way_in.ts";

/** What the pages work with. */
export interface PagesOptions {
  /** The ferries. */
  readonly dock: Dock;
  /** Named connections that a spec may use. */
  readonly connections: ReadonlyMap<string, string>;
  /** What a visitor has to know, or `null`. */
  readonly token: string | null;
  /** Tells when the service goes. */
  readonly drain: Drain;
}

/** What cannot be taken back asks for the ferry's name. */
const NAMED: readonly FerryAction[] = ["cutover", "cancel"];

/** Adds the pages. */
export function pages(app: OpenAPIHono, options: PagesOptions): void {
  const { dock, connections, token, drain } = options;
  for (const [path, type, text] of ASSETS) {
    app.get(path, (c) => c.body(text, 200, { "content-type": type, "cache-control": "no-cache" }));
  }
  if (token !== null) signIn(app, token);

  const all = () => dock.list().map((ferry) => ferry.resource());
  app.get("/", (c) => page(c, <FerriesPage ferries={all()} />));
  app.get("/live", (c) => part(c, <FerryList ferries={all()} />));

  const start = (form: StartForm, more: Partial<Parameters<typeof StartPage>[0]> = {}) => (
    <StartPage form={form} connections={[...connections.keys()]} {...more} />
  );
  app.get("/new", (c) => page(c, start({})));
  app.post("/ferries", async (c) => {
    const form = await formOf(c);
    const reading = parseSpec(specOf(form), connections, () => madeId(form));
    const masked = maskedFaults(form);
    if ("faults" in reading || masked.length > 0) {
      const faults = [...masked, ...("faults" in reading ? reading.faults : [])];
      return page(c, start(form, { faults }), 422);
    }
    try {
      refuseUnbuiltFence(reading.spec);
      if (form.do === "check") {
        return page(c, start(form, { report: await dock.check(reading.spec, drain.noWork) }));
      }
      const ferry = await dock.start(reading.spec);
      return c.redirect(pathOf(ferry), 303);
    } catch (error) {
      // What may succeed later is no fault of the form.
      if (!(error instanceof FerryError) || error.retryable) throw error;
      const fault: FieldFault = {
        pointer: "",
        detail: [error.message, error.hint].filter(Boolean).join(". "),
      };
      return page(c, start(form, { faults: [fault] }), 422);
    }
  });

  app.get("/ferries/:id", (c) => {
    const ferry = dock.find(c.req.param("id"));
    return ferry === null ? missing(c) : page(c, ferryPage(ferry));
  });
  app.get("/ferries/:id/live", (c) => {
    const ferry = dock.find(c.req.param("id"));
    return ferry === null ? missing(c) : part(c, <FerryView resource={ferry.resource()} now={Date.now()} />);
  });
  for (const action of ACTIONS) {
    app.post(`/ferries/:id/${action}`, async (c) => {
      const ferry = dock.find(c.req.param("id"));
      if (ferry === null) return missing(c);
      const refuse = (refusal: string) => page(c, ferryPage(ferry, refusal), 409);
      if (NAMED.includes(action) && (await formOf(c)).name !== ferry.id) {
        return refuse(`Nothing was done: the name that was typed is not "${ferry.id}"`);
      }
      try {
        await ferry.act(action);
      } catch (error) {
        if (!(error instanceof FerryError) || error.code !== "action-not-allowed") throw error;
        return refuse(error.message);
      }
      return c.redirect(pathOf(ferry), 303);
    });
  }
}

function signIn(app: OpenAPIHono, token: string): void {
  app.get(SIGN_IN, (c) => page(c, <SignInPage next={ownPath(c.req.query("next"))} wrong={false} />));
  app.post(SIGN_IN, async (c) => {
    const { token: typed = "", ...form } = await formOf(c);
    const next = ownPath(form.next);
    if (!await isToken(typed, token)) return page(c, <SignInPage next={next} wrong />, 401);
    const secure = new URL(c.req.url).protocol === "https:" || c.req.header("x-forwarded-proto") === "https";
    setCookie(c, TOKEN_COOKIE, token, { httpOnly: true, sameSite: "Strict", path: "/", secure });
    return c.redirect(next, 303);
  });
}

function ferryPage(ferry: Ferry, refusal?: string) {
  const events = ferry.lastEvents(EVENTS_SHOWN);
  return <FerryPage resource={ferry.resource()} events={events} now={Date.now()} refusal={refusal} />;
}

function pathOf(ferry: Ferry): string {
  return `/ferries/${encodeURIComponent(ferry.id)}`;
}

function missing(c: Context): Response {
  return notFound(`Cannot find ${c.req.path}: this process knows no ferry with that name`);
}

/** Text fields of a form; files are none of ours. */
async function formOf(c: Context): Promise<StartForm> {
  const fields = Object.entries(await c.req.parseBody());
  return Object.fromEntries(
    fields.flatMap(([name, value]) => typeof value === "string" ? [[name, value]] : []),
  );
}

type Markup = { toString(): string } | Promise<{ toString(): string }>;

async function page(c: Context, content: Markup, status: 200 | 401 | 409 | 422 = 200): Promise<Response> {
  return c.html(`<!DOCTYPE html>${(await content).toString()}`, status, { "cache-control": "no-store" });
}

async function part(c: Context, content: Markup): Promise<Response> {
  return c.html((await content).toString(), 200, { "cache-control": "no-store" });
}
