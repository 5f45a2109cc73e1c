/**
 * The source's binlog: does it tell every change of every row, and is the position to go on from still in it.
 * @module
 */
import { errorNumber } from "../errors.ts";
import type { Session } from "../mysql/session.ts";
import { replicaStatusStatement, type Server } from "../mysql/server.ts";
import type { Finding } from "../progress/resource.ts";
import { refuse, warn } from "./finding.ts";
import { isDenied, missingReplication } from "./privileges.ts";

/** Settings that decide what the binlog tells, by lower-case name; those that a server does not know are missing. */
export type BinlogSettings = ReadonlyMap<string, string>;

const NAMES = [
  "log_bin",
  "binlog_format",
  "binlog_row_image",
  "binlog_row_value_options",
  "log_slave_updates",
  "log_replica_updates",
];

/** Reads the settings. */
export async function readBinlogSettings(session: Session): Promise<BinlogSettings> {
  const rows = await session.query("SHOW GLOBAL VARIABLES WHERE Variable_name IN (?)", [NAMES]);
  return new Map(rows.map((row) => [String(row.Variable_name).toLowerCase(), String(row.Value)]));
}

/** Judges them. A setting that the server does not know has the value that the ferry needs. */
export function judgeBinlogSettings(settings: BinlogSettings): Finding[] {
  if (settings.get("log_bin") !== "ON") {
    return [refuse(
      "binlog-off",
      "log_bin",
      "Cannot follow the source: its binlog is off",
      "Start the source with --log-bin",
    )];
  }
  const findings: Finding[] = [];
  const wanted = [["binlog_format", "ROW"], ["binlog_row_image", "FULL"], ["binlog_row_value_options", ""]];
  for (const [name, value] of wanted) {
    const seen = settings.get(name) ?? value;
    if (seen.toUpperCase() === value) continue;
    findings.push(refuse(
      name.replaceAll("_", "-"),
      name,
      `Cannot follow the source: ${name} is "${seen}"`,
      `SET GLOBAL ${name} = '${value}', and new connections of everything that writes (the setting is taken over at connect)`,
    ));
  }
  return findings;
}

/** What the status statement of the binlog says about schemas that are left out of it. */
export interface BinlogFilter {
  /** `binlog_do_db`: only these, where not empty. */
  readonly only: readonly string[];
  /** `binlog_ignore_db`: not these. */
  readonly never: readonly string[];
}

/** Schemas whose changes the binlog does not tell. */
export function judgeBinlogFilter(filter: BinlogFilter, schemas: readonly string[]): Finding[] {
  const silent = schemas.filter((s) =>
    filter.never.includes(s) || (filter.only.length > 0 && !filter.only.includes(s))
  );
  return silent.map((schema) =>
    refuse(
      "binlog-filter",
      schema,
      `Cannot follow the schema "${schema}": binlog_do_db or binlog_ignore_db keeps it out of the binlog`,
      "A source without binlog filters",
    )
  );
}

/** A replica that does not write what it replays into its own binlog tells only half. */
export async function checkReplicaUpdates(
  session: Session,
  server: Server,
  settings: BinlogSettings,
): Promise<Finding[]> {
  const logged = settings.get("log_replica_updates") ?? settings.get("log_slave_updates") ?? "ON";
  if (logged === "ON" || settings.get("log_bin") !== "ON") return [];
  const replica = await isReplica(session, server);
  if (replica === false) return [];
  if (replica === null) {
    return [missingReplication(
      server.vendor === "mariadb" ? "SLAVE MONITOR" : "REPLICATION CLIENT",
      `it does not log what it would replay (log_replica_updates, log_slave_updates), and the source refused ` +
        `${replicaStatusStatement(server)}, which tells whether it is a replica`,
    )];
  }
  return [refuse(
    "binlog-replica-updates",
    "log_replica_updates",
    "Cannot follow the source: it is a replica and does not log what it replays",
    "Start the source with log_replica_updates (log_slave_updates) on, or ferry from its own source",
  )];
}

/** Whether the server replays another one's changes; `null` where the user may not look. */
export async function isReplica(session: Session, server: Server): Promise<boolean | null> {
  try {
    return (await session.query(replicaStatusStatement(server))).length > 0;
  } catch (e) {
    if (isDenied(e)) return null;
    throw e;
  }
}

/** MySQL's answer to XA RECOVER without XA_RECOVER_ADMIN. */
const XA_DENIED = 1401;

/**
 * XA transactions that are prepared before a ferry begins: what they hold stands before its first position, and no copy
 * sees it. A commit of one stops the ferry; who may not look is told then.
 */
export async function checkPrepared(session: Session): Promise<Finding[]> {
  try {
    const open = (await session.query("XA RECOVER")).length;
    return open === 0 ? [] : [warn(
      "xa-prepared",
      "XA RECOVER",
      `Cannot tell what prepared XA transactions hold (there are ${open}): the ferry stops where one is committed`,
      "Commit them or roll them back before the ferry begins",
    )];
  } catch (e) {
    if (isDenied(e) || errorNumber(e) === XA_DENIED) return [];
    throw e;
  }
}

/** Where replay goes on from. */
export interface SavedPosition {
  /** Binlog file. */
  readonly file: string;
  /** Byte in it. */
  readonly offset: number;
}

/** Judges a saved position by the files that the source still has. */
export function judgePosition(
  saved: SavedPosition,
  files: readonly { readonly name: string; readonly size: number }[],
): Finding[] {
  const file = files.find((f) => f.name === saved.file);
  if (file !== undefined && saved.offset <= file.size) return [];
  const seen = file === undefined
    ? `the source has ${files[0]?.name ?? "no file"} to ${files.at(-1)?.name ?? "no file"}`
    : `that file has ${file.size} bytes`;
  return [refuse(
    "binlog-purged",
    `${saved.file}:${saved.offset}`,
    `Cannot go on from "${saved.file}:${saved.offset}": ${seen}`,
    "Cancel this ferry and begin again; keep binlogs longer than a ferry may stand still",
  )];
}
