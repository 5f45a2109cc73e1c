/**
 * The page in a real browser, through a whole ferry: start, watch, pause, go on, the service killed and started again in
 * the middle, cut over; and a start that the preflight refuses.
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { onEachFlavour } from "../support/flavours.ts";
import { Browser } from "../support/browser.ts";
import { Service } from "../support/service.ts";
import { Sql } from "../support/sql.ts";
import { assertEqual } from "../support/equality.ts";

const ROWS = 60_000;

async function makeOrders(url: string): Promise<void> {
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

const heading = (page: Page) => page.locator("h1").innerText();

async function until(page: Page, wanted: RegExp): Promise<void> {
  await page.locator("h1").filter({ hasText: wanted }).waitFor({ timeout: 60_000 });
}

/** Fills in the form for a ferry of `shop.*`. */
async function fill(page: Page, fields: Record<string, string>): Promise<void> {
  for (const [name, value] of Object.entries(fields)) await page.fill(`[name=${name}]`, value);
}

onEachFlavour("a person ferries a database with the page", async ({ source, target }, vendor) => {
  await makeOrders(source.url);
  await using browser = await Browser.start();
  let service = await Service.start({ FERRY_CONNECTION_SRC: source.url, FERRY_CONNECTION_DST: target.url });
  try {
    const { page, problems } = await browser.open();
    await page.goto(service.url);
    await browser.keep(page, `${vendor}-empty`);
    await page.getByRole("link", { name: "Start a ferry" }).first().click();

    // What is wrong is said beside its field, and by both servers.
    await fill(page, { source: "nobody", target: "dst", tables: "shop.*" });
    await page.getByRole("button", { name: "Start", exact: true }).click();
    assert.match(await page.locator(".fault").innerText(), /one of the names/);
    await fill(page, { id: "orders", source: "src", target: "dst", tables: "shop.nothing" });
    await page.getByRole("button", { name: "Look at both servers" }).click();
    assert.match(await page.locator("[aria-label=Preflight]").innerText(), /Not ready yet/);
    await browser.keep(page, `${vendor}-refused`);

    await fill(page, { tables: "shop.*" });
    // Nobody writes here; a fence that is kept would keep the comparison at the end out too.
    await page.selectOption("[name=fence]", "none");
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.waitForURL("**/ferries/orders");
    // Slow enough to be watched.
    const slow = { throttle: { maxRowsPerSecond: 8000 }, copy: { chunkBytes: 65_536 } };
    assert.equal((await service.ask("PATCH", "/v1/ferries/orders", slow)).status, 200);
    await until(page, /^Copying 2 tables/);
    const bar = page.getByRole("progressbar", { name: "orders, rows copied" }).first();
    await until(page, /: [1-9]\d? %/);
    assert.match((await bar.getAttribute("aria-valuetext"))!, /%/);
    assert.equal(await page.title(), await heading(page), "the tab says what the page says");
    await page.locator("#rates canvas").waitFor();
    await browser.keep(page, `${vendor}-copying`);

    await page.getByRole("button", { name: "Pause copying" }).click();
    await until(page, /^Paused/);
    await page.getByRole("button", { name: "Go on copying" }).click();
    await until(page, /^Copying/);

    // The service dies and comes back: the page says that it hears nothing, and then goes on by itself.
    const { port } = service;
    await service.kill9();
    await page.locator("#live.stale").waitFor({ timeout: 30_000 });
    assert.match((await page.locator("#live").getAttribute("data-heard"))!, /Last heard \d+ s ago/);
    await browser.keep(page, `${vendor}-stale`);
    service = await Service.start(
      { FERRY_CONNECTION_SRC: source.url, FERRY_CONNECTION_DST: target.url },
      port,
    );
    await page.locator(".resumed").waitFor({ timeout: 60_000 });
    await until(page, /^Waiting for you: ready to cut over/);
    await page.locator("#live:not(.stale)").waitFor();
    await browser.keep(page, `${vendor}-waiting`);

    // Another name does nothing: the browser itself holds the form back.
    await page.locator("form.cutover input").fill("lines");
    await page.getByRole("button", { name: "Cut over" }).click();
    assert.match(await heading(page), /^Waiting/);
    await page.locator("form.cutover input").fill("orders");
    await page.getByRole("button", { name: "Cut over" }).click();
    await until(page, /^Done: 2 tables/);
    assert.match(await page.locator("#events").innerText(), /Done/);
    await browser.keep(page, `${vendor}-done`);
    assert.equal(await assertEqual(source.url, target.url, ["shop.orders", "shop.lines"]), 2 * ROWS);

    // A ferry that fails says why, and comes first in the list.
    const spec = { id: "again", source: "src", target: "dst", tables: ["shop.orders"] };
    assert.equal((await service.ask("POST", "/v1/ferries", spec)).status, 202);
    await page.goto(`${service.url}/ferries/again`);
    await until(page, /^Stopped:/);
    await page.getByRole("button", { name: "Try again" }).waitFor();
    await browser.keep(page, `${vendor}-failed`);
    await page.goto(service.url);
    assert.match(await page.locator(".ferries li").first().innerText(), /^again/);
    await page.emulateMedia({ colorScheme: "dark" });
    await browser.keep(page, `${vendor}-dark`);
    // A wrong form is answered with 422, and the server was away for a while: nothing else is complained of.
    const expected = /status of 422|ERR_CONNECTION|ERR_INCOMPLETE/;
    assert.deepEqual(problems.filter((text) => !expected.test(text)), []);
  } finally {
    await service[Symbol.asyncDispose]();
  }
});
