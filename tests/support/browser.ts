/**
 * A real browser: Chromium as the system has it, driven from here. Pictures are kept where `FERRY_SCREENSHOTS` says.
 * @module
 */
import assert from "node:assert/strict";
import { type Browser as Driven, chromium, type Page } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** One browser. */
export class Browser implements AsyncDisposable {
  private constructor(private readonly driven: Driven) {}

  /** Starts it without a window. */
  static async start(): Promise<Browser> {
    const path = Deno.env.get("FERRY_CHROMIUM") ?? PLACES.find((place) => exists(place));
    assert(path !== undefined, "no Chromium here: install Debian's package chromium, or set FERRY_CHROMIUM");
    // Without a sandbox: a container's root has no other way.
    const driven = await chromium.launch({
      executablePath: path,
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

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
