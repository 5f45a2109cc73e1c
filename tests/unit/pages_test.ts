/**
 * The pages as a browser without JavaScript gets them: what they say, what they offer, and who may use them.
 * @module
 */
import assert from "node:assert/strict";
import { allowedActions, type FerryState } from "../../lib/ferry/ferry_state.ts";
import type { FerryResource, TableProgress } from "../../lib/progress/resource.ts";
import { FerryPage } from "../../routes/page/ferry_page.tsx";
import { createApp } from "../../routes/app.ts";
import { headline } from "../../lib/progress/wording.ts";
import { FakeDock, resourceOf, SECRET, SPEC, tableOf } from "./routes_fake_dock.ts";

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
  return headline(resourceOf("x", { state, tables: [tableOf(), tableOf()], ...more }));
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

Deno.test("what is fetched anew of the list brings the tab's title along", async () => {
  const { dock, get, start } = setUp();
  const title = async () => /data-title="([^"]*)"/.exec(await (await get("/live")).text())?.[1];
  assert.equal(await title(), "0 under way · Chainferry");
  await start("a");
  assert.equal(await title(), "1 under way · Chainferry");
  dock.find("a")!.go("failed");
  assert.equal(await title(), "1 stopped, 0 under way · Chainferry");
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
  ferry.go("copying", { paused: true, hold: "copy", actions: allowedActions("copying", true) });
  html = await (await get("/ferries/orders.eu")).text();
  assert.match(html, /action="\/ferries\/orders\.eu\/resume"/);
  assert.doesNotMatch(html, /\/pause"/, "what is held already");
  ferry.go("awaitingCutover", { paused: false, hold: null });
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

Deno.test("of what may be asked, what leads on stands out alone", async () => {
  const { dock, get, start } = setUp();
  await start("a");
  const primary = async (state: FerryState, paused: boolean) => {
    const hold = paused ? "copy" as const : null;
    dock.find("a")!.go(state, { paused, hold, actions: allowedActions(state, paused) });
    const html = await (await get("/ferries/a")).text();
    return [...html.matchAll(/<button type="submit" class="primary">([^<]*)</g)].map((m) => m[1]);
  };
  assert.deepEqual(await primary("awaitingCutover", false), ["Cut over"]);
  assert.deepEqual(await primary("awaitingCutover", true), ["Go on copying"]);
  assert.deepEqual(await primary("copying", false), []);
  assert.deepEqual(await primary("failed", false), ["Try again"]);
});

Deno.test("a ferry's page is under its name, whatever that is", async () => {
  const { get, start } = setUp();
  for (const id of ["new", "live", "v1", "ferries"]) {
    await start(id);
    assert.match(await (await get(`/ferries/${id}`)).text(), new RegExp(`<p class="id">${id}</p>`));
  }
});

Deno.test("what is fetched again and again is the changing part alone", async () => {
  const { get, start } = setUp();
  await start("a");
  for (const path of ["/live", "/ferries/a/live"]) {
    const html = await (await get(path)).text();
    assert.doesNotMatch(html, /<html|<script/);
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

Deno.test("what is not there is told to people as a page, and to machines as a problem", async () => {
  const { get, post } = setUp();
  const cases = [
    ["/ferries/nobody", 404, /Cannot find \/ferries\/nobody: this process knows no ferry with that name/],
    ["/nowhere", 404, /Cannot find \/nowhere: there is no such route/],
    ["/ferries/nobody/cancel", 405, /Cannot GET \/ferries\/nobody\/cancel: it takes POST/],
  ] as const;
  for (const [path, status, said] of cases) {
    const page = await get(path);
    const html = await page.text();
    assert.equal(page.status, status, path);
    assert.match(page.headers.get("content-type")!, /^text\/html/, path);
    assert.match(html, said);
    assert.match(html, /<a href="\/">/);
    assert.match(page.headers.get("content-security-policy")!, /default-src 'self'/);
    assert.equal(page.headers.get("allow"), status === 405 ? "POST" : null);
    const answer = await get(path, { accept: "application/json" });
    assert.equal(answer.status, status, path);
    assert.equal(answer.headers.get("content-type"), "application/problem+json", path);
    assert.match((await answer.json()).detail, said);
  }
  const api = await get("/v1/ferries/nobody");
  assert.equal(api.headers.get("content-type"), "application/problem+json", "the API, whoever asks");
  const gone = await post("/ferries/nobody/cancel", { name: "nobody" }, { accept: "text/html" });
  assert.deepEqual([gone.status, gone.headers.get("content-type")], [404, "text/html; charset=utf-8"]);
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

Deno.test("signing in leads to where one was going, and nowhere else", async () => {
  const { get, post } = setUp("letmein");
  const next = (html: string) => /name="next" value="([^"]*)"/.exec(html)?.[1];
  const asked = async (path: string) => {
    const away = await get(path);
    return next(await (await get(away.headers.get("location")!)).text());
  };
  assert.equal(await asked("/"), "/");
  assert.equal(await asked("/ferries/a%20b?x=1&y=2"), "/ferries/a%20b?x=1&amp;y=2");
  assert.equal(await asked("/live"), "/");
  assert.equal(await asked("/ferries/a/live"), "/ferries/a", "the page, and not a part of it");
  assert.equal(await asked("/ferries/live"), "/ferries/live");
  const wrong = await post("/sign-in", { token: "wrong", next: "/ferries/a" });
  assert.equal(next(await wrong.text()), "/ferries/a", "after a wrong token, too");
  const led = async (next: string) =>
    (await post("/sign-in", { token: "letmein", next })).headers.get("location");
  assert.equal(await led("/ferries/a?x=1"), "/ferries/a?x=1");
  for (
    const elsewhere of [
      "//evil.example",
      "/\\evil.example",
      "/\t/evil.example",
      "/ferries//evil.example",
      "/a\\b",
      "https://evil.example",
      "evil.example",
      " /a",
      "/a\nb",
      "",
    ]
  ) {
    assert.equal(await led(elsewhere), "/", JSON.stringify(elsewhere));
    const html = await (await get(`/sign-in?next=${encodeURIComponent(elsewhere)}`)).text();
    assert.equal(next(html), "/", JSON.stringify(elsewhere));
  }
});

Deno.test("nothing on a page comes from elsewhere, and nothing runs inline", async () => {
  const { get, start } = setUp();
  await start("a");
  for (const path of ["/", "/ferries/a", "/new"]) {
    const response = await get(path);
    assert.match(response.headers.get("content-security-policy")!, /default-src 'self'/);
    const html = await response.text();
    assert.doesNotMatch(html, /(src|href)="(https?:)?\/\//);
    assert.doesNotMatch(html, /style="|onclick|<script>/);
  }
});

Deno.test("a snapshot tells what happened, what still holds, and each table's key range in words", async () => {
  const { dock, get, start } = setUp();
  await start("a");
  const ferry = dock.find("a")!;
  for (let i = 1; i <= 60; i++) ferry.say("log", `Thing ${i} <happened>`);
  ferry.say("progress", "Not worth keeping");
  const table = tableOf({
    target: "shop.b",
    state: "differing",
    rowsCopied: 9,
    rowsEstimated: 9,
    verified: false,
    strip: "vvrrd" + "c".repeat(58) + ".",
  });
  const cutover = { attempts: 1, writesStoppedMs: 5, position: null, fenceKept: true };
  ferry.go("copying", { tables: [table], cutover, throttled: { reason: "too much" } });
  const html = await (await get("/ferries/a")).text();
  const told = [...html.matchAll(/<span>(Thing \d+) &lt;happened&gt;/g)].map((m) => m[1]);
  assert.deepEqual([told.length, told[0], told.at(-1)], [49, "Thing 60", "Thing 12"]);
  assert.doesNotMatch(html, /Not worth keeping/);
  assert.match(html, /Writes to src\.example:3307 are still stopped/);
  assert.match(html, /Copying waits: too much/);
  assert.match(
    html,
    /aria-valuetext="98 % copied, 2 cells changed again, 2 cells verified, 1 cell differing"/,
  );
  assert.match(html, /to shop\.b/);
});

Deno.test("what a throttle does is told of the phase, and that replay goes on only where it does", async () => {
  const { dock, get, start } = setUp();
  await start("a");
  const notice = async (state: FerryState, hold: FerryResource["hold"]) => {
    dock.find("a")!.go(state, { throttled: { reason: "too much" }, paused: hold !== null, hold });
    return /<p class="notice wait">(.*?)<\/p>/.exec(await (await get("/ferries/a")).text())?.[1];
  };
  assert.equal(await notice("copying", null), "Copying waits: too much. Replay goes on.");
  assert.equal(await notice("copying", "copy"), "Copying waits: too much. Replay goes on.");
  assert.equal(await notice("copying", "all"), "Copying waits: too much.");
  for (const state of ["verifying", "awaitingCutover"] as const) {
    assert.equal(await notice(state, null), "Comparing waits: too much. Replay goes on.");
  }
});

Deno.test("of many tables those in trouble and those that move are shown, and the others are counted", async () => {
  const { dock, get, start } = setUp();
  await start("a");
  const named = (source: string, more: Partial<TableProgress>) =>
    tableOf({ source, target: source, ...more });
  const shown = async (finished: number) => {
    dock.find("a")!.go("verifying", {
      tables: [
        ...Array.from({ length: finished }, (_, i) => named(`shop.t${i}`, { state: "verified" })),
        named("shop.later", { state: "waiting" }),
        named("shop.moving", { state: "verifying" }),
        named("shop.wrong", { state: "differing" }),
      ],
    });
    const html = await (await get("/ferries/a")).text();
    const names = [...html.matchAll(/<tr data-key="([^"]*)"/g)].map((m) => m[1]);
    return { names, hidden: /<p>([^<]*not shown)</.exec(html)?.[1] };
  };
  const many = await shown(1300);
  assert.deepEqual(many.names.slice(0, 4), ["shop.wrong", "shop.moving", "shop.later", "shop.t0"]);
  assert.deepEqual([many.names.length, many.hidden], [200, "1,103 more tables are not shown"]);
  assert.equal((await shown(198)).hidden, "1 more table is not shown");
  assert.equal((await shown(197)).hidden, undefined);
});

Deno.test("the rail says in words where a ferry ended that did not arrive", async () => {
  const { dock, get, start } = setUp();
  const time = (s: number) => new Date(s * 1000).toISOString();
  const phases = [
    { state: "preflight", startedAt: time(0), endedAt: time(2) },
    { state: "copying", startedAt: time(2), endedAt: time(32) },
  ] as const;
  for (const [state, word] of [["failed", "stopped"], ["cancelled", "cancelled"]] as const) {
    await start(word);
    dock.find(word)!.go(state, { phases });
    const html = await (await get(`/ferries/${word}`)).text();
    assert.match(
      html,
      new RegExp(`<li class="stopped"><span>Copy</span><small>${word} after 30 s</small></li>`),
    );
    assert.match(html, /<li class="passed"><span>Look<\/span><small>2\.0 s<\/small><\/li>/);
  }
});

Deno.test("what happened on another day than the page's is told with its date", () => {
  const event = (id: number, at: string) => ({ id, type: "log", data: { text: "x", at } }) as const;
  const events = [event(1, "2026-11-21T23:59:59.999Z"), event(2, "2026-11-22T00:00:01.500Z")];
  const now = Date.parse("2026-11-22T10:00:00.000Z");
  const html = String(FerryPage({ resource: resourceOf("a"), events, now }));
  const times = [...html.matchAll(/<time datetime="([^"]*)">([^<]*)</g)].map(([, at, text]) => [at, text]);
  assert.deepEqual(times, [
    ["2026-11-22T00:00:01.500Z", "00:00:01 UTC"],
    ["2026-11-21T23:59:59.999Z", "2026-11-21 23:59:59 UTC"],
  ]);
});

Deno.test("a table is said to differ where no cell of its strip shows it", async () => {
  const { dock, get, start } = setUp();
  await start("a");
  const differing = { state: "differing", rowsCopied: 9, rowsEstimated: 9, verified: false } as const;
  dock.find("a")!.go("verifying", {
    tables: [
      tableOf({ ...differing, strip: "c".repeat(64) }),
      tableOf({ ...differing, strip: null }),
      tableOf({ ...differing, strip: "d".repeat(64) }),
    ],
  });
  const html = await (await get("/ferries/a")).text();
  const said = [...html.matchAll(/aria-valuetext="([^"]*)" aria-label="shop/g)].map((m) => m[1]);
  assert.deepEqual(said, [
    "100 % copied, rows differ",
    "100 % copied, rows differ",
    "100 % copied, 64 cells differing",
  ]);
});

Deno.test("what is typed becomes a spec, and every fault goes to its field", async () => {
  const { dock, post } = setUp();
  const more = { id: "b1", keepFence: "no", mode: "auto", timeoutSeconds: "9", verify: "off" };
  await post("/ferries", { ...FORM, ...more, maxLagSeconds: "2.5", maxRowsPerSecond: "", do: "start" });
  const [spec] = dock.started;
  assert.deepEqual(spec.cutover, { mode: "auto", fence: "lockTables", timeoutSeconds: 9, keepFence: false });
  assert.deepEqual([spec.verify, spec.throttle?.maxLagSeconds, spec.throttle?.maxRowsPerSecond], [
    "off",
    2.5,
    null,
  ]);
  const wrong = await post("/ferries", { ...FORM, timeoutSeconds: "x", maxLagSeconds: "-1", do: "start" });
  const html = await wrong.text();
  for (const name of ["timeoutSeconds", "maxLagSeconds"]) {
    assert.match(html, new RegExp(`id="${name}-told"><p class="fault"`));
    assert.match(html, new RegExp(`aria-describedby="${name}-hint ${name}-told" aria-invalid="true"`));
  }
  assert.match(html, /<details open="">/, "what is wrong is not folded away");
  const finding = { level: "error", detail: "Seen", hint: "Needed" } as const;
  dock.report = {
    ok: false,
    findings: [
      { ...finding, code: "target-unreachable", subject: "dst.example" },
      { ...finding, code: "no-key", subject: "shop.log" },
      { ...finding, code: "binlog-off", subject: "log_bin" },
      { ...finding, code: "nobody-knows-where", subject: "whatever" },
    ],
  };
  const checked = await (await post("/ferries", { ...FORM, do: "check" })).text();
  assert.match(checked, /id="target-told">.*?target-unreachable/);
  assert.match(checked, /id="tables-told">.*?no-key/);
  assert.match(checked, /id="source-told">.*?binlog-off.*?id="target"/);
  assert.match(checked, /aria-label="Preflight".*?nobody-knows-where.*?<form/);
});

Deno.test("the picture shows how far and how far behind, the rail how long, and nothing unknown is a number", async () => {
  const { dock, get, start } = setUp();
  await start("a");
  const ferry = dock.find("a")!;
  const html = async (more: Partial<FerryResource>) => {
    ferry.go("copying", more);
    return await (await get("/ferries/a")).text();
  };
  const depth = (text: string) => Number(/class="chain" d="M 50 40 Q \S+ (\d+)/.exec(text)![1]);
  const unknown = await html({});
  assert.match(unknown, /<dt>Behind<\/dt><dd class="unknown">measuring<\/dd>/);
  assert.match(unknown, /<dt>Rows a second<\/dt><dd class="unknown">measuring<\/dd>/);
  assert.match(unknown, /aria-label="On the way from src\.example:3307 to dst\.example"/);
  assert.doesNotMatch(unknown, /class="flight"/);
  const known = { rowsCopied: 50, rowsEstimated: 100, rowsPerSecond: 5000 };
  const taut = await html(progress({ ...known, lagSeconds: 0 }));
  const slack = await html(progress({ ...known, lagSeconds: 20 }));
  assert(depth(slack) > depth(taut) + 20, `${depth(taut)} and ${depth(slack)}`);
  assert.match(slack, /transform="translate\(320 40\)"/);
  assert.match(
    slack,
    /aria-label="50 % of the way from [^"]*, 5,000 rows a second in flight, the target 20 s behind"/,
  );
  assert.match(slack, /class="flight"/);
  const phase = (state: FerryState, from: number, to: number) => ({
    state,
    startedAt: new Date(from * 1000).toISOString(),
    endedAt: new Date(to * 1000).toISOString(),
  });
  const phases = [phase("preflight", 0, 2), phase("copying", 2, 32), phase("preflight", 40, 41)];
  const rail = await html({ resumedTimes: 2, phases: [...phases, phase("copying", 41, 51)] });
  assert.match(rail, /<span>Look<\/span><small>3\.0 s<\/small>/);
  assert.match(rail, /aria-current="step"><span>Copy<\/span><small>40 s<\/small>/);
  assert.match(rail, /resumed 2 times/);
});
