/**
 * The ferries of one process.
 * @module
 */
import { FerryError } from "../errors.ts";
import { Session } from "../mysql/session.ts";
import { preflight } from "../preflight/preflight.ts";
import type { CallbackPolicy } from "../progress/callbacks.ts";
import type { FerryResource } from "../progress/resource.ts";
import { parseConnectionUrl } from "../spec/connection_url.ts";
import { canonicalJson, specFingerprint } from "../spec/fingerprint.ts";
import type { FerrySpec } from "../spec/ferry_spec.ts";
import { FerryStore, type StoredFerry } from "../state/ferry_store.ts";
import { stateVersion } from "../state/schema_sql.ts";
import type { Dock, Ferry, PreflightReport } from "./ferry.ts";
import { FerryJob } from "./ferry_job.ts";
import type { KnownBefore } from "./job_settings.ts";
import { type Lookout, lookOut } from "./lookout.ts";

/** How a dock is opened. */
export interface DockOptions {
  /** State schema on every target. Default `_ferry`. */
  readonly stateSchema?: string;
  /** Seconds after which another process may take over. Default 10. */
  readonly leaseSeconds?: number;
  /** How callbacks are posted. Default unsigned, and not to link-local addresses. */
  readonly callbacks?: CallbackPolicy;
  /** Fail with `ferry-owned-elsewhere` instead of waiting for another owner. Default `false`. */
  readonly alone?: boolean;
}

/** Opens a dock. Nothing is connected before a ferry starts. */
export function openDock(options: DockOptions = {}): Dock {
  const connections = new Map<string, string>();
  const settings = {
    stateSchema: options.stateSchema ?? "_ferry",
    leaseSeconds: options.leaseSeconds ?? 10,
    owner: crypto.randomUUID(),
    callbacks: options.callbacks ?? { secret: null, linkLocal: false },
    connections,
  };
  const jobs = new Map<string, { readonly job: FerryJob; readonly fingerprint: string }>();
  const lookouts: Lookout[] = [];
  const closing = new AbortController();

  const begin = (spec: FerrySpec, fingerprint: string, known: KnownBefore = {}): FerryJob => {
    const job = new FerryJob(spec, settings, options.alone ?? false, known);
    jobs.set(spec.id, { job, fingerprint });
    return job;
  };

  /** The job that has this id already, or `null`. Not asynchronous: no other start comes between it and what follows. */
  const here = (id: string, fingerprint: string): FerryJob | null => {
    if (closing.signal.aborted) {
      throw new FerryError("shutting-down", `Cannot start ferry "${id}": the process shuts down`, {
        retryable: true,
      });
    }
    const there = jobs.get(id);
    if (there === undefined) return null;
    if (there.fingerprint !== fingerprint) throw specDiffers(id);
    return there.job;
  };

  const start = async (spec: FerrySpec, lost: readonly string[] = []): Promise<Ferry> => {
    const fingerprint = await specFingerprint(spec);
    const there = here(spec.id, fingerprint);
    if (there !== null) {
      if (!outdated(there, spec)) return there;
      const job = begin(spec, fingerprint, { resource: there.resource() });
      await there.close();
      return job;
    }
    const stored = await storedFerry(spec, settings.stateSchema, closing.signal);
    // While the target was asked, the id may have gone to another, and the process on its way out.
    const meanwhile = here(spec.id, fingerprint);
    if (meanwhile !== null) return meanwhile;
    if (stored !== null && stored.fingerprint !== fingerprint) throw specDiffers(spec.id);
    // Before anybody has had it, the state says no more than that it is there.
    const known = stored !== null && stored.epoch > 0
      ? { lost, resource: JSON.parse(stored.snapshot) as FerryResource }
      : { lost };
    return begin(spec, fingerprint, known);
  };

  return {
    start,
    async check(spec, signal): Promise<PreflightReport> {
      const { findings, plan } = await preflight(spec, {
        stateSchema: settings.stateSchema,
        made: null,
        savedPosition: null,
        ...(signal === undefined ? {} : { signal }),
      });
      return { ok: plan !== null, findings };
    },
    find: (id) => jobs.get(id)?.job ?? null,
    list: () =>
      [...jobs.values()].map(({ job }) => job)
        .sort((a, b) => b.resource().createdAt.localeCompare(a.resource().createdAt)),
    async takeUp(urls): Promise<readonly string[]> {
      for (const [name, url] of urls) connections.set(name, url);
      const lookout = lookOut({ urls, stateSchema: settings.stateSchema, start, stop: closing.signal });
      lookouts.push(lookout);
      return await lookout.firstRound;
    },
    async close(): Promise<void> {
      closing.abort();
      await Promise.all([
        ...[...jobs.values()].map(({ job }) => job.close()),
        ...lookouts.map(({ ended }) => ended),
      ]);
    },
  };
}

/** It has failed, and what is posted is to be told, slowed down or logged in another way: so that a `retry` does. */
function outdated(job: FerryJob, spec: FerrySpec): boolean {
  return job.resource().state === "failed" && canonicalJson(job.spec) !== canonicalJson(spec);
}

function specDiffers(id: string): FerryError {
  return new FerryError("spec-differs", `Cannot start ferry "${id}": it was started with another spec`, {
    hint: "Choose another id, or post the spec it was started with",
  });
}

/** What the state has of a ferry. `null` also where that cannot be read: the ferry's start tells why. */
async function storedFerry(
  { id, target }: FerrySpec,
  schema: string,
  signal: AbortSignal,
): Promise<StoredFerry | null> {
  let session: Session;
  try {
    session = await Session.open(parseConnectionUrl(target), {
      side: "target",
      connectTimeout: 3000,
      signal,
    });
  } catch {
    return null;
  }
  try {
    if (await stateVersion(session, schema) === 0) return null;
    return await new FerryStore(schema).find(session, id);
  } catch {
    return null;
  } finally {
    await session.close();
  }
}
