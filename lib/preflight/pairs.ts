/**
 * Which source table goes into which target table, and what is to be done for each.
 * @module
 */
import type { LoadedTable } from "../schema/load_tables.ts";
import {
  type DeferredForeignKey,
  type DeferredIndex,
  type TableName,
  targetDefinition,
} from "../schema/create_table.ts";
import { type Table, tableLabel } from "../schema/table.ts";
import type { FerrySpec, ParentLink } from "../spec/ferry_spec.ts";
import { matchTable } from "../spec/select_tables.ts";
import type { Finding } from "../progress/resource.ts";
import { listed, refuse, warn } from "./finding.ts";
import { uniqueKeyName } from "./target.ts";

/** One table of the plan. */
export interface PlannedTable {
  /** The source's table. */
  readonly table: Table;
  /** Where it goes. */
  readonly target: TableName;
  /** The target table is there already. */
  readonly exists: boolean;
  /** Makes the target table; `null` when it exists. */
  readonly create: string | null;
  /** Indexes that are built after the copy; none where the table was there before the ferry. */
  readonly deferred: readonly DeferredIndex[];
  /** Foreign keys that are built after the copy; none where the table was there before the ferry. */
  readonly foreignKeys: readonly DeferredForeignKey[];
  /** Which rows, as a SQL expression over the source's columns; `null` for all. */
  readonly where: string | null;
  /** Only the rows of ferried parents, or `null`. */
  readonly through: ParentLink | null;
  /** The target table has, or may get, rows of others, which stay untouched. */
  readonly merge: boolean;
  /** During the copy the target table has a unique index beside the key (I4). */
  readonly targetHasUnique: boolean;
}

/** A source table, where it goes, and what is there. */
export interface Pair {
  /** The source's table. */
  readonly source: LoadedTable;
  /** Its place on the target. */
  readonly target: TableName;
  /** Place as the target's server tells names apart. */
  readonly place: string;
  /** Which rows, or `null` for all. */
  readonly where: string | null;
  /** Only the rows of ferried parents, or `null`. */
  through: ParentLink | null;
  /** What is there, or `null`; filled in by the look at the target. */
  existing: LoadedTable | null;
  /** The source's definition in the target's words; filled in by the look at the target. */
  createSql: string;
}

/** A table's name as a server with this `lower_case_table_names` tells it apart. */
export function placeOf(t: TableName, lowerCaseTableNames: number): string {
  return lowerCaseTableNames === 0 ? tableLabel(t) : tableLabel(t).toLowerCase();
}

/** Gives each source table its place. `filters`: which rows, where not all. */
export function matchTargets(
  tables: readonly LoadedTable[],
  spec: Pick<FerrySpec, "tables" | "exclude" | "renameSchemas">,
  lowerCaseTableNames: number,
  filters: ReadonlyMap<LoadedTable, string>,
): Pair[] {
  return tables.map((source) => {
    const { schema, name } = source.table;
    const match = matchTable(spec.tables, spec.exclude, spec.renameSchemas, schema, name)!;
    const where = filters.get(source) ?? null;
    return {
      source,
      ...match,
      where,
      place: placeOf(match.target, lowerCaseTableNames),
      existing: null,
      createSql: source.createSql,
    };
  });
}

/** Tables that meet in one target table, which only merging allows, and tables that would be copied onto themselves. */
export function judgeCrossing(
  pairs: readonly Pair[],
  sameServer: boolean,
  lowerCaseTableNames: number,
  existingRows: FerrySpec["existingRows"] = "refuse",
): Finding[] {
  const findings: Finding[] = [];
  for (const [place, group] of Map.groupBy(pairs, (pair) => pair.place)) {
    if (group.length === 1 || existingRows === "merge") continue;
    const sources = listed(group.map((pair) => tableLabel(pair.source.table)));
    findings.push(refuse(
      "target-table-twice",
      place,
      `Cannot copy into table "${place}": ${sources} all go there`,
      'One target table for each source table, or existingRows "merge"',
    ));
  }
  if (!sameServer) return findings;
  const sources = new Set(pairs.map((pair) => placeOf(pair.source.table, lowerCaseTableNames)));
  for (const pair of pairs.filter((p) => sources.has(p.place))) {
    findings.push(refuse(
      "same-server-same-table",
      tableLabel(pair.source.table),
      `Cannot copy table "${tableLabel(pair.source.table)}" into "${pair.place}": the target is the source`,
      "Another server, or other names on it",
    ));
  }
  findings.push(warn(
    "same-server",
    "target",
    "The target is the same server as the source",
    "Another server, unless tables are meant to be copied beside one another",
  ));
  return findings;
}

/**
 * The plan of every table, in the order of `pairs`. `made` is what this ferry made earlier, or `null`; `foreignKeys` as
 * the target gets them; `lookups` are indexes that are needed during the copy already.
 */
export function planTables(
  pairs: readonly Pair[],
  spec: Pick<FerrySpec, "copy" | "existingRows">,
  made: ReadonlySet<string> | null,
  foreignKeys: (pair: Pair) => DeferredForeignKey[],
  lookups: (pair: Pair) => string[],
): PlannedTable[] {
  const merge = spec.existingRows === "merge";
  const makers = new Map<string, Pair>();
  for (const pair of pairs) if (!makers.has(pair.place)) makers.set(pair.place, pair);
  return pairs.map((pair) => {
    const { source, target, where, through, existing, createSql } = pair;
    const { create, deferred } = targetDefinition(createSql, target, {
      // Other ferries may be writing there by the time an index is built, and theirs are not held meanwhile.
      deferIndexes: spec.copy.deferIndexes && !merge,
      keyName: source.table.keyName,
      keep: lookups(pair),
    });
    const ours = existing === null || made?.has(tableLabel(target)) === true;
    return {
      table: source.table,
      target,
      exists: existing !== null,
      create: existing === null && makers.get(pair.place) === pair ? create : null,
      deferred: ours ? deferred : [],
      foreignKeys: ours ? foreignKeys(pair) : [],
      where,
      through,
      merge,
      targetHasUnique: existing === null ? keepsUnique(source, deferred) : hasOtherUnique(source, existing),
    };
  });
}

function keepsUnique(source: LoadedTable, deferred: readonly DeferredIndex[]): boolean {
  const later = new Set(deferred.map((index) => index.name));
  return source.indexes.some((i) => i.unique && i.name !== source.table.keyName && !later.has(i.name));
}

function hasOtherUnique(source: LoadedTable, existing: LoadedTable): boolean {
  const key = uniqueKeyName(existing, source.table.key);
  return existing.indexes.some((index) => index.unique && index.name !== key);
}
