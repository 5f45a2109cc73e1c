/**
 * The servers' own replication.
 * @module
 */
import type { TestServer } from "../servers/mod.ts";
import { Sql } from "./sql.ts";

/** Where a server's binlog ends. */
export async function endOf(server: TestServer): Promise<{ file: string; position: number }> {
  await using sql = await Sql.open(server.url);
  const [row] = await sql.run(server.vendor === "mysql" ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS");
  return { file: row.File, position: Number(row.Position) };
}

/** Makes a server replicate another one from its end of now, once that is started; under a name, where it follows several. */
export async function pointAt(source: TestServer, replica: TestServer, name = ""): Promise<void> {
  const { file, position } = await endOf(source);
  await using sql = await Sql.open(replica.url);
  if (replica.vendor === "mysql") {
    await sql.run(
      `CHANGE REPLICATION SOURCE TO SOURCE_HOST='${source.host}', SOURCE_PORT=${source.port}, SOURCE_USER='${source.user}',
       SOURCE_PASSWORD='${source.password}', GET_SOURCE_PUBLIC_KEY=1, SOURCE_LOG_FILE='${file}', SOURCE_LOG_POS=${position}
       FOR CHANNEL '${name}'`,
    );
  } else {
    await sql.run(
      `CHANGE MASTER '${name}' TO MASTER_HOST='${source.host}', MASTER_PORT=${source.port}, MASTER_USER='${source.user}',
       MASTER_PASSWORD='${source.password}', MASTER_LOG_FILE='${file}', MASTER_LOG_POS=${position}`,
    );
  }
}
