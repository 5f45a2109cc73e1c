/**
 * The table maps in force, each bound by the handler once.
 * @module
 */
import { Buffer } from "node:buffer";
import { parseTableMap, tableIdAt } from "./table_map.ts";
import type { BoundTable, TailHandler } from "./tail_handler.ts";

/** A table map that the handler wants rows of. */
export interface BoundMap<T> {
  /** What the handler bound. */
  readonly table: T;
  /** Columns of an image. */
  readonly columnCount: number;
}

interface Entry<T> {
  readonly body: Buffer;
  readonly bound: BoundMap<T> | null;
}

/** A source hands out new ids whenever it opens a table anew; more of them than this are forgotten at once. */
const LIMIT = 4096;

/** Table ids to what they are bound to. */
export class TableMaps<T extends BoundTable> {
  readonly #handler: Pick<TailHandler<T>, "bind">;
  readonly #entries = new Map<number, Entry<T>>();

  /** Maps are bound by `handler`. */
  constructor(handler: Pick<TailHandler<T>, "bind">) {
    this.#handler = handler;
  }

  /** Takes a TABLE_MAP body. Known is one of the same id *and* bytes: ids begin anew when a source restarts. */
  take(b: Buffer, o: number, end: number): void {
    const id = tableIdAt(b, o);
    const known = this.#entries.get(id);
    if (known !== undefined && equal(known.body, b, o, end)) return;
    const map = parseTableMap(b, o, end);
    this.#entries.delete(id); // should bind throw
    const table = this.#handler.bind(map);
    this.#entries.set(id, {
      body: Buffer.from(b.subarray(o, end)),
      bound: table === null ? null : { table, columnCount: map.columnCount },
    });
  }

  /** What the id is bound to; `null` where its rows are not wanted, `undefined` where no map was seen. */
  find(id: number): BoundMap<T> | null | undefined {
    return this.#entries.get(id)?.bound;
  }

  /** Between transactions only: every transaction brings its own maps. */
  prune(): void {
    if (this.#entries.size > LIMIT) this.#entries.clear();
  }
}

function equal(body: Buffer, b: Buffer, o: number, end: number): boolean {
  if (body.length !== end - o) return false;
  for (let i = 0; i < body.length; i++) if (body[i] !== b[o + i]) return false;
  return true;
}
