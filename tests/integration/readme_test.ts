/**
 * The README, block by block: every command and every snippet in it is run as it is written, against real servers. Only
 * what nobody else has is put in place: where the servers are, and which port is free.
 */
import assert from "node:assert/strict";
import { type ServerPair, startPair, type TestServer } from "../servers/mod.ts";
import { freePort } from "../servers/greeting.ts";
import { VENDORS } from "../support/flavours.ts";
import { Collector } from "../support/collector.ts";
import { Shell } from "../support/shell.ts";
import { Sql } from "../support/sql.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

interface Block {
  readonly language: string;
  readonly text: string;
}

/** What a block is run with. */
interface Bench {
  readonly pair: ServerPair;
  /** A folder with `spec.json`, the README's first spec. */
  readonly folder: string;
}

/** Each block has to be one of these, and each of these has to be there. */
const KINDS: readonly [string, RegExp, (text: string, bench: Bench) => Promise<void>][] = [
  ["the two commands", /task demo/, theTwoCommands],
  ["a picture", /┌── copy:/, () => Promise.resolve()],
  ["grants", /CREATE USER/, leastGrants],
  ["a spec", /^\{\s*"(id|source)"/, checkSpec],
  ["check and run", /main\.ts check spec\.json/, checkAndRun],
  ["HTTP", /curl .* localhost:8080/, overHttp],
  ["CI", /\$FERRY_URL/, fromCi],
  ["telemetry", /OTEL_DENO/, telemetry],
  ["the library", /from "\.\/lib\/mod\.ts"/, asLibrary],
  ["a status block", /^ferry orders: /, statusBlock],
];

/** What the last `run` wrote while it ran. */
let written = "";

Deno.test("every command and every snippet of the README does what it says", async (t) => {
  const blocks = blocksOf(await Deno.readTextFile(`${ROOT}README.md`));
  await using pair = await startPair("mysql", { source: {}, target: {} });
  const folder = await Deno.makeTempDir();
  try {
    await makeTables(pair.source.url);
    const specs = blocks.filter((each) => each.language === "json");
    await Deno.writeTextFile(`${folder}/spec.json`, here(specs[0].text, pair));
    for (const [name, mark] of KINDS) {
      assert.ok(blocks.some(({ text }) => mark.test(text)), `the README has no block of ${name}`);
    }
    for (const block of blocks) {
      const kinds = KINDS.filter(([, mark]) => mark.test(block.text));
      assert.equal(kinds.length, 1, `nobody knows how to run\n${block.text}`);
      const [[name, , run]] = kinds;
      const ok = await t.step(name, async () => {
        await emptyTarget(pair.target.url);
        await run(block.text, { pair, folder });
      });
      if (!ok) return;
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("what the README links to is there", async () => {
  const text = await Deno.readTextFile(`${ROOT}README.md`);
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title.toLowerCase().replaceAll(/[^\w -]/g, "").replaceAll(" ", "-")
  );
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, to]) => to);
  assert.ok(links.length > 10);
  for (const link of links) {
    if (/^https:/.test(link)) continue;
    if (link.startsWith("#")) assert.ok(headings.includes(link.slice(1)), `no heading for ${link}`);
    else assert.ok((await Deno.stat(ROOT + link)).isFile, link);
  }
});

async function theTwoCommands(text: string, { folder }: Bench): Promise<void> {
  const [demo, test, ...others] = commands(text);
  assert.deepEqual(others, []);
  await using shell = new Shell(demo, ROOT, { TMPDIR: folder });
  assert.match(await shell.well(), /both sides +EQUAL, row for row/);
  // The other one is running this.
  assert.match(test, /^npx -y deno@[\d.]+ task test$/);
  assert.ok((await Deno.readTextFile(`${ROOT}.ci/run`)).includes(test));
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  assert.equal(tasks.test.command, "DENO_JOBS=2 deno test -A --parallel tests");
}

/** The first spec needs no right beside these, on both families: a user that has them alone goes to the end with it. */
async function leastGrants(text: string, { folder }: Bench): Promise<void> {
  const [source, target, ...others] = text.split(/^-- on the .*$/m).slice(1);
  assert.deepEqual(others, []);
  const spec = JSON.parse(await Deno.readTextFile(`${folder}/spec.json`));
  for (const vendor of VENDORS) {
    await using pair = await startPair(vendor, { source: {}, target: {} });
    await makeTables(pair.source.url);
    for (const [server, sql] of [[pair.source, source], [pair.target, target]] as const) {
      await using root = await Sql.open(server.url);
      // The servers of tests have a user of that name that may do everything.
      const ours = vendor === "mariadb" ? sql : sql.replaceAll(/^.*-- MariaDB only\n/gm, "");
      await root.run(ours.replaceAll("ferry@'%'", "least@'%'"));
    }
    const as = ({ url }: TestServer) =>
      Object.assign(new URL(url), { username: "least", password: "secret" }).href;
    const least = {
      ...spec,
      source: as(pair.source),
      target: as(pair.target),
      cutover: { ...spec.cutover, mode: "auto" },
    };
    await Deno.writeTextFile(`${folder}/least.json`, JSON.stringify(least));
    await using shell = new Shell(
      `deno run --allow-net --allow-env --allow-read main.ts run ${folder}/least.json`,
      ROOT,
    );
    assert.match(await shell.well(), /"state": ?"done"/);
  }
}

async function checkSpec(text: string, { pair, folder }: Bench): Promise<void> {
  await Deno.writeTextFile(`${folder}/this.json`, here(text, pair));
  await using shell = new Shell(
    `deno run --allow-net --allow-env --allow-read main.ts check ${folder}/this.json`,
    ROOT,
  );
  await shell.well();
}

async function checkAndRun(text: string, { folder }: Bench): Promise<void> {
  const [check, run, ...others] = commands(text).map((line) => inFolder(line, folder));
  assert.deepEqual(others, []);
  await using first = new Shell(check, ROOT);
  await first.well();
  // The shell's own process becomes the command, so that the signal reaches it.
  await using second = new Shell(`exec ${run}`, ROOT, { FERRY_INTERVAL: "1" });
  const [, pid] = await second.until(/kill -USR2 (\d+)/);
  Deno.kill(Number(pid), "SIGUSR2");
  written = await second.well();
  assert.match(written, /"state": ?"done"/);
}

async function overHttp(text: string, { folder }: Bench): Promise<void> {
  const port = freePort();
  const [serve, post, cutover, watch, ...others] = commands(text)
    .map((line) => inFolder(line, folder).replaceAll(":8080", `:${port}`));
  assert.deepEqual(others, []);
  await using service = new Shell(serve, ROOT, { PORT: String(port) });
  await service.until(/127\.0\.0\.1/);
  await using stream = new Shell(post, ROOT);
  await stream.until(/ready to cut over/);
  await using page = new Shell(`curl -sf localhost:${port}/ferries/orders`, ROOT);
  assert.match(await page.well(), /ready to cut over/);
  await using asked = new Shell(cutover, ROOT);
  await asked.well();
  await using watching = new Shell(watch, ROOT);
  await watching.well();
  assert.match(await stream.well(), /event: done/);
}

async function fromCi(text: string, { folder }: Bench): Promise<void> {
  const port = freePort();
  const env = { ID: "orders", LAST: "1", FERRY_URL: `http://127.0.0.1:${port}` };
  const [post, events, cancel, ...others] = commands(text).map((line) => inFolder(line, folder));
  assert.deepEqual(others, []);
  await using service = new Shell("deno run --allow-net --allow-env main.ts", ROOT, { PORT: String(port) });
  await service.until(/127\.0\.0\.1/);
  for (let i = 0; i < 2; i++) {
    await using posted = new Shell(post, ROOT, env);
    assert.match(await posted.well(), /"id": ?"orders"/);
  }
  await using stream = new Shell(events, ROOT, env);
  await stream.until(/ready to cut over/);
  assert.doesNotMatch(stream.text, /^id: 1$/m);
  await using cancelled = new Shell(cancel, ROOT, env);
  await cancelled.well();
  assert.match(await stream.well(), /event: cancelled/);
}

async function telemetry(text: string, { pair, folder }: Bench): Promise<void> {
  await using collector = new Collector();
  const port = freePort();
  const command = text.replace("collector:4318", collector.host);
  assert.notEqual(command, text);
  {
    await using service = new Shell(`exec env ${command}`, ROOT, { PORT: String(port) });
    await service.until(/127\.0\.0\.1/);
    const spec = JSON.parse(await Deno.readTextFile(`${folder}/spec.json`));
    await Deno.writeTextFile(`${folder}/auto.json`, JSON.stringify({ ...spec, cutover: { mode: "auto" } }));
    await using posted = new Shell(
      `curl -sN -H 'content-type: application/json' -H 'accept: text/event-stream' -d @${folder}/auto.json ` +
        `127.0.0.1:${port}/v1/ferries`,
      ROOT,
    );
    assert.match(await posted.well(), /event: done/, pair.source.url);
  }
  assert.ok(collector.cameAsProtobuf("ferry") && collector.cameAsProtobuf("copying"));
}

async function asLibrary(text: string, { folder }: Bench): Promise<void> {
  const own = `${folder}/own`;
  await Deno.mkdir(own);
  await Deno.copyFile(`${folder}/spec.json`, `${own}/spec.json`);
  await Deno.writeTextFile(`${own}/ferry.ts`, text.replace("./lib/mod.ts", `${ROOT}lib/mod.ts`));
  await using shell = new Shell(`deno run -A --config ${ROOT}deno.json ferry.ts`, own);
  assert.match(await shell.well(), /^done$/m);
}

/** The lines are those that `run` writes, with other numbers. */
function statusBlock(text: string): Promise<void> {
  const label = (line: string) => /^(ferry| {2}[a-z]+) /.exec(line)?.[1];
  const real = written.split("\n").map(label);
  for (const line of text.trimEnd().split("\n")) {
    assert.notEqual(label(line), undefined, line);
    // Whether a table is caught while it is under way is a matter of its size.
    if (label(line) !== "  table") assert.ok(real.includes(label(line)), `run wrote no ${line}\n${written}`);
  }
  const form = (line: string) =>
    line.replaceAll(/\d[\d,.]*/g, "0").replaceAll(/unknown|0 (ms|s|min|h)\b/g, "0");
  for (const name of ["  copy", "  replay"]) {
    const shown = text.split("\n").find((line) => label(line) === name)!;
    assert.ok(
      written.split("\n").some((line) => form(line) === form(shown)),
      `run wrote no ${shown}\n${written}`,
    );
  }
  return Promise.resolve();
}

/** Blocks between fences, in order. */
function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language, text]) => ({ language, text }));
}

