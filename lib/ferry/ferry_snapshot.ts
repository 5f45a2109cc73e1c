/**
 * The changing numbers of one ferry, and the resource made of them.
 * @module
 */
import type { FerriedTable } from "../copy/ferried_table.ts";
import type { Fence } from "../cutover/fence.ts";
import { errorNumber, errorText, FerryError } from "../errors.ts";
import { Rate } from "../progress/rate.ts";
import type {
  FerryResource,
  Finding,
  PositionResource,
  TableProgress,
  Verification,
} from "../progress/resource.ts";
import { tableLabel } from "../schema/table.ts";
import { maskUrl } from "../spec/connection_url.ts";
import type { FerrySpec } from "../spec/ferry_spec.ts";
import type { Crossing } from "./crossing.ts";
import { allowedActions, type FerryState, type Hold, isEnded, mayMove } from "./ferry_state.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Everything that the resource tells, kept in one place. */
export class FerrySnapshot {
  /** Where it is. */
  state: FerryState = "preflight";
  /** What a person holds, or `null`. */
  hold: Hold | null = null;
  /** {@linkcode hold} was said here and is not recorded yet: what is stored does not take its place. */
  holdIsNew = false;
  /** Times taken up again. */
  resumedTimes = 0;
  /** Tries of the cutover. */
  attempts = 0;
  /** Milliseconds that writes were stopped. */
  writesStoppedMs: number | null = null;
  /** The fence at which writes to the source still wait. It goes with this process, so it is never restored. */
  keptFence: Fence | null = null;
  /** Where the cutover ended. */
  endPosition: PositionResource | null = null;
  /** Why it failed. */
  error: FerryResource["error"] = null;
  /** The attempt under way. */
  crossing: Crossing | null = null;
  #phases: Mutable<FerryResource["phases"][number]>[] = [];
  #tables = new Map<string, Mutable<TableProgress>>();
  #position: PositionResource | null = null;
  #changesApplied = 0;
  #verification: Verification;
  readonly #rows = new Rate();
  #createdAt = now();
  #updatedAt = now();
  #endedAt: string | null = null;

  /** A ferry that begins. */
  constructor(readonly spec: FerrySpec) {
    this.#verification = unverified(spec);
    this.#phases.push({ state: "preflight", startedAt: now(), endedAt: null });
  }

  /** Goes on from a stored resource. */
  restore(r: FerryResource): void {
    this.state = r.state;
    // An older program has told only that it is paused.
    if (!this.holdIsNew) this.hold = r.hold ?? (r.paused ? "copy" : null);
    this.resumedTimes = r.resumedTimes;
    this.attempts = r.cutover.attempts;
    this.writesStoppedMs = r.cutover.writesStoppedMs;
    this.endPosition = r.cutover.position;
    this.error = r.error;
    this.#phases = r.phases.map((p) => ({ ...p }));
    this.#tables = new Map(r.tables.map((t) => [t.source, { ...t, strip: t.strip ?? null }]));
    this.#position = r.position;
    this.#changesApplied = r.progress.changesApplied;
    this.#verification = r.verification;
    this.#createdAt = r.createdAt;
    this.#updatedAt = r.updatedAt;
    this.#endedAt = r.endedAt;
  }

