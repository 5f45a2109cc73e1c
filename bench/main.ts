/**
 * `deno task bench [--quick] [--vendor mysql|mariadb] [--only copy|changes|live|scale] [--workload TEXT] [--contender TEXT]
 * [--rounds N] [--scale X] [--json]`: the one place for numbers. TEXT is a part of a name; X times the rows and changes.
 * Every contender runs in turn on the same servers and the same data, rounds interleaved; medians and ratios are within
 * the run.
 * @module
 */
import { parseArgs } from "node:util";
import { say } from "../demo/say.ts";
import { count as whole } from "../lib/progress/wording.ts";
import { clientTools, mydumperTools, type ServerPair, startPair, type Vendor } from "../tests/servers/mod.ts";
import { BACKLOGS } from "./changes/backlog.ts";
import { catchUp } from "./changes/catch_up.ts";
import { cutover, emptyJob, latency } from "./changes/live.ts";
import { ContenderFailed, dumpPipe, ferry, mydumper } from "./copy/contenders.ts";
import { floor } from "./copy/floor.ts";
import { assertArrived, clearTarget, COPY_WORKLOADS, type CopyWorkload, makeTables } from "./copy/tables.ts";
import { goalLine, type GoalName, judge, type Reached } from "./goals.ts";
import { median, type Run } from "./meter.ts";

