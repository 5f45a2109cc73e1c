/**
 * The servers' own replication, for comparing catch-up with it.
 * @module
 */
import { startServer, type TestServer, type Vendor } from "../../tests/servers/mod.ts";
import { endOf, pointAt } from "../../tests/support/replicas.ts";
import { Sql } from "../../tests/support/sql.ts";

/** A replica of a source. */
export class Replica implements AsyncDisposable {
  private constructor(readonly server: TestServer, private readonly vendor: Vendor) {}

  /** Starts a server that replicates from the source's binlog as it is now; `workers` 0 is one single applier. */
  static async start(
    vendor: Vendor,
    source: TestServer,
    workers: number,
    settings: Record<string, string>,
  ): Promise<Replica> {
    const server = await startServer({
      vendor,
      settings: {
        ...settings,
        ...(vendor === "mysql"
          ? { "replica-parallel-workers": String(workers), "skip-replica-start": "" }
          : { "slave-parallel-threads": String(workers), "skip-slave-start": "", "log-slave-updates": "ON" }),
      },
    });
    await pointAt(source, server);
    return new Replica(server, vendor);
  }

  /** Replays to where the source's binlog ends now, then stops. Answers the seconds that it took. */
  async catchUp(source: TestServer): Promise<number> {
    const { file, position } = await endOf(source);
    await using sql = await Sql.open(this.server.url);
    const [start, wait, stop] = this.vendor === "mysql"
      ? ["START REPLICA", "SOURCE_POS_WAIT", "STOP REPLICA"]
      : ["START SLAVE", "MASTER_POS_WAIT", "STOP SLAVE"];
    const began = performance.now();
    await sql.run(start);
    const [row] = await sql.run(`SELECT ${wait}('${file}', ${position}, 600) AS n`);
    const seconds = (performance.now() - began) / 1000;
    if (row.n === null || Number(row.n) < 0) throw new Error(`the replica did not catch up: ${row.n}`);
    await sql.run(stop);
    return seconds;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop();
  }
}
