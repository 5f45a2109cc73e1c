/**
 * A source that is a replica itself: what it replays has to be in its binlog.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import { describeServer } from "../../lib/mysql/server.ts";
import { Session } from "../../lib/mysql/session.ts";
import { checkReplicaUpdates, readBinlogSettings } from "../../lib/preflight/binlog.ts";
import { logsCascades } from "../../lib/preflight/cascades.ts";
import { parseConnectionUrl } from "../../lib/spec/connection_url.ts";
import { shopSpec } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { makeOrders } from "../support/orders.ts";
import { pointAt } from "../support/replicas.ts";
import { Sql } from "../support/sql.ts";

onEachFlavour(
  "a source that does not log what it would replay is refused where it replays, or where nobody may see whether it does",
  async ({ source, target }, vendor) => {
    await makeOrders(source.url);
    await using sql = await Sql.open(source.url);
    await sql.run("CREATE USER plain@'%' IDENTIFIED BY 'plain-pw'");
    await sql.run("GRANT SELECT, LOCK TABLES ON shop.* TO plain@'%'");
    await sql.run("GRANT REPLICATION SLAVE ON *.* TO plain@'%'");
    if (vendor === "mariadb") await sql.run("GRANT BINLOG MONITOR ON *.* TO plain@'%'");
    const url = source.url.replace(/\/\/[^@]+@/, "//plain:plain-pw@");
    const grant = vendor === "mysql" ? "REPLICATION CLIENT" : "SLAVE MONITOR";
    const dock = openDock();
    const errors = async () => {
      const { findings } = await dock.check(shopSpec(url, target.url));
      return findings.filter((f) => f.level === "error").map((f) => `${f.code} ${f.subject}: ${f.hint}`);
    };
    const unseen = [`replication-privilege ${grant}: GRANT ${grant} ON *.* to the source's user`];
    try {
      assert.deepEqual(await errors(), unseen);
      {
        await using session = await Session.open(parseConnectionUrl(url), { side: "source" });
        const server = await describeServer(session);
        const logging = new Map([...await readBinlogSettings(session), ["log_replica_updates", "ON"]]);
        assert.deepEqual(
          await checkReplicaUpdates(session, server, logging),
          [],
          "what it replays is logged",
        );
        assert.equal(
          await logsCascades(session, server),
          false,
          "it may be a replica: its cascades are looked for",
        );
      }
      await sql.run(`GRANT ${grant} ON *.* TO plain@'%'`);
      assert.deepEqual(await errors(), []);
      await pointAt(target, source, "north");
      const [refused, ...more] = await errors();
      assert.match(refused, /^binlog-replica-updates log_replica_updates: /);
      assert.deepEqual(more, []);
      await sql.run(`REVOKE ${grant} ON *.* FROM plain@'%'`);
      assert.deepEqual(await errors(), unseen);
    } finally {
      await dock.close();
    }
  },
  { source: { mysql: { "log-replica-updates": "OFF" } } },
);
