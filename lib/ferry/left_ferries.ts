/**
 * The ferries that a target's state tells of, with what is masked there filled in from the named connections.
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { Session } from "../mysql/session.ts";
import { maskUrl } from "../spec/connection_url.ts";
import { readStoredSpec } from "../spec/fingerprint.ts";
import type { FerrySpec } from "../spec/ferry_spec.ts";
import { readStoredChange } from "../spec/kept_settings.ts";
import { FerryStore } from "../state/ferry_store.ts";
import { stateVersion } from "../state/schema_sql.ts";
import { isEnded, STATES } from "./ferry_state.ts";

/** Ferries that have ended and are told of after a restart, at most, of each target: the ones begun last. */
const ENDED_KEPT = 50;

const log = getLogger(["chainferry", "dock"]);

/** A ferry that was left. */
export interface LeftFerry {
  /** What was asked for. */
  readonly spec: FerrySpec;
  /** It has ended: there is nothing to go on with, but people ask how it went. */
  readonly ended: boolean;
  /** Parts of its throttle whose passwords nobody here knows, masked: they are left out. */
  readonly lost: readonly string[];
}

/** Reads them, those that go on first. `urls` are the named connections. */
export async function readLeftFerries(
  session: Session,
  schema: string,
  urls: ReadonlyMap<string, string>,
): Promise<LeftFerry[]> {
  if (await stateVersion(session, schema) === 0) return [];
  const store = new FerryStore(schema);
  const over = STATES.filter(isEnded);
  const ids = [
    ...await store.idsIn(session, STATES.filter((state) => !isEnded(state))),
    ...(await store.idsIn(session, over)).slice(-ENDED_KEPT),
  ];
  const left: LeftFerry[] = [];
  for (const id of ids) {
    const stored = (await store.find(session, id))!;
    const ended = over.some((state) => state === stored.state);
    const found = fillIn(readStoredSpec(stored.spec), urls);
    if (typeof found !== "string") left.push({ ...found, ended });
    else if (!ended) log.warning("Cannot take up ferry {ferry}: {reason}", { ferry: id, reason: found });
  }
  return left;
}

/** The spec with its URLs whole, or why that cannot be: the state holds no password. */
function fillIn(
  stored: FerrySpec | null,
  urls: ReadonlyMap<string, string>,
): Omit<LeftFerry, "ended"> | string {
  if (stored === null) return "a where of it is a function, which only its own program has";
  const end = (masked: string, name: string | null) =>
    name !== null ? urls.get(name) : [...urls.values()].find((url) => maskUrl(url) === masked);
  const source = end(stored.source, stored.sourceName);
  const target = end(stored.target, stored.targetName);
  if (source === undefined) return `no named connection is its source ${stored.source}`;
  if (target === undefined) return `no named connection is its target ${stored.target}`;
  const { change, lost } = readStoredChange(JSON.stringify({ throttle: stored.throttle ?? null }), {
    throttles: [],
    servers: [...urls].map(([name, url]) => ({ name, url })),
    connections: urls,
  });
  const { throttle = null } = change;
  return { spec: { ...stored, source, target, throttle, callbacks: stored.callbacks ?? null }, lost };
}
