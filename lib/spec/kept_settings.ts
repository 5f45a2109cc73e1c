/**
 * Settings that were changed while a ferry runs, as they are kept for the process that takes it up: without a password.
 * @module
 */
import { maskUrl } from "./connection_url.ts";
import { findConnection } from "./connection_name.ts";
import type { SpecChange, ThrottleReplica, ThrottleSettings } from "./ferry_spec.ts";
import { canonicalJson, isMaskedHttpUrl, maskHttpUrl, maskThrottle } from "./fingerprint.ts";

/** One change behind another: of `copy` field by field, of `throttle` the later one as a whole. */
export function joinChanges(before: SpecChange, later: SpecChange): SpecChange {
  const { throttle = before.throttle } = later;
  return {
    ...(before.copy === undefined && later.copy === undefined
      ? {}
      : { copy: { ...before.copy, ...later.copy } }),
    ...(throttle === undefined ? {} : { throttle }),
  };
}

/** As it is stored. */
export function storedChange(change: SpecChange): string {
  const { throttle } = change;
  return canonicalJson(throttle === undefined ? change : { ...change, throttle: maskThrottle(throttle) });
}

/** What is known where a stored change is read, and may stand for what was masked. */
export interface KnownSecrets {
  /** Throttles whose URLs are whole. */
  readonly throttles: readonly (ThrottleSettings | null)[];
  /** Servers whose URLs are whole. */
  readonly servers: readonly ThrottleReplica[];
  /** Named connections. */
  readonly connections: ReadonlyMap<string, string>;
}

/** A stored change, with what could be filled in again; `lost`: what could not, masked, and is left out. */
export function readStoredChange(
  text: string,
  known: KnownSecrets,
): { readonly change: SpecChange; readonly lost: readonly string[] } {
  const change = JSON.parse(text) as SpecChange;
  const { throttle } = change;
  if (throttle === undefined || throttle === null) return { change, lost: [] };
  const lost: string[] = [];
  const replicas = throttle.replicas.flatMap(({ url: masked, name }) => {
    const url = findUrl({ url: masked, name }, known);
    if (url === null) lost.push(name === null ? `replica ${masked}` : `replica "${name}"`);
    return url === null ? [] : [{ url, name }];
  });
  const http = findHttp(throttle.http, known);
  if (http === null && throttle.http !== null) lost.push(`http ${throttle.http}`);
  return { change: { ...change, throttle: { ...throttle, replicas, http } }, lost };
}

function findUrl({ url, name }: ThrottleReplica, known: KnownSecrets): string | null {
  const named = name === null ? null : findConnection(known.connections, name);
  if (named !== null) return named;
  const servers = [...known.throttles.flatMap((t) => t?.replicas ?? []), ...known.servers];
  return servers.find((s) => maskUrl(s.url) === url && s.name === name)?.url ??
    servers.find((s) => maskUrl(s.url) === url)?.url ?? null;
}

function findHttp(masked: string | null, known: KnownSecrets): string | null {
  if (masked === null) return null;
  const whole = known.throttles.flatMap((t) => t?.http ?? []).find((url) => maskHttpUrl(url) === masked);
  if (whole !== undefined) return whole;
  return isMaskedHttpUrl(masked) ? null : masked;
}
