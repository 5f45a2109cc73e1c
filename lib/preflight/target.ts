/**
 * The target: may it be written, and are the tables that it has already like those of the source.
 * @module
 */
import type { Session } from "../mysql/session.ts";
import { isAtLeast, type Server } from "../mysql/server.ts";
import { quoteName, quoteTable } from "../mysql/identifier.ts";
import { errorNumber } from "../errors.ts";
import type { LoadedTable } from "../schema/load_tables.ts";
import type { TableName } from "../schema/create_table.ts";
import { columnFits, columnText } from "../schema/column_fit.ts";
import { type Column, tableLabel } from "../schema/table.ts";
import type { Finding } from "../progress/resource.ts";
import { STATE_VERSION } from "../state/schema_sql.ts";
import { listed, refuse, warn } from "./finding.ts";
import { type Grants, holds, isDenied } from "./privileges.ts";

/** Whether the target takes writes from this user. */
export async function checkReadOnly(
  session: Session,
  server: Server,
  grants: Grants,
  schemas: readonly string[],
) {
  const names = ["read_only", "super_read_only", "innodb_read_only"];
  const rows = await session.query("SHOW GLOBAL VARIABLES WHERE Variable_name IN (?)", [names]);
  const on = rows.filter((row) => /^(ON|1)$/i.test(row.Value)).map((row) => String(row.Variable_name));
  const findings = judgeReadOnly(on, grants);
  if (server.vendor === "mariadb" || !isAtLeast(server, 8, 0, 22)) return findings;
  const fenced = await session.query(
    "SELECT SCHEMA_NAME AS s FROM information_schema.SCHEMATA_EXTENSIONS WHERE OPTIONS LIKE '%READ ONLY=1%'",
  );
  for (const schema of fenced.map((row) => String(row.s)).filter((s) => schemas.includes(s))) {
    findings.push(readOnly(schema, `the schema "${schema}" is READ ONLY`, "ALTER SCHEMA … READ ONLY = 0"));
  }
  return findings;
}

/** `read_only` alone does not hold those who may write all the same. */
export function judgeReadOnly(on: readonly string[], grants: Grants): Finding[] {
  if (on.length === 0) return [];
  const stronger = on.filter((name) => name !== "read_only");
  const passes = ["SUPER", "CONNECTION_ADMIN", "READ_ONLY ADMIN", "READ ONLY ADMIN"];
  if (stronger.length === 0 && passes.some((privilege) => grants.everywhere.has(privilege))) {
    return [
      warn(
        "target-read-only",
        "read_only",
        "The target is read_only, which its user may pass",
        "A target for writing",
      ),
    ];
  }
  return [readOnly(on.join(", "), `${on.join(" and ")} is on`, "A target that takes writes")];
}

function readOnly(subject: string, seen: string, needed: string): Finding {
  return refuse("target-read-only", subject, `Cannot write to the target: ${seen}`, needed);
}

/** What the ferry does in one place of the target: a table, or a schema where `name` is left out. */
export interface Need {
  /** Schema on the target. */
  readonly schema: string;
  /** Table there, where it exists. */
  readonly name?: string;
  /** Privileges. */
  readonly privileges: readonly string[];
}

/** Judges the target user's privileges without touching anything. */
export function judgeTargetPrivileges(grants: Grants, needs: readonly Need[]): Finding[] {
  return needs.flatMap((need) => {
    const missing = need.privileges.filter((p) => holds(grants, p, need.schema, need.name) !== true);
    if (missing.length === 0) return [];
    const subject = need.name === undefined ? need.schema : `${need.schema}.${need.name}`;
    const tell = grants.complete ? refuse : warn;
    return [tell(
      "target-privilege",
      subject,
      `Cannot see that the target's user may write "${subject}": no ${missing.join(", ")} is listed`,
      `GRANT ${missing.join(", ")} on it to the target's user`,
    )];
  });
}

/** A state schema that a newer program left there. */
export async function checkStateSchema(session: Session, stateSchema: string): Promise<Finding[]> {
  let version = 0;
  try {
    const row = await session.one(`SELECT MAX(version) AS version FROM ${quoteName(stateSchema)}.meta`);
    version = Number(row?.version ?? 0);
  } catch (e) {
    // 1049 no schema · 1146 no table: the first ferry makes them. What is not allowed is told by the grants.
    if (![1049, 1146].includes(errorNumber(e) ?? 0) && !isDenied(e)) throw e;
  }
  if (version <= STATE_VERSION) return [];
  return [refuse(
    "state-schema-newer",
    stateSchema,
    `Cannot use the state in "${stateSchema}": its version is ${version}, this program knows ${STATE_VERSION}`,
    "The newer Chainferry that made it, or another FERRY_STATE_SCHEMA",
  )];
}

