/**
 * What stands beside the ferried tables: told whether or not it is asked for, and judged where it is.
 * @module
 */
import { isAtLeast, type Server } from "../mysql/server.ts";
import type { Session } from "../mysql/session.ts";
import { listObjects, loadObjects } from "../objects/load_objects.ts";
import { planObject, type Renames } from "../objects/rename_objects.ts";
import {
  ASKED_BY,
  type LoadedObject,
  objectLabel,
  type ObjectPlace,
  type PlannedObject,
} from "../objects/schema_object.ts";
import type { TableName } from "../schema/create_table.ts";
import type { FerrySpec, SchemaObject } from "../spec/ferry_spec.ts";
import type { Finding } from "../progress/resource.ts";
import { inform, listed, refuse, warn } from "./finding.ts";
import { type Grants, readGrants } from "./privileges.ts";
import type { Dockside } from "./servers.ts";
import { judgeTargetPrivileges } from "./target.ts";

/** A ferried table, and where it goes. */
export interface FerriedName {
  /** On the source. */
  readonly source: TableName;
  /** On the target. */
  readonly target: TableName;
}

/** The objects of the ferried schemas; of triggers those of ferried tables. */
export async function loadFerriedObjects(
  session: Session,
  tables: readonly FerriedName[],
  asked: (kind: SchemaObject) => boolean = () => true,
): Promise<LoadedObject[]> {
  const schemas = [...new Set(tables.map((t) => t.source.schema))];
  const ferried = new Set(tables.map((t) => `${t.source.schema}\0${t.source.name}`));
  return await loadObjects(session, schemas, (o) =>
    asked(ASKED_BY[o.kind] ?? "routines") &&
    (o.table === null || ferried.has(`${o.schema}\0${o.table}`)));
}

/** What is called otherwise on the target. */
export function renamesOf(spec: Pick<FerrySpec, "renameSchemas">, tables: readonly FerriedName[]): Renames {
  return { schemas: spec.renameSchemas, tables };
}

/** Tells what there is, and refuses what cannot be carried over though it is asked for. */
export async function checkObjects(
  source: Dockside,
  target: Dockside | null,
  spec: Pick<FerrySpec, "objects" | "renameSchemas">,
  tables: readonly FerriedName[],
  made: readonly ObjectPlace[],
): Promise<Finding[]> {
  const loaded = await loadFerriedObjects(source.session, tables);
  const findings = tellObjects(loaded, spec.objects);
  const wanted = loaded.filter((o) => spec.objects.includes(ASKED_BY[o.kind] ?? "routines"));
  const planned: PlannedObject[] = [];
  for (const o of wanted) {
    const plan = planObject(o, renamesOf(spec, tables));
    if ("reason" in plan) {
      findings.push(refuse("object-not-carried", objectLabel(o), ...unable(o, plan.reason)));
    } else planned.push(plan);
  }
  if (target === null || planned.length === 0) return findings;
  findings.push(...await judgeExisting(target.session, planned, made));
  const grants = await readGrants(target.session, target.server);
  findings.push(...judgeTargetPrivileges(grants, needsOf(planned)));
  const me = String((await target.session.one("SELECT CURRENT_USER() AS me"))!.me);
  findings.push(...judgeDefiners(planned, me, grants, target.server));
  findings.push(...await judgeBinlogTrust(target.session, planned, grants));
  return findings;
}

function unable(o: ObjectPlace, reason: string): [string, string] {
  return [
    `Cannot carry over ${objectLabel(o)}: ${reason}`,
    "Carry it over by hand, and leave its kind out of objects",
  ];
}

/** One finding for each kind in a schema; triggers are told of by their table. */
function tellObjects(loaded: readonly LoadedObject[], asked: readonly SchemaObject[]): Finding[] {
  const placeOf = (o: LoadedObject) =>
    o.table === null ? `Schema "${o.schema}"` : `Table "${o.schema}.${o.table}"`;
  const kindOf = (o: LoadedObject) => ASKED_BY[o.kind] ?? "routines";
  return [...Map.groupBy(loaded, (o) => `${kindOf(o)} ${placeOf(o)}`).values()].map((group) => {
    const [first] = group;
    const kind = kindOf(first);
    const subject = first.table === null ? first.schema : `${first.schema}.${first.table}`;
    const names = listed(group.map((o) => o.name));
    return asked.includes(kind)
      ? inform(
        kind,
        subject,
        `${placeOf(first)} has ${kind} that are carried over at the cutover: ${names}`,
        "Nothing",
      )
      : inform(
        kind,
        subject,
        `${placeOf(first)} has ${kind} that stay behind: ${names}`,
        `"objects": ["${kind}"], or make them on the target after the cutover`,
      );
  });
}

