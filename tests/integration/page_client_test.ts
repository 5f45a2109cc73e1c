/**
 * The page's script in a real browser: what it says of a service that is away or refuses, what its charts draw, and how
 * many connections it holds.
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { FerryResource } from "../../lib/progress/resource.ts";
import { Browser } from "../support/browser.ts";
import { untilTrue } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { feedCharts, hide, linesOf, pixelsOf } from "../support/in_page.js";
import { makeOrders } from "../support/orders.ts";
import { Service } from "../support/service.ts";

const TOKEN = "first-token";
const ID = "orders";

const told = (page: Page) =>
  page.locator("#events li").evaluateAll((items) => items.map((i) => Number(i.dataset.id)));
const titled = (page: Page, wanted: RegExp) =>
  page.locator("h1").filter({ hasText: wanted }).waitFor({ timeout: 60_000 });

onEachFlavour(
  "the page's script keeps a person informed, whatever becomes of the service",
  async ({ source, target }) => {
    await makeOrders(source.url, 20_000);
    await using browser = await Browser.start();
    const env = { FERRY_CONNECTION_SRC: source.url, FERRY_CONNECTION_DST: target.url };
    let service = await Service.start({ ...env, FERRY_TOKEN: TOKEN });
    const { port } = service;
    const again = async (token: string, names: Record<string, string> = env) => {
      await service[Symbol.asyncDispose]();
      service = await Service.start({ ...names, FERRY_TOKEN: token }, port);
    };
    try {
      const spec = {
        id: ID,
        source: "src",
        target: "dst",
        tables: ["shop.*"],
        throttle: { maxRowsPerSecond: 500 },
        cutover: { mode: "manual", fence: "lockTables", keepFence: false },
      };
      assert.equal((await service.ask("POST", "/v1/ferries", spec)).status, 202);

      // The token is asked for once, and kept where no script reads it.
      const { page } = await browser.open();
      const signIn = async (token: string) => {
        await page.waitForURL("**/sign-in*");
        await page.locator("[name=token]").fill(token);
        await page.keyboard.press("Enter");
        await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
      };
      // The charts' library cannot be had at first.
      let refused = 0;
      await page.route("**/assets/uplot.js*", (route) => refused++ === 0 ? route.abort() : route.continue());
      await page.goto(`${service.url}/ferries/${ID}`);
      await signIn(TOKEN);
      const [cookie] = await page.context().cookies();
      assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, "Strict"]);
      await page.goto(`${service.url}/ferries/${ID}`);
      const opened = Date.now();
      await titled(page, /^Copying/);

      // Both charts are drawn of what the events tell, and have the page's colours again when the system's are off.
      await page.locator("#charts").waitFor({ timeout: 30_000 });
      assert.ok(refused > 1);
      const charts = ["#rates", "#lags"].map((id) => page.locator(id));
      const lines = (await Promise.all(charts.map((chart) => chart.evaluate(linesOf)))).flat();
      assert.deepEqual(lines.map(({ line }) => line), [
        "rows/s copied",
        "changes/s replayed",
        "seconds behind",
      ]);
      const untilDrawn = (what: string, enough: (pixels: number) => boolean) =>
        untilTrue(what, async () => {
          const pixels = lines.map(({ color }, i) => charts[i >> 1].evaluate(pixelsOf, color));
          return (await Promise.all(pixels)).every(enough);
        });
      await untilDrawn("each line is drawn", (pixels) => pixels > 20);
      await page.emulateMedia({ forcedColors: "active" });
      await untilDrawn("none has the page's colours where the system chooses", (pixels) => pixels === 0);
      await page.emulateMedia({ forcedColors: null });
      await untilDrawn("each has the page's colours again", (pixels) => pixels > 20);

      // A page that nobody sees holds no connection; seen again, it goes on where it was.
      const ended = page.waitForEvent("requestfailed", (r) => r.url().includes("/events"));
      await page.evaluate(hide, true);
      await ended;
      const hiddenAt = Date.now();
      const known = await told(page);
      const change = (throttle: unknown) => service.ask("PATCH", `/v1/ferries/${ID}`, { throttle });
      assert.equal((await change({ maxRowsPerSecond: 600 })).status, 200);
      await untilTrue("the event is there", async () => {
        const events = await service.events(ID, known[0], (events) => events.length > 0);
        return events.some(({ event, id }) => event === "log" && id > known[0]);
      });
      assert.deepEqual(await told(page), known);
      await page.waitForTimeout(4000); // a time that nothing is known of
      await page.evaluate(hide, false);
      await page.locator("#events li").filter({ hasText: "past 600 rows a second" }).waitFor();
      const ids = await told(page);
      assert.deepEqual(ids, [...new Set(ids)].sort((a, b) => b - a), "each event is shown once");

      // Nor is anything drawn for the time between.
      await page.locator("#spells li").filter({ hasText: "is 600" }).waitFor();
      const before = await page.locator("#spells li").filter({ hasText: "is 500" }).last().innerText();
      const [, h, m, s] = / to (\d+):(\d+):(\d+): /.exec(before)!.map(Number);
      const until = new Date(hiddenAt).setHours(h, m, s);
      assert.ok(Math.abs(until - hiddenAt) < 2500, `${before}, hidden ${new Date(hiddenAt).toTimeString()}`);

      // The day after, events say their date.
      const times = (of: Page) => of.locator("#events time").allInnerTexts();
      assert.ok((await times(page)).every((text) => /^\d\d:\d\d:\d\d$/.test(text)));
      const later = await page.context().newPage();
      await later.clock.setSystemTime(Date.now() + 86_400_000);
      await later.goto(page.url());
      await untilTrue(
        "the date is told",
        async () => (await times(later)).every((text) => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text)),
      );
      await later.close();

      // A pause goes on, though nothing is told of it.
      assert.equal((await service.ask("POST", `/v1/ferries/${ID}/pause`)).status, 202);
      const paused = page.locator("#spells li").filter({ hasText: /: paused$/ });
      await paused.waitFor();
      // The cap is told for a while more; then nothing is.
      await untilTrue("nothing changes any more", async () => {
        const { body } = await service.ask("GET", `/v1/ferries/${ID}`);
        return (body as FerryResource).throttled === null;
      });
      await page.waitForTimeout(6000);
      await untilTrue("it is not said to be over", async () => {
        const [, h, m, s] = / to (\d+):(\d+):(\d+): /.exec(await paused.innerText())!.map(Number);
        return Math.abs(new Date().setHours(h, m, s, 0) - Date.now()) < 2500;
      }, { seconds: 5 });
      assert.equal((await service.ask("POST", `/v1/ferries/${ID}/resume`)).status, 202);
      await titled(page, /^Copying/);

      // Of a long time everything stays on the axis, and a number that moves makes no second reason.
      const spells = await page.evaluate(feedCharts, { points: 3000, name: "long ago" });
      assert.deepEqual(spells.match(/long ago: \d/g), ["long ago: 2"]);
      await page.locator("#rates .u-over").hover({ position: { x: 1, y: 20 } });
      const first = page.locator("#rates .u-legend .u-value").first();
      await untilTrue("the first point is still there", async () => {
        const [h, m, s] = (await first.innerText()).split(":").map(Number);
        return Math.abs(new Date(opened).setHours(h, m, s) - opened) < 60_000;
      }, { seconds: 10 });

      // What is refused is said, and asked once.
      await page.route("**/live", (route) => route.abort());
      assert.equal((await service.ask("POST", `/v1/ferries/${ID}/cancel`)).status, 202);
      const posts: string[] = [];
      page.on("request", (r) => r.method() === "POST" && posts.push(r.url()));
      await page.getByRole("button", { name: "Pause copying" }).click();
      await page.getByRole("alert").filter({ hasText: /^Cannot pause ferry "orders": / }).waitFor();
      assert.deepEqual(posts, [`${service.url}/ferries/${ID}/pause`]);
      await page.unroute("**/live");
      await titled(page, /^Cancelled/);

      // That a service is away is said of a ferry that has ended, too.
      await page.context().setOffline(true);
      await page.locator("#live.stale").waitFor({ timeout: 30_000 });
      assert.match(await page.locator("#heard").innerText(), /^Last heard \d+ s ago\. Trying/);
      assert.match(await page.getByRole("status").innerText(), /does not answer/);
      await page.context().setOffline(false);
      await page.locator("#live:not(.stale)").waitFor({ timeout: 30_000 });
      assert.equal(await page.getByRole("status").innerText(), "");
      assert.equal(await page.locator("#heard").isVisible(), false);
      await again(TOKEN, {}); // one that has no names for its servers
      await page.getByRole("status").filter({ hasText: "does not know this ferry" }).waitFor({
        timeout: 30_000,
      });

      // Another token: the page asks for it, and shows nothing of a sign-in within itself.
      await again("second-token");
      await page.waitForURL("**/sign-in*", { timeout: 30_000 });
      await signIn("second-token");
    } finally {
      await service[Symbol.asyncDispose]();
    }
  },
);
