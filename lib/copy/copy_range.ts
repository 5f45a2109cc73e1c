/**
 * A range of a table's key while it is copied: what is stored of it, and how far reading has come.
 * @module
 */
import type { Buffer } from "node:buffer";
import type { StoredRange } from "../state/cursor_store.ts";
import type { FerriedTable } from "./ferried_table.ts";
import { integerKey } from "./integer_key.ts";
import type { IntegerKey, RangeView } from "./rules.ts";

/** Mutable view for the rules; only this module writes it. */
interface View extends RangeView {
  readThrough: IntegerKey | null;
  readInProgress: boolean;
  readToEnd: boolean;
}

/** One range under way. */
export class CopyRange {
  readonly #view: View;
  /** Where the next read begins, exclusive; `null` from the first. */
  readFrom: Buffer | null;
  /** Its first row's key, where it was read from its beginning; for the picture of it alone. */
  first: Buffer | null = null;

  /** `stored` is the last committed state and is replaced at each commit. */
  constructor(readonly table: FerriedTable, public stored: StoredRange) {
    const value = (b: Buffer | null) =>
      b === null || !table.comparable ? null : integerKey(b, 0, table.key[0]);
    this.readFrom = stored.cursor ?? stored.lower;
    this.#view = {
      lower: value(stored.lower),
      upper: value(stored.upper),
      readThrough: value(stored.cursor),
      readInProgress: false,
      readToEnd: stored.done,
    };
  }

  /** For the rules (I4). */
  get view(): RangeView {
    return this.#view;
  }

  /** What was read behind this key was not written and is to be read again. No read is under way. */
  rewind(from: Buffer | null): void {
    this.readFrom = from;
    this.#view.readThrough = from === null || !this.table.comparable
      ? null
      : integerKey(from, 0, this.table.key[0]);
    this.#view.readToEnd = false;
  }

  /** A chunk begins to register. */
  beginRead(): void {
    this.#view.readInProgress = true;
  }

  /** The chunk's rows are at hand. */
  endRead(lastKey: Buffer | null, toEnd: boolean): void {
    if (lastKey !== null) {
      this.readFrom = lastKey;
      if (this.table.comparable) this.#view.readThrough = integerKey(lastKey, 0, this.table.key[0]);
    }
    this.#view.readToEnd = toEnd;
    this.#view.readInProgress = false;
  }
}
