/**
 * Reading `mysql://user:password@host:port/?ssl-mode=…` and showing it without its password.
 * No message made here holds any part of the URL that could be a password: a URL that cannot be read is not echoed.
 * @module
 */
import { FerryError } from "../errors.ts";

/** How the connection is encrypted, in MySQL's own words. */
export type SslMode = "disabled" | "preferred" | "required" | "verify-ca" | "verify-identity";

/** TLS of one connection; certificates and keys are paths of files. */
export interface ConnectionSsl {
  /** What is asked of the server. */
  readonly mode: SslMode;
  /** File with the authorities that are trusted. */
  readonly ca?: string;
  /** File with the client's certificate. */
  readonly cert?: string;
  /** File with the client's key. */
  readonly key?: string;
}

/** Where a server is and who logs in. */
export interface ConnectionTarget {
  /** Name or address; IPv6 without brackets. */
  readonly host: string;
  /** TCP port. */
  readonly port: number;
  /** User, decoded. */
  readonly user: string;
  /** Password, decoded; never logged, stored or shown. */
  readonly password: string;
  /** `null` without TLS. */
  readonly ssl: ConnectionSsl | null;
}

const DEFAULT_PORT = 3306;
const MODES: readonly SslMode[] = ["disabled", "preferred", "required", "verify-ca", "verify-identity"];
const PARAMETERS = ["ssl-mode", "ssl-ca", "ssl-cert", "ssl-key"];

/** Either the target or everything that is wrong with the URL. */
export type ConnectionReading =
  | { readonly target: ConnectionTarget }
  | { readonly faults: readonly string[] };

/** Reads a connection URL and names every fault at once; each says what was seen and what is needed. */
export function readConnectionUrl(text: string): ConnectionReading {
  const url = parse(text);
  if (url === null) {
    return {
      faults: [
        'Seen something that is no URL of the form "mysql://user:password@host:port"; ' +
        "characters such as # / ? % and spaces in user and password need percent-encoding",
      ],
    };
  }
  const faults: string[] = [];
  const decode = (part: string, what: string): string => {
    try {
      return decodeURIComponent(part);
    } catch {
      faults.push(`Seen a ${what} with broken percent-encoding, needed %XX of UTF-8`);
      return "";
    }
  };
  const user = decode(url.username, "user");
  const password = decode(url.password, "password");
  const host = decode(url.hostname, "host").replace(/^\[(.*)\]$/, "$1");
  if (url.username === "") faults.push("Seen no user, needed mysql://user:password@host");
  if (host === "") faults.push("Seen no host, needed mysql://user:password@host");
  if (url.port === "0") faults.push("Seen port 0, needed 1 to 65535");
  if (url.pathname !== "" && url.pathname !== "/") {
    faults.push("Seen a path behind the host, needed none: the schemas are named in tables");
  }
  if (url.hash !== "") faults.push("Seen a fragment (#…), needed none: # in a password is %23");
  const ssl = readSsl(url.search, decode, faults);
  if (faults.length > 0) return { faults };
  const port = url.port === "" ? DEFAULT_PORT : Number(url.port);
  return { target: { host, port, user, password, ssl } };
}

/** The target of a URL. Throws `invalid-connection-url`, with every fault and without the URL, if it cannot be read. */
export function parseConnectionUrl(text: string): ConnectionTarget {
  const reading = readConnectionUrl(text);
  if ("target" in reading) return reading.target;
  throw new FerryError("invalid-connection-url", `Cannot read connection URL: ${reading.faults.join(". ")}`);
}

/** The URL for showing: `mysql://user:***@host:port`, whatever else it holds left out. */
export function maskUrl(text: string): string {
  // In a URL with a fault, what looks like host and port may be the beginning of a password with a # in it.
  const reading = readConnectionUrl(text);
  if ("faults" in reading) return "mysql://***";
  const { user, host, port } = reading.target;
  return `mysql://${encodeURIComponent(user)}:***@${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/**
 * Any text with the password of every URL in it replaced by `***`. For texts that others made: it rather hides
 * too much (up to the last `@` before a space) than shows a password that holds an unescaped `@`.
 */
export function maskText(text: string): string {
  return text.replace(/\b([a-z][a-z\d+.-]*:\/\/)([^\s:@/]*):[^\s]*@/gi, "$1$2:***@");
}

function parse(text: string): URL | null {
  // The URL parser drops tabs and line ends and encodes spaces; a password that holds them would not be what was meant.
  // deno-lint-ignore no-control-regex
  if (!/^mysql:\/\//i.test(text) || /[\s\x00-\x1f\x7f]/.test(text)) return null;
  return URL.parse(text);
}

function readSsl(
  search: string,
  decode: (part: string, what: string) => string,
  faults: string[],
): ConnectionSsl | null {
  const values = new Map<string, string>();
  // URLSearchParams would turn a + in a path into a space.
  for (const pair of search.replace(/^\?/, "").split("&")) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const name = decode(at < 0 ? pair : pair.slice(0, at), "query parameter");
    const value = at < 0 ? "" : decode(pair.slice(at + 1), "query parameter");
    if (!PARAMETERS.includes(name)) {
      // Neither name nor value is repeated: a # or ? in a password puts a part of it here.
      faults.push(`Seen an unknown query parameter, needed one of ${PARAMETERS.join(", ")}`);
    } else if (values.has(name)) faults.push(`Seen ${name} twice, needed once`);
    else if (value === "") faults.push(`Seen ${name} without a value, needed one`);
    else values.set(name, value);
  }
  const ca = values.get("ssl-ca");
  const cert = values.get("ssl-cert");
  const key = values.get("ssl-key");
  if ((cert === undefined) !== (key === undefined)) {
    faults.push("Seen one of ssl-cert and ssl-key, needed both or none");
  }
  const asked = values.get("ssl-mode");
  // MySQL writes VERIFY_CA in some places and verify-ca in others.
  const wanted = asked?.toLowerCase().replaceAll("_", "-");
  const mode = wanted === undefined ? impliedMode(ca, cert) : MODES.find((each) => each === wanted);
  if (mode === undefined) faults.push(`Seen an unknown ssl-mode, needed one of ${MODES.join(", ")}`);
  if (mode === undefined || mode === "disabled") return null;
  return {
    mode,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

/** As MySQL's clients do: an authority without a mode means that it is checked. */
function impliedMode(ca: string | undefined, cert: string | undefined): SslMode {
  if (ca !== undefined) return "verify-ca";
  return cert === undefined ? "disabled" : "required";
}
