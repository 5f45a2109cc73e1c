/**
 * How a connection URL is told to the driver.
 * @module
 */
import { errorText, FerryError } from "../errors.ts";
import type { ConnectionTarget } from "../spec/connection_url.ts";

/** The driver's connection options for a target; the binlog driver takes the same. */
export function driverOptions(target: ConnectionTarget): Record<string, unknown> {
  const options: Record<string, unknown> = {
    host: target.host,
    port: target.port,
    user: target.user,
    password: target.password,
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    timezone: "Z",
  };
  const ssl = sslOptions(target);
  if (ssl) options.ssl = ssl;
  return options;
}

function sslOptions(target: ConnectionTarget): Record<string, unknown> | null {
  const ssl = target.ssl;
  if (ssl === null || ssl.mode === "disabled" || ssl.mode === "preferred") return null;
  return {
    rejectUnauthorized: ssl.mode === "verify-ca" || ssl.mode === "verify-identity",
    verifyIdentity: ssl.mode === "verify-identity",
    ...(ssl.ca === undefined ? {} : { ca: readPem("ssl-ca", ssl.ca) }),
    ...(ssl.cert === undefined ? {} : { cert: readPem("ssl-cert", ssl.cert) }),
    ...(ssl.key === undefined ? {} : { key: readPem("ssl-key", ssl.key) }),
  };
}

function readPem(parameter: string, path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (e) {
    const denied = e instanceof Deno.errors.NotCapable;
    throw new FerryError(
      "tls-file-unreadable",
      `Cannot read the file "${path}" that ${parameter} names: ${
        denied ? "Deno was started without the permission" : errorText(e)
      }`,
      { hint: denied ? `Start with --allow-read=${path}` : "Check the path, and who may read the file" },
    );
  }
}
