/**
 * Telling whether two specs ask for the same ferry, and keeping one without its passwords.
 * @module
 */
import { maskUrl } from "./connection_url.ts";
import type { FerrySpec, ThrottleSettings } from "./ferry_spec.ts";

/** Stands for a user and a password in an `http://` URL. */
const MASK = "***";

/** The spec with both URLs masked: fit to be stored, logged and shown. */
export function maskSpec(spec: FerrySpec): FerrySpec {
  return {
    ...spec,
    source: maskUrl(spec.source),
    target: maskUrl(spec.target),
    throttle: maskThrottle(spec.throttle),
  };
}

/** The throttle with the passwords in its URLs masked. */
export function maskThrottle(throttle: ThrottleSettings | null): ThrottleSettings | null {
  if (throttle === null) return null;
  const replicas = throttle.replicas.map((r) => ({ ...r, url: maskUrl(r.url) }));
  return { ...throttle, replicas, http: throttle.http === null ? null : maskHttpUrl(throttle.http) };
}

/** An `http://` URL without the user and password that it may hold. */
export function maskHttpUrl(text: string): string {
  const url = new URL(text);
  if (url.username === "" && url.password === "") return text;
  url.username = url.password = MASK;
  return url.href;
}

/** Whether {@linkcode maskHttpUrl} has taken something out of this URL. */
export function isMaskedHttpUrl(text: string): boolean {
  return new URL(text).password === MASK;
}

/**
 * SHA-256, as hex, over what is asked for: not the id, not how to log in. A password may be rotated, a certificate moved
 * and a URL replaced by the name of a connection to the same server and user, and it is still the same ferry. Nor how fast
 * it may go, and who is told: throttle and callbacks may be others each time.
 */
export async function specFingerprint(spec: FerrySpec): Promise<string> {
  const {
    id: _id,
    sourceName: _source,
    targetName: _target,
    throttle: _throttle,
    callbacks: _told,
    ...asked
  } = maskSpec(spec);
  return await sha256Hex(canonicalJson(asked));
}

/** SHA-256 of a text's UTF-8 bytes, as hex. */
export async function sha256Hex(text: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toHex();
}

/** Stands for a {@linkcode WhereFunction} in JSON: nothing of a function can be written down. */
const FUNCTION = { function: true };

/** The spec as it is stored: masked, and telling where a function stood. */
export function storedSpec(spec: FerrySpec): string {
  return canonicalJson(maskSpec(spec));
}

/**
 * A spec as it was stored, still without passwords; `null` where a `where` of it was a function: only the program that
 * has the function can say which rows are meant.
 */
export function readStoredSpec(text: string): FerrySpec | null {
  const spec = JSON.parse(text) as FerrySpec;
  const isText = (where: unknown) => where === null || typeof where === "string";
  return spec.tables.every((each) => isText(each.where)) ? spec : null;
}

/** JSON with the keys of every object in order, so that equal values have equal texts. One function is like another. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, each) => {
    if (typeof each === "function") return FUNCTION;
    if (each === null || typeof each !== "object" || Array.isArray(each)) return each;
    return Object.fromEntries(Object.entries(each).sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0));
  });
}