const { values: flags } = parseArgs({
  args: Deno.args,
  options: {
    quick: { type: "boolean", default: false },
    vendor: { type: "string" },
    only: { type: "string" },
    workload: { type: "string" },
    contender: { type: "string" },
    rounds: { type: "string" },
    scale: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
});
const vendors: Vendor[] = ["mysql", "mariadb"].filter((each): each is Vendor =>
  flags.vendor === undefined || flags.vendor === each
);
if (vendors.length === 0) throw new Error(`--vendor is "${flags.vendor}", not mysql or mariadb`);
const quick = flags.quick;
const rounds = flags.rounds === undefined ? (quick ? 1 : 2) : Number(flags.rounds);
if (!(rounds >= 1)) throw new Error("--rounds is not a number of 1 or more");
const scale = Number(flags.scale);
if (!(scale > 0)) throw new Error("--scale is not a number above 0");

/** Narrow rows of a copy, and single-row changes of a backlog. */
const ROWS = scale * 2_000_000;
/** A single-threaded replica takes the longest over them: ten seconds for 100,000. */
const CHANGES = scale * 100_000;
/** Appliers of the replicas that replay a backlog. Quick: what the goals speak of. */
const APPLIERS = quick ? [0] : [0, 4];
/** Rows of the copy that is then made once more with ten times as many. */
const TENTH = scale * 1_000_000;
const SETTINGS = { "innodb-buffer-pool-size": "2G" };

/** A contender's median over the rounds. */
interface Score {
  readonly vendor: Vendor;
  readonly workload: string;
  readonly contender: string;
  readonly perSecond: number;
  readonly all: readonly number[];
  readonly clientCpu: number | null;
  readonly sourceCpu: number | null;
  readonly targetCpu: number | null;
  readonly peakBytes: number | null;
}

const scores: Score[] = [];
const goals: Reached[] = [];
const wanted = (suite: string) => flags.only === undefined || flags.only === suite;
const named = (flag: string | undefined, name: string) => flag === undefined || name.includes(flag);
for (const vendor of vendors) {
  if (wanted("copy")) await copies(vendor);
  if (wanted("changes")) await changes(vendor);
  if (wanted("live")) await live(vendor);
  if (wanted("scale")) await scaling(vendor);
}
if (flags.json) await say(JSON.stringify({ scores, goals }, null, 2));
else await report();

async function copies(vendor: Vendor): Promise<void> {
  const tools = await clientTools(vendor);
  const mydumperArgv = await mydumperTools();
  await using pair = await startPair(vendor, { source: SETTINGS, target: SETTINGS });
  const contenders: readonly (readonly [string, () => Promise<Run>])[] = [
    ["dump | client", () => dumpPipe(pair, vendor, tools)],
    ["mydumper", () => mydumper(pair, mydumperArgv)],
    ["floor", () => floor(pair, vendor)],
    ["ferry", () => ferry(pair, "off")],
    ...quick ? [] : [["ferry, verified", () => ferry(pair, "full")] as const],
  ];
  // Quick: what the goals speak of.
  const some = COPY_WORKLOADS.filter((w) =>
    flags.workload === undefined ? !quick || w.name === "narrow rows" : named(flags.workload, w.name)
  );
  for (const w of some) {
    const rows = Math.round(w.rows(ROWS));
    await tell(`${vendor} ${pair.source.version}: ${w.name}, ${whole(rows)} rows`);
    await makeTables(pair.source.url, vendor, w, rows);
    await race(vendor, pair, w, rows, contenders.filter(([name]) => named(flags.contender, name)));
  }
  const rate = (contender: string) => score(vendor, "narrow rows", contender)?.perSecond;
  note(vendor, "dump", over(rate("ferry"), rate("dump | client")));
  note(vendor, "mydumper", over(rate("ferry"), rate("mydumper")));
  note(vendor, "floor", over(rate("ferry"), rate("floor")));
  note(vendor, "cpuNarrow", score(vendor, "narrow rows", "ferry")?.clientCpu);
}

async function race(
  vendor: Vendor,
  pair: ServerPair,
  w: CopyWorkload,
  rows: number,
  contenders: readonly (readonly [string, () => Promise<Run>])[],
): Promise<void> {
  const runs = new Map<string, Run[]>(contenders.map(([name]) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const [name, go] of contenders) {
      await clearTarget(pair.target.url);
      const told = `  round ${round}  ${name.padEnd(18)}`;
      try {
        const run = await go();
        await assertArrived(pair.target.url, w, rows);
        runs.get(name)!.push(run);
        await tell(`${told} ${whole(rows / run.seconds)} rows/s`);
      } catch (e) {
        // A number that is missing, not the end of all the others.
        if (!(e instanceof ContenderFailed)) throw e;
        await tell(`${told} failed: ${e.message}`);
      }
    }
  }
  for (const [name, each] of runs) if (each.length > 0) keep(vendor, w.name, name, rows, each);
}

async function changes(vendor: Vendor): Promise<void> {
  const some = BACKLOGS.filter((b) =>
    flags.workload === undefined ? !quick || b.name.startsWith("updates") : named(flags.workload, b.name)
  );
  for (const backlog of some) {
    const count = Math.round(backlog.changes(CHANGES));
    await tell(`${vendor}: a backlog of ${whole(count)} changes: ${backlog.name}`);
    const { ferry: own, replicas } = await catchUp(vendor, SETTINGS, backlog, count, APPLIERS);
    keep(vendor, backlog.name, "ferry", count, [own]);
    for (const [i, seconds] of replicas.entries()) {
      const name = APPLIERS[i] === 0 ? "replica" : `replica, ${APPLIERS[i]} appliers`;
      const nothing = { clientCpu: NaN, sourceCpu: null, targetCpu: null, peakBytes: null };
      keep(vendor, backlog.name, name, count, [{ seconds, ...nothing }]);
    }
    const told = scores.filter((s) => s.vendor === vendor && s.workload === backlog.name);
    await tell(`  ${told.map((s) => `${s.contender} ${whole(s.perSecond)}`).join("; ")} changes/s`);
    const rate = (contender: string) => score(vendor, backlog.name, contender)?.perSecond;
    const ratio = over(rate("ferry"), rate("replica"));
    if (backlog.name === "updates, uniform") note(vendor, "uniform", ratio);
    if (backlog.name === "updates, hot keys") note(vendor, "hot", ratio);
  }
}

async function live(vendor: Vendor): Promise<void> {
  await using pair = await startPair(vendor, { source: SETTINGS, target: SETTINGS });
  await tell(`${vendor}: following 1,000 changes a second`);
  const { p50, p99 } = await latency(pair, quick ? 5 : 15);
  note(vendor, "latencyMiddle", p50);
  note(vendor, "latencyMost", p99);
  const times = quick ? 3 : 9;
  const stopped: number[] = [];
  const empty: number[] = [];
  for (let i = 0; i < times; i++) {
    const { told, felt } = await cutover(pair);
    stopped.push(Math.max(told, felt));
    empty.push(await emptyJob(pair));
  }
  note(vendor, "stopped", median(stopped));
  note(vendor, "empty", median(empty));
}

/** One ferry each, and what it costs. */
async function scaling(vendor: Vendor): Promise<void> {
  await using pair = await startPair(vendor, { source: SETTINGS, target: SETTINGS });
  const run = async (workload: string, rows: number): Promise<Score> => {
    const w = COPY_WORKLOADS.find((each) => each.name === workload)!;
    const name = `${workload}, ${whole(rows)}`;
    await tell(`${vendor}: ${name}`);
    await makeTables(pair.source.url, vendor, w, rows);
    await clearTarget(pair.target.url);
    const each = await ferry(pair, "off");
    await assertArrived(pair.target.url, w, rows);
    keep(vendor, name, "ferry", rows, [each]);
    return score(vendor, name, "ferry")!;
  };
  const wide = await run("29 columns", scale * 1_000_000);
  const one = await run("narrow rows", TENTH);
  const ten = await run("narrow rows", TENTH * 10);
  note(vendor, "cpuWide", wide.clientCpu);
  note(vendor, "tenfold", ten.perSecond / one.perSecond);
  note(vendor, "memory", over(ten.peakBytes ?? undefined, one.peakBytes ?? undefined));
}

function keep(
  vendor: Vendor,
  workload: string,
  contender: string,
  count: number,
  runs: readonly Run[],
): void {
  const each = (read: (run: Run) => number | null) => {
    const known = runs.map(read).filter((n): n is number => n !== null && !Number.isNaN(n));
    return known.length === 0 ? null : median(known);
  };
  const perMillion = (n: number | null) => n === null ? null : n * 1e6 / count;
  scores.push({
    vendor,
    workload,
    contender,
    perSecond: count / median(runs.map((run) => run.seconds)),
    all: runs.map((run) => Math.round(count / run.seconds)),
    clientCpu: perMillion(each((run) => run.clientCpu)),
    sourceCpu: perMillion(each((run) => run.sourceCpu)),
    targetCpu: perMillion(each((run) => run.targetCpu)),
    peakBytes: each((run) => run.peakBytes),
  });
}

function score(vendor: Vendor, workload: string, contender: string): Score | undefined {
  return scores.find((s) => s.vendor === vendor && s.workload === workload && s.contender === contender);
}

function over(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : one / other;
}

/** What was not measured in this run is not judged. */
function note(vendor: Vendor, name: GoalName, value: number | null | undefined): void {
  if (value !== null && value !== undefined) goals.push(judge(vendor, name, value));
}

async function report(): Promise<void> {
  await say(
    `\nMedians of ${rounds} ${
      rounds === 1 ? "round" : "rounds"
    } of each copy and one of the rest, ${navigator.hardwareConcurrency} processors\n`,
  );
  await say(
    "| servers | workload | contender | per second | CPU s per million: program | source | target | peak MB |",
  );
  await say("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |");
  const number = (n: number | null, digits = 2) => n === null ? "" : n.toFixed(digits);
  for (const s of scores) {
    const cells = [
      s.vendor,
      s.workload,
      s.contender,
      whole(s.perSecond),
      number(s.clientCpu),
      number(s.sourceCpu),
      number(s.targetCpu),
      number(s.peakBytes === null ? null : s.peakBytes / 1e6, 0),
    ];
    await say(`| ${cells.join(" | ")} |`);
  }
  await say();
  for (const goal of goals) await say(goalLine(goal));
}

/** What happens meanwhile; results alone go to stdout with --json. */
async function tell(line: string): Promise<void> {
  if (flags.json) await Deno.stderr.write(new TextEncoder().encode(line + "\n"));
  else await say(line);
}
