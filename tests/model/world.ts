/**
 * A ferry of one table with two keys as a state machine: what source, tail, copy, flush and a crash may do next. It
 * asks the same rules as the engine does. A source's transaction is thought of when it is first seen or delivered,
 * since before that nothing depends on it.
 * @module
 */
import type { KeyPlace, RangeView, Rules } from "../../lib/copy/rules.ts";
import { histories, type History, isMeant, KEYS, type Rows } from "./history.ts";

/** A part of the table's keys. */
export interface RangeBounds {
  readonly lower: number | null;
  readonly upper: number | null;
}

/** The instance that is searched. */
export interface Instance {
  readonly name: string;
  /** How many transactions the source runs at most. */
  readonly transactions: number;
  /** The source's rows at the beginning; if not given, both are there. */
  readonly rows?: Rows;
  readonly unique?: boolean;
  /** Only rows with some of the values are meant (I6). */
  readonly filtered?: boolean;
  /** Key 1 is a child of key 0, which takes it along without a word. */
  readonly unseen?: boolean;
  /** Transactions that lie before the first position and that readers may not see yet; 0 if not given. */
  readonly early?: number;
  /** Transactions of several changes, and flushes in their middle. */
  readonly wide?: boolean;
  readonly crashes: number;
  readonly ranges: readonly RangeBounds[];
  /** Rows that a chunk asks for. */
  readonly limit: number;
  /** Chunks of a range that may be under way at once. */
  readonly chunks: number;
  /** A chunk's transaction may be rolled back and sent again. */
  readonly retries?: boolean;
}

/** Small numbers, in the order of `FIELD`, then for each range its own and those of its chunks. */
export type State = number[];

const FIELD = {
  historyLow: 0,
  historyHigh: 1,
  /** Transactions that readers see. */
  visible: 2,
  /** Changes that the tail has handed over. */
  delivered: 3,
  /** The committed position, in changes. */
  saved: 4,
  crashes: 5,
  /** Per key: 1 + index of the last change in the batch, 0 for none. */
  pending: 6,
  flushing: 8,
  /** As `pending`, of the flush in flight. */
  batch: 9,
  batchPosition: 11,
  /** Per key: value + 1, 0 for no row. */
  target: 12,
  /** Where the tail began; kept at 0 unless the rules ask for it. */
  tailStart: 14,
  /** The parent's key went, as the tail told, and as the flush in flight is to follow it. */
  gone: 15,
  goneBatch: 16,
  ranges: 17,
} as const;

/** Fields of a range. Keys stand as key + 1, so that 0 is none. */
const RANGE = { readThrough: 0, readToEnd: 1, cursor: 2, cursorAtEnd: 3, chunks: 4 } as const;

/** Fields of a chunk; sets of keys are bits. `point`: the noted position, from `READ` on the visible transactions. */
const CHUNK = {
  phase: 0,
  point: 1,
  rows: 2,
  touched: 3,
  sent: 4,
  through: 5,
  toEnd: 6,
  stale: 7,
  size: 8,
} as const;

const [NONE, REGISTERED, NOTED, READ, SENT] = [0, 1, 2, 3, 4];

/** The keys of a bit set as the engine holds them. */
const KEY_SETS: readonly ReadonlySet<string>[] = [0, 1, 2, 3].map((bits) =>
  new Set(KEYS.filter((key) => bits & (1 << key)).map(String))
);

/** One instance under one set of rules. */
export class World {
  readonly #instance: Instance;
  readonly #rules: Rules;
  readonly #histories: readonly History[];
  readonly #rangeSize: number;

