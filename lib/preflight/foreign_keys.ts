/**
 * Foreign keys: both tables are ferried, the constraints can stand on the target, and what cascades change on the source
 * can be found.
 * @module
 */
import type { Session } from "../mysql/session.ts";
import type { DeferredForeignKey, TableName } from "../schema/create_table.ts";
import { definitionTowards, type ForeignKey } from "../schema/foreign_key.ts";
import type { Index } from "../schema/choose_key.ts";
import { tableLabel } from "../schema/table.ts";
import type { Finding } from "../progress/resource.ts";
import { inform, listed, refuse } from "./finding.ts";
import { type Pair, placeOf } from "./pairs.ts";
import type { Need } from "./target.ts";

/** A foreign key that a table on the target has already. */
export interface TakenName {
  /** Its table. */
  readonly table: TableName;
  /** Its name. */
  readonly name: string;
}

/** What of both servers decides about foreign keys. */
export interface KeyFacts {
  /** `lower_case_table_names` of the source. */
  readonly sourceLower: number;
  /** `lower_case_table_names` of the target. */
  readonly targetLower: number;
  /** The target takes only foreign keys towards a unique key. */
  readonly uniqueParentsOnly: boolean;
  /** Foreign keys that are in the target's schemas already. */
  readonly taken: readonly TakenName[];
}

/** Finds the pair of a parent. */
export class ParentFinder {
  readonly #pairs: ReadonlyMap<string, Pair>;

  /** Over the pairs of a ferry whose source has this `lower_case_table_names`. */
  constructor(readonly all: readonly Pair[], private readonly lower: number) {
    this.#pairs = new Map(all.map((pair) => [placeOf(pair.source.table, lower), pair]));
  }

  /** The pair of this table of the source, or `null` where it is not ferried. */
  find(table: TableName): Pair | null {
    return this.#pairs.get(placeOf(table, this.lower)) ?? null;
  }
}

/** Asks the target what it has and takes. */
export async function readKeyFacts(
  session: Session,
  schemas: readonly string[],
): Promise<Pick<KeyFacts, "uniqueParentsOnly" | "taken">> {
  const setting = await session.one("SHOW GLOBAL VARIABLES LIKE 'restrict_fk_on_non_standard_key'");
  const rows = schemas.length === 0 ? [] : await session.query(
    `SELECT TABLE_SCHEMA AS s, TABLE_NAME AS t, CONSTRAINT_NAME AS name FROM information_schema.TABLE_CONSTRAINTS
      WHERE CONSTRAINT_TYPE = 'FOREIGN KEY' AND TABLE_SCHEMA IN (?)`,
    [schemas],
  );
  return {
    uniqueParentsOnly: setting?.Value === "ON",
    taken: rows.map((row) => ({ table: { schema: row.s, name: row.t }, name: String(row.name) })),
  };
}

/** Everything about foreign keys but their cascades. */
export function judgeForeignKeys(pairs: readonly Pair[], facts: KeyFacts): Finding[] {
  const parents = new ParentFinder(pairs, facts.sourceLower);
  const findings: Finding[] = [];
  for (const pair of pairs) {
    for (const key of pair.source.foreignKeys) findings.push(...judgeKey(pair, key, parents, facts));
    findings.push(...informOfChildren(pair, parents), ...judgeExisting(pair, pairs, parents, facts));
  }
  findings.push(...judgeNames(pairs, facts));
  return findings;
}

/** The foreign keys of a table as the target gets them. Call it where {@linkcode judgeForeignKeys} found no error. */
export function foreignKeysOnTarget(pair: Pair, parents: ParentFinder): DeferredForeignKey[] {
  return pair.source.foreignKeys.flatMap((key) => {
    const parent = parents.find(key.parent);
    return parent === null ? [] : [{ name: key.name, definition: definitionTowards(key, parent.target) }];
  });
}

/** What building them needs. */
export function foreignKeyNeeds(
  pairs: readonly Pair[],
  parents: ParentFinder,
  ours: (pair: Pair) => boolean,
): Need[] {
  const place = ({ target, existing }: Pair) => existing === null ? { schema: target.schema } : target;
  return pairs.filter(ours).flatMap((pair) => {
    const needed = pair.source.foreignKeys.map((key) => parents.find(key.parent)).filter((p) => p !== null);
    if (needed.length === 0) return [];
    return [
      { ...place(pair), privileges: ["ALTER"] },
      ...needed.map((parent) => ({ ...place(parent), privileges: ["REFERENCES"] })),
    ];
  });
}

/** Names of columns, held equal as servers do. */
export function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name.toLowerCase() === b[i].toLowerCase());
}

/** The same columns, in whichever order. */
export function sameSet(a: readonly string[], b: readonly string[]): boolean {
  const names = new Set(a.map((name) => name.toLowerCase()));
  return a.length === b.length && b.every((name) => names.has(name.toLowerCase()));
}

