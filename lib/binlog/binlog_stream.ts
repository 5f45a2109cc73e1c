/**
 * The connection that a source's binlog comes through. The driver (@vlasky/zongji) connects, logs in and asks for the
 * dump; from then on its packets go to us as bytes (design, Replay). Packets share memory with the socket.
 * @module
 */
import type { Buffer } from "node:buffer";
import ZongJi from "@vlasky/zongji";
import { errorNumber, errorText, FerryError } from "../errors.ts";
import { isConnectionLoss } from "../mysql/passing_errors.ts";
import { EventType } from "./event_header.ts";
import { type BinlogPosition, positionText } from "./position.ts";

/** What a stream needs. */
export interface BinlogStreamOptions {
  /** The driver's connection options: host, port, user, password, ssl. */
  readonly connection: Record<string, unknown>;
  /** Our id among the source's replicas; unique. */
  readonly serverId: number;
  /** Where to begin. */
  readonly start: BinlogPosition;
  /** Begin behind this set of transactions instead; `null`: begin at `start`. */
  readonly startGtids: string | null;
  /** Seconds of silence after which the server says that it is there. */
  readonly heartbeatSeconds: number;
  /** Seconds without a byte after which the connection counts as lost. */
  readonly watchdogSeconds: number;
  /** Takes one event, `b[o, end)` with its checksum. A throw ends the stream. */
  readonly event: (b: Buffer, o: number, end: number) => void;
  /** Told once why the stream is over; never after `close`. */
  readonly failed: (error: unknown) => void;
}

/** What we use of the driver beyond its types, all checked in {@link BinlogStream} or held by tests. */
interface Driver {
  // deno-lint-ignore no-explicit-any
  readonly connection: any;
  // deno-lint-ignore no-explicit-any
  readonly ctrlConnection: any;
  readonly useChecksum: boolean;
  readonly BinlogClass?: { readonly prototype?: { binlogData?: unknown } };
  on(event: "error", listener: (error: unknown) => void): void;
  on(event: "ready", listener: () => void): void;
  once(event: "stopped", listener: () => void): void;
  start(options: Record<string, unknown>): void;
  stop(): void;
}

/** A mysql2 packet; byte 0 of its payload is 0 in front of an event. */
interface Packet {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly end: number;
}

type Take = (this: unknown, packet: Packet, connection: unknown) => unknown;

/** The largest offset that can be asked for: the request has 32 bits for it. */
export const MAX_START = 0xffff_ffff;
/** Seconds that the server waits for us to read on, as long as a ferry is held, and the control connection for a word. */
const WEEKS = 2_147_483;

/** One dump, from `open` to `close`. */
export class BinlogStream {
  readonly #options: BinlogStreamOptions;
  readonly #driver: Driver;
  #watchdog: ReturnType<typeof setInterval> | undefined;
  #bytesSeen = -1;
  #lastByteAt = 0;
  #paused = false;
  #flowing = false;
  #over = false;
  #closing: Promise<void> | null = null;
  readonly #opened = Promise.withResolvers<void>();

  /** Nothing happens before {@link open}. */
  constructor(options: BinlogStreamOptions) {
    this.#options = options;
    this.#driver = new ZongJi(options.connection) as unknown as Driver;
    this.#opened.promise.catch(() => {}); // who does not wait for it, listens to `failed`
  }

