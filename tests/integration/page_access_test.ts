/**
 * The page for people who use a keyboard alone, a screen reader, or no script; and where a row differs.
 */
import assert from "node:assert/strict";
import { Browser, tabTo } from "../support/browser.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { Service } from "../support/service.ts";
import { Sql } from "../support/sql.ts";

const ROWS = 1000;

async function makeTable(url: string): Promise<void> {
  await using sql = await Sql.open(url);
  const values = Array.from({ length: ROWS }, (_, i) => `(${i}, 'row ${i}')`);
  await sql.run(
    "CREATE DATABASE crm; CREATE TABLE crm.people (id INT NOT NULL PRIMARY KEY, v VARCHAR(100) NOT NULL);" +
      `INSERT INTO crm.people VALUES ${values.join(",")}; ANALYZE TABLE crm.people`,
  );
}

onEachFlavour("a ferry goes by keyboard alone, and without a script", async ({ source, target }, vendor) => {
  await makeTable(source.url);
  await using browser = await Browser.start();
  await using service = await Service.start({
    FERRY_CONNECTION_SRC: source.url,
    FERRY_CONNECTION_DST: target.url,
  });
  const { page, problems } = await browser.open();
  await page.goto(service.url);
  await tabTo(page, "main a[href='/new']");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/new");
  for (const [name, text] of [["id", "people"], ["source", "src"], ["target", "dst"], ["tables", "crm.*"]]) {
    await tabTo(page, `[name=${name}]`);
    await page.keyboard.type(text);
  }
  await tabTo(page, "button[value=start]");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/ferries/people");
  const ready = page.locator("h1").filter({ hasText: "ready to cut over" });
  await ready.waitFor({ timeout: 60_000 });

  // What a screen reader is told.
  const said = await page.locator("body").ariaSnapshot();
  assert.match(said, /- progressbar "people, rows copied"/);
  assert.match(said, /- progressbar "crm\.people, rows copied"/);
  assert.match(said, /- img "100 % of the way from 127\.0\.0\.1:\d+ to 127\.0\.0\.1:\d+/);
  assert.match(said, /- list "What the cells of a strip mean"/);
  assert.match(said, /- textbox "Type people to cut over"/);

  // The same moment without a script: what happened, how far it is, and what may be asked.
  const plain = await browser.open({ javaScriptEnabled: false });
  await plain.page.goto(page.url());
  assert.match(
    await plain.page.locator("#events").innerText(),
    /ready to cut over[\s\S]*Following the source's binlog/,
  );
  assert.match(await plain.page.locator("#events time").first().innerText(), /^\d\d:\d\d:\d\d UTC$/);
  assert.match(await plain.page.locator(".strip").getAttribute("data-strip") ?? "", /^v{64}$/);
  await browser.keep(plain.page, `${vendor}-plain`);
  // The server itself refuses another name.
  await plain.page.locator("form.cutover input").evaluate((input) => input.removeAttribute("pattern"));
  await plain.page.locator("form.cutover input").fill("somebody");
  await plain.page.locator("form.cutover button").click();
  assert.match(await plain.page.getByRole("alert").innerText(), /^Nothing was done/);

  // Half a name is typed while the page goes on: it stays, and so does the focus.
  await tabTo(page, "form.cutover input");
  await page.keyboard.type("peo");
  await page.waitForResponse((answer) => answer.url().endsWith("/live"), { timeout: 10_000 });
  await page.waitForTimeout(500);
  await page.keyboard.type("ple");
  assert.equal(await page.locator("form.cutover input").inputValue(), "people");
  await tabTo(page, "form.cutover button");
  await page.keyboard.press("Enter");
  await page.locator("h1").filter({ hasText: /^Done: 1 table/ }).waitFor({ timeout: 60_000 });
  assert.deepEqual(problems, []);
});

onEachFlavour("a row that differs is shown where it lies", async ({ source, target }, vendor) => {
  await makeTable(source.url);
  await using browser = await Browser.start();
  await using service = await Service.start({
    FERRY_CONNECTION_SRC: source.url,
    FERRY_CONNECTION_DST: target.url,
  });
  const spec = { id: "people", source: "src", target: "dst", tables: ["crm.people"] };
  assert.equal((await service.ask("POST", "/v1/ferries", spec)).status, 202);
  await service.until("people", ["awaitingCutover"]);
  await using sql = await Sql.open(target.url);
  await sql.run("DELETE FROM crm.people WHERE id = 500");
  const { page } = await browser.open();
  await page.goto(`${service.url}/ferries/people`);
  await page.getByRole("button", { name: "Compare again" }).click();
  await page.locator("h1").filter({ hasText: /^Stopped: Cannot cut over: 1 row differs/ }).waitFor();
  const strip = page.getByRole("progressbar", { name: "crm.people, rows copied" });
  assert.match(await strip.getAttribute("data-strip") ?? "", /^v{32}dv{31}$/);
  assert.match(await strip.getAttribute("aria-valuetext") ?? "", /1 cell differing$/);
  assert.match(await page.locator(".notice.bad").last().innerText(), /id=500: missing on target/);
  await browser.keep(page, `${vendor}-differing`);
});
