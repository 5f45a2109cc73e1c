/**
 * Stands before the driver's packet parser and hands it one packet after another, so that what follows the last of them
 * can be taken from it: rows.
 * @module
 */
import type { Buffer } from "node:buffer";
import { PacketSkip } from "./packet_skip.ts";
import type { ScanningCommand } from "./raw_commands.ts";

/** What of the driver's connection is used here. */
export interface DriverConnection {
  /** Gets what the socket brings. */
  packetParser: { execute(chunk: Buffer): unknown };
  /** The command that is being answered. */
  readonly _command: Partial<ScanningCommand> | null | undefined;
  /** The number that the next packet has. */
  sequenceId: number;
  /** The connection. */
  readonly stream: { destroy(): unknown };
  /** Fails the command that is being answered, and what is queued. */
  _handleFatalError(error: unknown): void;
}

/** The parser of one connection. */
export class PacketSplitter {
  readonly #driver: { execute(chunk: Buffer): unknown };
  /** The packet in hand. */
  #packet = new PacketSkip(1, 0);

  private constructor(private readonly connection: DriverConnection) {
    this.#driver = connection.packetParser;
  }

  /** From here on this connection's rows go past the driver. Between two commands only. */
  static install(connection: DriverConnection): void {
    connection.packetParser = new PacketSplitter(connection);
  }

  /** Takes what the socket brings. */
  execute(chunk: Buffer): void {
    let rest: Buffer | null = chunk;
    try {
      while (rest !== null && rest.length > 0) {
        const command = this.connection._command;
        rest = command?.scanning === true ? command.scan!(rest, this.connection) : this.#pass(rest);
      }
    } catch (e) {
      this.connection._handleFatalError(e);
      this.connection.stream.destroy();
    }
  }

  /** Hands the driver what belongs to the packet in hand, and answers what is behind it; `null` while it goes on. */
  #pass(chunk: Buffer): Buffer | null {
    const behind = this.#packet.feed(chunk);
    if (behind !== null) this.#packet = new PacketSkip(1, 0);
    this.#driver.execute(behind === null ? chunk : chunk.subarray(0, chunk.length - behind.length));
    return behind;
  }
}
