/**
 * Driver commands that hand over and send on packets as bytes: nobody decodes a row (design, The idea).
 * Source: MySQL Internals, COM_STMT_EXECUTE and binary result sets; MariaDB, COM_STMT_BULK_EXECUTE.
 * @module
 */
import { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";
import type { Outcome, RawCommand } from "./session.ts";
import type { RowList } from "./row_list.ts";
import { RowScan } from "./row_scan.ts";
import { lenencAt, lenencSize } from "./wire.ts";

/** Largest payload of one packet; longer ones are split. */
const MAX_PAYLOAD = 0xffffff;

/** What ends a command. */
export type Done<T> = (error: unknown, value?: T) => void;

/** The driver's connection. */
// deno-lint-ignore no-explicit-any
export type Connection = any;
/** The driver's packet. */
// deno-lint-ignore no-explicit-any
export type Packet = any;

/** What mysql2 wants of a command: an emitter that says `end`, and `onResult` for a lost connection. */
export abstract class Command<T> extends EventEmitter implements RawCommand {
  readonly _commandName: string = "Raw";
  onResult: Done<T> | null;
  #started = false;

  constructor(protected readonly payload: Buffer, done: Done<T>) {
    super();
    this.onResult = done;
  }

  stateName(): string {
    return "raw";
  }

  execute(packet: Packet, connection: Connection): boolean {
    if (!this.#started) {
      this.#started = true;
      connection._resetSequenceId();
      sendPayload(connection, this.payload);
      return false;
    }
    const b: Buffer = packet.buffer;
    if (b[packet.offset] === 0xff) return this.end(packet.asError("utf8"));
    return this.answer(b, packet.offset, connection);
  }

  protected end(error: unknown, value?: T): true {
    const done = this.onResult;
    this.onResult = null;
    done?.(error, value);
    this.emit("end");
    return true;
  }

  protected abstract answer(b: Buffer, start: number, connection: Connection): boolean;
}

/** A command that takes what the socket brings itself, for a while: see {@linkcode PacketSplitter}. */
export interface ScanningCommand extends RawCommand {
  /** What comes next goes to {@linkcode scan} and not to the driver. */
  readonly scanning: boolean;
  /** Takes its part, and answers what is behind that, or `null` while all was its own. */
  scan(chunk: Buffer, connection: { sequenceId: number }): Buffer | null;
}

/**
 * COM_STMT_EXECUTE that returns rows, which are appended to a list as they came. Answers their number. Where they are not
 * to be gathered, `drain` is called whenever some have arrived: it uses them, and the list is empty again.
 * The connection has a {@linkcode PacketSplitter}.
 */
export class RawRead extends Command<number> implements ScanningCommand {
  #columns = -1;
  #scan: RowScan | null = null;
  #begun = false;
  #drained = 0;
  readonly #before: number;

  /** `payload` has 4 free bytes in front. */
  constructor(
    payload: Buffer,
    private readonly rows: RowList,
    private readonly drain: (() => void) | null,
    done: Done<number>,
  ) {
    super(payload, done);
    this.#before = rows.count;
  }

  get scanning(): boolean {
    return this.#scan !== null;
  }

  scan(chunk: Buffer, connection: { sequenceId: number }): Buffer | null {
    const scan = this.#scan!;
    const behind = scan.feed(chunk);
    if (this.drain !== null && this.rows.count > 0) {
      this.#drained += this.rows.count;
      this.drain();
      scan.drained();
    }
    if (behind === null) return null;
    connection.sequenceId = scan.sequence;
    this.#scan = null;
    return behind;
  }

  protected answer(b: Buffer, start: number, connection: Connection): boolean {
    if (this.#columns < 0) {
      this.#columns = lenencAt(b, start);
      return false;
    }
    if (this.#columns > 0) {
      this.#columns--;
      return false;
    }
    if (this.#begun) return this.end(null, this.#drained + this.rows.count - this.#before);
    // The EOF behind the column definitions
    this.#begun = true;
    this.#scan = new RowScan(this.rows, connection.sequenceId);
    return false;
  }
}

/** Any command that is answered by one OK or error packet. */
export class RawWrite extends Command<Outcome> {
  protected answer(b: Buffer, start: number): boolean {
    return this.end(null, outcomeOf(b, start));
  }
}

function outcomeOf(b: Buffer, start: number): Outcome {
  let o = start + 1;
  const affectedRows = lenencAt(b, o);
  o += lenencSize(b[o]);
  o += lenencSize(b[o]);
  return { affectedRows, warnings: b.readUInt16LE(o + 2) };
}

/** Commands that are sent before the answer to the one before them is there. */
const WINDOW = 2;

/**
 * Many commands, each answered by one OK or error packet, with the next one on its way while the server works at one:
 * neither waits for the other. `next` makes a payload (4 free bytes in front) in the turn in which it is sent, `null`
 * when there is no more; its memory must stay as it is until the command after it has been answered. `answered` is told
 * each answer in order. What was sent behind a command that failed is executed all the same: have it in one transaction,
 * on a session without autocommit (a deadlock ends the transaction, and what follows would commit by itself).
 */
export class RawPipeline extends EventEmitter implements RawCommand {
  readonly _commandName = "Raw";
  onResult: Done<void> | null;
  #started = false;
  #open = 0;
  /** A payload of several packets has another sequence: it goes alone. */
  #alone = false;
  #held: Buffer | null = null;
  #failure: unknown = null;

  /** `done` gets what `next` threw; what the server refuses is for `answered`. */
  constructor(
    private readonly next: () => Buffer | null,
    private readonly answered: (error: unknown, outcome: Outcome | null) => void,
    done: Done<void>,
  ) {
    super();
    this.onResult = done;
  }

  stateName(): string {
    return "raw";
  }

  execute(packet: Packet, connection: Connection): boolean {
    if (this.#started) {
      this.#open--;
      const b: Buffer = packet.buffer;
      if (b[packet.offset] === 0xff) this.answered(packet.asError("utf8"), null);
      else this.answered(null, outcomeOf(b, packet.offset));
    }
    this.#started = true;
    if (!this.#alone || this.#open === 0) this.#fill(connection);
    if (this.#open > 0) return false;
    const done = this.onResult;
    this.onResult = null;
    done?.(this.#failure);
    this.emit("end");
    return true;
  }

  #next(): Buffer | null {
    if (this.#failure !== null) return null;
    try {
      return this.next();
    } catch (e) {
      this.#failure = e;
      return null;
    }
  }

  #fill(connection: Connection): void {
    this.#alone = false;
    while (this.#open < WINDOW) {
      const payload = this.#held ?? this.#next();
      this.#held = null;
      if (payload === null) break;
      const large = payload.length - 4 >= MAX_PAYLOAD;
      if (large && this.#open > 0) {
        this.#held = payload;
        break;
      }
      connection._resetSequenceId();
      sendPayload(connection, payload);
      this.#open++;
      this.#alone = large;
      if (large) return;
    }
    // The driver expects the answer of what was sent last; the next one is to a command of one packet.
    connection.sequenceId = 1;
  }
}

/** Sends a payload that has 4 free bytes in front for the header. */
export function sendPayload(connection: Connection, buffer: Buffer): void {
  let left = buffer.length - 4;
  if (left < MAX_PAYLOAD) {
    header(buffer, left, connection);
    connection.write(buffer);
    return;
  }
  for (let o = 4;;) {
    const n = Math.min(left, MAX_PAYLOAD);
    const head = Buffer.allocUnsafe(4);
    header(head, n, connection);
    connection.write(head);
    if (n > 0) connection.write(buffer.subarray(o, o + n));
    o += n;
    left -= n;
    if (n < MAX_PAYLOAD) return;
  }
}

function header(b: Buffer, length: number, connection: Connection): void {
  b.writeUIntLE(length, 0, 3);
  b[3] = connection.sequenceId;
  connection._bumpSequenceId(1);
}