async function judgeExisting(
  session: Session,
  planned: readonly PlannedObject[],
  made: readonly ObjectPlace[],
): Promise<Finding[]> {
  const key = (o: ObjectPlace) => `${o.kind}\0${o.schema}\0${o.name}`.toLowerCase();
  const ours = new Set(made.map(key));
  const there = new Set((await listObjects(session, [...new Set(planned.map((o) => o.schema))])).map(key));
  return planned.filter((o) => there.has(key(o)) && !ours.has(key(o))).map((o) =>
    refuse(
      "object-exists",
      objectLabel(o),
      `Cannot carry over ${objectLabel(o.source)}: the target has a ${o.kind} "${o.schema}.${o.name}"`,
      `DROP ${o.kind.toUpperCase()} on the target, or leave its kind out of objects`,
    )
  );
}

const PRIVILEGES: Readonly<Record<ObjectPlace["kind"], readonly string[]>> = {
  function: ["CREATE ROUTINE", "ALTER ROUTINE"],
  procedure: ["CREATE ROUTINE", "ALTER ROUTINE"],
  view: ["CREATE VIEW", "DROP", "SELECT"],
  trigger: ["TRIGGER"],
  event: ["EVENT"],
};

function needsOf(planned: readonly PlannedObject[]) {
  return [...Map.groupBy(planned, (o) => o.schema)].map(([schema, group]) => ({
    schema,
    privileges: [...new Set(group.flatMap((o) => PRIVILEGES[o.kind]))],
  }));
}

/** Whoever makes an object in another's name needs a privilege for that. */
function judgeDefiners(
  planned: readonly PlannedObject[],
  me: string,
  grants: Grants,
  server: Server,
): Finding[] {
  const others = [...new Set(planned.map((o) => o.source.definer).filter((definer) => definer !== me))];
  if (others.length === 0) return [];
  const enough = ["SUPER", "SET USER", "SET_USER_ID", "SET_ANY_DEFINER"];
  if (enough.some((privilege) => grants.everywhere.has(privilege))) return [];
  const needed = server.vendor === "mariadb"
    ? "SET USER"
    : isAtLeast(server, 8, 2)
    ? "SET_ANY_DEFINER"
    : isAtLeast(server, 8, 0)
    ? "SET_USER_ID"
    : "SUPER";
  const tell = grants.complete ? refuse : warn;
  return [tell(
    "object-definer",
    "target",
    `Cannot make objects on the target in the name of ${listed(others)}: no ${needed} is listed for its user`,
    `GRANT ${needed} ON *.* to the target's user`,
  )];
}

/** A server whose binlog is on takes functions that may change rows, and triggers, only from a trusted user. */
async function judgeBinlogTrust(
  session: Session,
  planned: readonly PlannedObject[],
  grants: Grants,
): Promise<Finding[]> {
  const row = await session.one("SELECT @@log_bin AS binlog, @@log_bin_trust_function_creators AS trust");
  if (Number(row!.binlog) === 0 || Number(row!.trust) === 1) return [];
  const trusted = grants.everywhere.has("SUPER");
  const held = planned.filter((o) =>
    !o.source.harmless || (!trusted && (o.kind === "function" || o.kind === "trigger"))
  );
  if (held.length === 0) return [];
  const tell = grants.complete || held.some((o) => !o.source.harmless) ? refuse : warn;
  return [tell(
    "object-untrusted",
    "log_bin_trust_function_creators",
    `Cannot make ${
      listed(held.map(objectLabel))
    } on the target: its binlog is on, and it trusts no makers of functions`,
    "SET GLOBAL log_bin_trust_function_creators = ON on the target",
  )];
}
