/**
 * A ferry in words, and numbers as people read them: the one home of what the page, the terminal, the event stream and the
 * demo say alike.
 * @module
 */
import { type FerryState, holdsReplay } from "../ferry/ferry_state.ts";
import { isCap } from "../throttle/reading_names.ts";
import type { FerryResource, TableProgress } from "./resource.ts";

/** A ferry in one sentence that begins with what matters: the title of its page and of its tab. */
export function headline(r: FerryResource): string {
  const lag = r.progress.lagSeconds === null ? "" : `, ${seconds(r.progress.lagSeconds)} behind`;
  const many = counted(r.tables.length, "table");
  const way = `${many} from ${serverName(r.source)} to ${serverName(r.target)}`;
  const held = heldText(r);
  switch (r.state) {
    case "preflight":
      return `${held}Looking at ${serverName(r.source)} and ${serverName(r.target)}`;
    case "copying":
      return r.paused
        ? `${held}copied ${shareText(r)} of ${way}`
        : `Copying ${way}: ${share(r) === null ? "" : `${shareText(r)}, `}${left(r.progress.etaSeconds)}`;
    case "catchingUp":
      return `${held}Catching up with ${serverName(r.source)}${lag}`;
    case "verifying":
      return `${held}Comparing ${many}: ${counted(r.verification.rowsCompared, "row")} so far`;
    case "awaitingCutover":
      return r.paused ? `${held}waiting for you to go on${lag}` : `Waiting for you: ready to cut over${lag}`;
    case "cuttingOver":
      return `Cutting over to ${serverName(r.target)}`;
    case "done":
      return `Done: ${way}` +
        (r.verification.state === "passed" ? ", both sides equal" : "") +
        (r.cutover.writesStoppedMs === null ? "" : `, writes stopped for ${r.cutover.writesStoppedMs} ms`);
    case "failed":
      return `Stopped: ${r.error?.detail ?? "the reason is not known"}`;
    case "cancelled":
      return `Cancelled: ${way}`;
  }
}

/** Whether a person holds it, and that the target falls behind where replay is held too. */
function heldText({ state, paused, hold }: FerryResource): string {
  if (!paused) return "";
  return holdsReplay(state, hold) ? "Paused, replay too: " : "Paused: ";
}

/** The headline with the numbers behind it: the text of an event, for reading with `curl -N`. */
export function sentence(r: FerryResource): string {
  const facts = factsOf(r);
  if (r.throttled !== null) facts.push(`slowed down: ${r.throttled.reason}`);
  return facts.length === 0 ? headline(r) : `${headline(r)} (${facts.join(", ")})`;
}

function factsOf(r: FerryResource): string[] {
  const p = r.progress;
  switch (r.state) {
    case "copying":
      return [
        counted(p.rowsCopied, "row"),
        ...(p.rowsPerSecond === null ? [] : [`${counted(p.rowsPerSecond, "row")}/s`]),
      ];
    case "catchingUp":
      return p.changesPending === null ? [] : [`${counted(p.changesPending, "change")} waiting`];
    case "verifying":
      return p.lagSeconds === null ? [] : [`${seconds(p.lagSeconds)} behind`];
    case "cuttingOver":
      return [`try ${r.cutover.attempts}`];
    case "done":
      return [`${counted(p.rowsCopied, "row")} copied`, `${counted(p.changesApplied, "change")} replayed`];
    default:
      return [];
  }
}

/** States that are entered when every row is copied. */
const BEHIND_COPYING: readonly FerryState[] = [
  "catchingUp",
  "verifying",
  "awaitingCutover",
  "cuttingOver",
  "done",
];

/** Share of the rows that is copied, 0 to 1; `null` while nobody knows how many there are. */
export function share(r: FerryResource): number | null {
  const stopped = r.state === "failed" || r.state === "cancelled";
  const copied = BEHIND_COPYING.includes(r.state) ||
    stopped && r.phases.some((phase) => BEHIND_COPYING.includes(phase.state));
  return copied ? 1 : shareOf(r.progress);
}

/** As {@link share}, of one table. */
export function tableShare(table: TableProgress): number | null {
  return table.state === "waiting" || table.state === "copying" ? shareOf(table) : 1;
}

function shareOf({ rowsCopied, rowsEstimated }: Pick<TableProgress, "rowsCopied" | "rowsEstimated">) {
  if (rowsEstimated === null || rowsEstimated === 0) return null;
  // The server's guess may be low: what is not through is not a hundred per cent.
  return Math.min(0.99, rowsCopied / rowsEstimated);
}

/** `63 %`, or that it is being measured. */
export function shareText(r: FerryResource): string {
  return percent(share(r));
}

/** What a throttle does in this state to copying, or to comparing, and why; `null`: nothing. */
export function throttledText(state: FerryState, reason: string | null): string {
  const what = state === "verifying" || state === "awaitingCutover" ? "Comparing" : "Copying";
  if (reason === null) return `${what} goes on: nothing slows it down`;
  return isCap(reason) ? `${what} is slowed down: ${reason}` : `${what} waits: ${reason}`;
}

/** A share of 0 to 1 as `63 %`; an unknown one is being measured. */
export function percent(part: number | null): string {
  return part === null ? "measuring" : `${Math.floor(part * 100)} %`;
}

/** The host of a masked URL, without the port where it is the usual one. */
export function serverName(url: string): string {
  const at = URL.parse(url);
  if (at === null || at.hostname === "") return url;
  return at.port === "" || at.port === "3306" ? at.hostname : `${at.hostname}:${at.port}`;
}

/** Seconds as `0.4 s`, `12 s`, `3 min`, `2 h 10 min`. */
export function seconds(s: number): string {
  if (s < 10) return `${Math.max(0, s).toFixed(1)} s`;
  if (s < 120) return `${Math.round(s)} s`;
  const minutes = Math.round(s / 60);
  if (minutes < 120) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A whole number with thousands apart. */
export function count(n: number): string {
  return Math.round(n).toLocaleString("en-US");
}

/** How many there are of a thing, as `1 row` or `12,000 rows`. */
export function counted(n: number, thing: string): string {
  const said = count(n);
  return `${said} ${said === "1" ? thing : `${thing}s`}`;
}

function left(eta: number | null): string {
  if (eta === null) return "measuring how long it takes";
  if (eta < 60) return "less than a minute left";
  const minutes = Math.round(eta / 60);
  return `about ${minutes < 120 ? counted(minutes, "minute") : counted(minutes / 60, "hour")} left`;
}
