/**
 * The servers' own replication, for comparing catch-up with it.
 * @module
 */
import { startServer, type TestServer, type Vendor } from "../../tests/servers/mod.ts";
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
    const { file, position } = await endOf(vendor, source);
    await using sql = await Sql.open(server.url);
    if (vendor === "mysql") {
      await sql.run(
        `CHANGE REPLICATION SOURCE TO SOURCE_HOST='${source.host}', SOURCE_PORT=${source.port}, SOURCE_USER='${source.user}',
         SOURCE_PASSWORD='${source.password}', GET_SOURCE_PUBLIC_KEY=1, SOURCE_LOG_FILE='${file}', SOURCE_LOG_POS=${position}`,
      );
    } else {
      await sql.run(
        `CHANGE MASTER TO MASTER_HOST='${source.host}', MASTER_PORT=${source.port}, MASTER_USER='${source.user}',
         MASTER_PASSWORD='${source.password}', MASTER_LOG_FILE='${file}', MASTER_LOG_POS=${position}`,
      );
    }
    return new Replica(server, vendor);
  }

  /** Replays to where the source's binlog ends now, then stops. Answers the seconds that it took. */
  async catchUp(source: TestServer): Promise<number> {
    const { file, position } = await endOf(this.vendor, source);
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

/** Where a server's binlog ends. */
export async function endOf(
  vendor: Vendor,
  server: TestServer,
): Promise<{ file: string; position: number }> {
  await using sql = await Sql.open(server.url);
  const [row] = await sql.run(vendor === "mysql" ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS");
  return { file: row.File, position: Number(row.Position) };
}
