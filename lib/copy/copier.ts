/**
 * Copies ranges side by side: each worker reads the next chunk while it writes the last one.
 * @module
 */
import { FerryError } from "../errors.ts";
import type { Session } from "../mysql/session.ts";
import { isLockConflict } from "../mysql/passing_errors.ts";
import { keyString } from "../mysql/row_list.ts";
import { keyEnd } from "../mysql/row_reader.ts";
import type { TableWriter } from "../mysql/table_writer.ts";
import type { CursorStore } from "../state/cursor_store.ts";
import type { Ownership } from "../state/ownership.ts";
import { tableLabel } from "../schema/table.ts";
import type { CopySettings } from "../spec/ferry_spec.ts";
import type { Pace } from "../throttle/pacer.ts";
import { ChunkMemory } from "./chunk_memory.ts";
import { type ChunkRoom, chunkRoom, firstLimit, nextLimit } from "./chunk_limit.ts";
import { type Chunk, ChunkReader, forget } from "./chunk_reader.ts";
import type { CopyRange } from "./copy_range.ts";
import type { FerriedTable } from "./ferried_table.ts";
import type { ReadPoint } from "./read_point.ts";
import { mayCommitCursor, mayKeepChunk, mayWriteRow } from "./rules.ts";
import { Tuner } from "./tuner.ts";
import { writerFor } from "./writer_for.ts";

/** Tries of one chunk's transaction against deadlocks and lock waits. */
const TRIES = 10;

/** What a copier works with. */
export interface CopierOptions {
  /** Ranges that are not done, in the order in which they are begun. */
  readonly ranges: readonly CopyRange[];
  /** Opens a data session. */
  readonly open: (side: "source" | "target") => Promise<Session>;
  /** How chunks are read (I1). */
  readonly readPoint: ReadPoint;
  /** MariaDB target: bulk packets. */
  readonly bulk: boolean;
  /** Where cursors go. */
  readonly cursors: CursorStore;
  /** Under which lease. */
  readonly own: Ownership;
  /** The settings of now; asked before each chunk. */
  readonly settings: () => CopySettings;
  /** The caps of now; asked before each chunk. */
  readonly pace: () => Pace;
  /** Nothing more is to be copied now. */
  readonly held: () => boolean;
  /** Resolves when a chunk may be read. */
  readonly allowed: (signal: AbortSignal) => Promise<void>;
  /** A chunk was committed. */
  readonly onChunk: (table: FerriedTable, rows: number, bytes: number) => void;
}

/** One copy of many ranges. */
export class Copier {
  readonly #queue: CopyRange[];
  readonly #underWay = new Map<FerriedTable, number>();
  readonly #tuner = new Tuner(() => performance.now());
  readonly #workers = new Set<Promise<void>>();
  readonly #memory = new ChunkMemory();
  readonly #stop = new AbortController();
  #failure: unknown = null;
  #writing = 0;

  /** Nothing happens before {@linkcode run}. */
  constructor(private readonly options: CopierOptions) {
    this.#queue = [...options.ranges];
  }

  /** Copies everything. Throws what the first failing worker threw, when all have stopped. */
  async run(signal: AbortSignal): Promise<void> {
    const both = AbortSignal.any([signal, this.#stop.signal]);
    this.#staff(both);
    while (this.#workers.size > 0) {
      await Promise.race(this.#workers);
      this.#staff(both);
    }
    if (this.#failure !== null) throw this.#failure;
    signal.throwIfAborted();
  }

  /** Chunk transactions in flight. */
  get writing(): number {
    return this.#writing;
  }

  /** Ranges to copy side by side now. */
  get #wanted(): number {
    return this.#tuner.workers(this.options.settings().concurrency);
  }

  /** As many workers as are wanted, while there are ranges that they may begin. */
  #staff(signal: AbortSignal): void {
    while (!signal.aborted && this.#workers.size < this.#wanted) {
      const first = this.#take();
      if (first === null) return;
      const work: Promise<void> = this.#work(first, signal).catch((e) => {
        this.#failure ??= e;
        this.#stop.abort(e);
      }).finally(() => this.#workers.delete(work));
      this.#workers.add(work);
    }
  }

  /** The next range of a table that takes one more side by side. Its table is {@linkcode #leave left} afterwards. */
  #take(): CopyRange | null {
    const at = this.#queue.findIndex(({ table }) => (this.#underWay.get(table) ?? 0) < table.sideBySide);
    if (at < 0) return null;
    const [range] = this.#queue.splice(at, 1);
    this.#underWay.set(range.table, (this.#underWay.get(range.table) ?? 0) + 1);
    return range;
  }

