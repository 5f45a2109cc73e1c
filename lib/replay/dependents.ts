/**
 * Follows a flush to rows that no event names: children that a cascade on the source has changed, and children whose
 * parent has come or gone under `through`. Everything happens in the flush's own transaction, behind its deletes and
 * replaces and before its position (I5), while the gates of all tables that may be reached are held (I3).
 *
 * **Cascades.** Whatever a cascade did began at a parent's key that went or moved, and that the tail has told of; the keys
 * that went are kept even where a later image of them came (`key_notes.ts`). Children are looked up on the target, which
 * still has them as they were, or as the batch has just made them. They are read again from the source, freshly: what is
 * there is written, what is not there is removed, and where a child may have gone or moved its own key is followed
 * likewise. The read may be newer than the batch. What it saw too early is told by events to come, or by the next parent's
 * key to be followed, so the target is wrong for no longer than that. Children that took over a new key may be known to
 * nobody under it: they are looked up on the source by the parent's new key.
 *
 * What is followed through a table in the middle may break off there, where the row in the middle is not on the target: not
 * yet and never, since it was not copied when it went, or no more, since a read before the event has seen it go. So the
 * key of a row that is inserted there is followed as if it had gone (the insert proves that it was free just before), a
 * child that was written and whose parent is not there is read again, later than that was seen, and when the copy is
 * through, all children without a parent are ({@linkcode Dependents.orphans}).
 *
 * **`through`.** Parents first: a key that was on the target before the batch and is no more has *left*, its children go;
 * one that is there and was not has *entered*, its children are read from the source, freshly, without asking whether the
 * parent is meant there: the target's parents say so. A key with several events may have left and come back between two
 * reads, so its children are read again, or removed, as it ends. Children that the batch itself has written stay only where
 * their parent is on the target. A chunk's own reading asks the source for the parent (EXISTS) at a moment R, while the
 * target's parents stand at P < R: every difference between the two is a transition in (P, R], and each of them is
 * delivered and followed after. A chunk that was read before such a flush and would be sent behind it is read again (the
 * table's epoch, `mayKeepChunk`). Where a parent has come and gone while its grandchildren were being read, its children
 * never got to the target to lead there: what is left without a parent is looked at again when the copy is through.
 * @module
 */
import type { FerriedTable } from "../copy/ferried_table.ts";
import { quoteName, quoteTable } from "../mysql/identifier.ts";
import { keyBytes, keyString, RowList } from "../mysql/row_list.ts";
import { keyEnd, RowReader } from "../mysql/row_reader.ts";
import type { Session } from "../mysql/session.ts";
import type { TableWriter } from "../mysql/table_writer.ts";
import { CascadeSearch } from "./cascade_search.ts";
import type { CascadeLink, Dependencies } from "./dependencies.ts";
import { addAll, type KeySets } from "./key_sets.ts";
import { RowLookup } from "./row_lookup.ts";
import type { Batch } from "./replayer.ts";
import type { SourceReads } from "./source_reads.ts";

/** Keys whose rows are read and written at a time. */
const SLICE = 2000;

/** What was on the target before a batch. */
export interface Before {
  /** Of the keys that a choosing table has events of, those that it had. */
  readonly there: KeySets;
  /** Children that a cascade may have changed, where an image of the batch may take their place by another unique key. */
  readonly children: KeySets;
}

/** Gives a table's writer, within the flush's transaction. */
export type Writers = (table: FerriedTable) => TableWriter;

/** Follows batches, one at a time. */
export class Dependents {
  readonly #target: RowLookup;
  readonly #tables: readonly FerriedTable[];

  /** `target` is the flush's own session. */
  constructor(
    private readonly dependencies: Dependencies,
    target: Session,
    readonly source: SourceReads,
  ) {
    this.#target = new RowLookup(target, "target");
    const { cascades, throughs } = dependencies;
    const links = [...cascades.values(), ...throughs.values()].flat();
    this.#tables = [...new Set(links.map((link) => link.child))];
  }

  /** Tables are being copied whose chunks a flush may make stale. */
  get copying(): boolean {
    return this.#tables.some((table) => !table.copied);
  }

