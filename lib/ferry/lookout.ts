/**
 * The lookout: finds the ferries that were left on the targets of named connections, and waits for those targets that do
 * not answer.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { getLogger } from "@logtape/logtape";
import { errorText } from "../errors.ts";
import { Session } from "../mysql/session.ts";
import { parseConnectionUrl } from "../spec/connection_url.ts";
import { isMaskedHttpUrl, readStoredSpec } from "../spec/fingerprint.ts";
import type { FerrySpec, ThrottleSettings } from "../spec/ferry_spec.ts";
import { FerryStore } from "../state/ferry_store.ts";
import { stateVersion } from "../state/schema_sql.ts";
import { isPassing } from "./attempts.ts";

/** Milliseconds before another look at a server that did not answer. */
const AGAIN_MS = 5000;
/** Milliseconds for connecting. */
const CONNECT_MS = 3000;
/** Milliseconds for a whole look: a server may also fall silent behind its greeting. */
const LOOK_MS = 10_000;

const log = getLogger(["chainferry", "dock"]);

/** What the lookout works with. */
export interface LookoutOptions {
  /** Named connections: each is looked at, and a ferry's ends are filled in from them. */
  readonly urls: ReadonlyMap<string, string>;
  /** State schema on every target. */
  readonly stateSchema: string;
  /** Starts a ferry that was left. */
  readonly start: (spec: FerrySpec) => Promise<unknown>;
  /** Ends every look and every wait. */
  readonly stop: AbortSignal;
}

/** Looks under way. */
export interface Lookout {
  /**
   * Ids of the ferries that were started when everybody had been looked at once. Rejects where a server answered and could
   * not be looked through.
   */
  readonly firstRound: Promise<readonly string[]>;
  /** Resolves when every server has answered, or when it was stopped. Never rejects. */
  readonly ended: Promise<void>;
}

/**
 * Looks at every connection at once and starts what was left. Each by itself: a server that does not answer, or does not
 * let us read, keeps no ferry of another one waiting. One that does not answer is looked at again until it does.
 */
export function lookOut(options: LookoutOptions): Lookout {
  const urls = [...new Set(options.urls.values())];
  const looks = urls.map((url) => look(url, options));
  const later = looks.map(async (first, i) => {
    const { missed } = await first;
    if (missed !== null) await lookAgain(urls[i], missed, options);
  });
  return { firstRound: gather(looks), ended: Promise.allSettled(later).then(() => {}) };
}

/** The ids that one look found; `missed`, where the server did not answer, says why. */
interface Look {
  readonly ids: readonly string[];
  readonly missed: unknown;
}

async function gather(looks: readonly Promise<Look>[]): Promise<readonly string[]> {
  const settled = await Promise.allSettled(looks);
  const failed = settled.find((each) => each.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return settled.flatMap((each) => each.status === "fulfilled" ? each.value.ids : []);
}

/** Starts what was left there. Throws where the server answered and cannot be looked through. */
async function look(url: string, { urls, stateSchema, start, stop }: LookoutOptions): Promise<Look> {
  try {
    const late = AbortSignal.any([stop, AbortSignal.timeout(LOOK_MS)]);
    const specs = await leftThere(url, stateSchema, urls, late);
    for (const spec of specs) {
      await start(spec);
      log.info("Took up a ferry", { ferry: spec.id });
    }
    return { ids: specs.map((spec) => spec.id), missed: null };
  } catch (error) {
    if (stop.aborted || isPassing(error)) return { ids: [], missed: error };
    throw error;
  }
}

/** Looks until the server answers, or `stop` aborts. */
async function lookAgain(url: string, missed: unknown, options: LookoutOptions): Promise<void> {
  const { urls, stop } = options;
  if (stop.aborted) return;
  const connection = [...urls].filter((each) => each[1] === url).map(([name]) => name).join(", ");
  log.warning("Cannot look for ferries at {connection}, trying again until it answers: {reason}", {
    connection,
    reason: errorText(missed),
  });
  try {
    do await delay(AGAIN_MS, undefined, { signal: stop }); while ((await look(url, options)).missed !== null);
    log.info("Looked for ferries at {connection}: it answers", { connection });
  } catch (error) {
    if (!stop.aborted) log.error("Cannot take up ferries at {connection}: {error}", { connection, error });
  }
}

/** Specs of ferries that did not end on this target, their URLs filled in from the named connections. */
async function leftThere(
  url: string,
  schema: string,
  urls: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<FerrySpec[]> {
  let session: Session;
  try {
    session = await Session.open(parseConnectionUrl(url), {
      side: "target",
      connectTimeout: CONNECT_MS,
      signal,
    });
  } catch (error) {
    if (isPassing(error)) throw error;
    return []; // not every named connection is a target
  }
  try {
    if (await stateVersion(session, schema) === 0) return [];
    const store = new FerryStore(schema);
    const specs: FerrySpec[] = [];
    for (const id of await store.idsNotIn(session, ["done", "failed", "cancelled"])) {
      const spec = readStoredSpec((await store.find(session, id))!.spec);
      if (spec === null) continue;
      const source = spec.sourceName === null ? undefined : urls.get(spec.sourceName);
      const target = spec.targetName === null ? undefined : urls.get(spec.targetName);
      // Only a ferry whose both ends are named can be taken up: the state holds no password.
      const throttle = namedThrottle(spec.throttle ?? null, urls);
      if (source === undefined || target === undefined || throttle === undefined) continue;
      specs.push({ ...spec, source, target, throttle, callbacks: spec.callbacks ?? null });
    }
    return specs;
  } finally {
    await session.close();
  }
}

/** A stored throttle with its URLs filled in; `undefined` where a password is needed and no name known here has it. */
function namedThrottle(
  throttle: ThrottleSettings | null,
  urls: ReadonlyMap<string, string>,
): ThrottleSettings | null | undefined {
  if (throttle === null) return null;
  const replicas = throttle.replicas.flatMap(({ name }) => {
    const url = name === null ? undefined : urls.get(name);
    return url === undefined ? [] : [{ name, url }];
  });
  const masked = throttle.http !== null && isMaskedHttpUrl(throttle.http);
  return masked || replicas.length < throttle.replicas.length ? undefined : { ...throttle, replicas };
}
