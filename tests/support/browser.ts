/**
 * A real browser: Chromium, driven from here. Pictures are kept where `FERRY_SCREENSHOTS` says.
 * @module
 */
import assert from "node:assert/strict";
import { type Browser as Driven, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { type BrowserProgram, chromiumProgram } from "../servers/chromium.ts";
import { focusOn } from "./in_page.js";

/** One browser. */
export class Browser implements AsyncDisposable {
  private constructor(private readonly driven: Driven) {}

  /** Starts it without a window. */
  static async start(program?: BrowserProgram): Promise<Browser> {
    const { path, env } = program ?? await chromiumProgram();
    // Without a sandbox: a container's root has no other way.
    const driven = await chromium.launch({
      executablePath: path,
      env: { ...Deno.env.toObject(), ...env },
      args: ["--no-sandbox", "--disable-dev-shm-usage"],
    });
    return new Browser(driven);
  }

  /** A page, and what its console complains of. */
  async open(options: BrowserContextOptions = {}): Promise<{ page: Page; problems: string[] }> {
    const context = await this.driven.newContext({ viewport: { width: 1100, height: 900 }, ...options });
    const page = await context.newPage();
    const problems: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(String(error)));
    return { page, problems };
  }

  /** Keeps a picture, where somebody wants pictures. */
  async keep(page: Page, name: string): Promise<void> {
    const folder = Deno.env.get("FERRY_SCREENSHOTS");
    if (folder !== undefined) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.driven.close();
  }
}

/** Presses Tab until what has the focus matches, and sees to it that the focus can be seen. */
export async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press("Tab");
    const { found, seen, name } = await page.evaluate(focusOn, selector);
    assert(seen, `nothing shows that ${name} has the focus`);
    if (found) return;
  }
  assert.fail(`${selector} cannot be reached by Tab`);
}
