/**
 * What a process is told by its environment and its flags: a flag wins over a variable, a variable over the default.
 * @module
 */
import { connectionName } from "./connection_name.ts";
import { readConnectionUrl } from "./connection_url.ts";

/** The settings of one process. */
export interface Settings {
  /** Address to listen on. */
  readonly host: string;
  /** Port to listen on; 0 lets the system choose. */
  readonly port: number;
  /** What `Authorization: Bearer` must carry, or `null` where nothing is asked. */
  readonly token: string | null;
  /** Schema on the target that holds the ferries' state. */
  readonly stateSchema: string;
  /** Seconds that a ferry's owner may be silent before another may take it up. */
  readonly leaseSeconds: number;
  /** Form of the log lines. */
  readonly log: "text" | "json";
  /** Signs the bodies of callbacks, or `null`. */
  readonly callbackSecret: string | null;
  /** Callbacks may go to link-local addresses. */
  readonly callbackLinkLocal: boolean;
  /** URLs by name, the names written as `connectionName` writes them. */
  readonly connections: ReadonlyMap<string, string>;
}

/** What flags may say. */
export interface SettingFlags {
  /** `--port`. */
  readonly port?: string;
  /** `--host`. */
  readonly host?: string;
}

/** The settings, or everything that is wrong with them. */
export type SettingsReading = { readonly settings: Settings } | { readonly faults: readonly string[] };

const CONNECTION = "FERRY_CONNECTION_";

/** Reads the settings and names every fault at once. A variable that is set to nothing counts as not set. */
export function readSettings(
  environment: Readonly<Record<string, string>>,
  flags: SettingFlags = {},
): SettingsReading {
  const faults: string[] = [];
  const get = (name: string): string | null => environment[name] || null;
  const whole = (name: string, text: string, min: number, max: number): number => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    faults.push(`Cannot use ${name} ${JSON.stringify(text)}: needed an integer from ${min} to ${max}`);
    return min;
  };
  const port = flags.port === undefined
    ? whole("PORT", get("PORT") ?? "8080", 0, 65_535)
    : whole("--port", flags.port, 0, 65_535);
  const leaseSeconds = whole("FERRY_LEASE_SECONDS", get("FERRY_LEASE_SECONDS") ?? "10", 1, 3600);
  const token = get("FERRY_TOKEN");
  if (token !== null && !/^[A-Za-z0-9._~+/-]+=*$/.test(token)) {
    faults.push("Cannot use FERRY_TOKEN: needed letters, digits and . _ ~ + / - (RFC 6750)");
  }
  const stateSchema = get("FERRY_STATE_SCHEMA") ?? "_ferry";
  if (!/^[A-Za-z0-9_$]{1,64}$/.test(stateSchema)) {
    faults.push(
      `Cannot use FERRY_STATE_SCHEMA ${
        JSON.stringify(stateSchema)
      }: needed 1 to 64 of letters, digits, _ and $`,
    );
  }
  const log = get("FERRY_LOG") ?? "text";
  if (log !== "text" && log !== "json") {
    faults.push(`Cannot use FERRY_LOG ${JSON.stringify(log)}: needed "text" or "json"`);
  }
  const connections = readConnections(environment, faults);
  if (faults.length > 0) return { faults };
  return {
    settings: {
      host: flags.host ?? get("HOST") ?? "127.0.0.1",
      port,
      token,
      stateSchema,
      leaseSeconds,
      callbackSecret: get("FERRY_CALLBACK_SECRET"),
      callbackLinkLocal: get("FERRY_CALLBACK_LINK_LOCAL") === "1",
      log: log === "json" ? "json" : "text",
      connections,
    },
  };
}

/** Why these settings must not be served, or `null`: whoever reaches the port could move databases. */
export function refusalToServe(settings: Settings): string | null {
  if (settings.token !== null || isLoopback(settings.host)) return null;
  return `Cannot listen on "${settings.host}": it is not a loopback address and FERRY_TOKEN is not set`;
}

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}

function readConnections(
  environment: Readonly<Record<string, string>>,
  faults: string[],
): ReadonlyMap<string, string> {
  const connections = new Map<string, string>();
  for (const [variable, url] of Object.entries(environment)) {
    if (!variable.startsWith(CONNECTION) || url === "") continue;
    const name = connectionName(variable.slice(CONNECTION.length));
    if (!/^[a-z0-9][a-z0-9.-]{0,63}$/.test(name)) {
      faults.push(`Cannot use ${variable}: needed a name of letters, digits and _ behind ${CONNECTION}`);
    } else if (connections.has(name)) {
      faults.push(`Cannot use ${variable}: the connection "${name}" is set twice`);
    } else {
      const reading = readConnectionUrl(url);
      if ("faults" in reading) {
        for (const fault of reading.faults) faults.push(`Cannot use ${variable}: ${fault}`);
      }
      connections.set(name, url);
    }
  }
  return connections;
}
