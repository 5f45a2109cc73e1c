/**
 * A random ferry: tables, rows, filters, what the application does meanwhile, and how the ferry is set.
 * @module
 */
import fc from "fast-check";
import type { Vendor } from "../servers/mod.ts";
import { COLUMN_KINDS, type ColumnKind, KEY_KINDS, type KeyKind } from "./column_kinds.ts";

/** One column of a random table. */
export interface RandomColumn {
  /** Its name, quoted. */
  readonly name: string;
  /** Its kind. */
  readonly kind: ColumnKind;
  /** May hold NULL. */
  readonly nullable: boolean;
  /** SQL literals that rows take their values from. */
  readonly pool: readonly string[];
}

/** How a table hangs on the one before it. */
export type Hanging = "no" | "cascade" | "setNull" | "through";

/** One random table. */
export interface RandomTable {
  /** Its name, unquoted. */
  readonly name: string;
  /** Its key. */
  readonly key: KeyKind;
  /** Its other columns. */
  readonly columns: readonly RandomColumn[];
  /** A nullable unique column beside the key. */
  readonly unique: boolean;
  /** An ordinary index over the first column, where its type can have one. */
  readonly indexed: boolean;
  /** A stored or virtual generated column. */
  readonly generated: "no" | "STORED" | "VIRTUAL";
  /** Rows at the start. */
  readonly rows: number;
  /** The filter, or `null`. */
  readonly where: string | null;
  /** Whether its column `parent` points at the table before. */
  readonly hanging: Hanging;
}

/** One statement or transaction of the application. */
export interface RandomWrite {
  /** Which table, modulo their number. */
  readonly table: number;
  /** What is done. */
  readonly what: "insert" | "update" | "delete" | "move" | "again" | "swap" | "many" | "rollback";
  /** Which rows, modulo their number. */
  readonly rows: readonly [number, number];
  /** Which values of the pools. */
  readonly salt: number;
}

/** Everything. */
export interface Scenario {
  /** Families of source and target. */
  readonly vendors: readonly [Vendor, Vendor];
  /** Tables, parents first. */
  readonly tables: readonly RandomTable[];
  /** What the application does while the ferry runs. */
  readonly writes: readonly RandomWrite[];
  /** Settings of the spec. */
  readonly settings: {
    readonly concurrency: number;
    readonly chunkBytes: number;
    readonly deferIndexes: boolean;
    readonly rename: boolean;
  };
  /** After how many of the writes (per cent) the ferry's process lets go and another takes it up. */
  readonly handovers: readonly number[];
}

const CROSSINGS: readonly (readonly [Vendor, Vendor])[] = [
  ["mysql", "mysql"],
  ["mariadb", "mariadb"],
  ["mysql", "mariadb"],
  ["mariadb", "mysql"],
];

const NOT_INDEXED = /TEXT|BLOB|JSON/;

function column(vendors: readonly [Vendor, Vendor]) {
  const kinds = COLUMN_KINDS.filter((k) => k.only === undefined || vendors.every((v) => v === k.only));
  return fc.constantFrom(...kinds).chain((kind) =>
    fc.record({
      kind: fc.constant(kind),
      nullable: fc.constant(/NULL/.test(kind.type)).chain((must) => must ? fc.constant(true) : fc.boolean()),
      values: fc.array(kind.values, { minLength: 3, maxLength: 25, size: "max" }),
    })
  );
}

function table(vendors: readonly [Vendor, Vendor], index: number, before: KeyKind | null) {
  return fc.record({
    key: fc.oneof(fc.constantFrom(...KEY_KINDS), fc.constantFrom(...KEY_KINDS.filter((k) => k.integer))),
    columns: fc.array(column(vendors), { minLength: 1, maxLength: 7 }),
    unique: fc.boolean(),
    indexed: fc.boolean(),
    generated: fc.constantFrom("no" as const, "STORED" as const, "VIRTUAL" as const),
    rows: fc.constantFrom(0, 9, 120, 400, 1500, 3000),
    filter: fc.option(fc.tuple(fc.nat(), fc.nat()), { freq: 2 }),
    hanging: before?.integer
      ? fc.constantFrom<Hanging[]>("no", "cascade", "setNull", "through")
      : fc.constant("no" as const),
  }).map(({ columns, filter, ...rest }): RandomTable => {
    const named = columns.map(({ kind, nullable, values }, i): RandomColumn => ({
      name: ["c0", "`c 1`", "`select`", "`c``3`", "`ü`", "c5", "c6"][i],
      kind,
      nullable,
      pool: nullable ? [...values, "NULL"] : values,
    }));
    let where: string | null = null;
    if (filter !== null) {
      const { kind, name } = named[filter[0] % named.length];
      where = kind.filters[filter[1] % kind.filters.length].replaceAll(/\bc\b/g, name);
    }
    return {
      ...rest,
      name: ["t0", "t 1", "select", "`"][index],
      columns: named,
      where,
      indexed: rest.indexed && !NOT_INDEXED.test(named[0].kind.type),
    };
  });
}

function tables(vendors: readonly [Vendor, Vendor]): fc.Arbitrary<RandomTable[]> {
  const more = (made: RandomTable[]): fc.Arbitrary<RandomTable[]> =>
    made.length === 4 ? fc.constant(made) : fc.tuple(
      fc.constantFrom(true, true, false),
      table(vendors, made.length, made.at(-1)?.key ?? null),
    ).chain(([on, next]) => made.length > 0 && !on ? fc.constant(made) : more([...made, next]));
  return more([]).map(takeable);
}

/**
 * The same tables without what preflight refuses: a parent that is filtered has no child with a foreign key (the target
 * could not hold it), a row that loses its parent enters no filter, and no table passes cascades on.
 */
function takeable(all: readonly RandomTable[]): RandomTable[] {
  const constrained = (t: RandomTable | undefined) => t?.hanging === "cascade" || t?.hanging === "setNull";
  const tables: RandomTable[] = [];
  for (const [i, t] of all.entries()) {
    const above = tables[i - 1];
    const filtered = above !== undefined && (above.where !== null || above.hanging === "through");
    let hanging = constrained(t) && filtered ? "no" as const : t.hanging;
    if (constrained(above) && constrained(t)) hanging = "no";
    tables.push({ ...t, hanging, where: hanging === "setNull" ? null : t.where });
  }
  return tables;
}

const write: fc.Arbitrary<RandomWrite> = fc.record({
  table: fc.nat(),
  what: fc.constantFrom(
    "insert",
    "update",
    "update",
    "update",
    "delete",
    "move",
    "again",
    "swap",
    "many",
    "rollback",
  ),
  rows: fc.tuple(fc.nat(), fc.nat()),
  salt: fc.nat(),
});

/** A random scenario. */
export const scenarios: fc.Arbitrary<Scenario> = fc.constantFrom(...CROSSINGS).chain((vendors) =>
  fc.record({
    vendors: fc.constant(vendors),
    tables: tables(vendors),
    writes: fc.array(write, { minLength: 200, maxLength: 600, size: "max" }),
    settings: fc.record({
      concurrency: fc.integer({ min: 1, max: 4 }),
      chunkBytes: fc.constantFrom(16_384, 65_536, 4_194_304),
      deferIndexes: fc.boolean(),
      rename: fc.boolean(),
    }),
    handovers: fc.array(fc.integer({ min: 5, max: 95 }), { maxLength: 2 }).map((a) =>
      a.toSorted((x, y) => x - y)
    ),
  })
);

/** The scenario of a seed, always the same one. */
export function scenarioOf(seed: number): Scenario {
  return fc.sample(scenarios, { seed, numRuns: 1 })[0];
}
