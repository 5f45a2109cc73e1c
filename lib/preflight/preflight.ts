/**
 * Everything that can be known before a ferry begins, asked of both servers and told at once. Nothing is created, locked
 * or written anywhere, but for a temporary table of its own session in which a filter is tried.
 * @module
 */
import type { Server } from "../mysql/server.ts";
import type { Session } from "../mysql/session.ts";
import type { ObjectPlace } from "../objects/schema_object.ts";
import type { TableName } from "../schema/create_table.ts";
import { loadTables } from "../schema/load_tables.ts";
import { tableLabel } from "../schema/table.ts";
import { type ConnectionTarget, parseConnectionUrl } from "../spec/connection_url.ts";
import type { FerrySpec } from "../spec/ferry_spec.ts";
import { matchTable } from "../spec/select_tables.ts";
import type { Finding } from "../progress/resource.ts";
import {
  checkPrepared,
  checkReplicaUpdates,
  judgeBinlogFilter,
  judgeBinlogSettings,
  judgePosition,
  readBinlogSettings,
  type SavedPosition,
} from "./binlog.ts";
import { type Cascade, cascadesOf, judgeCascades, logsCascades, lookupIndexes } from "./cascades.ts";
import { checkFilters, chooseRows, type ChosenRows } from "./filter.ts";
import { inOrder } from "./finding.ts";
import { foreignKeysOnTarget, judgeForeignKeys, ParentFinder, readKeyFacts } from "./foreign_keys.ts";
import { judgeKeyless } from "./keyless.ts";
import { checkObjects } from "./objects.ts";
import { judgeCrossing, matchTargets, type PlannedTable, planTables } from "./pairs.ts";
import { judgeLockTables, readGrants, tryReplication, trySelect } from "./privileges.ts";
import { type Dockside, isSameServer, judgeDifferences, judgeVersion, reach } from "./servers.ts";
import { type MissingSchema, schemasToMake } from "./schemas.ts";
import { judgeMatches, judgeTable, judgeUnused } from "./tables.ts";
import { checkTarget } from "./target_side.ts";
import { judgeThrough } from "./through.ts";

export type { MissingSchema } from "./schemas.ts";
export type { PlannedTable } from "./pairs.ts";
export type { SavedPosition } from "./binlog.ts";

/** What the ferry will do, when nothing refuses it. */
export interface FerryPlan {
  /** The source, described. */
  readonly source: Server;
  /** The target, described. */
  readonly target: Server;
  /** The tables with a key, largest first. */
  readonly tables: readonly PlannedTable[];
  /** Tables without a key, which are copied behind the fence, largest first. */
  readonly keyless: readonly PlannedTable[];
  /** Cascades on the source that its binlog does not tell of. */
  readonly cascades: readonly Cascade[];
  /** Schemas that `create` needs and the target does not have. */
  readonly missingSchemas: readonly MissingSchema[];
}

/** What was found, and the plan. */
export interface Preflight {
  /** Everything, errors first. */
  readonly findings: readonly Finding[];
  /** `null` when a finding is an error. */
  readonly plan: FerryPlan | null;
}

