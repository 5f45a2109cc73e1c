/**
 * Which tables' rows depend on rows of which others: through cascades that the binlog does not tell of, and through
 * `through`.
 * @module
 */
import type { FerriedTable } from "../copy/ferried_table.ts";
import type { Cascade } from "../preflight/cascades.ts";
import { tableLabel } from "../schema/table.ts";
import type { WireColumn } from "../schema/wire_layout.ts";

/** A cascade between two tables under way. */
export interface CascadeLink {
  /** Whose rows change unseen. */
  readonly child: FerriedTable;
  /** Whose changes are told. */
  readonly parent: FerriedTable;
  /** Where the child's columns stand in its layout, one for each column of the parent's key. */
  readonly columns: readonly number[];
  /** The child's own children are affected too. */
  readonly passesOn: boolean;
  /** The child may be found under the parent's new key alone. */
  readonly follows: boolean;
}

/** A child that is ferried where its parent is. */
export interface ThroughLink {
  /** Whose rows are chosen. */
  readonly child: FerriedTable;
  /** Whose rows choose. */
  readonly parent: FerriedTable;
  /** Where the child's column stands in its layout. */
  readonly columns: readonly number[];
}

/** All of it. */
export class Dependencies {
  /** By parent. */
  readonly cascades: ReadonlyMap<FerriedTable, readonly CascadeLink[]>;
  /** By parent; parents before their children. */
  readonly throughs: ReadonlyMap<FerriedTable, readonly ThroughLink[]>;
  /** Tables that pass on what reaches them. */
  readonly middles: ReadonlySet<FerriedTable>;
  /** Tables that choose, or are chosen, parents first. */
  readonly chosen: readonly FerriedTable[];

  /** Of these tables under these cascades. */
  constructor(tables: readonly FerriedTable[], cascades: readonly Cascade[]) {
    const byName = new Map(tables.map((t) => [tableLabel(t.table), t]));
    const links = cascades.map((c) => {
      const child = byName.get(c.child)!;
      const columns = c.columns.map((name) => indexOf(child.layout.columns, name));
      return { child, parent: byName.get(c.parent)!, columns, passesOn: c.passesOn, follows: c.follows };
    });
    this.cascades = Map.groupBy(links, (link) => link.parent);
    this.middles = new Set(
      links.filter((link) => link.passesOn && this.cascades.has(link.child)).map((link) => link.child),
    );
    for (const { child } of links) child.changesUnseen = true;
    const throughs = tables.flatMap((child) => {
      if (child.through === null) return [];
      const { parent, column } = child.through;
      return [{ child, parent, columns: [indexOf(child.layout.columns, column)] }];
    });
    this.throughs = Map.groupBy(throughs, (link) => link.parent);
    this.chosen = tables.filter((t) => t.through !== null || this.throughs.has(t))
      .toSorted((a, b) => a.level - b.level);
  }

  /** Whether nothing depends on anything. */
  get none(): boolean {
    return this.cascades.size === 0 && this.chosen.length === 0;
  }

  /** Cascades whose parent is itself changed by cascades: a child may have been passed by while its parent was not there yet. */
  get passed(): CascadeLink[] {
    return [...this.middles].flatMap((table) => [...this.cascades.get(table)!]);
  }

  /** Adds every table that a change of one of `tables` may reach. */
  reach(tables: Iterable<FerriedTable>): Set<FerriedTable> {
    const reached = new Set(tables);
    for (const table of reached) {
      for (const link of this.cascades.get(table) ?? []) reached.add(link.child);
      for (const link of this.throughs.get(table) ?? []) reached.add(link.child);
    }
    return reached;
  }
}

function indexOf(columns: readonly WireColumn[], name: string): number {
  return columns.findIndex((c) => c.column.name.toLowerCase() === name.toLowerCase());
}
