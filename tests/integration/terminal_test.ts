/**
 * `run` and `watch` as people see them: on a real terminal, in a log, and as lines for machines.
 */
import assert from "node:assert/strict";
import { onEachFlavour } from "../support/flavours.ts";
import { Pty } from "../support/pty.ts";
import { Service } from "../support/service.ts";
import { Sql } from "../support/sql.ts";

const TABLES = 12;
const ROWS = 3000;
const NAMES = Array.from({ length: TABLES }, (_, i) => `shop.table_${String.fromCharCode(97 + i)}`);

async function makeTables(url: string): Promise<void> {
  await using sql = await Sql.open(url);
  await sql.run("CREATE DATABASE shop");
  const values = Array.from({ length: ROWS }, (_, i) => `(${i}, 'row ${i}')`).join(",");
  for (const name of NAMES) {
    await sql.run(`CREATE TABLE ${name} (id INT NOT NULL PRIMARY KEY, v VARCHAR(100) NOT NULL)`);
    await sql.run(`INSERT INTO ${name} VALUES ${values}`);
    await sql.run(`ANALYZE TABLE ${name}`);
  }
}

/** Slow enough to be seen: about 7 s. */
function specOf(source: string, target: string): Record<string, unknown> {
  return {
    id: "seen",
    source,
    target,
    tables: ["shop.*"],
    copy: { concurrency: 2, chunkBytes: 16_384 },
    throttle: { maxRowsPerSecond: 5000 },
    cutover: { mode: "manual", fence: "none" },
  };
}

onEachFlavour("run draws a bar for each table on a terminal, without colours when asked", async (pair) => {
  const { source, target } = pair;
  await makeTables(source.url);
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/spec.json`, JSON.stringify(specOf(source.url, target.url)));
    await using pty = new Pty(["run", `${folder}/spec.json`], {
      columns: 100,
      rows: 24,
      out: `${folder}/result.json`,
      env: { NO_COLOR: "1" },
    });
    const [, pid] = await pty.until(/kill -USR2 (\d+)/);
    Deno.kill(Number(pid), "SIGUSR2");
    assert.equal(await pty.ended, 0, pty.text);
    assert.doesNotMatch(pty.text, /Debugger/);
    const { screen } = pty;
    assert.equal(screen.colors, 0);
    const seen = screen.frames.flat();
    for (const name of NAMES) {
      assert.ok(seen.some((line) => line.startsWith(`${name} `) && /█* *░/.test(line)), `no bar of ${name}`);
    }
    assert.ok(seen.some((line) => /^Copying 12 tables from .*: \d+ %, .* left$/.test(line)), "no headline");
    assert.ok(
      seen.some((line) => /^copying █+░+ +\d+ % .* rows\/s, .* left, .* behind$/.test(line)),
      "no whole",
    );
    assert.ok(seen.some((line) => /tables are through$/.test(line)), "finished tables fold away");
    const full = screen.frames.find((lines) =>
      lines.filter((line) => line.startsWith("shop.")).length === TABLES
    );
    assert.ok(full, "every table stands on the screen at once");
    // What stays is told once, and no bar is left over.
    assert.equal(screen.lines.filter((line) => line.startsWith("ferry seen: Done: 12 tables")).length, 1);
    assert.ok(!screen.lines.some((line) => /[█░]/.test(line)), screen.lines.join("\n"));
    assert.equal(JSON.parse(await Deno.readTextFile(`${folder}/result.json`)).state, "done");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

onEachFlavour(
  "watch sums up on a small screen, writes blocks into a log and JSON lines for machines",
  async (pair) => {
    await makeTables(pair.source.url);
    const folder = await Deno.makeTempDir();
    await using service = await Service.start();
    try {
      const posted = await service.ask("POST", "/v1/ferries", specOf(pair.source.url, pair.target.url));
      assert.equal(posted.status, 202);
      const address = `${service.url}/ferries/seen`;
      await using pty = new Pty(["watch", address], {
        columns: 60,
        rows: 9,
        out: `${folder}/result.json`,
        env: {},
      });
      const plain = watch(address, []);
      const lines = watch(address, ["--json"]);
      await service.cutOver("seen");
      const ends = await Promise.all([pty.ended, plain, lines]);
      assert.deepEqual([ends[0], ends[1].code, ends[2].code], [0, 0, 0], pty.text);

      assert.ok(pty.screen.colors > 0);
      const small = pty.screen.frames.flat().filter((line) => /^… and \d+ more tables?/.test(line));
      assert.ok(small.length > 0, pty.text);

      const log = ends[1].stderr;
      // deno-lint-ignore no-control-regex
      assert.doesNotMatch(log, /[\x00-\x09\x0b-\x1f█]/);
      const blocks = log.match(/^ferry seen: .*\n {2}state {3}/gm)!;
      assert.ok(blocks.length >= 3, log);
      assert.match(log, /^ferry seen: Copying 12 tables from .*: \d+ %/m);
      assert.match(log, /^ {2}table {3}shop\.table_/m);
      assert.match(log, /ferry seen: Done: 12 tables[^\n]*\n(?: {2}[^\n]*\n)+$/);
      assert.equal(JSON.parse(ends[1].stdout).state, "done");

      const told = ends[2].stderr.trimEnd().split("\n").map((line) => JSON.parse(line));
      assert.ok(told.every(({ event, text }) => typeof event === "string" && typeof text === "string"));
      assert.ok(told.some(({ event, progress }) => event === "progress" && progress.rowsCopied > 0));
      assert.equal(told.at(-1).event, "done");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

/** `watch` without a terminal, a block each half second. */
async function watch(
  address: string,
  flags: string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const main = new URL("../../main.ts", import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-net", "--allow-env", main, "watch", address, ...flags],
    env: { FERRY_INTERVAL: "0.5" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}
