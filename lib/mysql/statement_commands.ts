/**
 * Driver commands that prepare and close statements, without an object for each parameter.
 * Source: MySQL Internals, "COM_STMT_PREPARE", "COM_STMT_CLOSE".
 * @module
 */
import { Buffer } from "node:buffer";
import { PacketSkip } from "./packet_skip.ts";
import {
  Command,
  type Connection,
  type Done,
  type Packet,
  type ScanningCommand,
  sendPayload,
} from "./raw_commands.ts";

/**
 * COM_STMT_PREPARE. Answers the statement's number. What the server says of each parameter is passed over: a statement
 * of a thousand rows has thousands of them.
 */
export class RawPrepare extends Command<number> implements ScanningCommand {
  #statement = -1;
  #skip: PacketSkip | null = null;

  /** For this text, in UTF-8. */
  constructor(sql: string, done: Done<number>) {
    const payload = Buffer.allocUnsafe(5 + Buffer.byteLength(sql));
    payload[4] = 0x16;
    payload.write(sql, 5);
    super(payload, done);
  }

  get scanning(): boolean {
    return this.#skip !== null;
  }

  scan(chunk: Buffer, connection: { sequenceId: number }): Buffer | null {
    const behind = this.#skip!.feed(chunk);
    if (behind === null) return null;
    connection.sequenceId = this.#skip!.sequence;
    this.#skip = null;
    return behind;
  }

  protected answer(b: Buffer, start: number, connection: Connection): boolean {
    if (this.#statement >= 0) return this.end(null, this.#statement);
    this.#statement = b.readUInt32LE(start + 1);
    const [columns, parameters] = [b.readUInt16LE(start + 5), b.readUInt16LE(start + 7)];
    // Each list is followed by an EOF; the last one comes here again.
    const packets = (columns > 0 ? columns + 1 : 0) + (parameters > 0 ? parameters + 1 : 0);
    if (packets === 0) return this.end(null, this.#statement);
    this.#skip = new PacketSkip(packets - 1, connection.sequenceId);
    return false;
  }
}

/** COM_STMT_CLOSE, which nobody answers. */
export class RawClose extends Command<void> {
  /** For the statement with this number. */
  constructor(statement: number) {
    const payload = Buffer.allocUnsafe(9);
    payload[4] = 0x19;
    payload.writeUInt32LE(statement, 5);
    super(payload, () => {});
  }

  override execute(_packet: Packet, connection: Connection): boolean {
    connection._resetSequenceId();
    sendPayload(connection, this.payload);
    return this.end(null);
  }

  protected answer(): boolean {
    return true;
  }
}