  /** Looks at the target before anything of the batch is written. */
  async before({ notes }: Batch): Promise<Before> {
    const there: KeySets = new Map();
    const children: KeySets = new Map();
    for (const [table, { seen, gone }] of [...notes.settled, ...notes.open]) {
      if (this.dependencies.throughs.has(table)) {
        addAll(there, table, await this.#target.keys(table, keyOf(table), seen));
      }
      for (const link of this.dependencies.cascades.get(table) ?? []) {
        if (!link.child.targetHasUnique) continue;
        addAll(children, link.child, await this.#target.keys(link.child, link.columns, gone));
      }
    }
    return { there, children };
  }

  /** Behind the batch's own deletes and replaces. */
  async follow(batch: Batch, before: Before, writer: Writers, signal: AbortSignal): Promise<void> {
    if (this.dependencies.none) return;
    const rewritten = await this.#followCascades(batch, before, writer, signal);
    await this.#followParents(batch, before, rewritten, writer, signal);
  }

  /**
   * Children on the target that a cascade or a parent's leaving may have passed by, because what lies in the middle never
   * got there.
   */
  async orphans(session: Session): Promise<KeySets> {
    const found: KeySets = new Map();
    const { passed, throughs } = this.dependencies;
    const chosen = [...throughs.values()].flat();
    for (const link of [...passed, ...chosen]) {
      const { child } = link;
      const key = child.targetLayout.columns.slice(0, child.layout.keyColumns);
      const sql = `SELECT ${key.map((c) => c.select).join(",")} FROM ${quoteTable(child.target)} WHERE ${
        chosen.includes(link) ? `NOT ${parentExists(link)}` : hasNoParent(link)
      }`;
      const nullBytes = (key.length + 9) >> 3;
      const keys = new Set<string>();
      await new RowReader(session, sql, key, [], false).read(
        [],
        0,
        (b, start, end) => keys.add(keyString(b, start + nullBytes, end)),
      );
      if (keys.size > 0) addAll(found, child, keys);
    }
    return found;
  }

  /** Answers which rows were read again. */
  async #followCascades(
    batch: Batch,
    before: Before,
    writer: Writers,
    signal: AbortSignal,
  ): Promise<KeySets> {
    const { notes, changes } = batch;
    const moved = [...notes.settled].filter(([, n]) => n.gone.size + n.came.size + n.suspect.size > 0);
    for (const table of this.dependencies.reach(moved.map(([table]) => table))) table.epoch++;
    const read: KeySets = new Map();
    const reread = async (seed: (search: CascadeSearch) => void) => {
      const found = await this.source.at(batch.position, signal, (source) => {
        const search = new CascadeSearch(this.dependencies, this.#target, source);
        seed(search);
        return search.run();
      });
      await this.#readAgain(found, batch, writer, signal);
      for (const [table, keys] of found) addAll(read, table, keys);
    };
    if (moved.length > 0) {
      await reread((search) => {
        for (const [table, keys] of before.children) search.found(table, keys, true);
        for (const [table, n] of moved) {
          search.found(table, n.suspect, true);
          search.moved(table, n.gone, n.came);
        }
      });
    }
    // Its parent was seen to be gone, then or earlier: what was read of the child may be older.
    const asked: KeySets = new Map();
    for (;;) {
      const alone: KeySets = new Map();
      for (const link of this.dependencies.passed) {
        const written = new Set([...changes.get(link.child)?.keys() ?? [], ...read.get(link.child) ?? []]);
        const keys = await this.#target.keys(link.child, keyOf(link.child), written, hasNoParent(link));
        const fresh = keys.difference(asked.get(link.child) ?? new Set());
        if (fresh.size > 0) addAll(alone, link.child, fresh);
      }
      if (alone.size === 0) return read;
      await reread((search) => {
        for (const [table, keys] of alone) search.found(table, keys, true);
      });
      for (const [table, keys] of alone) addAll(asked, table, keys);
    }
  }

  /** Makes rows what the source says of them now. */
  async #readAgain(found: KeySets, { position }: Batch, writer: Writers, signal: AbortSignal): Promise<void> {
    for (const [table, keys] of found) await this.#remove(table, keys, writer);
    for (const [table, keys] of found) {
      for (const slice of slices(keys)) {
        const rows = await this.source.at(position, signal, (s) => s.rows(table, keyOf(table), slice));
        await writer(table).replace(rows, null);
      }
    }
  }

  async #followParents(
    { notes, changes, position }: Batch,
    before: Before,
    rewritten: KeySets,
    writer: Writers,
    signal: AbortSignal,
  ): Promise<void> {
    const left: KeySets = new Map();
    const entered: KeySets = new Map();
    for (const table of this.dependencies.chosen) {
      const affected = new Set(changes.get(table)?.keys() ?? []);
      const again = new Set<string>();
      for (const key of rewritten.get(table) ?? []) again.add(key);
      for (const key of notes.settled.get(table)?.again ?? []) again.add(key);
      for (const key of again) affected.add(key);
      if (table.through !== null) {
        const columns = this.dependencies.throughs.get(table.through.parent)!
          .find((link) => link.child === table)!.columns;
        const gone = left.get(table.through.parent) ?? new Set();
        const came = entered.get(table.through.parent) ?? new Set();
        if (gone.size + came.size > 0) table.epoch++;
        // Removed below, with all else that has no parent.
        const orphaned = await this.#target.keys(table, columns, gone);
        for (const key of orphaned) affected.add(key);
        // While the parent is being copied the rows will be read by chunks, every one of them.
        for (const slice of table.waits ? [] : slices(came)) {
          const rows = await this.source.at(position, signal, (s) => s.rows(table, columns, slice));
          await writer(table).replace(rows, null);
          for (const key of keysOf(rows, table)) {
            table.touch(key);
            affected.add(key);
            again.add(key);
          }
        }
        const strays = await this.#target.keys(
          table,
          keyOf(table),
          affected,
          `NOT ${parentExists({ child: table, parent: table.through.parent, columns })}`,
        );
        await this.#remove(table, strays, writer);
      }
      if (!this.dependencies.throughs.has(table)) continue;
      const there = await this.#target.keys(table, keyOf(table), affected);
      const earlier = before.there.get(table) ?? new Set();
      const unread = notes.open.get(table)?.seen ?? new Set();
      left.set(table, affected.difference(there));
      const fresh = [...there].filter((key) => (again.has(key) || !earlier.has(key)) && !unread.has(key));
      entered.set(table, new Set(fresh));
    }
  }

  async #remove(table: FerriedTable, keys: ReadonlySet<string>, writer: Writers): Promise<void> {
    if (keys.size === 0) return;
    const list = new RowList();
    for (const key of keys) {
      table.touch(key);
      const bytes = keyBytes(key);
      list.push(bytes, 0, bytes.length);
    }
    await writer(table).remove(list);
  }
}

