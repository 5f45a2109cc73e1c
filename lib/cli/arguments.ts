/**
 * The command line, read once.
 * @module
 */
import { parseArgs } from "node:util";
import { errorText } from "../errors.ts";

/** Shown for `--help` and behind a wrong command. */
export const USAGE = `Usage: deno run --allow-net --allow-env main.ts [command] [flags]

  (none), serve     serve the API and the page
  run SPEC          run one ferry in this process; SPEC is a file, or - for stdin
  check SPEC        preflight only: print every finding, start nothing
  watch URL         follow a ferry on a server until it ends

  -p, --port N      port to serve on (PORT, 8080)
      --host ADDR   address to serve on (HOST, 127.0.0.1); another than loopback needs FERRY_TOKEN
      --interval N  seconds between status blocks where stderr is no terminal (FERRY_INTERVAL, 5)
      --json        check: the report as JSON; run, watch: progress as JSON lines
  -h, --help        this text
      --version     the version

run and check read files and need --allow-read for the spec and for the files that ssl-ca, ssl-cert and ssl-key name.
Exit codes: 0 done, 1 failed, 2 wrong usage or spec, 3 verification found differences, 4 preflight refused,
75 try again, 130 and 143 signals. Sent SIGUSR2, run cuts over a ferry that waits for it.
`;

/** What was asked for. */
export type Command =
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | { readonly kind: "serve"; readonly flags: { readonly port?: string; readonly host?: string } }
  | ({ readonly kind: "run" | "check"; readonly spec: string } & ShowFlags)
  | ({ readonly kind: "watch"; readonly url: string } & ShowFlags)
  | { readonly kind: "wrong"; readonly message: string };

/** How progress and results are shown. */
interface ShowFlags {
  /** JSON in place of text. */
  readonly json: boolean;
  /** Seconds between status blocks. */
  readonly intervalSeconds: number;
}

const OPTIONS = {
  port: { type: "string", short: "p" },
  host: { type: "string" },
  interval: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
} as const;

type Flag = keyof typeof OPTIONS;

const FLAGS_OF: Readonly<Record<string, readonly Flag[]>> = {
  serve: ["port", "host"],
  run: ["json", "interval"],
  check: ["json"],
  watch: ["json", "interval"],
};

/** Reads the arguments. What is wrong comes back as `wrong`; nothing is thrown. */
export function parseArguments(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Command {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    return wrong(errorText(error).split(". ")[0]);
  }
  const { values, positionals } = parsed;
  if (values.help) return { kind: "help" };
  if (values.version) return { kind: "version" };
  const [kind = "serve", subject, ...surplus] = positionals;
  if (!Object.hasOwn(FLAGS_OF, kind)) return wrong(`Unknown command "${kind}"`);
  const stray = (Object.keys(values) as Flag[]).find((flag) => !FLAGS_OF[kind].includes(flag));
  if (stray) return wrong(`Unknown flag "--${stray}" for ${kind}`);
  if (kind === "serve") {
    if (subject !== undefined) return wrong(`Unexpected argument for ${kind}`);
    const { port, host } = values;
    return {
      kind,
      flags: { ...(port === undefined ? {} : { port }), ...(host === undefined ? {} : { host }) },
    };
  }
  if (subject === undefined) return wrong(`Missing ${kind === "watch" ? "URL" : "spec"} for ${kind}`);
  if (surplus.length > 0) return wrong(`Unexpected argument for ${kind}`);
  const interval = values.interval ?? (environment.FERRY_INTERVAL || "5");
  const intervalSeconds = Number(interval);
  if (!(intervalSeconds > 0 && intervalSeconds <= 86_400)) {
    return wrong(`Wrong interval "${interval}": needed seconds above 0`);
  }
  const show = { json: values.json ?? false, intervalSeconds };
  return kind === "watch"
    ? { kind, url: subject, ...show }
    : { kind: kind === "run" ? "run" : "check", spec: subject, ...show };
}

function wrong(message: string): Command {
  return { kind: "wrong", message };
}