/** Rows in the way. */
export async function checkEmpty(session: Session, target: TableName): Promise<Finding[]> {
  try {
    if (await session.one(`SELECT 1 AS one FROM ${quoteTable(target)} LIMIT 1`) === null) return [];
  } catch (e) {
    if (!isDenied(e)) throw e;
    return [refuse(
      "target-privilege",
      tableLabel(target),
      `Cannot see whether target table "${tableLabel(target)}" is empty: no SELECT on it`,
      "GRANT SELECT on it to the target's user",
    )];
  }
  return [refuse(
    "target-not-empty",
    tableLabel(target),
    `Cannot copy into table "${tableLabel(target)}": it has rows`,
    "An empty target table, or another name for it",
  )];
}

/** A target table that exists, held against its source. `collation` says a collation of the source as the target does. */
export function judgeTargetTable(
  source: LoadedTable,
  target: LoadedTable,
  collation: (name: string) => string | null = (name) => name,
): Finding[] {
  const label = tableLabel(target.table);
  const cannot = (state: string) => `Cannot copy into table "${label}": ${state}`;
  const findings: Finding[] = [];
  const differences = columnDifferences(source, target, collation);
  if (source.table.key.length > 0 && !hasUniqueKey(target, source.table.key)) {
    differences.push(`no unique key on (${source.table.key.map((c) => c.name).join(", ")})`);
  }
  if (differences.length > 0) {
    findings.push(refuse(
      "target-columns-differ",
      label,
      cannot(differences.join("; ")),
      `The columns and key of "${tableLabel(source.table)}" or wider ones, further columns with a default`,
    ));
  }
  if (target.engine.toLowerCase() !== "innodb") {
    findings.push(
      refuse("engine-not-transactional", label, cannot(`its engine is ${target.engine}`), "ENGINE=InnoDB"),
    );
  }
  if (target.triggers.length > 0) {
    findings.push(refuse(
      "target-triggers",
      label,
      cannot(`its triggers ${listed(target.triggers)} would run for every row`),
      "Triggers are created on the target after the cutover",
    ));
  }
  return findings;
}

function columnDifferences(
  source: LoadedTable,
  target: LoadedTable,
  collation: (name: string) => string | null,
): string[] {
  const key = new Set(source.table.key.map((c) => c.name));
  const there = new Map(target.table.columns.map((c) => [c.name.toLowerCase(), c]));
  const travelling = source.table.columns.filter((c) => !c.generated);
  const differences: string[] = [];
  for (const column of travelling) {
    const other = there.get(column.name.toLowerCase());
    if (other === undefined) differences.push(`no column "${column.name}"`);
    else if (other.generated) differences.push(`column "${column.name}" is generated`);
    else if (!columnFits(column, other, { collation, inKey: key.has(column.name) })) {
      differences.push(`column "${column.name}" is ${columnText(other)}, not ${columnText(column)}`);
    } else if (column.nullable && !other.nullable) differences.push(`column "${column.name}" is NOT NULL`);
  }
  const sent = new Set(travelling.map((c) => c.name.toLowerCase()));
  const optional = new Set(target.optionalColumns);
  for (const column of target.table.columns) {
    if (sent.has(column.name.toLowerCase()) || optional.has(column.name)) continue;
    differences.push(`further column "${column.name}" without a default`);
  }
  return differences;
}

function hasUniqueKey(target: LoadedTable, key: readonly Column[]): boolean {
  return uniqueKeyName(target, key) !== null;
}

/** The target's unique index over exactly these columns, or `null`. */
export function uniqueKeyName(target: LoadedTable, key: readonly Column[]): string | null {
  const names = new Set(key.map((c) => c.name.toLowerCase()));
  const found = target.indexes.find((index) =>
    index.unique && index.whole && index.columns.length === names.size &&
    index.columns.every((name) => names.has(name!.toLowerCase()))
  );
  return found?.name ?? null;
}
