/**
 * The floor: what the target takes when nobody has to read, think or wait. Rows are read and packets made before the
 * clock starts; then they are written, in the fastest form that its server knows, by as many connections as are fastest.
 * @module
 */
import { Buffer } from "node:buffer";
import { cpuUsage } from "node:process";
import { BulkPacket, ExecutePacket } from "../../lib/mysql/execute_packet.ts";
import { quoteName } from "../../lib/mysql/identifier.ts";
import { RawRead, RawWrite } from "../../lib/mysql/raw_commands.ts";
import { RowList } from "../../lib/mysql/row_list.ts";
import { Session } from "../../lib/mysql/session.ts";
import { targetDefinition } from "../../lib/schema/create_table.ts";
import { loadTables } from "../../lib/schema/load_tables.ts";
import { type WireLayout, wireLayout } from "../../lib/schema/wire_layout.ts";
import { parseConnectionUrl } from "../../lib/spec/connection_url.ts";
import type { ServerPair, Vendor } from "../../tests/servers/mod.ts";
import { metered, type Run } from "../meter.ts";
import { clearTarget, SCHEMA } from "./tables.ts";

/** Rows and bytes of a statement. */
const ROWS = 1000;
const BYTES = 512 * 1024;

/** Statements that write one table. */
interface Prebuilt {
  readonly create: string;
  readonly name: string;
  readonly sql: (rows: number) => string;
  /** Packets, by their number of rows; the statement's number is filled in when it is known. */
  readonly packets: { readonly rows: number; readonly bytes: Buffer }[];
}

/** Writes every table of the source that is there now, with each number of connections, and answers the fastest run. */
export async function floor(pair: ServerPair, vendor: Vendor): Promise<Run> {
  const tables = await prebuild(pair.source.url, vendor);
  let best: Run | null = null;
  for (const connections of [1, 2, 3]) {
    await clearTarget(pair.target.url);
    const run = await write(pair, tables, connections, vendor === "mariadb");
    if (best === null || run.seconds < best.seconds) best = run;
  }
  return best!;
}

async function prebuild(url: string, vendor: Vendor): Promise<Prebuilt[]> {
  const at = parseConnectionUrl(url);
  const talk = await Session.open(at, { side: "source" });
  const data = await Session.open(at, { side: "source", data: true });
  try {
    const tables: Prebuilt[] = [];
    for (const { table, createSql } of await loadTables(talk, (schema) => schema === SCHEMA)) {
      const layout = wireLayout(table);
      const place = `${quoteName(SCHEMA)}.${quoteName(table.name)}`;
      const one = `(${layout.columns.map((c) => c.placeholder).join(",")})`;
      const head = `INSERT INTO ${place} (${
        layout.columns.map((c) => quoteName(c.column.name)).join(",")
      }) VALUES `;
      tables.push({
        // Without its secondary indexes: what is measured is rows.
        create: targetDefinition(createSql, table, { deferIndexes: true, keyName: table.keyName }).create,
        name: table.name,
        sql: (rows) => head + (vendor === "mariadb" ? one : new Array(rows).fill(one).join(",")),
        packets: await packetsOf(data, layout, place, vendor),
      });
    }
    return tables;
  } finally {
    await talk.close();
    await data.close();
  }
}

async function packetsOf(session: Session, layout: WireLayout, place: string, vendor: Vendor) {
  const rows = new RowList();
  const id = await session.prepare(`SELECT ${layout.columns.map((c) => c.select).join(",")} FROM ${place}`);
  const read = new ExecutePacket([]);
  read.begin(id, 0, true);
  await session.command<number>((done) => new RawRead(read.finish(), rows, null, done));
  const packet = vendor === "mariadb" ? new BulkPacket(layout.columns) : new ExecutePacket(layout.columns);
  const limit = Math.min(ROWS, Math.floor(65_535 / layout.columns.length));
  const packets: { rows: number; bytes: Buffer }[] = [];
  for (let i = 0; i < rows.count;) {
    let n = 0;
    for (let bytes = 0; i + n < rows.count && n < limit && (n === 0 || bytes < BYTES); n++) {
      bytes += rows.ends[i + n] - rows.starts[i + n];
    }
    packet.begin(0, n, true);
    for (let k = i; k < i + n; k++) packet.addRow(rows.arena, rows.starts[k], rows.ends[k]);
    packets.push({ rows: n, bytes: Buffer.from(packet.finish()) });
    i += n;
  }
  return packets;
}

async function write(pair: ServerPair, tables: Prebuilt[], connections: number, bulk: boolean): Promise<Run> {
  const target = parseConnectionUrl(pair.target.url);
  const talk = await Session.open(target, { side: "target" });
  const sessions = await Promise.all(
    Array.from({ length: connections }, () => Session.open(target, { side: "target", data: true })),
  );
  try {
    await talk.run(`CREATE DATABASE ${SCHEMA}`);
    await talk.run(`USE ${SCHEMA}`);
    for (const t of tables) await talk.run(t.create);
    // Each connection takes a run of the key of each large table, and its share of the small ones.
    const shares = sessions.map((_, c) =>
      tables.flatMap((t, n) => {
        if (tables.length > 1) return n % connections === c ? [{ t, from: 0, to: t.packets.length }] : [];
        const cut = (k: number) => Math.floor(t.packets.length * k / connections);
        return [{ t, from: cut(c), to: cut(c + 1) }];
      })
    );
    return await metered(pair, async () => {
      const cpu = cpuUsage();
      await Promise.all(sessions.map((session, c) => writeShare(session, shares[c], bulk)));
      const { user, system } = cpuUsage(cpu);
      return { clientCpu: (user + system) / 1e6, peakBytes: null };
    });
  } finally {
    await talk.close();
    for (const session of sessions) session.destroy();
  }
}

async function writeShare(
  session: Session,
  share: readonly { t: Prebuilt; from: number; to: number }[],
  bulk: boolean,
): Promise<void> {
  for (const { t, from, to } of share) {
    const statements = new Map<number, number>();
    await session.run("START TRANSACTION");
    for (let i = from, since = 0; i < to; i++) {
      const { rows, bytes } = t.packets[i];
      const shape = bulk ? 0 : rows;
      let id = statements.get(shape);
      if (id === undefined) {
        id = await session.prepare(t.sql(rows));
        statements.set(shape, id);
      }
      bytes.writeUInt32LE(id, 5);
      await session.command((done) => new RawWrite(bytes, done));
      since += bytes.length;
      if (since > 4 << 20) {
        since = 0;
        await session.run("COMMIT");
        await session.run("START TRANSACTION");
      }
    }
    await session.run("COMMIT");
  }
}