  /** Goes to another state and returns the way back. Throws where that move is not legal. */
  move(state: FerryState): () => void {
    const [before, phases, ended] = [this.state, this.#phases.map((p) => ({ ...p })), this.#endedAt];
    const back = () => {
      this.state = before;
      this.#phases = phases;
      this.#endedAt = ended;
    };
    if (state === this.state) return back;
    if (!mayMove(this.state, state)) {
      throw new FerryError("illegal-move", `Cannot go from "${this.state}" to "${state}": no such way`);
    }
    const at = now();
    const last = this.#phases.at(-1);
    if (last !== undefined && last.endedAt === null) last.endedAt = at;
    this.state = state;
    this.#updatedAt = at;
    if (isEnded(state)) this.#endedAt = at;
    else {
      this.#endedAt = null;
      this.#phases.push({ state, startedAt: at, endedAt: null });
    }
    return back;
  }

  /** Notes why it failed. */
  fail(e: unknown, findings?: readonly Finding[]): void {
    const known = e instanceof FerryError ? e : null;
    const error = e as { code?: unknown };
    this.error = {
      code: known?.code ?? (typeof error?.code === "string" ? "server-error" : "unexpected"),
      detail: known?.message ?? foreignDetail(e),
      hint: known?.hint ?? null,
      retryable: known?.retryable ?? false,
      ...(findings === undefined ? {} : { findings }),
    };
  }

  /** A new attempt begins. What was copied before stays until the stored ranges tell it. */
  begin(crossing: Crossing): void {
    this.crossing = crossing;
    this.#verification = unverified(this.spec);
    for (const t of crossing.everyTable) {
      const before = crossing.keyless.includes(t) ? undefined : this.#tables.get(tableLabel(t.table));
      this.#tables.set(tableLabel(t.table), {
        source: tableLabel(t.table),
        target: tableLabel(t.target),
        state: "waiting",
        rowsCopied: before?.rowsCopied ?? 0,
        // The server has a guess of all rows, and none of those that a filter holds for.
        rowsEstimated: t.where === null ? t.table.rowsEstimated : null,
        bytesCopied: before?.bytesCopied ?? 0,
        verified: null,
        strip: null,
      });
    }
  }

  /** So many rows and bytes of a table are committed, by whichever attempt. */
  stands(table: FerriedTable, rows: number, bytes: number): void {
    const t = this.#tables.get(tableLabel(table.table))!;
    t.rowsCopied = rows;
    t.bytesCopied = bytes;
    t.state = table.copied ? "copied" : rows > 0 ? "copying" : "waiting";
  }

  /** Rows were committed. */
  copied(table: FerriedTable, rows: number, bytes: number): void {
    const t = this.#tables.get(tableLabel(table.table))!;
    t.rowsCopied += rows;
    t.bytesCopied += bytes;
    t.state = table.copied ? "copied" : "copying";
  }

  /** Where a table stands that is copied behind the fence. */
  keyless(table: FerriedTable, state: TableProgress["state"]): void {
    const t = this.#tables.get(tableLabel(table.table))!;
    t.state = state;
    t.verified = state === "verified" ? true : null;
    if (state === "waiting") t.rowsCopied = t.bytesCopied = 0;
  }

  /** Indexes are being built. */
  indexing(table: FerriedTable): void {
    this.#tables.get(tableLabel(table.table))!.state = "indexing";
  }

  /** The attempt is over; what it told last stays. */
  finish(): void {
    // What changed lately is old by the time that anybody looks.
    this.#read(Infinity);
    this.crossing = null;
    // Nobody compares any more. What was found, either way, stays.
    if (this.#verification.state === "running") {
      this.#verification = { ...this.#verification, state: "pending" };
    }
  }

  /** The resource of now. */
  resource(): FerryResource {
    this.#read();
    const tables = [...this.#tables.values()];
    const sum = (f: (t: TableProgress) => number) => tables.reduce((n, t) => n + f(t), 0);
    const rowsCopied = sum((t) => t.rowsCopied);
    const unknown = tables.length === 0 || tables.some((t) => t.rowsEstimated === null);
    const rowsEstimated = unknown ? null : sum((t) => Math.max(t.rowsEstimated!, t.rowsCopied));
    const running = !isEnded(this.state);
    const fence = this.keptFence ?? this.crossing?.keptFence;
    // What earlier attempts have copied is no speed: it is counted from when the stored ranges are known.
    if (this.state === "copying" && this.crossing?.tables.some((t) => t.ranges.length > 0)) {
      this.#rows.note(rowsCopied, performance.now());
    }
    const rate = this.state === "copying" && this.hold === null ? this.#rows.perSecond() : null;
    const left = rowsEstimated === null ? null : rowsEstimated - rowsCopied;
    this.#updatedAt = running ? now() : this.#updatedAt;
    return {
      id: this.spec.id,
      state: this.state,
      paused: this.hold !== null,
      hold: this.hold,
      throttled: running ? this.crossing?.throttle.throttled ?? null : null,
      resumedTimes: this.resumedTimes,
      source: maskUrl(this.spec.source),
      target: maskUrl(this.spec.target),
      tables: tables.map((t) => ({ ...t })),
      progress: {
        rowsCopied,
        rowsEstimated,
        bytesCopied: sum((t) => t.bytesCopied),
        rowsPerSecond: rate === null ? null : Math.round(rate),
        changesApplied: this.#changesApplied,
        changesPending: this.crossing?.replay?.pending ?? null,
        lagSeconds: running ? this.crossing?.replay?.lagSeconds() ?? null : null,
        etaSeconds: rate === null || rate <= 0 || left === null ? null : Math.round(left / rate),
      },
      position: this.#position,
      verification: this.#verification,
      cutover: {
        attempts: this.attempts,
        writesStoppedMs: this.writesStoppedMs,
        position: this.endPosition,
        fenceKept: this.state === "done" && (fence?.session?.usable ?? false),
      },
      phases: this.#phases.map((p) => ({ ...p })),
      actions: allowedActions(this.state, this.hold !== null, this.crossing !== null),
      error: this.error,
      createdAt: this.#createdAt,
      updatedAt: this.#updatedAt,
      endedAt: this.#endedAt,
    };
  }

  /** Takes over what the attempt knows. */
  #read(at = performance.now()): void {
    const c = this.crossing;
    if (c === null) return;
    if (c.replay !== null) {
      const { position: { file, offset }, gtids } = c.replay.flusher.applied;
      this.#position = { file, position: offset, gtidSet: gtids };
      this.#changesApplied = c.replay.flusher.changes;
    }
    const v = c.comparison.verifier;
    if (v !== null) {
      const { rowsCompared, differences, differenceCount, tablesVerified, unlike } = v.progress;
      const state = differenceCount > 0 ? "failed" : v.passed === true ? "passed" : "running";
      this.#verification = { state, rowsCompared, differences: [...differences] };
      for (const t of c.tables) {
        const progress = this.#tables.get(tableLabel(t.table))!;
        if (unlike.has(t.index)) {
          progress.state = "differing";
          progress.verified = false;
        } else if (tablesVerified.has(t.index)) {
          progress.state = "verified";
          progress.verified = true;
        } else progress.state = "verifying";
      }
    }
    for (const t of c.tables) {
      const progress = this.#tables.get(tableLabel(t.table))!;
      const compared = v === null ? 0 : v.passed !== null || v.progress.tablesVerified.has(t.index)
        ? 1
        // Rows that replay brought are compared too: the copy's count is about how many there are.
        : Math.min(0.99, (v.progress.rowsByTable.get(t.index) ?? 0) / Math.max(1, progress.rowsCopied));
      progress.strip = t.strip.text(at, compared, v?.progress.unlike.get(t.index));
    }
  }
}

/** Nothing is compared yet. */
function unverified(spec: FerrySpec): Verification {
  return { state: spec.verify === "off" ? "off" : "pending", rowsCompared: 0, differences: [] };
}

function now(): string {
  return new Date().toISOString();
}

/** What an error says that is none of ours. */
function foreignDetail(e: unknown): string {
  const number = errorNumber(e);
  // The driver's names are MySQL's: it would call MariaDB's numbers by them.
  if (number !== null && number > 0) {
    return `Cannot go on: a server answered with error ${number} (${errorText(e)})`;
  }
  const { code } = e as { code?: unknown };
  return typeof code === "string" ? `${code}: ${errorText(e)}` : errorText(e);
}
