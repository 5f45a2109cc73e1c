/**
 * A browser without one being installed: unpacked packages show a page with text in it.
 */
import assert from "node:assert/strict";
import { cacheFolder } from "../servers/cache_folder.ts";
import { unpackedChromiumProgram } from "../servers/chromium.ts";
import { Browser } from "../support/browser.ts";

Deno.test("where no browser is installed, Debian's packages are unpacked and show a page", async () => {
  const program = await unpackedChromiumProgram();
  assert.ok(program.path.startsWith(cacheFolder()), program.path);
  await using browser = await Browser.start(program);
  const { page, problems } = await browser.open();
  await page.setContent("<span>A ferry that crosses</span>");
  // Without a font the letters would have no width.
  const box = await page.locator("span").boundingBox();
  assert.ok(box !== null && box.width > 60, JSON.stringify(box));
  assert.deepEqual(problems, []);
});
