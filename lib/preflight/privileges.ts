/**
 * What the two users may do: tried where trying changes nothing, otherwise judged by what `information_schema` says.
 * @module
 */
import type { Session } from "../mysql/session.ts";
import { binlogStatusStatement, isAtLeast, type Server } from "../mysql/server.ts";
import { quoteTable } from "../mysql/identifier.ts";
import { errorNumber, errorText } from "../errors.ts";
import { type Table, tableLabel } from "../schema/table.ts";
import type { Finding } from "../progress/resource.ts";
import type { BinlogFilter } from "./binlog.ts";
import { refuse, warn } from "./finding.ts";

/** 1044, 1045, 1095, 1142, 1143, 1227: not allowed. */
const DENIED = new Set([1044, 1045, 1095, 1142, 1143, 1227]);

/** Whether the server refused a statement for lack of privileges. */
export function isDenied(error: unknown): boolean {
  return DENIED.has(errorNumber(error) ?? 0);
}

/** Privileges of the session's user. */
export interface Grants {
  /** On everything. */
  readonly everywhere: ReadonlySet<string>;
  /** By schema pattern (`%` and `_` as in LIKE, `\` before a plain one). */
  readonly schemas: readonly { readonly pattern: string; readonly privilege: string }[];
  /** By table. */
  readonly tables: readonly { readonly schema: string; readonly name: string; readonly privilege: string }[];
  /** `false` where roles may give more than what is listed. */
  readonly complete: boolean;
}

/** Reads the grants of the session's user. */
export async function readGrants(session: Session, server: Server): Promise<Grants> {
  const me = String((await session.one("SELECT CURRENT_USER() AS me"))!.me);
  const at = me.lastIndexOf("@");
  const grantee = `'${me.slice(0, at)}'@'${me.slice(at + 1)}'`;
  const read = (columns: string, table: string) =>
    session.query(
      `SELECT ${columns}, PRIVILEGE_TYPE AS privilege FROM information_schema.${table} WHERE GRANTEE = ?`,
      [grantee],
    );
  const everywhere = await read("1 AS one", "USER_PRIVILEGES");
  const schemas = await read("TABLE_SCHEMA AS pattern", "SCHEMA_PRIVILEGES");
  const tables = await read("TABLE_SCHEMA AS s, TABLE_NAME AS t", "TABLE_PRIVILEGES");
  return {
    everywhere: new Set(everywhere.map((row) => String(row.privilege))),
    schemas: schemas.map((row) => ({ pattern: row.pattern, privilege: row.privilege })),
    tables: tables.map((row) => ({ schema: row.s, name: row.t, privilege: row.privilege })),
    complete: !await hasRoles(session, server),
  };
}

