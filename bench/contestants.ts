/**
 * The ways to get tables across, each as one function that returns when all is there.
 * @module
 */
import { cpuUsage } from "node:process";
import { openDock } from "../lib/ferry/dock.ts";
import { parseSpec } from "../lib/spec/parse_spec.ts";
import { type ClientTools, type ServerPair, type Vendor } from "../tests/servers/mod.ts";
import { SCHEMA } from "./tables.ts";

/** One crossing. */
export interface Run {
  /** Wall-clock seconds, everything included. */
  readonly seconds: number;
  /** Processor seconds of the client side; the servers' are not in it. */
  readonly cpuSeconds: number;
}

/** A ferry in this process, from the start to `done`. */
export async function ferry(pair: ServerPair, verify: "off" | "full"): Promise<Run> {
  const reading = parseSpec({
    source: pair.source.url,
    target: pair.target.url,
    tables: [`${SCHEMA}.*`],
    verify,
    cutover: { mode: "auto", fence: "none" },
  }, new Map());
  if ("faults" in reading) throw new Error(JSON.stringify(reading.faults));
  const cpu = cpuUsage();
  const began = performance.now();
  const dock = openDock();
  try {
    const started = await dock.start(reading.spec);
    const end = await started.ended;
    const seconds = (performance.now() - began) / 1000;
    if (end.state !== "done") throw new Error(`the ferry ended ${end.state}: ${JSON.stringify(end.error)}`);
    const { user, system } = cpuUsage(cpu);
    return { seconds, cpuSeconds: (user + system) / 1e6 };
  } finally {
    await dock.close();
  }
}

/** The vendor's dump piped into its client. */
export async function dumpPipe(pair: ServerPair, vendor: Vendor, tools: ClientTools): Promise<Run> {
  const dump = [
    ...tools.dump,
    ...login(pair.source),
    "--single-transaction",
    ...(vendor === "mysql" ? ["--set-gtid-purged=OFF", "--no-tablespaces"] : []),
    "--databases",
    SCHEMA,
  ];
  const client = [...tools.client, ...login(pair.target)];
  // The two passwords differ where the servers are given, so each program gets its own.
  const half = (argv: string[], password: string) =>
    `MYSQL_PWD=${quote(password)} ${argv.map(quote).join(" ")}`;
  const script = `set -o pipefail; TIMEFORMAT='cpu %U %S'; time { ${half(dump, pair.source.password)} | ${
    half(client, pair.target.password)
  }; }`;
  const began = performance.now();
  const { success, stderr } = await new Deno.Command("bash", {
    args: ["-c", script],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  const seconds = (performance.now() - began) / 1000;
  const text = new TextDecoder().decode(stderr);
  const cpu = /^cpu (\S+) (\S+)$/m.exec(text);
  if (!success || cpu === null) throw new Error(`${tools.dump[0]} | ${tools.client[0]} failed: ${text}`);
  return { seconds, cpuSeconds: Number(cpu[1]) + Number(cpu[2]) };
}

function login({ host, port, user }: { host: string; port: number; user: string }): string[] {
  return [`--host=${host}`, `--port=${port}`, "--protocol=TCP", `--user=${user}`];
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
