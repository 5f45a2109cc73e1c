/**
 * A growing run of bytes that rows are written into one behind another, so that no row is an object.
 * @module
 */
import { Buffer } from "node:buffer";

/** Runs up to this length are copied eight bytes at a time: a call of the runtime's own copy costs more than they do. */
const SHORT = 128;

/** One growing buffer; `end` is where the next byte goes. Offsets stay valid when it grows, `bytes` does not. */
export class Arena {
  /** The memory. Take it anew after every `reserve`. */
  bytes: Buffer;
  /** The same memory, for numbers. */
  view: DataView;
  /** Bytes in use. */
  end = 0;

  /** Starts with room for `capacity` bytes. */
  constructor(capacity = 1 << 16) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `n` more bytes. */
  reserve(n: number): void {
    const need = this.end + n;
    if (need <= this.bytes.length) return;
    // Doubling what is large already would cost more memory than copying it now and then costs time.
    const factor = this.bytes.length < 1 << 20 ? 2 : 1.25;
    const grown = Buffer.allocUnsafeSlow(Math.max(need, Math.ceil(this.bytes.length * factor)));
    grown.set(this.bytes.subarray(0, this.end));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  /** Appends `source[start, end)` and returns where it begins. */
  append(source: Buffer, start: number, end: number): number {
    const n = end - start;
    this.reserve(n);
    const at = this.end;
    if (n < 32) {
      const to = this.bytes;
      for (let i = 0; i < n; i++) to[at + i] = source[start + i];
    } else this.bytes.set(source.subarray(start, end), at);
    this.end = at + n;
    return at;
  }

  /** Appends `[start, end)` of another arena: the way of every value that is copied. */
  appendFrom(from: Arena, start: number, end: number): void {
    const n = end - start;
    this.reserve(n);
    if (n > SHORT) this.bytes.set(from.bytes.subarray(start, end), this.end);
    else copyShort(from, start, this, this.end, n);
    this.end += n;
  }

  /** Forgets what was written; memory above `keep` bytes is given back. */
  clear(keep = 1 << 22): void {
    this.end = 0;
    if (this.bytes.length > keep) {
      this.bytes = Buffer.allocUnsafeSlow(1 << 16);
      this.view = new DataView(this.bytes.buffer);
    }
  }
}

/** Copies `n` bytes between two arenas; there is room for them. */
export function copyShort(from: Arena, start: number, to: Arena, at: number, n: number): void {
  const [source, target] = [from.view, to.view];
  let i = 0;
  for (; i + 8 <= n; i += 8) target.setBigUint64(at + i, source.getBigUint64(start + i, true), true);
  const [b, out] = [from.bytes, to.bytes];
  for (; i < n; i++) out[at + i] = b[start + i];
}
