/**
 * The page in a real browser, through a whole ferry: start, watch, pause, go on, the service killed and started again in
 * the middle, cut over; and a start that the preflight refuses.
 */
import assert from "node:assert/strict";
import type { Page, Request } from "playwright-core";
import { openDock } from "../../lib/ferry/dock.ts";
import { createApp } from "../../routes/app.ts";
import type { ServerPair } from "../servers/mod.ts";
import { Browser } from "../support/browser.ts";
import { assertEqual } from "../support/equality.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { animationOf, faintTexts, fillsBesideText, overflow, titleAndHeading } from "../support/in_page.js";
import { Service } from "../support/service.ts";
import { Sql } from "../support/sql.ts";

const ROWS = 60_000;
const BOTH = ["shop.orders", "shop.lines"];

async function makeTables(url: string): Promise<void> {
  await using sql = await Sql.open(url);
  await sql.run(
    "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT NOT NULL PRIMARY KEY, v VARCHAR(100) NOT NULL);" +
      "CREATE TABLE shop.lines (id INT NOT NULL PRIMARY KEY, v VARCHAR(100) NOT NULL)",
  );
  for (const table of ["orders", "lines"]) {
    const values = Array.from({ length: ROWS }, (_, i) => `(${i}, 'row ${i}')`);
    await sql.run(`INSERT INTO shop.${table} VALUES ${values.join(",")}; ANALYZE TABLE shop.${table}`);
  }
}

const serve = ({ source, target }: ServerPair, port?: number) =>
  Service.start({ FERRY_CONNECTION_SRC: source.url, FERRY_CONNECTION_DST: target.url }, port);

/** A service on this port that has just begun, and stays so. */
function begin(port: number): AsyncDisposable {
  const dock = openDock();
  const settings = { token: null, connections: new Map<string, string>() };
  const app = createApp({ dock, settings, tookUp: new Promise(() => {}), takeUpWaitMs: 1 });
  const server = Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, (r) => app.fetch(r));
  return {
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await dock.close();
    },
  };
}

const heading = (page: Page) => page.locator("h1").innerText();

async function until(page: Page, wanted: RegExp): Promise<void> {
  await page.locator("h1").filter({ hasText: wanted }).waitFor({ timeout: 60_000 });
}

async function untilTitle(page: Page, wanted: RegExp): Promise<void> {
  for (let i = 0; !wanted.test(await page.title()); i++) {
    assert(i < 300, `the tab says ${await page.title()}, not ${wanted}`);
    await page.waitForTimeout(100);
  }
}

/** Fills in the form for a ferry of `shop.*`. */
async function fill(page: Page, fields: Record<string, string>): Promise<void> {
  for (const [name, value] of Object.entries(fields)) await page.fill(`[name=${name}]`, value);
}

/** Waits until the strip of a table says so, and returns what it says in words. */
async function untilStrip(page: Page, table: string, wanted: RegExp): Promise<string> {
  const strip = page.getByRole("progressbar", { name: `${table}, rows copied` });
  const end = performance.now() + 30_000;
  for (;;) {
    const text = await strip.getAttribute("data-strip");
    if (wanted.test(text ?? "")) return (await strip.getAttribute("aria-valuetext"))!;
    assert(performance.now() < end, `the strip of ${table} is ${text}, not ${wanted}`);
    await page.waitForTimeout(100);
  }
}

/** Behind which event a stream was asked for: by Last-Event-ID, or by its address where the browser had given up. */
async function askedFrom(request: Request): Promise<number> {
  const { "last-event-id": last } = await request.allHeaders();
  return Number(last ?? new URL(request.url()).searchParams.get("after"));
}

/** Ids of the events that the page shows, the newest first. */
const shownEvents = (page: Page) =>
  page.locator("#events li").evaluateAll((items) => items.map((item) => Number(item.dataset.id)));

