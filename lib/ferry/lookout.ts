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
import type { FerrySpec } from "../spec/ferry_spec.ts";
import { isPassing } from "./attempts.ts";
import type { Ferry } from "./ferry.ts";
import { type LeftFerry, readLeftFerries } from "./left_ferries.ts";
import { sideBySide } from "./side_by_side.ts";

/** Milliseconds before another look at a server that did not answer. */
const AGAIN_MS = 5000;
/** Milliseconds for connecting. */
const CONNECT_MS = 3000;
/** Milliseconds for a whole look: a server may also fall silent behind its greeting. */
const LOOK_MS = 10_000;
/** Ended ferries that are read at a time: each takes a connection for a moment. */
const AT_ONCE = 4;

const log = getLogger(["chainferry", "dock"]);

/** What the lookout works with. */
export interface LookoutOptions {
  /** Named connections: each is looked at, and a ferry's ends are filled in from them. */
  readonly urls: ReadonlyMap<string, string>;
  /** State schema on every target. */
  readonly stateSchema: string;
  /** Starts a ferry that was left, or attaches to it where it has ended. `lost` is missing in its throttle. */
  readonly start: (spec: FerrySpec, lost: readonly string[]) => Promise<Ferry>;
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
    const found = await leftThere(url, stateSchema, urls, late);
    const begin = async ({ spec, lost }: LeftFerry) => {
      try {
        return await start(spec, lost);
      } catch (error) {
        if (stop.aborted || isPassing(error)) throw error;
        log.error("Cannot take up ferry {ferry}: {error}", { ferry: spec.id, error });
        return null; // it keeps no other one waiting
      }
    };
    const ids: string[] = [];
    for (const each of found.filter(({ ended }) => !ended)) {
      if (await begin(each) === null) continue;
      ids.push(each.spec.id);
      log.info("Took up a ferry", { ferry: each.spec.id });
    }
    await sideBySide(found.filter(({ ended }) => ended), AT_ONCE, async (each) => {
      await (await begin(each))?.ended;
    });
    return { ids, missed: null };
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

/** What was left on this target; nothing where it is none. */
async function leftThere(
  url: string,
  schema: string,
  urls: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<LeftFerry[]> {
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
    return await readLeftFerries(session, schema, urls);
  } finally {
    await session.close();
  }
}
