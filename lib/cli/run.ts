/**
 * `run`: one ferry in this process.
 * @module
 */
import type { Dock, Ferry } from "../ferry/ferry.ts";
import type { FerryResource } from "../progress/resource.ts";
import type { FerrySpec } from "../spec/ferry_spec.ts";
import { exitCodeOfError, exitCodeOfFerry } from "./exit_code.ts";
import type { ProgressView } from "./progress_view.ts";
import type { Terminal } from "./terminal.ts";
import { troubleOf } from "./trouble.ts";

/** What `run` works with. */
export interface RunOptions {
  /** Where the ferry lies; closed at the end. */
  readonly dock: Dock;
  /** What to ferry. */
  readonly spec: FerrySpec;
  /** Shows progress. */
  readonly view: ProgressView;
  /** Takes the result. */
  readonly terminal: Terminal;
  /** Aborts when a signal came; its reason is the exit code. */
  readonly stop: AbortSignal;
  /** Calls back when someone asks for the cutover; the result takes the listener away. */
  readonly onCutover?: (ask: () => void) => () => void;
}

/** Runs the ferry until it ends or `stop` aborts. Returns the exit code. */
export async function runFerry(options: RunOptions): Promise<number> {
  const { dock, spec, view, terminal, stop } = options;
  try {
    const ferry = await dock.start(spec);
    const removeListener = options.onCutover?.(() => askForCutover(ferry, view)) ?? (() => {});
    const end = await follow(ferry, view, stop, options.onCutover !== undefined);
    removeListener();
    view.close();
    if (end === null) {
      view.say(`Letting the ferry go; the same spec with this id goes on with it: ${ferry.id}`);
      return Number(stop.reason);
    }
    terminal.out(JSON.stringify(end, null, 2) + "\n");
    return exitCodeOfFerry(end);
  } catch (error) {
    view.close();
    view.fail(troubleOf(error));
    return exitCodeOfError(error);
  } finally {
    await dock.close();
  }
}

/** Shows what happens; `null` if `stop` came first. */
async function follow(
  ferry: Ferry,
  view: ProgressView,
  stop: AbortSignal,
  byHand: boolean,
): Promise<FerryResource | null> {
  const timer = setInterval(() => view.show(ferry.resource()), view.intervalMs);
  const over = new AbortController();
  const abort = () => over.abort();
  stop.addEventListener("abort", abort);
  if (stop.aborted) abort();
  const stopped = new Promise<null>((resolve) => {
    if (over.signal.aborted) resolve(null);
    over.signal.addEventListener("abort", () => resolve(null), { once: true });
  });
  const telling = (async () => {
    for await (const event of ferry.events(0, over.signal)) {
      view.note(event);
      if (byHand && event.type === "state" && ferry.resource().state === "awaitingCutover") {
        view.say(`To cut over: kill -USR2 ${Deno.pid}`);
      }
    }
  })();
  try {
    const end = await Promise.race([ferry.ended, stopped]);
    // The events behind the end are told before the result; they end by themselves.
    if (end !== null) await telling;
    return end;
  } finally {
    clearInterval(timer);
    stop.removeEventListener("abort", abort);
    abort();
    await telling;
    view.show(ferry.resource());
  }
}

function askForCutover(ferry: Ferry, view: ProgressView): void {
  ferry.act("cutover").catch((error) => view.fail(troubleOf(error)));
}
