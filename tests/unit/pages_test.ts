/**
 * The pages as a browser without JavaScript gets them: what they say, what they offer, and who may use them.
 * @module
 */
import assert from "node:assert/strict";
import type { FerryState } from "../../lib/ferry/ferry_state.ts";
import type { FerryResource } from "../../lib/progress/resource.ts";
import { createApp } from "../../routes/app.ts";
import { headline } from "../../lib/progress/wording.ts";
import { FakeDock, resourceOf, SECRET, SPEC } from "./routes_fake_dock.ts";

function setUp(token: string | null = null) {
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

const FORM = { source: SPEC.source, target: SPEC.target, tables: "shop.*\ncrm.orders", fence: "lockTables" };

function at(state: FerryState, more: Partial<FerryResource> = {}): string {
  const table = {
    source: "shop.a",
    target: "shop.a",
    state: "copying",
    rowsCopied: 1,
    rowsEstimated: 2,
    bytesCopied: 3,
    verified: null,
  } as const;
  return headline(resourceOf("x", { state, tables: [table, table], ...more }));
}

function progress(more: Partial<FerryResource["progress"]>): Pick<FerryResource, "progress"> {
  return { progress: { ...resourceOf("x").progress, ...more } };
}

Deno.test("the title says what matters first, and nothing that is not known", () => {
  const copying = progress({ rowsCopied: 63, rowsEstimated: 100, etaSeconds: 14 * 60 });
  assert.equal(
    at("copying", copying),
    "Copying 2 tables from src.example:3307 to dst.example: 63 %, about 14 minutes left",
  );
  assert.equal(
    at("copying"),
    "Copying 2 tables from src.example:3307 to dst.example: measuring how long it takes",
  );
  assert.match(at("copying", { ...copying, paused: true }), /^Paused: copied 63 % of 2 tables/);
  assert.match(at("copying", progress({ rowsCopied: 500, rowsEstimated: 100 })), /: 99 %,/);
  assert.equal(
    at("awaitingCutover", progress({ lagSeconds: 0.4 })),
    "Waiting for you: ready to cut over, 0.4 s behind",
  );
  const error = { code: "ddl", detail: "the primary key of orders changed", hint: null, retryable: false };
  assert.equal(at("failed", { error }), "Stopped: the primary key of orders changed");
  assert.match(
    at("done", { verification: { state: "passed", rowsCompared: 9, differences: [] } }),
    /^Done: 2 tables .* both sides equal$/,
  );
});

Deno.test("the list shows trouble first", async () => {
  const { dock, get, start } = setUp();
  for (const id of ["over", "going", "broken", "waits"]) await start(id);
  dock.find("over")!.go("done");
  dock.find("going")!.go("copying");
  dock.find("broken")!.go("failed");
  dock.find("waits")!.go("awaitingCutover");
  const response = await get("/");
  const html = await response.text();
  assert.match(response.headers.get("content-type")!, /^text\/html/);
  const order = [...html.matchAll(/<strong>(\w+)<\/strong>/g)].map((m) => m[1]);
  assert.deepEqual(order, ["broken", "waits", "going", "over"]);
  assert.match(html, /<title>1 stopped, 2 under way · Chainferry<\/title>/);
});

Deno.test("a ferry's page offers what is allowed now, and a cutover only for its name", async () => {
  const { dock, get, post, start } = setUp();
  await start("orders.eu");
  const ferry = dock.find("orders.eu")!;
  ferry.go("copying");
  let html = await (await get("/ferries/orders.eu")).text();
  assert.match(html, /action="\/ferries\/orders\.eu\/pause"/);
  assert.doesNotMatch(html, /\/cutover"/);
  assert.match(html, /role="progressbar"/);
  assert.match(html, /aria-current="step"/);
  assert(!html.includes(SECRET));
  ferry.go("awaitingCutover");
  html = await (await get("/ferries/orders.eu")).text();
  assert.match(html, /action="\/ferries\/orders\.eu\/cutover"/);
  assert.match(html, /pattern="orders\\\.eu"/);
  const wrong = await post("/ferries/orders.eu/cutover", { name: "orders" });
  assert.equal(wrong.status, 409);
  assert.match(await wrong.text(), /Nothing was done/);
  assert.deepEqual(ferry.acted, []);
  const right = await post("/ferries/orders.eu/cutover", { name: "orders.eu" });
  assert.deepEqual([right.status, right.headers.get("location")], [303, "/ferries/orders.eu"]);
  assert.deepEqual(ferry.acted, ["cutover"]);
  assert.equal((await get("/ferries/nobody")).status, 404);
});

Deno.test("what is fetched again and again is the changing part alone", async () => {
  const { get, start } = setUp();
  await start("a");
  for (const path of ["/ferries/live", "/ferries/a/live"]) {
    const html = await (await get(path)).text();
    assert.doesNotMatch(html, /<html|<form/);
    assert.match(html, /Looking at/);
  }
});

Deno.test("the form starts a ferry, and says beside each field what is wrong", async () => {
  const { dock, post } = setUp();
  const wrong = await post("/ferries", { ...FORM, source: "ftp://x", id: "no good", do: "start" });
  const html = await wrong.text();
  assert.equal(wrong.status, 422);
  assert.equal([...html.matchAll(/class="fault"/g)].length, 2);
  assert.match(html, /crm\.orders/, "what was typed is still there");
  assert.equal(dock.started.length, 0);
  const started = await post("/ferries", { ...FORM, id: "a1", do: "start" });
  assert.deepEqual([started.status, started.headers.get("location")], [303, "/ferries/a1"]);
  assert.deepEqual(dock.started[0].tables.length, 2);
  assert.equal(dock.started[0].cutover.fence, "lockTables");
  dock.report = {
    ok: false,
    findings: [{ level: "error", code: "no-key", subject: "shop.log", detail: "No key", hint: "Add one" }],
  };
  const checked = await (await post("/ferries", { ...FORM, do: "check" })).text();
  assert.match(checked, /Not ready yet/);
  assert.match(checked, /no-key/);
  assert.equal(dock.started.length, 1);
});

Deno.test("with a token people sign in, and other sites' forms are refused", async () => {
  const { get, post } = setUp("letmein");
  const away = await get("/");
  assert.deepEqual([away.status, away.headers.get("location")], [303, "/sign-in"]);
  assert.equal((await get("/", { accept: "application/json" })).status, 401);
  assert.equal((await get("/sign-in")).status, 200);
  assert.equal((await get("/assets/page.css")).status, 200);
  assert.equal((await post("/sign-in", { token: "wrong" })).status, 401);
  const entered = await post("/sign-in", { token: "letmein" });
  const cookie = entered.headers.get("set-cookie")!;
  assert.match(cookie, /HttpOnly/);
  assert.match(cookie, /SameSite=Strict/);
  const known = { cookie: cookie.split(";")[0] };
  assert.equal((await get("/", known)).status, 200);
  assert.equal((await get("/", { cookie: "chainferry_token=guess" })).status, 303);
  const foreign = await post("/ferries/a/pause", {}, { ...known, origin: "http://evil.example" });
  assert.equal(foreign.status, 403);
});

Deno.test("nothing on a page comes from elsewhere, and nothing runs inline", async () => {
  const { get, start } = setUp();
  await start("a");
  for (const path of ["/", "/ferries/a", "/ferries/new"]) {
    const response = await get(path);
    assert.match(response.headers.get("content-security-policy")!, /default-src 'self'/);
    const html = await response.text();
    assert.doesNotMatch(html, /(src|href)="(https?:)?\/\//);
    assert.doesNotMatch(html, /style="|onclick|<script>/);
  }
});