  #leave(range: CopyRange): void {
    this.#underWay.set(range.table, this.#underWay.get(range.table)! - 1);
  }

  async #work(first: CopyRange, signal: AbortSignal): Promise<void> {
    const { open, readPoint } = this.options;
    let range: CopyRange | null = first;
    let sessions: Session[] = [];
    try {
      const [source, target] = sessions = await openBoth(open);
      await readPoint.dress(source);
      await target.run("SET SESSION autocommit=0"); // see RawPipeline
      let lane: Lane | null = null;
      while (range !== null) {
        if (lane?.table !== range.table) {
          lane?.writer.release();
          await lane?.reader.release();
          lane = this.#lane(source, target, range.table);
        }
        await this.#copy(range, lane, signal);
        this.#leave(range);
        range = this.#workers.size > this.#wanted ? null : this.#take();
        this.#staff(signal);
      }
    } finally {
      if (range !== null) this.#leave(range);
      for (const session of sessions) session.destroy();
    }
  }

  #lane(source: Session, target: Session, table: FerriedTable): Lane {
    return {
      table,
      target,
      reader: new ChunkReader(source, table, this.options.readPoint, this.#memory),
      writer: writerFor(target, table, this.options.bulk),
    };
  }

  async #copy(range: CopyRange, lane: Lane, signal: AbortSignal): Promise<void> {
    const { rowsEstimated, bytesEstimated } = lane.table.table;
    let limit = firstLimit(rowsEstimated, bytesEstimated, this.#room);
    let stale = 0;
    const read = async (): Promise<Chunk> => {
      await this.options.allowed(signal);
      return await lane.reader.next(range, limit, signal);
    };
    let next: Promise<Chunk> | null = read();
    try {
      while (next !== null) {
        const chunk: Chunk = await next;
        if (this.options.held()) {
          // Read ahead, and not to be written now. Kept, it would gather the keys of all that is delivered meanwhile.
          this.#drop(chunk);
          range.rewind(chunk.from);
          next = read();
          continue;
        }
        limit = nextLimit(limit, chunk.rows.count, chunk.rows.size, this.#room);
        next = chunk.last || stale > 0 ? null : read();
        // Its failure is met at the next turn, or below; until then it must not count as unhandled.
        next?.catch(() => {});
        this.#writing++;
        try {
          await this.#write(chunk, lane, signal);
          stale = 0;
        } catch (e) {
          if (!(e instanceof StaleChunk)) throw e;
          // The less is read, and the less lies between reading and sending, the sooner it gets through.
          limit = Math.max(1, chunk.rows.count >> Math.min(++stale, 20));
          if (next !== null) this.#drop(await next);
          range.rewind(chunk.from);
          next = read();
          continue;
        } finally {
          this.#writing--;
          this.#drop(chunk);
        }
        if (next === null && !chunk.last) next = read();
      }
    } finally {
      if (next !== null) await next.then((chunk) => this.#drop(chunk), () => {});
    }
  }

  /** A chunk that is committed, or not to be written. */
  #drop(chunk: Chunk): void {
    // Given back twice, its memory would be that of two chunks at once.
    if (forget(chunk)) this.#memory.give(chunk.rows);
  }

  /** What a chunk may have now. */
  get #room(): ChunkRoom {
    const { settings, pace } = this.options;
    return chunkRoom(settings().chunkBytes, pace(), this.#wanted);
  }

  /** Rows and cursor in one transaction (I5), minus what was touched meanwhile (I2), while no flush is on (I3). */
  async #write(chunk: Chunk, lane: Lane, signal: AbortSignal): Promise<void> {
    const { cursors, own } = this.options;
    const { range, rows } = chunk;
    const release = await lane.table.gate.chunk(signal);
    try {
      for (let attempt = 1;; attempt++) {
        try {
          await lane.writer.prepare();
          await lane.target.run("START TRANSACTION");
          const written = await lane.writer.replace(rows, taker(chunk, lane.table));
          const stored = {
            ...range.stored,
            cursor: chunk.lastKey ?? range.stored.cursor,
            done: chunk.last,
            rows: range.stored.rows + written,
            bytes: range.stored.bytes + rows.size,
          };
          const committed = range.stored.cursor ?? range.stored.lower;
          const earlier = chunk.from === committed ||
            (chunk.from !== null && committed?.equals(chunk.from) === true);
          if (!mayCommitCursor(true, earlier)) {
            throw new FerryError(
              "rule-broken",
              `Cannot commit a chunk of "${tableLabel(lane.table.table)}": an earlier one is not`,
            );
          }
          await cursors.saveCursor(lane.target, own, stored);
          await lane.target.run("COMMIT");
          range.stored = stored;
          this.#tuner.note(rows.size, this.#workers.size, this.options.settings().concurrency);
          this.options.onChunk(lane.table, written, rows.size);
          return;
        } catch (e) {
          if (lane.target.usable) await lane.target.run("ROLLBACK");
          if (!isLockConflict(e) || attempt >= TRIES) throw e;
        }
      }
    } finally {
      release();
    }
  }
}

/** A flush has changed rows of the table since the chunk was read that no event names: it is read again. */
class StaleChunk extends Error {}

/** What a worker holds for the table it is at. */
interface Lane {
  readonly table: FerriedTable;
  readonly target: Session;
  readonly reader: ChunkReader;
  readonly writer: TableWriter;
}

/** Which rows of a chunk may be written; `null` for all. Asked anew for every try. */
function taker(chunk: Chunk, table: FerriedTable): ((i: number) => boolean) | null {
  const { rows, touched } = chunk;
  const { nullBytes } = table.layout;
  return (i) => {
    if (!mayKeepChunk(chunk.epoch, table.epoch)) throw new StaleChunk();
    if (touched.size === 0) return true;
    const b = rows.arena.bytes;
    const start = rows.starts[i];
    return mayWriteRow(touched, keyString(b, start + nullBytes, keyEnd(b, start, nullBytes, table.key)));
  };
}

async function openBoth(open: CopierOptions["open"]): Promise<[Session, Session]> {
  const source = await open("source");
  try {
    return [source, await open("target")];
  } catch (e) {
    source.destroy();
    throw e;
  }
}