/** Where the key stands in the layout. */
function keyOf(table: FerriedTable): number[] {
  return table.key.map((_, i) => i);
}

function* keysOf(rows: RowList, table: FerriedTable): Generator<string> {
  const { nullBytes } = table.layout;
  for (const start of rows.starts) {
    const b = rows.arena.bytes;
    yield keyString(b, start + nullBytes, keyEnd(b, start, nullBytes, table.key));
  }
}

type Linked = Pick<CascadeLink, "child" | "parent" | "columns">;

/** On the target: the row names a parent that is not there. */
function hasNoParent(link: Linked): string {
  const { child, columns } = link;
  const by = columns.map((i) => `${quoteName(child.targetLayout.columns[i].column.name)} IS NOT NULL`);
  return `${by.join(" AND ")} AND NOT ${parentExists(link)}`;
}

/** On the target: the row's parent is there. */
function parentExists({ child, parent, columns }: Linked): string {
  // An alias: a table may be its own parent.
  const equal = columns.map((i, k) =>
    `p.${quoteName(parent.targetLayout.columns[k].column.name)} = ${quoteTable(child.target)}.${
      quoteName(child.targetLayout.columns[i].column.name)
    }`
  );
  return `EXISTS (SELECT 1 FROM ${quoteTable(parent.target)} AS p WHERE ${equal.join(" AND ")})`;
}

function* slices(keys: ReadonlySet<string>): Generator<string[]> {
  const all = [...keys];
  for (let i = 0; i < all.length; i += SLICE) yield all.slice(i, i + SLICE);
}
