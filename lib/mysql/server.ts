/**
 * What a server is: vendor, version, and what of it decides how the ferry works.
 * @module
 */
import type { Session } from "./session.ts";

/** Facts read once, at the start. */
export interface Server {
  /** Who made it. */
  readonly vendor: "mysql" | "mariadb";
  /** `[major, minor, patch]`. */
  readonly version: readonly [number, number, number];
  /** As the server says it. */
  readonly versionText: string;
  /** `server_uuid` on MySQL, `hostname:port:server_id` on MariaDB. */
  readonly identity: string;
  /** MySQL with `gtid_mode=ON`: the executed set can be waited for (I1). */
  readonly gtids: boolean;
  /** `max_allowed_packet` in bytes. */
  readonly maxAllowedPacket: number;
  /** `lower_case_table_names`. */
  readonly lowerCaseTableNames: number;
  /** Server clock minus ours, in milliseconds, when it was read. */
  readonly clockAheadMs: number;
}

/** Whether `server` is at least this version. */
export function isAtLeast(server: Pick<Server, "version">, ...wanted: number[]): boolean {
  for (let i = 0; i < wanted.length; i++) {
    const difference = server.version[i] - wanted[i];
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** Asks the server what it is. */
export async function describeServer(session: Session): Promise<Server> {
  const row = await session.one(
    "SELECT VERSION() AS version, @@max_allowed_packet AS packet, @@lower_case_table_names AS lower_case, @@hostname AS host, " +
      "@@port AS port, @@server_id AS server_id, CAST(UNIX_TIMESTAMP(NOW(6)) * 1000 AS CHAR) AS now_ms",
  );
  const versionText = String(row!.version);
  const vendor = /mariadb/i.test(versionText) ? "mariadb" : "mysql";
  const numbers = /(\d+)\.(\d+)\.(\d+)/.exec(versionText.replace(/^5\.5\.5-/, ""))!;
  let identity = `${row!.host}:${row!.port}:${row!.server_id}`;
  let gtids = false;
  if (vendor === "mysql") {
    const own = await session.one("SELECT @@server_uuid AS uuid, @@gtid_mode AS mode");
    identity = String(own!.uuid);
    gtids = own!.mode === "ON";
  }
  return {
    vendor,
    version: [Number(numbers[1]), Number(numbers[2]), Number(numbers[3])],
    versionText,
    identity,
    gtids,
    maxAllowedPacket: Number(row!.packet),
    lowerCaseTableNames: Number(row!.lower_case),
    clockAheadMs: Number(row!.now_ms) - Date.now(),
  };
}

/** `SHOW MASTER STATUS` under the name that this server knows. */
export function binlogStatusStatement(server: Server): string {
  if (server.vendor === "mysql") {
    return isAtLeast(server, 8, 2) ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS";
  }
  return isAtLeast(server, 10, 5) ? "SHOW BINLOG STATUS" : "SHOW MASTER STATUS";
}

/** The statement that tells a row for each server that this one replicates, by whatever name it does. */
export function replicaStatusStatement(server: Server): string {
  if (server.vendor === "mariadb") return "SHOW ALL SLAVES STATUS";
  return isAtLeast(server, 8, 0, 22) ? "SHOW REPLICA STATUS" : "SHOW SLAVE STATUS";
}
