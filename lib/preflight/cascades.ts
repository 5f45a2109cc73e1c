/**
 * Cascades: which of them the source's binlog tells of, and which the ferry has to find itself, if it can.
 * @module
 */
import type { Session } from "../mysql/session.ts";
import type { Server } from "../mysql/server.ts";
import type { ForeignKey } from "../schema/foreign_key.ts";
import type { LoadedTable } from "../schema/load_tables.ts";
import { type Column, tableLabel } from "../schema/table.ts";
import type { Finding } from "../progress/resource.ts";
import type { FerrySpec } from "../spec/ferry_spec.ts";
import { isReplica } from "./binlog.ts";
import { refuse } from "./finding.ts";
import { type ParentFinder, sameSet } from "./foreign_keys.ts";
import type { Pair } from "./pairs.ts";

/**
 * A foreign key through which a change of the parent changes rows of the child that the binlog does not tell of.
 * Everything is the source's.
 */
export interface Cascade {
  /** `schema.table` of the child. */
  readonly child: string;
  /** `schema.table` of the parent. */
  readonly parent: string;
  /** Columns of the child, one for each column of the parent's key, in that key's order. */
  readonly columns: readonly string[];
  /** A child goes with its parent, or changes its own key with it: the child's own children are affected too. */
  readonly passesOn: boolean;
  /** A child takes over its parent's new key: it may be found under that alone. */
  readonly follows: boolean;
}

/**
 * Whether every cascaded change is in the source's binlog. MySQL 9.6 and newer run cascades above the engine and log
 * them, unless they were started with `innodb_native_foreign_keys`; older ones and MariaDB leave them to the engine, and
 * replicas to theirs. A replica, or what may be one, is not believed: its own source may be of either kind.
 */
export async function logsCascades(session: Session, server: Server): Promise<boolean> {
  if (server.vendor !== "mysql") return false;
  const row = await session.one("SHOW GLOBAL VARIABLES LIKE 'innodb_native_foreign_keys'");
  return row?.Value === "OFF" && await isReplica(session, server) === false;
}

/** The cascades that the binlog does not tell of, where both tables are ferried. */
export function cascadesOf(pairs: readonly Pair[], parents: ParentFinder, spec: Existing): Cascade[] {
  return copiedByKey(pairs).flatMap((pair) =>
    pair.source.foreignKeys.filter(isCascading).flatMap((key) => {
      const parent = parents.find(key.parent);
      if (parent === null || whyUncertain(pair, key, parent, parents, spec) !== null) return [];
      const ofParent = new Map(key.parentColumns.map((name, i) => [name.toLowerCase(), key.columns[i]]));
      return [{
        child: tableLabel(pair.source.table),
        parent: tableLabel(parent.source.table),
        columns: parent.source.table.key.map((c) => ofParent.get(c.name.toLowerCase())!),
        passesOn: passesOn(pair.source, key),
        follows: key.onUpdate === "cascade",
      }];
    })
  );
}

/** Refuses those that cannot be found with certainty. */
export function judgeCascades(pairs: readonly Pair[], parents: ParentFinder, spec: Existing): Finding[] {
  return copiedByKey(pairs).flatMap((pair) =>
    pair.source.foreignKeys.filter(isCascading).flatMap((key) => {
      const parent = parents.find(key.parent);
      const why = parent === null ? null : whyUncertain(pair, key, parent, parents, spec);
      if (why === null) return [];
      const label = tableLabel(pair.source.table);
      return [refuse(
        "foreign-key-cascade",
        label,
        `Cannot copy table "${label}": its foreign key "${key.name}" changes rows that the source's binlog does not ` +
          `tell of, and ${why}`,
        "A foreign key without CASCADE and SET NULL, or a source that logs cascades (MySQL 9.6 or newer, " +
          "innodb_native_foreign_keys=OFF)",
      )];
    })
  );
}

/** Indexes that children are looked up by while the ferry runs, and that are not to wait for the end of the copy. */
export function lookupIndexes({ source, through }: Pair, cascades: readonly Cascade[]): string[] {
  const { table, indexes } = source;
  const lists = cascades.filter((cascade) => cascade.child === tableLabel(table)).map((c) => c.columns);
  if (through !== null) lists.push([through.column]);
  return lists.flatMap((columns) => {
    // A unique one waits all the same: during the copy the target may hold two moments of the source at once.
    const found = indexes.find((i) => !i.unique && i.whole && leadsInAnyOrder(i.columns, columns));
    return found === undefined ? [] : [found.name];
  });
}

