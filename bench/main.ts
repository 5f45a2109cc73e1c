/**
 * `deno task bench [--rows N] [--rounds N] [--vendor mysql|mariadb] [--json]`: rows a second of a plain ferry, and of one
 * that compares both sides, against the vendor's dump piped into its client. Same servers, same tables, rounds in turn,
 * medians. Rows are of the tables all together; `--rows` is the number in each.
 * @module
 */
import { parseArgs } from "node:util";
import { say, whole } from "../demo/say.ts";
import { clientTools, startPair, type Vendor } from "../tests/servers/mod.ts";
import { dumpPipe, ferry, type Run } from "./contestants.ts";
import { assertArrived, clearTarget, makeTables, TABLES } from "./tables.ts";

const { values: flags } = parseArgs({
  args: Deno.args,
  options: {
    rows: { type: "string", default: "500000" },
    rounds: { type: "string", default: "3" },
    vendor: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const rows = Number(flags.rows);
const rounds = Number(flags.rounds);
if (!(rows >= 1000 && rows <= 1_000_000)) throw new Error("--rows is not a number from 1000 to 1000000");
if (!(rounds >= 1)) throw new Error("--rounds is not a number of 1 or more");
const vendors: Vendor[] = ["mysql", "mariadb"].filter((each): each is Vendor =>
  flags.vendor === undefined || flags.vendor === each
);
if (vendors.length === 0) throw new Error(`--vendor is "${flags.vendor}", not mysql or mariadb`);

/** What one contestant did. */
interface Score {
  readonly vendor: Vendor;
  readonly version: string;
  readonly name: string;
  readonly rowsPerSecond: number;
  readonly allRowsPerSecond: readonly number[];
  readonly cpuSecondsPerMillionRows: number;
  /** Against dump and client. */
  readonly ratio: number;
}

const scores: Score[] = [];
for (const vendor of vendors) scores.push(...await race(vendor));
if (flags.json) await say(JSON.stringify(scores, null, 2));
else await table(scores);

async function race(vendor: Vendor): Promise<Score[]> {
  const tools = await clientTools(vendor);
  const settings = { "innodb-buffer-pool-size": "512M" };
  await using pair = await startPair(vendor, { source: settings, target: settings });
  await tell(`${vendor} ${pair.source.version}: making ${TABLES} tables of ${whole(rows)} rows`);
  await makeTables(pair.source.url, rows);
  const dump = vendor === "mysql" ? "mysqldump | mysql" : "mariadb-dump | mariadb";
  const contestants: readonly [string, () => Promise<Run>][] = [
    [dump, () => dumpPipe(pair, vendor, tools)],
    ["ferry", () => ferry(pair, "off")],
    ["ferry, verified", () => ferry(pair, "full")],
  ];
  const runs = new Map<string, Run[]>(contestants.map(([name]) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const [name, go] of contestants) {
      await clearTarget(pair.target.url);
      const run = await go();
      await assertArrived(pair.target.url, rows);
      runs.get(name)!.push(run);
      await tell(`  round ${round}  ${name.padEnd(24)} ${whole(TABLES * rows / run.seconds)} rows/s`);
    }
  }
  const rate = (name: string) => TABLES * rows / median(runs.get(name)!.map((run) => run.seconds));
  return [...runs].map(([name, each]) => ({
    vendor,
    version: pair.source.version,
    name,
    rowsPerSecond: Math.round(rate(name)),
    allRowsPerSecond: each.map((run) => Math.round(TABLES * rows / run.seconds)),
    cpuSecondsPerMillionRows: median(each.map((run) => run.cpuSeconds)) * 1e6 / (TABLES * rows),
    ratio: rate(name) / rate(dump),
  }));
}

async function table(scores: readonly Score[]): Promise<void> {
  await say(
    `\nMedian of ${rounds} rounds, ${TABLES} tables of ${
      whole(rows)
    } rows each, ${navigator.hardwareConcurrency} processors\n`,
  );
  await say(
    "                                          rows/s    against dump    client CPU s per million rows",
  );
  for (const score of scores) {
    await say([
      `${score.vendor} ${score.version}`.padEnd(28).slice(0, 28),
      score.name.padEnd(23),
      whole(score.rowsPerSecond).padStart(9),
      `${score.ratio.toFixed(2)} ×`.padStart(12),
      score.cpuSecondsPerMillionRows.toFixed(2).padStart(14),
    ].join(" "));
  }
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** What happens meanwhile; results alone go to stdout with --json. */
async function tell(line: string): Promise<void> {
  if (flags.json) await Deno.stderr.write(new TextEncoder().encode(line + "\n"));
  else await say(line);
}
