/**
 * What a test sees of a database server, wherever it came from.
 * @module
 */

/** The two families that are ferried between. */
export type Vendor = "mysql" | "mariadb";

/** A running server, owned by whoever started it. */
export interface TestServer {
  /** Which family it is. */
  vendor: Vendor;
  /** Address to connect to. */
  host: string;
  /** Port to connect to; the same after a restart. */
  port: number;
  /** A user with every privilege, and the right to grant it. */
  user: string;
  /** That user's password. */
  password: string;
  /** All of the above as `mysql://user:password@host:port`. */
  url: string;
  /** The version as the server's greeting says it. */
  version: string;
  /** The server's process, where it is ours and on this machine. */
  pid: number | null;
  /** Stops the server in order (also one that was killed) and starts it on the same data and port. */
  restart(): Promise<void>;
  /** Kills the server on the spot; `restart()` brings it back. Missing where it cannot be done. */
  kill9?(): Promise<void>;
  /** Ends the server and removes its data. Does nothing the second time. */
  stop(): Promise<void>;
  /** The same as `stop()`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What to start. */
export interface ServerOptions {
  /** Which family. */
  vendor: Vendor;
  /** Further server options, e.g. `{"gtid-mode": "ON"}`; an empty value gives a bare `--name`. They win over ours. */
  settings?: Record<string, string>;
}

/** The user that every server of ours has. */
export const USER = "ferry";

/** Its password. */
export const PASSWORD = "ferry-pw";

/** The statements that make that user, one a line (a bootstrapping server reads line by line). */
export function createUser(vendor: Vendor): string {
  const how = vendor === "mysql" ? "WITH caching_sha2_password BY" : "BY";
  return `CREATE USER '${USER}'@'%' IDENTIFIED ${how} '${PASSWORD}';\n` +
    `GRANT ALL PRIVILEGES ON *.* TO '${USER}'@'%' WITH GRANT OPTION;\n`;
}

/** The address as a URL. */
export function serverUrl(
  s: Readonly<{ user: string; password: string; host: string; port: number }>,
): string {
  return `mysql://${encodeURIComponent(s.user)}:${encodeURIComponent(s.password)}@${s.host}:${s.port}`;
}

let lastServerId = 0;

/**
 * The options that a test server runs with: the binlog as a ferry wants it, small buffers, no waiting for the disk (a
 * killed process loses nothing by that, only a killed machine would).
 */
export function serverOptions(vendor: Vendor, settings: Readonly<Record<string, string>> = {}): string[] {
  // The process id keeps ids apart between test processes, the counter within one.
  const id = (Deno.pid % 100_000) * 1000 + (++lastServerId % 1000) + 1;
  const options: Record<string, string> = {
    "server-id": String(id),
    "log-bin": "binlog",
    "binlog-format": "ROW",
    "binlog-row-image": "FULL",
    "sync-binlog": "0",
    "innodb-flush-log-at-trx-commit": "2",
    "innodb-buffer-pool-size": "128M",
    "max-connections": "200",
    "max-allowed-packet": "64M",
    "skip-name-resolve": "",
    ...(vendor === "mysql"
      ? { "mysqlx": "OFF", "innodb-redo-log-capacity": "256M" }
      : { "performance-schema": "OFF", "innodb-log-file-size": "128M" }),
    // `gtid_mode` and `gtid-mode` are one option.
    ...Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [name.replaceAll("_", "-"), value]),
    ),
  };
  return Object.entries(options).map(([name, value]) => value === "" ? `--${name}` : `--${name}=${value}`);
}