/** What the preflight must know beside the spec. */
export interface PreflightOptions {
  /** Where the ferry's own state lies on the target. */
  readonly stateSchema: string;
  /**
   * `null` for a fresh ferry. Otherwise it resumes, and these target tables (`schema.name`) were made by it: their rows
   * are its own, and the indexes it put aside are worked out again from the source's definition.
   */
  readonly made: ReadonlySet<string> | null;
  /** Objects beside tables that this ferry made, or was about to make, at an earlier cutover. */
  readonly madeObjects?: readonly ObjectPlace[];
  /** Where replay goes on from, or `null` where it has not begun. */
  readonly savedPosition: SavedPosition | null;
  /** Ends the preflight; it then throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Looks at both servers. Throws only where a server is lost half-way or the signal aborts. */
export async function preflight(spec: FerrySpec, options: PreflightOptions): Promise<Preflight> {
  const findings: Finding[] = [];
  const [source, target] = await reachBoth(spec, findings, options.signal);
  try {
    const nothing: ChosenRows = { tables: [], filters: new Map() };
    const chosen = source === null ? nothing : await checkSource(source, spec, options, findings);
    if (source !== null && target !== null) findings.push(...judgeDifferences(source.server, target.server));
    const { tables, filters } = chosen;
    const pairs = matchTargets(tables, spec, target?.server.lowerCaseTableNames ?? 0, filters);
    const parents = new ParentFinder(pairs, source?.server.lowerCaseTableNames ?? 0);
    const same = source !== null && target !== null && await isSameServer(source, target);
    findings.push(...judgeCrossing(pairs, same, target?.server.lowerCaseTableNames ?? 0, spec.existingRows));
    findings.push(...judgeKeyless(pairs, spec));
    const side = target === null ? null : await checkTarget(
      target,
      pairs,
      spec,
      { ...options, source: source?.server ?? null, parents },
      findings,
    );
    const sameVendor = source?.server.vendor === target?.server.vendor;
    const facts = { existingRows: spec.existingRows, sameVendor };
    findings.push(...judgeThrough(pairs, parents, facts));
    if (source !== null && target !== null) {
      findings.push(...judgeForeignKeys(pairs, {
        sourceLower: source.server.lowerCaseTableNames,
        targetLower: target.server.lowerCaseTableNames,
        ...await readKeyFacts(target.session, [...new Set(pairs.map((pair) => pair.target.schema))]),
      }));
    }
    if (source !== null && pairs.length > 0) {
      const names = pairs.map((pair) => ({ source: pair.source.table, target: pair.target }));
      findings.push(...await checkObjects(source, target, spec, names, options.madeObjects ?? []));
    }
    const silent = source !== null && !await logsCascades(source.session, source.server);
    if (silent) findings.push(...judgeCascades(pairs, parents, facts));
    options.signal?.throwIfAborted();
    const refused = findings.some((finding) => finding.level === "error");
    const cascades = silent && !refused ? cascadesOf(pairs, parents, facts) : [];
    const planned = refused ? [] : planTables(
      pairs,
      spec,
      options.made,
      (pair) => foreignKeysOnTarget(pair, parents),
      (pair) => lookupIndexes(pair, cascades),
    );
    const plan = refused || source === null || target === null || side === null ? null : {
      source: source.server,
      target: target.server,
      tables: planned.filter((t) => t.table.key.length > 0),
      keyless: planned.filter((t) => t.table.key.length === 0),
      cascades,
      missingSchemas: await schemasToMake(source.session, pairs, side.missingSchemas, side.collation),
    };
    return { findings: inOrder(findings), plan };
  } catch (e) {
    options.signal?.throwIfAborted();
    throw e;
  } finally {
    await Promise.all([source?.session.close(), target?.session.close()]);
  }
}

async function reachBoth(spec: FerrySpec, findings: Finding[], signal?: AbortSignal) {
  const ends: [ConnectionTarget, "source" | "target"][] = [
    [parseConnectionUrl(spec.source), "source"],
    [parseConnectionUrl(spec.target), "target"],
  ];
  const own: Finding[][] = [[], []];
  const reached = await Promise.allSettled(ends.map(([at, side], i) => reach(at, side, own[i], signal)));
  const sides = reached.map((r) => r.status === "fulfilled" ? r.value : null);
  const lost = reached.find((r) => r.status === "rejected");
  if (lost !== undefined) {
    for (const side of sides) side?.session.destroy();
    throw lost.reason;
  }
  findings.push(...own[0], ...own[1]);
  return sides as [Dockside | null, Dockside | null];
}

async function checkSource(
  { session, server }: Dockside,
  spec: FerrySpec,
  options: PreflightOptions,
  findings: Finding[],
): Promise<ChosenRows> {
  findings.push(...judgeVersion(server, "source"));
  const selected = await loadSelected(session, spec, options.stateSchema, findings);
  const chosen = chooseRows(selected, spec, findings);
  const { tables } = chosen;
  const schemas = [...new Set(tables.map((t) => t.table.schema))];
  await checkBinlog({ session, server }, schemas, options.savedPosition, findings);
  for (const table of tables) {
    findings.push(...judgeTable(table), ...await trySelect(session, table.table));
  }
  if (spec.cutover.fence === "lockTables") {
    findings.push(...judgeLockTables(await readGrants(session, server), schemas));
  }
  findings.push(...await checkFilters(session, chosen.filters));
  return chosen;
}

async function checkBinlog(
  { session, server }: Dockside,
  schemas: readonly string[],
  saved: SavedPosition | null,
  findings: Finding[],
): Promise<void> {
  const settings = await readBinlogSettings(session);
  findings.push(...judgeBinlogSettings(settings));
  if (settings.get("log_bin") !== "ON") return;
  findings.push(...await checkReplicaUpdates(session, server, settings));
  const answers = await tryReplication(session, server, findings);
  if (answers.filter !== null) findings.push(...judgeBinlogFilter(answers.filter, schemas));
  if (saved !== null && answers.files !== null) findings.push(...judgePosition(saved, answers.files));
  if (saved === null) findings.push(...await checkPrepared(session));
}

async function loadSelected(session: Session, spec: FerrySpec, stateSchema: string, findings: Finding[]) {
  const counts = spec.tables.map((selection) => ({ pattern: selection.table, tables: 0 }));
  const there: TableName[] = [];
  const wanted = (schema: string, name: string): boolean => {
    if (schema.toLowerCase() === stateSchema.toLowerCase()) return false;
    there.push({ schema, name });
    spec.tables.forEach((selection, i) => {
      if (matchTable([selection], spec.exclude, spec.renameSchemas, schema, name) !== null) {
        counts[i].tables++;
      }
    });
    return matchTable(spec.tables, spec.exclude, spec.renameSchemas, schema, name) !== null;
  };
  const tables = await loadTables(session, wanted);
  findings.push(...judgeMatches(counts), ...judgeUnused(spec, there));
  return tables.toSorted((a, b) =>
    (b.table.bytesEstimated ?? 0) - (a.table.bytesEstimated ?? 0) ||
    (tableLabel(a.table) < tableLabel(b.table) ? -1 : 1)
  );
}
