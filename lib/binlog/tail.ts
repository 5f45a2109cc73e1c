/**
 * Following a source's binlog: a stream of events, read and told to a handler.
 * @module
 */
import { BinlogStream } from "./binlog_stream.ts";
import { EventReader } from "./event_reader.ts";
import type { BinlogPosition } from "./position.ts";
import type { BoundTable, TailHandler } from "./tail_handler.ts";

export type { BoundTable, TailHandler, TransactionEnd } from "./tail_handler.ts";

/** What a tail needs. */
export interface BinlogTailOptions<T extends BoundTable> {
  /** mysql2 connection options: host, port, user, password, ssl. */
  readonly connection: Record<string, unknown>;
  /** Our id among the source's replicas; no other may have it. */
  readonly serverId: number;
  /** Where to begin: a place between two transactions. */
  readonly start: BinlogPosition;
  /** MySQL with GTIDs: begin behind this set of transactions instead; `""` is all that the source still has. */
  readonly startGtids?: string;
  /** What the transaction before said of XA transactions that are prepared. */
  readonly prepared?: readonly string[];
  /** Is told what happens. */
  readonly handler: TailHandler<T>;
  /** Seconds of silence after which the server says that it is there. Default 5. */
  readonly heartbeatSeconds?: number;
  /** Seconds without a byte, while not paused, after which the connection counts as lost. Default 20. */
  readonly watchdogSeconds?: number;
}

/** One run over the binlog; a failed or stopped one is not started again, another is made from the saved position. */
export class BinlogTail<T extends BoundTable> {
  /** Resolves when the tail was stopped; rejects with why it died. */
  readonly done: Promise<void>;
  readonly #done = Promise.withResolvers<void>();
  readonly #stream: BinlogStream;
  #signal: AbortSignal | null = null;
  readonly #onAbort = () => void this.stop();

  /** Nothing happens before {@link start}. */
  constructor(options: BinlogTailOptions<T>) {
    this.done = this.#done.promise;
    this.done.catch(() => {}); // may be looked at later
    const reader = new EventReader<T>(options.start, options.handler, options.prepared);
    this.#stream = new BinlogStream({
      connection: options.connection,
      serverId: options.serverId,
      start: options.start,
      startGtids: options.startGtids ?? null,
      heartbeatSeconds: options.heartbeatSeconds ?? 5,
      watchdogSeconds: options.watchdogSeconds ?? 20,
      event: (b, o, end) => reader.read(b, o, end),
      failed: (error) => this.#done.reject(error),
    });
  }

  /** Connects; resolves when events flow. `signal` stops the tail, also later on. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort, { once: true });
    try {
      await this.#stream.open();
    } catch (e) {
      await this.stop();
      throw signal.aborted ? signal.reason : e;
    }
  }

  /** Stops reading; what is under way is still told. */
  pause(): void {
    this.#stream.pause();
  }

  /** Reads on. */
  resume(): void {
    this.#stream.resume();
  }

  /** Stops for good; resolves when nothing is left of it, here and on the source. Needed also after it died. */
  async stop(): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    await this.#stream.close();
    this.#done.resolve();
  }
}
