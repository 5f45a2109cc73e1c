/**
 * Which tables a crossing carries: those that preflight found, in the order that an earlier attempt gave them.
 * @module
 */
import { FerriedTable } from "../copy/ferried_table.ts";
import { FerryError } from "../errors.ts";
import type { FerryPlan, PlannedTable } from "../preflight/preflight.ts";
import { tableLabel } from "../schema/table.ts";
import type { CrossingMemory } from "./crossing_memory.ts";

/** The tables of one crossing. */
export interface Manifest {
  /** Those with a key, in the order of their numbers. */
  readonly tables: readonly FerriedTable[];
  /** Those without one, copied behind the fence. */
  readonly keyless: readonly FerriedTable[];
  /** What the plan says of a table. */
  planned(table: FerriedTable): PlannedTable;
}

/** What a crossing that begins has to remember. */
export function firstMemory(plan: FerryPlan): CrossingMemory {
  const all = [...plan.tables, ...plan.keyless];
  return {
    tables: plan.tables.map((t) => tableLabel(t.table)),
    filters: filtersOf(plan),
    keyless: plan.keyless.map((t) => tableLabel(t.table)),
    made: all.filter((t) => t.create !== null).map((t) => tableLabel(t.target)),
    source: plan.source.identity,
    planned: false,
    cutoverAttempts: 0,
  };
}

/** Throws `source-changed`, `spec-differs` or `schema-changed` where the plan is not what was begun with. */
export function makeManifest(plan: FerryPlan, memory: CrossingMemory): Manifest {
  if (memory.source !== plan.source.identity) {
    throw new FerryError(
      "source-changed",
      "Cannot go on: the source is another server than the one the ferry began with",
      { hint: "Binlog positions of one server mean nothing on another; start another ferry" },
    );
  }
  const planned = new Map([...plan.tables, ...plan.keyless].map((t) => [tableLabel(t.table), t]));
  const filters = filtersOf(plan);
  const keyless = memory.keyless ?? [];
  const names = [...memory.tables, ...keyless];
  for (const name of names) {
    if ((filters[name] ?? null) === (memory.filters?.[name] ?? null)) continue;
    throw new FerryError("spec-differs", `Cannot go on with table "${name}": its filter is another one now`, {
      hint: "A where function has to answer the same each time; start another ferry for another subset",
    });
  }
  const all = names.map((name, i) => {
    const found = planned.get(name);
    if (found !== undefined) return new FerriedTable(i, found);
    throw new FerryError(
      "schema-changed",
      `Cannot go on with table "${name}": it is not on the source any more`,
    );
  });
  const manifest = {
    tables: all.slice(0, memory.tables.length),
    keyless: all.slice(memory.tables.length),
    planned: (t: FerriedTable) => planned.get(tableLabel(t.table))!,
  };
  followParents(manifest);
  return manifest;
}

/** Tables whose rows are chosen by those of another learn which that is. */
function followParents({ tables, planned }: Manifest): void {
  const byName = new Map(tables.map((t) => [tableLabel(t.table), t]));
  const follow = (table: FerriedTable): void => {
    const { through } = planned(table);
    if (through === null || table.through !== null) return;
    const parent = byName.get(through.parent)!;
    follow(parent);
    table.follow(parent, through.column);
  };
  for (const table of tables) follow(table);
}

/** The expression of each filtered table. */
function filtersOf(plan: FerryPlan): Record<string, string> {
  const filtered = [...plan.tables, ...plan.keyless].filter((t) => t.where !== null);
  return Object.fromEntries(filtered.map((t) => [tableLabel(t.table), t.where!]));
}