async function hasRoles(session: Session, server: Server): Promise<boolean> {
  if (server.vendor === "mysql") {
    if (!isAtLeast(server, 8, 0)) return false;
    return (await session.one("SELECT CURRENT_ROLE() AS role"))!.role !== "NONE";
  }
  const rows = await session.query("SELECT ROLE_NAME AS role FROM information_schema.ENABLED_ROLES");
  if (rows.some((row) => row.role !== null && row.role !== "PUBLIC")) return true;
  if (!isAtLeast(server, 10, 11)) return false;
  // Everybody has what PUBLIC has; the installation gives it the test schemas.
  try {
    const given = await session.query("SHOW GRANTS FOR PUBLIC");
    return given.flatMap((row) => Object.values(row)).some((text) =>
      !/^GRANT USAGE|ON `test/.test(String(text))
    );
  } catch (e) {
    if (errorNumber(e) === 1141) return false; // nothing was ever granted to PUBLIC
    return true;
  }
}

/** Whether `privilege` is held on a table, or (without `name`) on a schema; `null` where nobody can say. */
export function holds(grants: Grants, privilege: string, schema: string, name?: string): boolean | null {
  if (grants.everywhere.has(privilege)) return true;
  if (grants.schemas.some((g) => g.privilege === privilege && likePattern(g.pattern).test(schema))) {
    return true;
  }
  if (grants.tables.some((g) => g.privilege === privilege && g.schema === schema && g.name === name)) {
    return true;
  }
  return grants.complete ? false : null;
}

function likePattern(pattern: string): RegExp {
  const text = pattern.replace(/\\?[\s\S]/gu, (c) => {
    if (c === "%") return "[^]*";
    if (c === "_") return "[^]";
    return c.at(-1)!.replace(/[.*+?^${}()|[\]\\]/, "\\$&");
  });
  return new RegExp(`^${text}$`, "u");
}

/** What the trials of the replication privileges brought. */
export interface BinlogAnswers {
  /** Schemas left out, or `null` where the status may not be read. */
  readonly filter: BinlogFilter | null;
  /** Files that the source has, or `null` where the list may not be read. */
  readonly files: { readonly name: string; readonly size: number }[] | null;
}

/** Tries what following the binlog needs. Call it only where the binlog is on. */
export async function tryReplication(
  session: Session,
  server: Server,
  findings: Finding[],
): Promise<BinlogAnswers> {
  const client = server.vendor === "mysql" ? "REPLICATION CLIENT" : "BINLOG MONITOR";
  const status = await attempt(session, binlogStatusStatement(server), client, findings);
  const logs = await attempt(session, "SHOW BINARY LOGS", client, findings);
  if (server.vendor === "mysql") {
    const statement = isAtLeast(server, 8, 0, 22) ? "SHOW REPLICAS" : "SHOW SLAVE HOSTS";
    await attempt(session, statement, "REPLICATION SLAVE", findings);
  } else {
    findings.push(...judgeReplicaGrant(await readGrants(session, server)));
  }
  const names = (text: unknown) => String(text ?? "").split(",").filter((name) => name !== "");
  const first = status?.[0];
  return {
    filter: first === undefined
      ? null
      : { only: names(first.Binlog_Do_DB), never: names(first.Binlog_Ignore_DB) },
    files: logs?.map((row) => ({ name: String(row.Log_name), size: Number(row.File_size) })) ?? null,
  };
}

async function attempt(session: Session, statement: string, privilege: string, findings: Finding[]) {
  try {
    return await session.query(statement);
  } catch (e) {
    if (!isDenied(e)) throw e;
    if (!findings.some((f) => f.code === "replication-privilege" && f.subject === privilege)) {
      findings.push(missingReplication(privilege, `the source refused ${statement} (${errorText(e)})`));
    }
    return null;
  }
}

function judgeReplicaGrant(grants: Grants): Finding[] {
  if (grants.everywhere.has("REPLICATION SLAVE") || grants.everywhere.has("REPLICATION REPLICA")) return [];
  const finding = missingReplication("REPLICATION SLAVE", "the source lists no such grant for this user");
  // A role may bring it; then the binlog connection itself tells.
  return [grants.complete ? finding : { ...finding, level: "warning" }];
}

/** Refuses the ferry for a privilege that following the binlog needs. */
export function missingReplication(privilege: string, seen: string): Finding {
  return refuse(
    "replication-privilege",
    privilege,
    `Cannot follow the source's binlog: ${seen}`,
    `GRANT ${privilege} ON *.* to the source's user`,
  );
}

/** Tries to read every column of a table, and no row. */
export async function trySelect(session: Session, table: Table): Promise<Finding[]> {
  try {
    await session.query(`SELECT * FROM ${quoteTable(table)} LIMIT 0`);
    return [];
  } catch (e) {
    if (!isDenied(e)) throw e;
    return [refuse(
      "select-denied",
      tableLabel(table),
      `Cannot read table "${tableLabel(table)}": ${errorText(e)}`,
      "GRANT SELECT on every column of the table to the source's user",
    )];
  }
}

/** Whether the fence `lockTables` can be raised: taking a lock to see would hold up the application. */
export function judgeLockTables(grants: Grants, schemas: readonly string[]): Finding[] {
  const findings: Finding[] = [];
  for (const schema of schemas) {
    const held = holds(grants, "LOCK TABLES", schema);
    if (held === true) continue;
    const tell = held === false ? refuse : warn;
    findings.push(tell(
      "lock-tables-denied",
      schema,
      `Cannot see that tables of "${schema}" may be locked: no LOCK TABLES is listed for the source's user`,
      "GRANT LOCK TABLES on the schema to the source's user, or another fence",
    ));
  }
  return findings;
}
