/**
 * Driver commands that hand over and send on packets as bytes: nobody decodes a row (design, The idea).
 * Source: MySQL Internals, COM_STMT_EXECUTE and binary result sets; MariaDB, COM_STMT_BULK_EXECUTE.
 * @module
 */
import { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";
import type { Outcome, RawCommand } from "./session.ts";
import { lenencAt, lenencSize } from "./wire.ts";

/** Largest payload of one packet; longer ones are split. */
const MAX_PAYLOAD = 0xffffff;

type Done<T> = (error: unknown, value?: T) => void;

// deno-lint-ignore no-explicit-any
type Connection = any;
// deno-lint-ignore no-explicit-any
type Packet = any;

/** What mysql2 wants of a command: an emitter that says `end`, and `onResult` for a lost connection. */
abstract class Command<T> extends EventEmitter implements RawCommand {
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
    return this.answer(b, packet.offset, packet.end);
  }

  protected end(error: unknown, value?: T): true {
    const done = this.onResult;
    this.onResult = null;
    done?.(error, value);
    this.emit("end");
    return true;
  }

  protected abstract answer(b: Buffer, start: number, end: number): boolean;
}

/** COM_STMT_EXECUTE that returns rows; `row` gets each row's wire bytes, valid during the call only. Answers their number. */
export class RawRead extends Command<number> {
  #columns = -1;
  #rows = 0;
  #inRows = false;

  /** `payload` has 4 free bytes in front. */
  constructor(
    payload: Buffer,
    private readonly row: (b: Buffer, start: number, end: number) => void,
    done: Done<number>,
  ) {
    super(payload, done);
  }

  protected answer(b: Buffer, start: number, end: number): boolean {
    if (this.#inRows) {
      if (b[start] === 0xfe && end - start < 9) return this.end(null, this.#rows);
      this.#rows++;
      this.row(b, start + 1, end);
      return false;
    }
    if (this.#columns < 0) this.#columns = lenencAt(b, start);
    else if (this.#columns > 0) this.#columns--;
    else this.#inRows = true; // the EOF behind the column definitions
    return false;
  }
}

/** Any command that is answered by one OK or error packet. */
export class RawWrite extends Command<Outcome> {
  protected answer(b: Buffer, start: number): boolean {
    let o = start + 1;
    const affectedRows = lenencAt(b, o);
    o += lenencSize(b[o]);
    o += lenencSize(b[o]);
    return this.end(null, { affectedRows, warnings: b.readUInt16LE(o + 2) });
  }
}

/** Sends a payload that has 4 free bytes in front for the header. */
function sendPayload(connection: Connection, buffer: Buffer): void {
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
