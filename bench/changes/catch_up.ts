/**
 * How fast a backlog is replayed: by a ferry that was away, and by the server's own replica.
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { startPair, type Vendor } from "../../tests/servers/mod.ts";
import { Sql } from "../../tests/support/sql.ts";
import { COPY_WORKLOADS, makeTables, SCHEMA } from "../copy/tables.ts";
import { FerryProcess } from "../ferry_process.ts";
import { metered, type Run } from "../meter.ts";
import { type Backlog, BACKLOG_ROWS, makeBacklog } from "./backlog.ts";
import { Replica } from "./replica.ts";

/** Seconds of each contender for one backlog. */
export interface CatchUp {
  /** The ferry. */
  readonly ferry: Run;
  /** The replicas, in their order. */
  readonly replicas: readonly number[];
}

/** One round. Every contender replays the very same binlog; `appliers` of each replica, 0 for the one that there always is. */
export async function catchUp(
  vendor: Vendor,
  settings: Record<string, string>,
  backlog: Backlog,
  changes: number,
  appliers: readonly number[],
): Promise<CatchUp> {
  await using pair = await startPair(vendor, { source: settings, target: settings });
  const { source } = pair;
  await using started = new AsyncDisposableStack();
  const replicas: Replica[] = [];
  for (const each of appliers) {
    replicas.push(started.use(await Replica.start(vendor, source, each, settings)));
  }
  await makeTables(source.url, vendor, COPY_WORKLOADS[0], BACKLOG_ROWS, { logged: true });
  for (const replica of replicas) await replica.catchUp(source);

  const spec = {
    id: "bench",
    source: source.url,
    target: pair.target.url,
    tables: [`${SCHEMA}.*`],
    verify: "off",
    cutover: { mode: "manual", fence: "none" },
  };
  {
    await using before = await FerryProcess.start();
    await before.post(spec);
    await before.until("bench", "awaitingCutover");
    await before.kill();
  }
  await makeBacklog(source.url, backlog, changes);
  const seconds: number[] = [];
  for (const replica of replicas) seconds.push(await replica.catchUp(source));
  await using service = await FerryProcess.start();
  await sleep(2500); // the lease of the one that was killed
  const ferry = await metered(pair, async () => {
    const cpu = service.cpu;
    const began = performance.now();
    await service.post(spec);
    for (;;) {
      const { progress, error } = await service.look("bench");
      if (error !== null) throw new Error(JSON.stringify(error));
      if (progress.changesApplied >= changes) break;
      await sleep(10);
    }
    const took = (performance.now() - began) / 1000;
    return { clientCpu: service.cpu - cpu, peakBytes: service.peak, seconds: took };
  });
  await service.until("bench", "awaitingCutover");
  await service.act("bench", "cutover");
  await service.until("bench", "done");
  await assertSame(source.url, pair.target.url);
  return { ferry, replicas: seconds };
}

async function assertSame(source: string, target: string): Promise<void> {
  const sums = await Promise.all([source, target].map(async (url) => {
    await using sql = await Sql.open(url);
    const [row] = await sql.run(
      `SELECT COUNT(*) AS n, SUM(CRC32(CONCAT_WS(',', id, k, c, pad))) AS sum FROM ${SCHEMA}.t0`,
    );
    return `${row.n} ${row.sum}`;
  }));
  if (sums[0] !== sums[1]) throw new Error(`both sides differ after catching up: ${sums.join(" against ")}`);
}
