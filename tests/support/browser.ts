/**
 * A real browser: Chromium, driven from here. Pictures are kept where `FERRY_SCREENSHOTS` says.
 * @module
 */
import { type Browser as Driven, chromium, type Page } from "playwright-core";
import { type BrowserProgram, chromiumProgram } from "../servers/chromium.ts";

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
  async open(): Promise<{ page: Page; problems: string[] }> {
    const page = await this.driven.newPage({ viewport: { width: 1100, height: 900 } });
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