  /** Connects and asks for the dump; resolves with its first event. */
  open(): Promise<void> {
    const { start, startGtids, serverId } = this.#options;
    if (startGtids === null && start.offset > MAX_START) {
      const at = positionText(start);
      this.#fail(
        new FerryError("binlog-position-too-large", `Cannot begin at "${at}": the protocol ends at 4 GiB`),
      );
      return this.#opened.promise;
    }
    this.#driver.on("error", (e) => this.#fail(this.#explain(e)));
    this.#driver.on("ready", () => this.#prepare());
    // Also before the first event: a handshake that never comes is silence too.
    this.#heard();
    this.#watchdog = setInterval(() => this.#watch(), Math.min(1000, this.#options.watchdogSeconds * 250));
    this.#driver.start(
      startGtids === null
        ? { serverId, filename: start.file, position: start.offset }
        : { serverId, gtidSet: startGtids },
    );
    return this.#opened.promise;
  }

  /** Stops reading; the server waits. */
  pause(): void {
    this.#paused = true;
    if (this.#flowing && !this.#over) this.#driver.connection?.pause();
  }

  /** Reads on. */
  resume(): void {
    this.#paused = false;
    this.#heard();
    if (this.#flowing && !this.#over) this.#driver.connection?.resume();
  }

  /** Ends the dump on both sides and resolves when no socket or timer is left. */
  close(): Promise<void> {
    this.#over = true;
    this.#opened.reject(new FerryError("tail-stopped", "Cannot follow the binlog: the tail was stopped"));
    this.#closing ??= this.#shut();
    return this.#closing;
  }

  async #shut(): Promise<void> {
    clearInterval(this.#watchdog);
    const driver = this.#driver;
    const connections = [driver.connection, driver.ctrlConnection].filter(Boolean);
    const closed = connections.map((c) => closing(c.stream));
    const stopped = new Promise<void>((resolve) => driver.once("stopped", resolve));
    driver.stop(); // kills the dump's thread on the server
    await stopped;
    for (const c of connections) {
      clearTimeout(c.connectTimeout);
      c.stream.destroy();
    }
    await Promise.all(closed);
  }

  /** The driver is about to ask for the dump: dress the session, and take its packets over. */
  #prepare(): void {
    const { connection, ctrlConnection, BinlogClass } = this.#driver;
    const prototype = BinlogClass?.prototype;
    const original = prototype?.binlogData;
    if (prototype === undefined || typeof original !== "function" || !connection?.stream) {
      return this.#fail(
        new FerryError(
          "binlog-driver-changed",
          "Cannot read the binlog: the driver is not the one this was made for",
          {
            hint: "Use @vlasky/zongji 0.9.0",
          },
        ),
      );
    }
    const failed = (e: unknown) => {
      if (e) this.#fail(this.#explain(e));
    };
    const period = Math.round(this.#options.heartbeatSeconds * 1e9);
    for (
      const statement of [
        `SET SESSION net_write_timeout=${WEEKS}`,
        `SET @master_heartbeat_period=${period}, @source_heartbeat_period=${period}`,
        // Also where the source writes no checksums now: its older files may have them.
        "SET @master_binlog_checksum='CRC32', @source_binlog_checksum='CRC32'",
      ]
    ) connection.query(statement, failed);
    ctrlConnection.query(`SET SESSION wait_timeout=${WEEKS}`, failed);
    prototype.binlogData = this.#taker(original as Take);
  }

  #taker(original: Take): Take {
    const take: Take = (packet, connection) => {
      if (this.#over) return take;
      try {
        this.#take(packet);
        // The driver keeps its own books of file and checksum by these two.
        const type = packet.buffer[packet.offset + 5];
        if (type === EventType.ROTATE || type === EventType.FORMAT_DESCRIPTION) {
          original.call(take, packet, connection);
        }
      } catch (e) {
        this.#fail(e); // the reader's or a handler's: as it is
      }
      return take;
    };
    return take;
  }

  #take(packet: Packet): void {
    if (!this.#flowing) {
      this.#flowing = true;
      if (this.#paused) this.#driver.connection.pause();
      this.#opened.resolve();
    }
    const { buffer, offset, end } = packet;
    if (buffer[offset] !== 0) throw lost("the source ended the stream");
    this.#options.event(buffer, offset + 1, end);
  }

  #heard(): void {
    this.#lastByteAt = performance.now();
  }

  #watch(): void {
    const bytes = this.#driver.connection?.stream?.bytesRead ?? 0;
    if (bytes !== this.#bytesSeen || (this.#paused && this.#flowing)) {
      this.#bytesSeen = bytes;
      return this.#heard();
    }
    const silence = (performance.now() - this.#lastByteAt) / 1000;
    if (silence > this.#options.watchdogSeconds) {
      this.#fail(lost(`not a byte came for ${Math.round(silence)} s`));
    }
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#opened.reject(error);
    this.#options.failed(error);
    this.#closing ??= this.#shut();
  }

  /** What the driver reports, told apart by number and code. */
  #explain(e: unknown): FerryError {
    const number = errorNumber(e);
    if (number === FATAL_READING_BINLOG) {
      const at = this.#options.startGtids ?? positionText(this.#options.start);
      return new FerryError("binlog-purged", `Cannot read the binlog from "${at}": ${errorText(e)}`, {
        hint: "Keep binlogs longer on the source, and start another ferry",
        cause: e,
      });
    }
    if (number !== null && ACCESS_DENIED.has(number)) {
      return new FerryError("source-access-denied", `Cannot read the source's binlog: ${errorText(e)}`, {
        hint: "The user needs REPLICATION SLAVE",
        cause: e,
      });
    }
    if (isConnectionLoss(e)) return lost(errorText(e), e);
    return new FerryError("binlog-stream-failed", `Cannot read the source's binlog: ${errorText(e)}`, {
      cause: e,
    });
  }
}

const FATAL_READING_BINLOG = 1236;
/** 1044/1045/1698 login, 1142/1227 privilege. */
const ACCESS_DENIED = new Set([1044, 1045, 1142, 1227, 1698]);

function lost(state: string, cause?: unknown): FerryError {
  return new FerryError("source-connection-lost", `Cannot follow the source's binlog: ${state}`, {
    retryable: true,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Resolves when a socket is closed for good. */
// deno-lint-ignore no-explicit-any
function closing(stream: any): Promise<void> {
  if (!stream || stream.closed) return Promise.resolve();
  return new Promise((resolve) => stream.once("close", resolve));
}
