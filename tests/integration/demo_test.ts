/**
 * The README's first command: it reaches a page on which the ferry moves, proves both sides equal, and leaves nothing
 * behind.
 */
import assert from "node:assert/strict";
import { VENDORS } from "../support/flavours.ts";
import { Shell } from "../support/shell.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
/** In the environment of the demo, and so of everything that it starts. */
const MARK = "CHAINFERRY_DEMO_TEST";

for (const vendor of VENDORS) {
  Deno.test(`the demo shows a moving ferry on its page and ends by itself (${vendor})`, async () => {
    await using demo = new Demo(`--vendor ${vendor} --rows 150000 --writes 100`);
    const [page] = await demo.until(/http:\/\/127\.0\.0\.1:\d+\/ferries\/demo/, 150);
    const rows = new Set<number>();
    const titles = new Set<string>();
    const running = await demo.processes();
    assert.ok(running.some((command) => /main\.ts --port/.test(command)), running.join("\n"));
    const end = performance.now() + 120_000;
    while (!/ POST …\/cutover/.test(demo.text)) {
      assert.ok(performance.now() < end, demo.text);
      const { title, copied } = await look(page);
      titles.add(title.split(/[ :]/)[0]);
      if (title.startsWith("Copying")) rows.add(copied);
      await new Promise((r) => setTimeout(r, 100));
    }
    assert.ok(rows.size >= 3, `rows copied, as the page told while it copied: ${[...rows]}`);
    assert.ok(titles.has("Copying") && titles.has("Waiting"), [...titles].join());
    await demo.well();
    assert.match(demo.text, /both sides +EQUAL, row for row/);
    assert.deepEqual(await demo.processes(), []);
    await assert.rejects(fetch(page));
  });
}

Deno.test("the demo with --stay goes on showing the ferry that is done until it is interrupted", async () => {
  await using demo = new Demo("--rows 1000 --writes 50 --stay");
  const [, page] = await demo.until(/page stays on (\S+) until Ctrl-C/, 150);
  assert.match((await look(page)).title, /^Done: 5 tables .* both sides equal/);
  demo.interrupt();
  await demo.well();
  assert.deepEqual(await demo.processes(), []);
});

/** What the page says, as a browser without JavaScript gets it. */
async function look(page: string): Promise<{ title: string; copied: number }> {
  const answer = await fetch(page, { headers: { accept: "text/html" } });
  const html = await answer.text();
  assert.equal(answer.status, 200, html);
  const copied = /<dt>Rows copied<\/dt>\s*<dd[^>]*>([\d,]+)<\/dd>/.exec(html);
  return { title: /<title>(.*?)<\/title>/.exec(html)![1], copied: Number(copied![1].replaceAll(",", "")) };
}

/** A demo whose processes can be told from all others. */
class Demo extends Shell {
  constructor(args: string, private readonly mark: string = crypto.randomUUID()) {
    super(`exec deno run -A demo/main.ts ${args}`, ROOT, { [MARK]: mark });
  }

  /** Command lines of all that it started and that is still there. */
  async processes(): Promise<string[]> {
    const found: string[] = [];
    for await (const { name } of Deno.readDir("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      try {
        if (!(await Deno.readTextFile(`/proc/${name}/environ`)).includes(`${MARK}=${this.mark}`)) continue;
        found.push((await Deno.readTextFile(`/proc/${name}/cmdline`)).replaceAll("\0", " "));
      } catch {
        // it is gone, or another user's
      }
    }
    return found;
  }
}
