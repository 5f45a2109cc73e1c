/**
 * `deno task demo [--vendor mysql|mariadb] [--rows N] [--writes N] [--stay]`: two servers, tables on the one, an
 * application that writes to them all the while, a ferry posted over HTTP, a cutover, and a comparison that is not the
 * ferry's own. The page shows it; on a terminal, or with `--stay`, it stays until Ctrl-C. Exit 0 only if both sides are
 * equal.
 * @module
 */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { count, seconds } from "../lib/progress/wording.ts";
import { startPair } from "../tests/servers/mod.ts";
import { compareTable } from "./compare.ts";
import { say } from "./say.ts";
import { Service } from "./service.ts";
import { follow, type Resource } from "./follow.ts";
import { fillTables, TABLE_NAMES } from "./tables.ts";
import { Writer, type WriterReport } from "./writer.ts";

const ID = "demo";

const { values: flags } = parseArgs({
  args: Deno.args,
  options: {
    vendor: { type: "string", default: "mysql" },
    rows: { type: "string", default: "1000000" },
    writes: { type: "string", default: "400" },
    stay: { type: "boolean", default: false },
  },
});
const vendor = flags.vendor;
if (vendor !== "mysql" && vendor !== "mariadb") {
  throw new Error(`--vendor is "${vendor}", not mysql or mariadb`);
}
const wanted = Number(flags.rows);
const perSecond = Number(flags.writes);
// A person wants to look; a pipeline waits for the end.
const stay = flags.stay || (Deno.stdin.isTerminal() && Deno.stdout.isTerminal());
if (!(wanted >= 1000 && wanted <= 20_000_000)) {
  throw new Error("--rows is not a number from 1000 to 20000000");
}
if (!(perSecond >= 1)) throw new Error("--writes is not a number of 1 or more");

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => interrupted.abort(new Error(`stopped by ${signal}`)));
}

try {
  Deno.exit(await demo(vendor, interrupted.signal) ? 0 : 1);
} catch (error) {
  if (!interrupted.signal.aborted) throw error;
  await say(`${(interrupted.signal.reason as Error).message}; everything that was started is stopped`);
  Deno.exit(130);
}

/** The whole demo; what it started is stopped when it returns or throws. */
async function demo(vendor: "mysql" | "mariadb", signal: AbortSignal): Promise<boolean> {
  await say(`Starting two ${vendor} servers (the first time, they are downloaded) …`);
  await using pair = await startPair(vendor);
  const [source, target] = [pair.source, pair.target];
  await say(
    `  source ${source.host}:${source.port}, target ${target.host}:${target.port}, version ${source.version}`,
  );

  await using service = await orAbort(Service.start(), signal);
  await say(`The page is on ${service.url}/: the ferry comes there as soon as there are rows`);

  const filling = performance.now();
  const rows = await orAbort(fillTables(source.url, wanted), signal);
  const total = [...rows.values()].reduce((sum, n) => sum + n, 0);
  await say(
    `Filled ${rows.size} tables with ${count(total)} rows in ${
      seconds((performance.now() - filling) / 1000)
    }`,
  );

  const writer = new Writer({ connections: 4, perSecond, rows });
  await using _writer = { [Symbol.asyncDispose]: () => writer.stop().catch(() => {}) };
  await writer.start(source.url);
  await say(`The application writes: 4 connections, ${perSecond} transactions a second`);

  await sleep(1000, undefined, { signal });

  const spec = {
    id: ID,
    source: source.url,
    target: target.url,
    tables: ["shop.*", "crm.*"],
    cutover: { mode: "manual", fence: "lockTables", timeoutSeconds: 30, keepFence: true },
  };
  const began = performance.now();
  await service.post("/v1/ferries", spec);
  await say(`Watch it on ${service.url}/ferries/${ID}, or: curl -N ${service.url}/v1/ferries/${ID}/events`);
  const ferry = await orAbort(follow(service, ID, writer, signal), signal);
  const took = performance.now() - began;
  // The fence holds what the application wants to write. It goes away with its owner, so the application goes first.
  await writer.stop();
  const before = writer.report();
  if (ferry.state !== "done") {
    await say(`The ferry ended ${ferry.state}: ${ferry.error?.detail ?? ""} ${ferry.error?.hint ?? ""}`);
    await say(`The service's last words:\n${service.log}`);
    return false;
  }
  const code = await service.stop();
  await say(`The application is off the source, the service is stopped (exit ${code}) and started again`);
  // The fence went with its owner. With the same spec the next one finds the ferry that is done, and shows it.
  await using again = await orAbort(Service.start(service.port), signal);
  await again.post("/v1/ferries", spec);

  await say("Comparing both sides, every column of every row …");
  const equal = await orAbort(compareAll(source.url, target.url, signal), signal);
  if (equal) await goOn(writer, target.url);
  await summary(ferry, before, took, equal);
  if (stay) {
    await say();
    await say(`The page stays on ${again.url}/ferries/${ID} until Ctrl-C`);
    if (!signal.aborted) await once(signal, "abort");
  }
  return equal && code === 0;
}

async function compareAll(sourceUrl: string, targetUrl: string, signal: AbortSignal): Promise<boolean> {
  let equal = true;
  for (const table of TABLE_NAMES) {
    signal.throwIfAborted();
    const { rows, difference } = await compareTable(sourceUrl, targetUrl, table);
    await say(`  ${table.padEnd(18)} ${count(rows).padStart(10)} rows ${difference ?? "equal"}`);
    equal &&= difference === null;
  }
  return equal;
}

/** The application's new life. */
async function goOn(writer: Writer, url: string): Promise<void> {
  await writer.start(url);
  await sleep(2000);
  await writer.stop();
  await say(`The application went on at the target: ${count(writer.report().committed)} transactions in 2 s`);
}

async function summary(ferry: Resource, writer: WriterReport, took: number, equal: boolean): Promise<void> {
  const { rowsCopied, changesApplied } = ferry.progress;
  const copying = ferry.phases.find((phase) => phase.state === "copying");
  const copied = copying?.endedAt ? Date.parse(copying.endedAt) - Date.parse(copying.startedAt) : null;
  const lines = [
    ["rows copied", count(rowsCopied)],
    [
      "copying took",
      copied === null ? "?" : `${seconds(copied / 1000)}, ${count(1000 * rowsCopied / copied)} rows/s`,
    ],
    ["changes replayed", count(changesApplied)],
    ["from POST to done", seconds(took / 1000)],
    ["writes were stopped", `${ferry.cutover.writesStoppedMs ?? "?"} ms`],
    [
      "application",
      `${count(writer.committed)} transactions, the longest took ${count(writer.longestMs)} ms`,
    ],
    ["its errors", [...writer.errors].map(([text, n]) => `${n} × ${text}`).join("; ") || "none"],
    ["both sides", equal ? "EQUAL, row for row" : "NOT EQUAL"],
  ];
  await say();
  for (const [what, value] of lines) await say(`  ${what.padEnd(20)} ${value}`);
}

/** The work's result; throws as soon as the person has had enough, whatever the work is busy with. */
async function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    work.catch(() => {}); // what it is busy with is taken away under it
  }
}