  constructor(instance: Instance, rules: Rules) {
    this.#instance = instance;
    this.#rules = rules;
    this.#histories = histories({
      rows: instance.rows ?? (instance.unique ? [1, 2] : [1, 1]),
      transactions: instance.transactions,
      unique: instance.unique ?? false,
      filtered: instance.filtered ?? false,
      unseen: instance.unseen ?? false,
      wide: instance.wide ?? false,
    });
    this.#rangeSize = RANGE.chunks + CHUNK.size * instance.chunks;
  }

  /** Where all may begin: rows on the source, an empty target. */
  starts(): State[] {
    const early = this.#instance.early ?? 0;
    return this.#histories.filter((h) => h.ends.length === early + 1).map((history) => {
      const s: State = Array(FIELD.ranges + this.#rangeSize * this.#instance.ranges.length).fill(0);
      s[FIELD.crashes] = this.#instance.crashes;
      this.#beginTail(s, history.changes.length);
      return at(s, history);
    });
  }

  #beginTail(s: State, position: number): void {
    s[FIELD.delivered] = s[FIELD.saved] = position;
    s[FIELD.tailStart] = this.#rules.countsAsDelivered(true) ? 0 : position;
  }

  /** Whether copy and replay have nothing left to do for what the source has done so far. */
  isAtRest(s: State): boolean {
    const { ends, changes } = this.#history(s);
    if (s[FIELD.visible] !== ends.length - 1) return false;
    if (s[FIELD.delivered] !== changes.length || s[FIELD.saved] !== changes.length) return false;
    if (s[FIELD.flushing] || s[FIELD.pending] || s[FIELD.pending + 1]) return false;
    return this.#rangeOffsets().every((at) =>
      s[at + RANGE.cursorAtEnd] && !s[at + RANGE.chunks + CHUNK.phase]
    );
  }

  /** The source's rows once all is visible, those that are meant. */
  source(s: State): Rows {
    const { rows } = this.#history(s);
    return rows[rows.length - 1].map((value) => this.#meant(value)) as unknown as Rows;
  }

  /** The value of a row that is meant, else `null`. */
  #meant(value: number | null): number | null {
    return value === null || this.#instance.filtered !== true || isMeant(value) ? value : null;
  }

  /** The target's rows. */
  target(s: State): Rows {
    return [s[FIELD.target] - 1, s[FIELD.target + 1] - 1].map((v) => v < 0 ? null : v) as unknown as Rows;
  }

  /** All that may happen next. */
  steps(s: State, emit: (label: string, next: State) => void): void {
    this.#sourceSteps(s, emit);
    this.#rangeOffsets().forEach((at, index) => this.#copySteps(s, at, index, emit));
    this.#flushSteps(s, emit);
    if (s[FIELD.crashes] > 0) emit("CRASH", this.#crash(s));
  }

  #sourceSteps(s: State, emit: (label: string, next: State) => void): void {
    const history = this.#history(s);
    if (s[FIELD.visible] < history.ends.length - 1) emit("visible", this.#see(s, history));
    else for (const longer of history.longer) emit(`commit ${last(longer)}, visible`, this.#see(s, longer));
    if (s[FIELD.delivered] < history.changes.length) this.#deliver(s, history, "", emit);
    else for (const longer of history.longer) this.#deliver(s, longer, `commit ${last(longer)}, `, emit);
  }

  #see(s: State, history: History): State {
    const n = at(s, history);
    n[FIELD.visible]++;
    return n;
  }

  #deliver(
    s: State,
    history: History,
    before: string,
    emit: (label: string, next: State) => void,
  ): void {
    const n = at(s, history);
    const index = n[FIELD.delivered]++;
    const { kind, key, value } = history.changes[index];
    const place = this.#placeOf(s, key);
    for (const at of this.#rangeOffsets()) {
      for (const chunk of this.#chunkOffsets(at)) {
        const phase = n[chunk + CHUNK.phase];
        if (phase === NONE) break;
        // A key without a row at hand makes no difference any more; leaving it out keeps the search small.
        if (phase < READ || n[chunk + CHUNK.rows] & (1 << key)) n[chunk + CHUNK.touched] |= 1 << key;
      }
    }
    const { unique = false, filtered = false, unseen = false } = this.#instance;
    if (unseen && kind === "delete" && key === 0) n[FIELD.gone] = 1;
    const dropped = this.#rules.mayDropChange(kind, place, true, unique, filtered || unseen);
    if (!dropped) n[FIELD.pending + key] = index + 1;
    else if (!this.#rules.mayKeepPending(dropped)) n[FIELD.pending + key] = 0;
    emit(`${before}deliver ${kind} k${key}=${value}${dropped ? " (dropped)" : ""}`, n);
  }

  #placeOf(s: State, key: number): KeyPlace {
    for (const [index, bounds] of this.#instance.ranges.entries()) {
      const offset = this.#rangeOffset(index);
      const through = s[offset + RANGE.readThrough];
      const view: RangeView = {
        ...bounds,
        readThrough: through === 0 ? null : through - 1,
        readInProgress: this.#chunkOffsets(offset).some((c) => isBeforeRead(s[c + CHUNK.phase])),
        readToEnd: s[offset + RANGE.readToEnd] === 1,
      };
      const place = this.#rules.whereIsKey(view, key);
      if (place !== "unknown") return place;
    }
    return "unknown";
  }

  #copySteps(s: State, range: number, index: number, emit: (label: string, next: State) => void): void {
    const chunks = this.#chunkOffsets(range);
    const count = chunks.filter((c) => s[c + CHUNK.phase] !== NONE).length;
    const lastPhase = count === 0 ? READ : s[chunks[count - 1] + CHUNK.phase];
    if (count < chunks.length && !isBeforeRead(lastPhase) && !s[range + RANGE.readToEnd]) {
      const n = s.slice();
      n[chunks[count] + CHUNK.phase] = REGISTERED;
      emit(`range${index}: register`, n);
    }
    for (let i = 0; i < count; i++) this.#chunkSteps(s, range, index, i, emit);
  }

  #chunkSteps(
    s: State,
    range: number,
    index: number,
    order: number,
    emit: (label: string, next: State) => void,
  ): void {
    const chunk = this.#chunkOffsets(range)[order];
    const history = this.#history(s);
    switch (s[chunk + CHUNK.phase]) {
      case REGISTERED: {
        const complete = completeEnd(history, s[FIELD.delivered]);
        if (!this.#rules.mayNotePosition(complete !== s[FIELD.delivered])) return;
        const n = s.slice();
        n[chunk + CHUNK.phase] = NOTED;
        const known = complete > s[FIELD.tailStart] && this.#rules.countsAsDelivered(false);
        n[chunk + CHUNK.point] = known || this.#rules.countsAsDelivered(true) ? complete : 0;
        return emit(`range${index}: note position ${n[chunk + CHUNK.point]}`, n);
      }
      case NOTED: {
        if (!this.#rules.mayBeginRead(history.ends[s[FIELD.visible]] >= s[chunk + CHUNK.point])) return;
        const n = this.#read(s, range, index, chunk, history.rows[s[FIELD.visible]]);
        return emit(`range${index}: read keys${keyList(n[chunk + CHUNK.rows])}`, n);
      }
      case READ: {
        if (this.#rules.mayCommitCursor(false, order === 0)) {
          const n = s.slice();
          commitCursor(n, range, chunk);
          if (
            n[range + RANGE.cursor] !== s[range + RANGE.cursor] ||
            n[range + RANGE.cursorAtEnd] !== s[range + RANGE.cursorAtEnd]
          ) {
            emit(`range${index}: cursor commits alone`, n);
          }
        }
        if (!this.#rules.maySendChunk(s[FIELD.flushing] === 1)) return;
        if (!this.#rules.mayCommitCursor(true, order === 0)) return;
        if (!this.#rules.mayKeepChunk(0, s[chunk + CHUNK.stale])) {
          return emit(`range${index}: stale, begin again`, this.#rewind(s.slice(), range));
        }
        const n = s.slice();
        const touched = KEY_SETS[s[chunk + CHUNK.touched]];
        n[chunk + CHUNK.phase] = SENT;
        for (const key of KEYS) {
          if (s[chunk + CHUNK.rows] & (1 << key) && this.#rules.mayWriteRow(touched, String(key))) {
            n[chunk + CHUNK.sent] |= 1 << key;
          }
        }
        // Only a second attempt asks for them again.
        if (!this.#instance.retries) n[chunk + CHUNK.rows] = n[chunk + CHUNK.touched] = 0;
        return emit(`range${index}: send keys${keyList(n[chunk + CHUNK.sent])}`, n);
      }
      case SENT: {
        if (this.#instance.retries) {
          const n = s.slice();
          n[chunk + CHUNK.phase] = READ;
          n[chunk + CHUNK.sent] = 0;
          emit(`range${index}: rolled back`, n);
        }
        const n = s.slice();
        const rows = history.rows[s[chunk + CHUNK.point]];
        for (const key of KEYS) if (s[chunk + CHUNK.sent] & (1 << key)) this.#put(n, key, rows[key]);
        commitCursor(n, range, chunk);
        // The chunks behind it move up.
        const end = range + this.#rangeSize;
        n.copyWithin(chunk, chunk + CHUNK.size, end);
        n.fill(0, end - CHUNK.size, end);
        return emit(`range${index}: commit`, n);
      }
    }
  }

  #read(s: State, range: number, index: number, chunk: number, rows: Rows): State {
    const n = s.slice();
    const { lower, upper } = this.#instance.ranges[index];
    const behind = Math.max(lower ?? -1, s[range + RANGE.readThrough] - 1);
    const found = KEYS.filter((key) =>
      key > behind && key <= (upper ?? key) && this.#meant(rows[key]) !== null
    )
      .slice(0, this.#instance.limit);
    const lastKey = found.at(-1);
    const bits = found.reduce((sum, key) => sum | (1 << key), 0);
    const toEnd = found.length < this.#instance.limit || lastKey === upper;
    const through = lastKey === undefined ? s[range + RANGE.readThrough] : lastKey + 1;
    n[range + RANGE.readThrough] = through;
    n[range + RANGE.readToEnd] = toEnd ? 1 : 0;
    n[chunk + CHUNK.phase] = READ;
    n[chunk + CHUNK.point] = s[FIELD.visible];
    n[chunk + CHUNK.rows] = bits;
    n[chunk + CHUNK.touched] &= bits;
    n[chunk + CHUNK.through] = through;
    n[chunk + CHUNK.toEnd] = toEnd ? 1 : 0;
    return n;
  }

  #flushSteps(s: State, emit: (label: string, next: State) => void): void {
    const history = this.#history(s);
    if (s[FIELD.flushing]) {
      const position = s[FIELD.batchPosition];
      if (position > s[FIELD.saved] && this.#rules.mayCommitPosition(false)) {
        const n = s.slice();
        n[FIELD.saved] = position;
        emit(`position ${position} commits alone`, n);
      }
      if (!this.#rules.mayCommitPosition(true)) return;
      if (s[FIELD.goneBatch] && history.ends[s[FIELD.visible]] < position) return;
      const n = s.slice();
      // An image that is not meant is a delete (I6).
      const changes = KEYS.map((key) => s[FIELD.batch + key]).filter((i) => i > 0).map((i) => {
        const { key, value } = history.changes[i - 1];
        return { key, value: this.#meant(value) };
      });
      for (const { key, value } of changes) if (value === null) n[FIELD.target + key] = 0;
      for (const { key, value } of changes) if (value !== null) this.#put(n, key, value);
      if (s[FIELD.goneBatch]) this.#followParent(n, history.rows[s[FIELD.visible]]);
      n[FIELD.saved] = Math.max(n[FIELD.saved], position);
      n[FIELD.goneBatch] = 0;
      n.fill(0, FIELD.flushing, FIELD.batchPosition + 1);
      return emit(`flush commits with position ${position}`, n);
    }
    const delivered = s[FIELD.delivered];
    const position = this.#rules.positionToCommit({ complete: completeEnd(history, delivered), delivered });
    const empty = !s[FIELD.pending] && !s[FIELD.pending + 1];
    if (empty && position <= s[FIELD.saved]) return;
    const inFlight = this.#rangeOffsets().flatMap((at) => this.#chunkOffsets(at))
      .filter((c) => s[c + CHUNK.phase] === SENT).length;
    if (!this.#rules.mayBeginFlush(inFlight)) return;
    const n = s.slice();
    n[FIELD.flushing] = 1;
    n[FIELD.batchPosition] = position;
    n[FIELD.goneBatch] = s[FIELD.gone];
    n[FIELD.gone] = 0;
    for (const key of KEYS) {
      n[FIELD.batch + key] = s[FIELD.pending + key];
      n[FIELD.pending + key] = 0;
    }
    emit("flush begins", n);
  }

  /** Memory is lost. What was in flight did commit (then that step came before) or did not. */
  #crash(s: State): State {
    const n = s.slice();
    const { ends } = this.#history(s);
    n[FIELD.crashes]--;
    n.fill(0, FIELD.pending, FIELD.target);
    n[FIELD.gone] = n[FIELD.goneBatch] = 0;
    // A source gives no half transaction again: one that the position has begun counts as had.
    this.#beginTail(n, ends.find((end) => end >= s[FIELD.saved])!);
    for (const at of this.#rangeOffsets()) this.#rewind(n, at);
    return n;
  }

  /** What was read of a range and not written is forgotten. */
  #rewind(n: State, range: number): State {
    n[range + RANGE.readThrough] = n[range + RANGE.cursor];
    n[range + RANGE.readToEnd] = n[range + RANGE.cursorAtEnd];
    n.fill(0, range + RANGE.chunks, range + this.#rangeSize);
    return n;
  }

  /** The child that the target has is read again; chunks that were read before are stale. */
  #followParent(n: State, rows: Rows): void {
    if (n[FIELD.target + 1] !== 0) n[FIELD.target + 1] = (rows[1] ?? -1) + 1;
    for (const chunk of this.#rangeOffsets().flatMap((at) => this.#chunkOffsets(at))) {
      if (n[chunk + CHUNK.phase] !== NONE) n[chunk + CHUNK.stale] = 1;
    }
  }

  /** REPLACE: with a unique value it takes away the other row that holds it. */
  #put(n: State, key: number, value: number | null): void {
    if (this.#instance.unique && value && n[FIELD.target + 1 - key] === value + 1) {
      n[FIELD.target + 1 - key] = 0;
    }
    n[FIELD.target + key] = (value ?? -1) + 1;
  }

  #history(s: State): History {
    return this.#histories[s[FIELD.historyLow] + (s[FIELD.historyHigh] << 8)];
  }

  #rangeOffset(index: number): number {
    return FIELD.ranges + index * this.#rangeSize;
  }

  #rangeOffsets(): number[] {
    return this.#instance.ranges.map((_, index) => this.#rangeOffset(index));
  }

  #chunkOffsets(range: number): number[] {
    return Array.from({ length: this.#instance.chunks }, (_, i) => range + RANGE.chunks + i * CHUNK.size);
  }
}

/** A copy of the state with this history. */
function at(s: State, history: History): State {
  const n = s.slice();
  n[FIELD.historyLow] = history.id & 255;
  n[FIELD.historyHigh] = history.id >> 8;
  return n;
}

function isBeforeRead(phase: number): boolean {
  return phase === REGISTERED || phase === NOTED;
}

/** The end of the last transaction that lies wholly within the delivered changes. */
function completeEnd(history: History, delivered: number): number {
  return history.ends.findLast((end) => end <= delivered)!;
}

function commitCursor(n: State, range: number, chunk: number): void {
  n[range + RANGE.cursor] = Math.max(n[range + RANGE.cursor], n[chunk + CHUNK.through]);
  n[range + RANGE.cursorAtEnd] |= n[chunk + CHUNK.toEnd];
}

function keyList(bits: number): string {
  return ` [${KEYS.filter((key) => bits & (1 << key))}]`;
}

/** The last transaction of a history. */
function last(history: History): string {
  const from = history.ends[history.ends.length - 2];
  return `{${
    history.changes.slice(from).map(({ kind, key, value }) => `${kind} k${key}=${value}`).join(", ")
  }}`;
}
