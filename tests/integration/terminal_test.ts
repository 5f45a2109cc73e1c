/**
 * `run` and `watch` as people see them: on a real terminal, in a log, and as lines for machines.
 */
import assert from "node:assert/strict";
import { onEachFlavour } from "../support/flavours.ts";
import { Pty } from "../support/pty.ts";
import { Service } from "../support/service.ts";
import { Shell } from "../support/shell.ts";
import { Sql } from "../support/sql.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
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
    // Nothing may be posted there, which each change of the state logs a line about.
    const callbacks = { state: "http://169.254.1.1/" };
    const spec = { ...specOf(source.url, target.url), callbacks };
    await Deno.writeTextFile(`${folder}/spec.json`, JSON.stringify(spec));
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
    assert.match(pty.text, /\[warning\] chainferry\.callbacks: Cannot post event \d+ to 169\.254\.1\.1: /);
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
      // Slow enough for whatever has to be seen of it; then it is let go.
      const throttle = { maxRowsPerSecond: 300 };
      const spec = { ...specOf(pair.source.url, pair.target.url), throttle };
      assert.equal((await service.ask("POST", "/v1/ferries", spec)).status, 202);
      const address = `${service.url}/ferries/seen`;
      await using pty = new Pty(["watch", address], {
        columns: 60,
        rows: 9,
        out: `${folder}/result.json`,
        env: {},
      });
      await using plain = watch(address, `> ${folder}/plain.json`);
      await using lines = watch(address, "--json > /dev/null");
      await pty.until(/Copying 12 tables[^]*… and \d+ more tables/);
      await plain.until(/(?:^ferry seen: Copying 12 tables.*\n {2}state {3}[^]*?){2}/m);
      await lines.until(/"event":"progress".*"rowsCopied":[1-9]/);
      assert.equal((await service.ask("PATCH", "/v1/ferries/seen", { throttle: null })).status, 200);
      await service.cutOver("seen");
      const ends = await Promise.all([pty.ended, plain.ended, lines.ended]);
      assert.deepEqual(ends, [0, 0, 0], pty.text + plain.text + lines.text);

      assert.ok(pty.screen.colors > 0);
      const small = pty.screen.frames.flat().filter((line) => /^… and \d+ more tables?/.test(line));
      assert.ok(small.length > 0, pty.text);

      const log = plain.text;
      // deno-lint-ignore no-control-regex
      assert.doesNotMatch(log, /[\x00-\x09\x0b-\x1f█]/);
      const blocks = log.match(/^ferry seen: .*\n {2}state {3}/gm)!;
      assert.ok(blocks.length >= 3, log);
      assert.match(log, /^ferry seen: Copying 12 tables from .*: \d+ %/m);
      assert.match(log, /^ {2}table {3}shop\.table_/m);
      assert.match(log, /ferry seen: Done: 12 tables[^\n]*\n(?: {2}[^\n]*\n)+$/);
      assert.equal(JSON.parse(await Deno.readTextFile(`${folder}/plain.json`)).state, "done");

      const told = lines.text.trimEnd().split("\n").map((line) => JSON.parse(line));
      assert.ok(told.every(({ event, text }) => typeof event === "string" && typeof text === "string"));
      assert.ok(told.some(({ event, progress }) => event === "progress" && progress.rowsCopied > 0));
      assert.equal(told.at(-1).event, "done");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

type Early = readonly [code: string, args: string, stdin: string, env: Record<string, string>];

const TOO_EARLY: readonly Early[] = [
  ["wrong-usage", "run --json", "", {}],
  ["wrong-setting", "watch --json http://h/ferries/a", "", { FERRY_LEASE_SECONDS: "0" }],
  ["spec-unreadable", "run --json /no/such.json", "", {}],
  ["malformed-json", "check --json -", "{", {}],
  ["invalid-spec", "run --json -", "{}", {}],
];

Deno.test("with --json what is wrong before there is a ferry is a JSON line as well, and ends with 2", async () => {
  for (const [code, args, stdin, env] of TOO_EARLY) {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-net", "--allow-env", "--allow-read", "main.ts", ...args.split(" ")],
      cwd: ROOT,
      env,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(stdin));
    await writer.close();
    const end = await child.output();
    const told = new TextDecoder().decode(end.stderr);
    assert.equal(end.code, 2, told);
    assert.match(told, /^[^\n]+\n$/);
    const line = JSON.parse(told);
    assert.deepEqual([line.event, line.code, line.text], ["error", code, line.detail]);
    assert.equal(end.stdout.length, 0);
  }
});

/** `watch` without a terminal, a block each half second; its stdout goes elsewhere. */
function watch(address: string, rest: string): Shell {
  const script = `exec env -u NO_COLOR deno run --allow-net --allow-env main.ts watch ${address} ${rest}`;
  return new Shell(script, ROOT, { FERRY_INTERVAL: "0.5" });
}