function leadsInAnyOrder(index: readonly (string | null)[], columns: readonly string[]): boolean {
  return sameSet(index.slice(0, columns.length).map((name) => name ?? ""), columns);
}

/** A child without a key is copied behind the fence, when everything has happened to it. */
function copiedByKey(pairs: readonly Pair[]): readonly Pair[] {
  return pairs.filter((pair) => pair.source.table.key.length > 0);
}

type Existing = Pick<FerrySpec, "existingRows"> & { readonly sameVendor: boolean };

function isCascading(key: ForeignKey): boolean {
  return key.onDelete !== "restrict" || key.onUpdate !== "restrict";
}

function passesOn(child: LoadedTable, key: ForeignKey): boolean {
  const own = new Set(child.table.key.map((c) => c.name.toLowerCase()));
  return key.onDelete === "cascade" ||
    (key.onUpdate === "cascade" && key.columns.some((name) => own.has(name.toLowerCase())));
}

function whyUncertain(
  pair: Pair,
  key: ForeignKey,
  parent: Pair,
  parents: ParentFinder,
  spec: Existing,
): string | null {
  const parentTable = parent.source.table;
  if (spec.existingRows === "merge" && pair.existing !== null) {
    return "the target table may hold rows of others that look like such children";
  }
  if (!sameSet(parentTable.key.map((c) => c.name), key.parentColumns)) {
    return `points at other columns than the key that "${tableLabel(parentTable)}" is copied by`;
  }
  const byName = (columns: readonly Column[], name: string) =>
    columns.find((c) => c.name.toLowerCase() === name.toLowerCase());
  for (const [i, name] of key.columns.entries()) {
    const own = byName(pair.source.table.columns, name);
    const theirs = byName(parentTable.columns, key.parentColumns[i]);
    if (own !== undefined && !isAlikeThere(own, spec.sameVendor)) {
      return `the target may hold other texts of its column "${name}" equal`;
    }
    if (own === undefined || theirs === undefined || !isAlike(own, theirs)) {
      return `its column "${name}" is of another type than the parent's`;
    }
  }
  const nulls = key.onDelete === "set null" || key.onUpdate === "set null";
  if (nulls && pair.where !== null) return `rows that lose their parent may enter the filter`;
  const secondary = pair.source.indexes.filter((i) => i.unique && i.name !== pair.source.table.keyName);
  if (nulls) {
    const index = secondary.find((i) => key.columns.some((name) => i.columns.includes(name)));
    if (index !== undefined) return `frees a value of the unique key "${index.name}" unseen`;
  }
  // A row that a cascade takes away is named by no event, and its own children may come to the target behind that.
  if (passesOn(pair.source, key) && isCascadingParent(pair, parents)) {
    return "passes them on to further rows, whose parents go unseen themselves";
  }
  return null;
}

function isCascadingParent(pair: Pair, parents: ParentFinder): boolean {
  return parents.all.some((other) =>
    other.source.foreignKeys.some((key) => isCascading(key) && parents.find(key.parent) === pair)
  );
}

/** Whether both servers hold the same values of a column equal: collations are each vendor's own, but for the binary ones. */
export function isAlikeThere(column: Column, sameVendor: boolean): boolean {
  if (sameVendor || column.charset === null || column.dataType === "enum" || column.dataType === "set") {
    return true;
  }
  return /_bin$/.test(column.collation ?? "");
}

/** Whether the bytes of the one compare as a value of the other. */
export function isAlike(a: Column, b: Column): boolean {
  if (a.dataType !== b.dataType || a.unsigned !== b.unsigned) return false;
  if (a.charset !== b.charset || a.collation !== b.collation) return false;
  if (a.dataType === "varchar" || a.dataType === "varbinary") return true;
  const plain = (c: Column) => c.columnType.replace(/^((?:tiny|small|medium|big)?int)\(\d+\)/i, "$1");
  return plain(a) === plain(b);
}
