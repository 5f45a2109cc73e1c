/**
 * A growing run of bytes that rows are written into one behind another, so that no row is an object.
 * @module
 */
import { Buffer } from "node:buffer";

/** One growing buffer; `end` is where the next byte goes. Offsets stay valid when it grows, `bytes` does not. */
export class Arena {
  /** The memory. Take it anew after every `reserve`. */
  bytes: Buffer;
  /** Bytes in use. */
  end = 0;

  /** Starts with room for `capacity` bytes. */
  constructor(capacity = 1 << 16) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
  }

  /** Makes room for `n` more bytes. */
  reserve(n: number): void {
    const need = this.end + n;
    if (need <= this.bytes.length) return;
    // Doubling what is large already would cost more memory than copying it now and then costs time.
    const factor = this.bytes.length < 1 << 20 ? 2 : 1.25;
    const grown = Buffer.allocUnsafeSlow(Math.max(need, Math.ceil(this.bytes.length * factor)));
    this.bytes.copy(grown, 0, 0, this.end);
    this.bytes = grown;
  }

  /** Appends `source[start, end)` and returns where it begins. */
  append(source: Buffer, start: number, end: number): number {
    const n = end - start;
    this.reserve(n);
    const at = this.end;
    if (n < 64) {
      const to = this.bytes;
      for (let i = 0; i < n; i++) to[at + i] = source[start + i];
    } else source.copy(this.bytes, at, start, end);
    this.end = at + n;
    return at;
  }

  /** Forgets what was written; memory above `keep` bytes is given back. */
  clear(keep = 1 << 22): void {
    this.end = 0;
    if (this.bytes.length > keep) this.bytes = Buffer.allocUnsafeSlow(1 << 16);
  }
}
