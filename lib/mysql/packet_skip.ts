/**
 * Finds where packets end, without reading what they hold.
 * @module
 */
import type { Buffer } from "node:buffer";

/** A number of packets that are passed over. A payload of 16 MiB and more is several. */
export class PacketSkip {
  /** Bytes of the packet's header that are here, and the length that they tell so far. */
  #header = 0;
  #length = 0;
  /** Bytes of its payload that are not here yet. */
  #left = 0;

  /** `sequence`: the number of the first of them. */
  constructor(private packets: number, private next: number) {}

  /** The number of the packet behind them. */
  get sequence(): number {
    return this.next & 255;
  }

  /** Takes what has arrived. Answers what is behind the last packet, `null` where there is more to come of them. */
  feed(chunk: Buffer): Buffer | null {
    let o = 0;
    while (this.packets > 0) {
      for (; this.#header < 4 && o < chunk.length; o++) {
        if (this.#header < 3) this.#length |= chunk[o] << (8 * this.#header);
        if (++this.#header === 4) this.#left = this.#length;
      }
      if (this.#header < 4) return null;
      const taken = Math.min(this.#left, chunk.length - o);
      this.#left -= taken;
      o += taken;
      if (this.#left > 0) return null;
      this.#header = this.#length = 0;
      this.packets--;
      this.next++;
    }
    return chunk.subarray(o);
  }
}