function judgeKey(pair: Pair, key: ForeignKey, parents: ParentFinder, facts: KeyFacts): Finding[] {
  const label = tableLabel(pair.source.table);
  const cannot = (state: string) => `Cannot copy table "${label}": its foreign key "${key.name}" ${state}`;
  const parent = parents.find(key.parent);
  const outside = tableLabel(key.parent);
  if (parent === null) {
    return [refuse(
      "foreign-key-outside",
      label,
      cannot(`points at "${outside}", which is not ferried`),
      `"${outside}" among the tables, or no such foreign key`,
    )];
  }
  const findings: Finding[] = [];
  if ((parent.where !== null || parent.through !== null) && !follows(pair, key, parent)) {
    findings.push(refuse(
      "foreign-key-filtered-parent",
      label,
      cannot(`points at "${outside}", of which only a part is ferried: rows would have no parent`),
      `"through": {"column": "${key.columns[0]}", "parent": "${outside}"} on "${label}"`,
    ));
  }
  if (facts.uniqueParentsOnly && !parent.source.indexes.some((i) => isUniqueOver(i, key.parentColumns))) {
    findings.push(refuse(
      "foreign-key-not-unique",
      label,
      cannot(`points at (${key.parentColumns.join(", ")}) of "${outside}", which no unique key covers`),
      "A unique key over these columns, or restrict_fk_on_non_standard_key=OFF on the target",
    ));
  }
  const existing = parent.existing;
  if (existing !== null && !existing.indexes.some((i) => leads(i, key.parentColumns))) {
    findings.push(refuse(
      "foreign-key-parent-index",
      label,
      cannot(`needs an index on (${key.parentColumns.join(", ")}) of "${tableLabel(parent.target)}"`),
      "That index on the target",
    ));
  }
  return findings;
}

/** The child's rows are chosen by this very foreign key. */
function follows(pair: Pair, key: ForeignKey, parent: Pair): boolean {
  return pair.through !== null && key.columns.length === 1 &&
    pair.through.column.toLowerCase() === key.columns[0].toLowerCase() &&
    pair.through.parent === tableLabel(parent.source.table);
}

function isUniqueOver(index: Index, columns: readonly string[]): boolean {
  return index.unique && index.whole && sameSet(index.columns as string[], columns);
}

/** Whether an index begins with these columns, in this order. */
function leads(index: Index, columns: readonly string[]): boolean {
  return index.usable &&
    sameNames(index.columns.slice(0, columns.length).map((name) => name ?? ""), columns);
}

function informOfChildren(pair: Pair, parents: ParentFinder): Finding[] {
  const left = pair.source.children.filter((child) => parents.find(child.table) === null);
  if (left.length === 0) return [];
  const label = tableLabel(pair.source.table);
  return [inform(
    "foreign-key-children",
    label,
    `Table "${label}" has children that are not ferried: ${
      listed(left.map((child) => tableLabel(child.table)))
    }`,
    "Nothing, where they are to stay behind",
  )];
}

/** The ferry writes without looking at foreign keys, so those that the source does not have would be broken unseen. */
function judgeExisting(
  pair: Pair,
  pairs: readonly Pair[],
  parents: ParentFinder,
  { targetLower }: KeyFacts,
): Finding[] {
  if (pair.existing === null) return [];
  const known = (key: ForeignKey) =>
    pair.source.foreignKeys.some((own) => {
      const parent = parents.find(own.parent);
      return parent !== null && parent.place === placeOf(key.parent, targetLower) &&
        sameNames(own.columns, key.columns) && sameNames(own.parentColumns, key.parentColumns) &&
        own.onDelete === key.onDelete && own.onUpdate === key.onUpdate;
    });
  const places = new Set(pairs.map((p) => p.place));
  const strange = [
    ...pair.existing.foreignKeys.filter((key) => !known(key)).map((key) => key.name),
    ...pair.existing.children.filter((child) => !places.has(placeOf(child.table, targetLower)))
      .map((child) => `${child.name} of ${tableLabel(child.table)}`),
  ];
  if (strange.length === 0) return [];
  const label = tableLabel(pair.target);
  return [refuse(
    "foreign-key",
    label,
    `Cannot copy into table "${label}": foreign keys ${listed(strange)}, which the source does not have`,
    "No foreign key of the target table, or towards it, but those of the source",
  )];
}

/** Names of foreign keys are one in a schema, whatever their table. */
function judgeNames(pairs: readonly Pair[], { taken, targetLower }: KeyFacts): Finding[] {
  const findings: Finding[] = [];
  const owners = new Map<string, string>();
  const at = (schema: string, name: string) =>
    `${placeOf({ schema, name: "" }, targetLower)}${name.toLowerCase()}`;
  for (const { table, name } of taken) owners.set(at(table.schema, name), placeOf(table, targetLower));
  for (const pair of pairs) {
    for (const key of pair.source.foreignKeys) {
      const place = at(pair.target.schema, key.name);
      const owner = owners.get(place);
      owners.set(place, pair.place);
      // Where the table is there it may have the key itself.
      if (owner === undefined || owner === pair.place) continue;
      const label = tableLabel(pair.source.table);
      findings.push(refuse(
        "foreign-key-name-taken",
        label,
        `Cannot copy table "${label}": "${owner}" has a foreign key named "${key.name}" in the same schema too`,
        "Another schema for one of the two tables, or another name for the foreign key",
      ));
    }
  }
  return findings;
}
