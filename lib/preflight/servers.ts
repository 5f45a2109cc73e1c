/**
 * Both servers: do they answer, are they new enough, are they one and the same.
 * @module
 */
import type { ConnectionTarget } from "../spec/connection_url.ts";
import { describeServer, isAtLeast, type Server } from "../mysql/server.ts";
import { Session } from "../mysql/session.ts";
import { errorText, FerryError } from "../errors.ts";
import type { Finding } from "../progress/resource.ts";
import { isLoopback } from "../spec/settings.ts";
import { refuse, warn } from "./finding.ts";

/** One end, connected and described. */
export interface Dockside {
  /** An open talk session; the preflight closes it. */
  readonly session: Session;
  /** What it is. */
  readonly server: Server;
}

/** Connects to one end; `null`, and a finding, where it does not answer. */
export async function reach(
  target: ConnectionTarget,
  side: "source" | "target",
  findings: Finding[],
  signal?: AbortSignal,
): Promise<Dockside | null> {
  let session: Session | null = null;
  try {
    session = await Session.open(target, { side, ...(signal === undefined ? {} : { signal }) });
    const server = await describeServer(session);
    // A table that is locked for long is told as an error and not waited for.
    await session.run("SET SESSION lock_wait_timeout = 20");
    findings.push(...judgeEncryption(target, side));
    return { session, server };
  } catch (e) {
    session?.destroy();
    signal?.throwIfAborted();
    findings.push(unreachable(e, side));
    return null;
  }
}

function unreachable(e: unknown, side: "source" | "target"): Finding {
  if (!(e instanceof FerryError)) {
    return refuse(
      `${side}-unreachable`,
      side,
      `Cannot connect to the ${side}: ${errorText(e)}`,
      "Check the URL",
    );
  }
  const reason = e.cause === undefined
    ? ""
    : ` (${errorText(e.cause) || (e.cause as { code?: string }).code})`;
  return refuse(e.code, side, e.message + reason, e.hint ?? "Check the URL");
}

/** Warns of rows that anybody on the network between can read. */
export function judgeEncryption({ host, ssl }: ConnectionTarget, side: "source" | "target"): Finding[] {
  if ((ssl !== null && ssl.mode !== "preferred") || isLoopback(host)) return [];
  return [warn(
    "not-encrypted",
    side,
    `The connection to the ${side} at "${host}" is not encrypted`,
    "?ssl-mode=verify-identity&ssl-ca=… in its URL, or a network that nobody else is on",
  )];
}

/** MySQL 5.7 and MariaDB 10.5 are the oldest. */
export function judgeVersion(
  server: Pick<Server, "vendor" | "version" | "versionText">,
  side: string,
): Finding[] {
  const oldest = server.vendor === "mysql" ? [5, 7] : [10, 5];
  if (isAtLeast(server, ...oldest)) return [];
  const name = server.vendor === "mysql" ? "MySQL" : "MariaDB";
  return [refuse(
    "version-unsupported",
    side,
    `Cannot ferry with the ${side}: it is ${name} ${server.versionText}`,
    `${name} ${oldest.join(".")} or newer`,
  )];
}

/** What two servers may disagree on without harm, mostly. */
export function judgeDifferences(source: Server, target: Server): Finding[] {
  const findings: Finding[] = [];
  if (source.vendor !== target.vendor) {
    findings.push(warn(
      "vendors-differ",
      "target",
      `The source is ${source.versionText}, the target ${target.versionText}`,
      "Column types, collations and definitions that both servers know",
    ));
  }
  if (source.lowerCaseTableNames !== target.lowerCaseTableNames) {
    findings.push(warn(
      "lower-case-table-names",
      "lower_case_table_names",
      `It is ${source.lowerCaseTableNames} on the source and ${target.lowerCaseTableNames} on the target`,
      "Table names that do not depend on their case, or the same setting on both servers",
    ));
  }
  if (target.maxAllowedPacket < source.maxAllowedPacket) {
    findings.push(warn(
      "max-allowed-packet",
      "max_allowed_packet",
      `The target takes ${target.maxAllowedPacket} bytes at once, the source ${source.maxAllowedPacket}`,
      "Rows smaller than the target's value, or the source's value on the target as well",
    ));
  }
  return findings;
}

/**
 * Whether both ends are one server. Equal identities are only a suspicion (copied data folders, equal host names), so a
 * name that is held on the one is looked for on the other: a user-level lock, which holds up nobody and nothing.
 */
export async function isSameServer(source: Dockside, target: Dockside): Promise<boolean> {
  if (source.server.vendor !== target.server.vendor) return false;
  if (source.server.identity !== target.server.identity) return false;
  const name = `chainferry-${crypto.randomUUID()}`;
  await source.session.query("SELECT GET_LOCK(?, 0)", [name]);
  try {
    const seen = await target.session.one("SELECT IS_USED_LOCK(?) AS holder", [name]);
    return seen!.holder !== null;
  } finally {
    await source.session.query("SELECT RELEASE_LOCK(?)", [name]);
  }
}
