/**
 * The look at the target: what is there for each pair, and whether the ferry may write it.
 * @module
 */
import type { Server } from "../mysql/server.ts";
import type { ObjectPlace } from "../objects/schema_object.ts";
import { bareText } from "../schema/create_table.ts";
import { type LoadedTable, loadTables } from "../schema/load_tables.ts";
import { tableLabel } from "../schema/table.ts";
import { collationOn } from "../schema/translate/collations.ts";
import { readReader } from "../schema/translate/read_reader.ts";
import type { FerrySpec } from "../spec/ferry_spec.ts";
import type { Finding } from "../progress/resource.ts";
import { refuse } from "./finding.ts";
import { foreignKeyNeeds, type ParentFinder } from "./foreign_keys.ts";
import { checkMerging, judgeMergedTogether } from "./merging.ts";
import { type Pair, placeOf } from "./pairs.ts";
import { readGrants } from "./privileges.ts";
import { translatePairs } from "./definitions.ts";
import { type Dockside, judgeVersion } from "./servers.ts";
import { checkTimestamps } from "./timestamps.ts";
import {
  checkEmpty,
  checkReadOnly,
  checkStateSchema,
  judgeTargetPrivileges,
  judgeTargetTable,
  type Need,
} from "./target.ts";

const ROWS = ["SELECT", "INSERT", "DELETE"];
const STATE = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE"];

/** What the look at the target brought. */
export interface TargetSide {
  /** Schemas that it does not have. */
  readonly missingSchemas: readonly string[];
  /** Its name for a collation of the source, or `null` where it has none. */
  readonly collation: (name: string) => string | null;
}

/** Fills in what exists for each pair, and judges it. */
export async function checkTarget(
  { session, server }: Dockside,
  pairs: Pair[],
  spec: Pick<FerrySpec, "createTables" | "existingRows" | "copy">,
  options: {
    readonly stateSchema: string;
    readonly made: ReadonlySet<string> | null;
    readonly madeObjects?: readonly ObjectPlace[];
    readonly source: Server | null;
    readonly parents: ParentFinder;
  },
  findings: Finding[],
): Promise<TargetSide> {
  findings.push(...judgeVersion(server, "target"));
  const lower = server.lowerCaseTableNames;
  const places = new Set(pairs.map((pair) => pair.place));
  const existing = await loadTables(session, (schema, name) => places.has(placeOf({ schema, name }, lower)));
  const byPlace = new Map(existing.map((loaded) => [placeOf(loaded.table, lower), loaded]));
  for (const pair of pairs) {
    const found = byPlace.get(pair.place) ?? null;
    pair.existing = found === null ? null : withoutOurs(found, options.madeObjects ?? []);
  }

  const grants = await readGrants(session, server);
  const schemas = [...new Set(pairs.map((pair) => pair.target.schema))];
  findings.push(...await checkReadOnly(session, server, grants, schemas));
  const needs = [
    ...pairs.map((pair) => needOf(pair, spec, options.made)),
    ...foreignKeyNeeds(
      pairs,
      options.parents,
      (p) => p.existing === null || options.made?.has(tableLabel(p.target)) === true,
    ),
    {
      schema: options.stateSchema,
      privileges: spec.existingRows === "merge" ? [...STATE, "DROP", "CREATE TEMPORARY TABLES"] : STATE,
    },
  ];
  findings.push(...judgeTargetPrivileges(grants, merged(needs)));
  findings.push(...await checkStateSchema(session, options.stateSchema));
  if (spec.existingRows === "merge") {
    findings.push(...await checkMerging(session, pairs), ...judgeMergedTogether(pairs));
  }
  let collation = (name: string): string | null => name;
  if (options.source !== null && options.source.vendor !== server.vendor) {
    const reader = await readReader(session, server);
    collation = (name) => collationOn(reader, name);
    const refused = new Set(findings.filter((f) => f.level === "error").map((f) => f.subject));
    const left = pairs.filter((pair) => !refused.has(tableLabel(pair.source.table)));
    findings.push(...await translatePairs(session, reader, left, options.stateSchema));
  }
  for (const pair of pairs) {
    const label = tableLabel(pair.target);
    if (pair.existing !== null) {
      findings.push(...judgeTargetTable(pair.source, pair.existing, collation));
      if (options.made === null && spec.existingRows === "refuse") {
        findings.push(...await checkEmpty(session, pair.target));
      }
    } else if (spec.createTables === "never") {
      findings.push(refuse(
        "target-table-missing",
        label,
        `Cannot copy into table "${label}": it does not exist, and createTables is "never"`,
        'The table on the target, or createTables "if-missing"',
      ));
    } else if (await isInTheWay(session, pair)) {
      findings.push(refuse(
        "target-not-a-table",
        label,
        `Cannot copy into table "${label}": a view or the like has that name`,
        "Another name for the target table",
      ));
    }
  }
  if (spec.createTables !== "never") findings.push(...await checkTimestamps(session, pairs));
  const rows = await session.query("SELECT SCHEMA_NAME AS s FROM information_schema.SCHEMATA");
  const there = new Set(rows.map((row) => placeOf({ schema: row.s, name: "" }, lower)));
  return {
    missingSchemas: schemas.filter((schema) => !there.has(placeOf({ schema, name: "" }, lower))),
    collation,
  };
}

/** Triggers that this ferry made are dropped before it writes another row. */
function withoutOurs(loaded: LoadedTable, made: readonly ObjectPlace[]): LoadedTable {
  const ours = new Set(
    made.filter((o) => o.kind === "trigger" && o.schema === loaded.table.schema).map((o) => o.name),
  );
  return { ...loaded, triggers: loaded.triggers.filter((name) => !ours.has(name)) };
}

/** `CREATE TABLE IF NOT EXISTS` over a view does nothing, in silence. */
async function isInTheWay(session: Dockside["session"], pair: Pair): Promise<boolean> {
  const row = await session.one(
    "SELECT 1 AS one FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? LIMIT 1",
    [pair.target.schema, pair.target.name],
  );
  return row !== null;
}

function needOf(
  { source, target, existing }: Pair,
  spec: Pick<FerrySpec, "copy" | "existingRows">,
  made: ReadonlySet<string> | null,
): Need {
  const builds = spec.copy.deferIndexes && spec.existingRows !== "merge" ? ["ALTER", "INDEX"] : [];
  // The next value is set at the end.
  const counts = /\bAUTO_INCREMENT\b/i.test(bareText(source.createSql)) ? ["ALTER"] : [];
  if (existing === null) {
    return { schema: target.schema, privileges: [...ROWS, "CREATE", ...builds, ...counts] };
  }
  const ours = made?.has(tableLabel(target)) === true;
  return { ...target, privileges: [...ROWS, ...(ours ? builds : []), ...counts] };
}

/** One need a place. */
function merged(needs: readonly Need[]): Need[] {
  const groups = Map.groupBy(needs, (need) => `${need.schema}\0${need.name ?? ""}`);
  return [...groups.values()].map((group) => ({
    ...group[0],
    privileges: [...new Set(group.flatMap((need) => need.privileges))],
  }));
}
