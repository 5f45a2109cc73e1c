/**
 * The command line: reads it, opens the dock, hands over. Everything that it does is elsewhere.
 * @module
 */
import project from "./deno.json" with { type: "json" };
import { type Command, parseArguments, USAGE } from "./lib/cli/arguments.ts";
import { checkSpec } from "./lib/cli/check.ts";
import { EXIT } from "./lib/cli/exit_code.ts";
import { openView, type ProgressView } from "./lib/cli/progress_view.ts";
import { readSpec } from "./lib/cli/read_spec.ts";
import { runFerry } from "./lib/cli/run.ts";
import { onCutoverSignal, stopOnSignals } from "./lib/cli/signals.ts";
import { processTerminal as terminal } from "./lib/cli/terminal.ts";
import { type Trouble, troubleOf, troubleText } from "./lib/cli/trouble.ts";
import { watchFerry } from "./lib/cli/watch.ts";
import type { Dock } from "./lib/ferry/ferry.ts";
import { configureLog, writeToConsole, writeToStderr } from "./lib/log.ts";
import { readSettings, refusalToServe, type Settings } from "./lib/spec/settings.ts";
import { serveUntil } from "./routes/service.ts";

async function main(args: readonly string[]): Promise<number> {
  const environment = Deno.env.toObject();
  const command = parseArguments(args, environment);
  if (command.kind === "wrong") {
    const trouble = { code: "wrong-usage", detail: command.message, hint: "--help tells how it is used" };
    return fail(trouble, args, `${command.message}\n\n${USAGE}`);
  }
  if (command.kind === "help" || command.kind === "version") {
    terminal.out(command.kind === "help" ? USAGE : `chainferry ${project.version}\n`);
    return EXIT.done;
  }
  const reading = readSettings(environment, command.kind === "serve" ? command.flags : {});
  if ("faults" in reading) {
    const { faults } = reading;
    const trouble = { code: "wrong-setting", detail: faults.join(". "), hint: null };
    return fail(trouble, args, faults.join("\n") + "\n");
  }
  const { settings } = reading;
  // What Deno takes for true.
  const write = ["true", "1"].includes(environment.OTEL_DENO ?? "") ? writeToConsole : writeToStderr;
  if (command.kind === "serve") {
    configureLog({ format: settings.log, write });
    return await serve(settings);
  }
  const view = openView(command, terminal);
  configureLog({
    format: command.json ? "json" : settings.log,
    // A command's own words are its progress: its log lines are for what goes wrong.
    level: "warning",
    ferries: false,
    // Written among bars, a line would leave pieces of them behind.
    write: (line, level) => view.above(() => write(line, level)),
  });
  return await perform(command, settings, view);
}

async function serve(settings: Settings): Promise<number> {
  const refusal = refusalToServe(settings);
  if (refusal !== null) {
    terminal.err(`${refusal}\n`);
    return EXIT.usage;
  }
  const stop = stopOnSignals();
  return await serveUntil(stop, { dock: await open(settings, false), settings, version: project.version });
}

async function perform(
  command: Extract<Command, { kind: "run" | "check" | "watch" }>,
  settings: Settings,
  view: ProgressView,
): Promise<number> {
  const { token, connections } = settings;
  if (command.kind === "watch") {
    return await watchFerry({ url: command.url, token, view, terminal, stop: stopOnSignals() });
  }
  const spec = await readSpec(command.spec, connections, { terminal, json: command.json });
  if (spec === null) return EXIT.usage;
  const [dock, stop] = [await open(settings, true), stopOnSignals()];
  if (command.kind === "check") return await checkSpec(dock, spec, { terminal, json: command.json, stop });
  return await runFerry({ dock, spec, view, terminal, stop, onCutover: onCutoverSignal });
}

/** Loaded only where it is needed: `watch` talks to no database. `alone` fails where another process owns the ferry. */
async function open(settings: Settings, alone: boolean): Promise<Dock> {
  const { stateSchema, leaseSeconds, callbackSecret: secret, callbackLinkLocal: linkLocal } = settings;
  const { openDock } = await import("./lib/ferry/dock.ts");
  return openDock({ stateSchema, leaseSeconds, alone, callbacks: { secret, linkLocal } });
}

/** Wrong usage, as `text` says it; to a machine it is told like any other error. */
function fail(trouble: Trouble, args: readonly string[], text: string): number {
  terminal.err(isForMachines(args) ? troubleText(trouble, true) : text);
  return EXIT.usage;
}

/** Looks at the arguments themselves: they may be wrong. */
function isForMachines(args: readonly string[]): boolean {
  return args.includes("--json");
}

if (import.meta.main) {
  // Exits by name: a connection that some library left open must not keep the process.
  const tell = (error: unknown) => terminal.err(troubleText(troubleOf(error), isForMachines(Deno.args)));
  Deno.exit(await main(Deno.args).catch((error) => (tell(error), EXIT.failed)));
}