onEachFlavour("a person ferries a database with the page", async (pair, vendor) => {
  const { source, target } = pair;
  await makeTables(source.url);
  await using browser = await Browser.start();
  let service = await serve(pair);
  try {
    const { page, problems } = await browser.open();
    await page.goto(service.url);
    await browser.keep(page, `${vendor}-empty`);
    await page.getByRole("link", { name: "Start a ferry" }).first().click();

    // What is wrong is said beside its field, and by both servers.
    await fill(page, { source: "nobody", target: "dst", tables: "shop.*", timeoutSeconds: "soon" });
    await page.getByRole("button", { name: "Start", exact: true }).click();
    assert.match(await page.locator("#source-told .fault").innerText(), /one of the names/);
    assert.match(await page.locator("#timeoutSeconds-told .fault").innerText(), /needed an integer/);
    assert.equal(await page.locator("#source").getAttribute("aria-invalid"), "true");
    await fill(page, {
      id: "orders",
      source: "src",
      target: "dst",
      tables: "shop.nothing",
      timeoutSeconds: "",
    });
    await page.getByRole("button", { name: "Look at both servers" }).click();
    assert.match(await page.locator("[aria-label=Preflight]").innerText(), /Not ready yet/);
    assert.match(await page.locator("#tables-told").innerText(), /no-tables/);
    await browser.keep(page, `${vendor}-refused`);

    await fill(page, { tables: "shop.*" });
    await page.selectOption("[name=fence]", "lockTables");
    await page.selectOption("[name=keepFence]", "yes");
    // Slow enough to be watched.
    await page.locator("summary").filter({ hasText: "Slow it down" }).click();
    await fill(page, { maxRowsPerSecond: "2000" });
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.waitForURL("**/ferries/orders");
    const change = (body: unknown) => service.ask("PATCH", "/v1/ferries/orders", body);
    assert.equal((await change({ copy: { chunkBytes: 32_768 } })).status, 200);
    await until(page, /^Copying 2 tables/);
    const bar = page.getByRole("progressbar", { name: "orders, rows copied", exact: true });
    await until(page, /: [1-9]\d? %/);
    assert.match((await bar.getAttribute("aria-valuetext"))!, /^\d+ % copied$/);
    const [inTab, onPage] = await page.evaluate(titleAndHeading);
    assert.equal(inTab, onPage, "the tab says what the page says");
    assert.match(
      await page.locator(".crossing").getAttribute("aria-label") ?? "",
      /% of the way from .* to /,
    );

    // The first keys are there, the last ones are not.
    const [first] = await page.locator("[data-strip^=c]").evaluateAll((strips) =>
      strips.map((strip) => strip.getAttribute("aria-label")!.split(",")[0])
    );
    assert.match(await untilStrip(page, first, /^c+\.+$/), /^\d+ % copied$/);

    // Why copying waits is said, and stays on the time axis.
    const checks = [{ on: "source", query: "SELECT 7", max: 5 }];
    assert.equal((await change({ throttle: { maxRowsPerSecond: 2000, checks } })).status, 200);
    const reason = page.locator(".notice.wait").filter({ hasText: "Copying waits:" });
    await reason.waitFor();
    assert.match(await reason.innerText(), /is 7, above 5/);
    await page.locator("#spells li").filter({ hasText: "is 7, above 5" }).waitFor();
    assert.equal((await change({ throttle: { maxRowsPerSecond: 2000 } })).status, 200);
    await reason.waitFor({ state: "detached" });

    // Rows move, unless somebody wants less of it.
    const flight = page.locator(".flight");
    const motion = () => flight.evaluate(animationOf);
    await flight.waitFor();
    assert.equal(await motion(), "flight");
    await page.emulateMedia({ reducedMotion: "reduce" });
    assert.equal(await motion(), "none");
    await page.emulateMedia({ reducedMotion: null });
    await browser.keep(page, `${vendor}-copying`);

    await page.getByRole("button", { name: "Pause copying" }).click();
    await until(page, /^Paused/);
    await page.getByRole("button", { name: "Go on copying" }).click();
    await until(page, /^Copying/);
    assert.match(
      await page.locator("#spells").innerText(),
      /is 7, above 5\n(.*cap on rows.*\n)?.*: paused/,
      "what was drawn stays",
    );

    // The service dies and comes back: the page says that it hears nothing, and then goes on where it was, by itself.
    const asked: Promise<number>[] = [];
    page.on("response", (answer) => {
      if (answer.ok() && answer.url().includes("/events")) asked.push(askedFrom(answer.request()));
    });
    await page.evaluate(() => Object.assign(globalThis, { notLoadedAgain: true }));
    const { port } = service;
    await service.kill9();
    await page.locator("#live.stale").waitFor({ timeout: 30_000 });
    assert.match(await page.locator("#heard").innerText(), /^Last heard \d+ s ago/);
    // The seconds are for the eye; whoever listens is told once.
    assert.equal(
      await page.getByRole("status").innerText(),
      "The service does not answer. Trying to reach it again.",
    );
    await browser.keep(page, `${vendor}-stale`);
    const [newest] = await shownEvents(page);
    // What is asked of a service that is away, or that still looks for its ferries, is said not to be done.
    const said = (text: RegExp) => page.getByRole("alert").filter({ hasText: text }).waitFor();
    await page.getByRole("button", { name: "Pause copying" }).click();
    await said(/^The service did not answer\. As far as this page knows, nothing was done\.$/);
    // A stream that is answered with 503 the browser gives up: the page asks for another.
    const streamRefused = page.waitForResponse((a) => a.url().includes("/events") && a.status() === 503);
    {
      await using _beginning = begin(port);
      await streamRefused;
      await page.getByRole("button", { name: "Pause copying" }).click();
      await said(/^Cannot tell of this ferry: the service has just begun .* nothing was done\.$/);
    }
    assert.equal(page.url(), `${service.url}/ferries/orders`);
    service = await serve(pair, port);
    await page.locator(".resumed").waitFor({ timeout: 60_000 });
    assert.equal(await page.locator(".resumed").innerText(), "resumed once");
    // The rest need not be watched.
    assert.equal((await change({ throttle: null })).status, 200);
    await until(page, /^Waiting for you: ready to cut over/);
    await page.locator("#live:not(.stale)").waitFor();
    await page.locator("#heard").waitFor({ state: "hidden" });
    assert.equal(await page.evaluate(() => "notLoadedAgain" in globalThis), true);
    const from = await Promise.all(asked);
    assert(
      from.length > 0 && from.every((id) => id >= newest),
      `it came back for what is behind ${from}, not ${newest}`,
    );
    const ids = await shownEvents(page);
    const told = await service.events(
      "orders",
      ids.at(-1)! - 1,
      (events) => (events.at(-1)?.id ?? 0) >= ids[0],
    );
    const expected = told.filter((e) => e.event !== "progress" && e.id <= ids[0]).map((e) => e.id);
    assert.deepEqual(ids, expected.reverse(), "every event is shown once");

    // Nothing happens now, and that is no bad sign.
    await page.waitForTimeout(7000);
    assert.equal(await page.locator("#live.stale").count(), 0);
    assert.equal(await untilStrip(page, "shop.orders", /^v+$/), "100 % copied, all verified");

    // Changes that are replayed show where they lie: at the first keys.
    await using sql = await Sql.open(source.url);
    await sql.run("UPDATE shop.orders SET v = 'changed' WHERE id < 10");
    assert.match(
      await untilStrip(page, "shop.orders", /^r+v+$/),
      /cells? changed again, \d+ cells verified$/,
    );
    await browser.keep(page, `${vendor}-waiting`);

    for (const colorScheme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await page.evaluate(faintTexts), [], `all can be read in ${colorScheme}`);
      if (colorScheme === "dark") await browser.keep(page, `${vendor}-dark`);
    }
    // Where the system chooses the colours, shapes alone tell the cells apart.
    await page.emulateMedia({ forcedColors: "active" });
    const fills = await page.locator("[class^=cell-]").evaluateAll(fillsBesideText);
    assert(fills.length > 5 && fills.every(({ fill, text }) => fill === text), JSON.stringify(fills));
    await browser.keep(page, `${vendor}-forced`);
    await page.emulateMedia({ forcedColors: null });
    await page.setViewportSize({ width: 390, height: 800 });
    assert(await page.evaluate(overflow) <= 0, "nothing is cut off on a telephone");
    await browser.keep(page, `${vendor}-narrow`);
    await page.setViewportSize({ width: 1100, height: 900 });

    // Another name does nothing: the browser itself holds the form back.
    await page.locator("form.cutover input").fill("lines");
    await page.getByRole("button", { name: "Cut over" }).click();
    assert.match(await heading(page), /^Waiting/);
    await page.locator("form.cutover input").fill("orders");
    await page.getByRole("button", { name: "Cut over" }).click();
    await until(page, /^Done: 2 tables/);
    // The heading and the events come by ways of their own.
    await page.locator("#events li").filter({ hasText: "Done" }).waitFor();
    assert.match(
      await page.locator(".notice.wait").innerText(),
      /^Writes to 127\.0\.0\.1:\d+ are still stopped/,
    );
    assert.equal(await page.locator(".actions form").count(), 0);
    await untilStrip(page, "shop.lines", /^v+$/);
    await browser.keep(page, `${vendor}-done`);
    // A fence that is gone is not said to be there.
    const idle =
      "SELECT id FROM information_schema.processlist WHERE command = 'Sleep' AND id <> CONNECTION_ID()";
    for (const { id } of await sql.run(idle)) await sql.run(`KILL ${id}`);
    await page.locator(".notice.wait").waitFor({ state: "detached", timeout: 20_000 });
    assert.equal(await service.term(), 0);
    assert.equal(await assertEqual(source.url, target.url, BOTH), 2 * ROWS);

    // A ferry that fails says why, and comes first in the list. One that is open meanwhile says so in its tab.
    service = await serve(pair, port);
    await page.goto(service.url);
    assert.match(await page.title(), /^\d under way/);
    const spec = { id: "again", source: "src", target: "dst", tables: ["shop.orders"] };
    assert.equal((await service.ask("POST", "/v1/ferries", spec)).status, 202);
    await untilTitle(page, /^1 stopped, \d under way · Chainferry$/);
    await page.goto(`${service.url}/ferries/again`);
    await until(page, /^Stopped:/);
    await page.getByRole("button", { name: "Try again" }).waitFor();
    await browser.keep(page, `${vendor}-failed`);
    await page.goto(service.url);
    assert.match(await page.locator(".ferries li").first().innerText(), /^again/);
    // A wrong form is answered with 422, and the server was away for a while, then beginning: all else is complained of.
    const allowed = /status of (422|503)|ERR_CONNECTION|ERR_INCOMPLETE/;
    assert.deepEqual(problems.filter((text) => !allowed.test(text)), []);
  } finally {
    await service[Symbol.asyncDispose]();
  }
});
