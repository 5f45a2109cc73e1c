/**
 * The ways to get tables across, each as one function that returns when all is there.
 * @module
 */
import { removeFolder } from "../../tests/servers/cache_folder.ts";
import type { ClientTools, ServerPair, TestServer, Vendor } from "../../tests/servers/mod.ts";
import { FerryProcess } from "../ferry_process.ts";
import { metered, type Run } from "../meter.ts";
import { SCHEMA } from "./tables.ts";

/** A ferry, from the POST to `done`. A process of its own each time, so that its peak memory is this run's. */
export async function ferry(pair: ServerPair, verify: "off" | "full"): Promise<Run> {
  await using service = await FerryProcess.start();
  return await metered(pair, async () => {
    const cpu = service.cpu;
    await service.post({
      id: "bench",
      source: pair.source.url,
      target: pair.target.url,
      tables: [`${SCHEMA}.*`],
      verify,
      cutover: { mode: "auto", fence: "none" },
    });
    await service.until("bench", "done");
    return { clientCpu: service.cpu - cpu, peakBytes: service.peak };
  });
}

/** The vendor's dump piped into its client. */
export function dumpPipe(pair: ServerPair, vendor: Vendor, tools: ClientTools): Promise<Run> {
  const dump = [
    ...tools.dump,
    ...login(pair.source),
    "--single-transaction",
    ...(vendor === "mysql" ? ["--set-gtid-purged=OFF", "--no-tablespaces"] : []),
    "--databases",
    SCHEMA,
  ];
  const client = [...tools.client, ...login(pair.target)];
  return shell(
    pair,
    `${withPassword(dump, pair.source)} | ${withPassword(client, pair.target)}`,
  );
}

/** mydumper, then myloader, with two threads each: what the machine has processors for. */
export async function mydumper(pair: ServerPair, tools: MydumperTools): Promise<Run> {
  const folder = await Deno.makeTempDir({ prefix: "chainferry-mydumper-" });
  const common = (s: TestServer) => [
    `--host=${s.host}`,
    `--port=${s.port}`,
    `--user=${s.user}`,
    `--password=${s.password}`,
    "--threads=2",
  ];
  try {
    const dump = [
      ...tools.mydumper,
      ...common(pair.source),
      `--database=${SCHEMA}`,
      `--outputdir=${folder}`,
      "--rows=100000",
      "--trx-consistency-only",
    ];
    // Written into the target's binlog as everybody else's rows are.
    const load = [...tools.myloader, ...common(pair.target), `--directory=${folder}`, "--enable-binlog"];
    return await shell(pair, `${dump.map(quote).join(" ")} && ${load.map(quote).join(" ")}`);
  } finally {
    await removeFolder(folder);
  }
}

/** How mydumper's programs are called. */
export interface MydumperTools {
  /** mydumper. */
  readonly mydumper: readonly string[];
  /** myloader. */
  readonly myloader: readonly string[];
}

/** A program that is not ours did not get there, as when it met a deadlock; what it says. */
export class ContenderFailed extends Error {}

async function shell(pair: ServerPair, command: string): Promise<Run> {
  return await metered(pair, async () => {
    const { success, stderr } = await new Deno.Command("bash", {
      args: ["-c", `set -o pipefail; TIMEFORMAT='cpu %U %S'; time { ${command}; }`],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    const text = new TextDecoder().decode(stderr);
    const cpu = /^cpu (\S+) (\S+)$/m.exec(text);
    if (!success || cpu === null) throw new ContenderFailed(text.slice(0, 2000));
    return { clientCpu: Number(cpu[1]) + Number(cpu[2]), peakBytes: null };
  });
}

function login({ host, port, user }: TestServer): string[] {
  return [`--host=${host}`, `--port=${port}`, "--protocol=TCP", `--user=${user}`];
}

function withPassword(argv: readonly string[], { password }: TestServer): string {
  return `MYSQL_PWD=${quote(password)} ${argv.map(quote).join(" ")}`;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