/** Lines without what stands behind `#`. */
function commands(text: string): string[] {
  return text.split("\n").map((line) => line.replace(/\s+#.*$/, "")).filter((line) => line !== "");
}

function inFolder(line: string, folder: string): string {
  return line.replaceAll("spec.json", `${folder}/spec.json`);
}

/** The README's servers are these. */
function here(text: string, { source, target }: ServerPair): string {
  const found = text.replace("mysql://ferry:secret@db1:3306", source.url)
    .replace("mysql://ferry:secret@db2:3306", target.url)
    .replace("mysql://watch:secret@db2-replica:3306", target.url);
  assert.doesNotMatch(found, /@db\d/);
  return found;
}

async function makeTables(url: string): Promise<void> {
  await using sql = await Sql.open(url);
  await sql.run(`
    CREATE DATABASE shop;
    CREATE DATABASE crm;
    CREATE TABLE shop.orders (
      id INT PRIMARY KEY, tenant_id INT NOT NULL, deleted_at DATETIME NULL, note VARCHAR(100) NOT NULL
    );
    CREATE TABLE shop.order_lines (id INT PRIMARY KEY, order_id INT NOT NULL, KEY (order_id));
    CREATE TABLE crm.orders (id INT PRIMARY KEY, v INT);
    INSERT INTO shop.orders SELECT n, n % 50, NULL, REPEAT('x', 50) FROM JSON_TABLE(
      CONCAT('[', REPEAT('0,', 9999), '0]'), '$[*]' COLUMNS (n FOR ORDINALITY)) AS numbers;
    INSERT INTO shop.order_lines SELECT id, id FROM shop.orders;
    INSERT INTO crm.orders SELECT id, id FROM shop.orders`);
}

async function emptyTarget(url: string): Promise<void> {
  await using sql = await Sql.open(url);
  for (const schema of ["shop", "crm", "crm_eu", "_ferry"]) {
    await sql.run(`DROP DATABASE IF EXISTS ${schema}`);
  }
}
