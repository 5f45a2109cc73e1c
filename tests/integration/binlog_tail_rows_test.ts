/**
 * Rows from the binlog against real servers: every type's wire row equals what a prepared SELECT sends.
 * @module
 */
import assert from "node:assert/strict";
import type { TestServer } from "../servers/mod.ts";
import type { Sql } from "../support/sql.ts";
import { dataSession, type Recorder, selectRows } from "./binlog_tail_recorder.ts";
import { here, onServer, replay } from "./binlog_tail_setup.ts";
import { keyCases, type TypeCase, typeCases } from "../support/type_cases.ts";

async function makeTables(
  sql: Sql,
  cases: readonly TypeCase[],
  definition: (c: TypeCase) => string,
): Promise<void> {
  for (const [i, c] of cases.entries()) {
    await sql.run(`CREATE TABLE shop.t${i} ${definition(c)}`);
    for (const v of c.values) {
      await sql.run(`INSERT IGNORE INTO shop.t${i} (v) VALUES (${v})`).catch((e) => {
        throw new Error(`${c.type}: ${v.slice(0, 80)}: ${e.message}`);
      });
    }
  }
}

/** The recorded rows of every table equal the selected ones. */
async function assertRows(server: TestServer, recorder: Recorder, cases: readonly TypeCase[]): Promise<void> {
  const session = await dataSession(server.url);
  const wrong: string[] = [];
  try {
    for (const [i, c] of cases.entries()) {
      const told = recorder.rows.get(`shop.t${i}`) ?? [];
      const selected = await selectRows(session, recorder.tables.get(`shop.t${i}`)!);
      assert(selected.length > 1, `${c.type}: only ${selected.length} rows`);
      for (let n = 0; n < Math.max(told.length, selected.length); n++) {
        if (told[n] === selected[n]) continue;
        wrong.push(
          `${c.type} #${n} ${c.values[n]?.slice(0, 60)}\n  told     ${told[n]}\n  selected ${selected[n]}`,
        );
      }
    }
  } finally {
    await session.close();
  }
  assert.equal(wrong.length, 0, `${wrong.length} rows differ\n${wrong.slice(0, 20).join("\n")}`);
}

for (const metadata of ["MINIMAL", "FULL"]) {
  onServer(`the tail's rows are those of a SELECT, binlog_row_metadata=${metadata}`, async (server, sql) => {
    await sql.run(`SET GLOBAL binlog_row_metadata=${metadata}`);
    await sql.run("CREATE TABLE shop.digits (n INT PRIMARY KEY)");
    await sql.run(
      "INSERT INTO shop.digits VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9),(10),(11),(12),(13),(14),(15)",
    );
    const cases = typeCases(server.vendor);
    const start = await here(sql);
    await makeTables(sql, cases, (c) => `(id INT AUTO_INCREMENT PRIMARY KEY, v ${c.type})`);
    for (const [i, c] of cases.entries()) {
      if (!/^TIMESTAMP.*NOT NULL/.test(c.type)) await sql.run(`INSERT INTO shop.t${i} (v) VALUES (NULL)`);
    }
    // Side by side: signs and metadata of one column must not be taken for another's.
    await sql.run(
      "CREATE TABLE shop.side (y YEAR, u INT UNSIGNED, b BIT(3), f FLOAT UNSIGNED, e ENUM('a'), m MEDIUMINT UNSIGNED," +
        " s SET('a', 'twenty characters ..'), t TIMESTAMP(2) NULL, d DECIMAL(5,2) UNSIGNED, g GEOMETRY, i INT NOT NULL PRIMARY KEY, v TEXT, k TINYINT)",
    );
    await sql.run("INSERT INTO shop.side VALUES (2024,4e9,1,1.5,'a',16e6,'a',NULL,1.5,NULL,-7,'v',-1)");
    const recorder = await replay(server, start, await here(sql));
    await assertRows(server, recorder, cases);
    const session = await dataSession(server.url);
    assert.deepEqual(
      recorder.rows.get("shop.side"),
      await selectRows(session, recorder.tables.get("shop.side")!),
    );
    await session.close();
    assert.equal(recorder.maps.every((m) => (m.names !== null) === (metadata === "FULL")), true);
  });
}

onServer(
  "keys of every type are the same bytes in inserts, updates, deletes and SELECTs",
  async (server, sql) => {
    const cases = keyCases(server.vendor);
    const start = await here(sql);
    // The key is last in the image and first in the wire row.
    await makeTables(
      sql,
      cases,
      (c) =>
        `(a VARCHAR(20) DEFAULT 'first', g INT AS (b + 1) STORED, b INT DEFAULT 7, v ${c.type} NOT NULL PRIMARY KEY)`,
    );
    let recorder = await replay(server, start, await here(sql));
    const session = await dataSession(server.url);
    const selected = new Map<string, string[]>();
    for (const i of cases.keys()) {
      selected.set(`shop.t${i}`, await selectRows(session, recorder.tables.get(`shop.t${i}`)!));
    }
    await session.close();
    const sorted = (rows: readonly string[] | undefined) => [...rows ?? []].sort();
    for (const [i, c] of cases.entries()) {
      assert.deepEqual(sorted(recorder.rows.get(`shop.t${i}`)), sorted(selected.get(`shop.t${i}`)), c.type);
    }
    const keysOf = (label: string) => sorted(selected.get(label)!.map((row) => row.split(" ")[1]));
    const changed = await here(sql);
    for (const i of cases.keys()) await sql.run(`UPDATE shop.t${i} SET a = NULL, b = NULL`);
    const deleted = await here(sql);
    for (const i of cases.keys()) await sql.run(`DELETE FROM shop.t${i}`);
    recorder = await replay(server, changed, deleted);
    for (const [i, c] of cases.entries()) {
      assert.deepEqual(sorted(recorder.keys.get(`shop.t${i}`)), keysOf(`shop.t${i}`), `${c.type}, updated`);
      const keys = recorder.rows.get(`shop.t${i}`)!.map((row) => row.split(" ")[1]);
      assert.deepEqual(sorted(keys), keysOf(`shop.t${i}`), `${c.type}, updated to`);
      assert(recorder.rows.get(`shop.t${i}`)!.every((row) => row.startsWith("18 ")), "both are NULL");
    }
    recorder = await replay(server, deleted, await here(sql));
    for (const [i, c] of cases.entries()) {
      assert.deepEqual(sorted(recorder.keys.get(`shop.t${i}`)), keysOf(`shop.t${i}`), `${c.type}, deleted`);
    }
  },
);

onServer("temporals of MariaDB's older formats are read or refused", async (server, sql) => {
  await sql.run("SET GLOBAL mysql56_temporal_format=OFF");
  const cases: TypeCase[] = [
    { type: "DATETIME", values: typeCases("mariadb").find((c) => c.type === "DATETIME(0)")!.values },
    {
      type: "TIMESTAMP NULL",
      values: typeCases("mariadb").find((c) => c.type === "TIMESTAMP(0) NULL")!.values,
    },
    { type: "TIME", values: typeCases("mariadb").find((c) => c.type === "TIME(0)")!.values },
  ];
  const start = await here(sql);
  await makeTables(sql, cases, (c) => `(id INT AUTO_INCREMENT PRIMARY KEY, v ${c.type})`);
  const recorder = await replay(server, start, await here(sql));
  assert.deepEqual(recorder.maps.map((m) => m.types[1]), [12, 7, 11]);
  await assertRows(server, recorder, cases);
  await sql.run("CREATE TABLE shop.hires (id INT PRIMARY KEY, v DATETIME(3))");
  const late = await here(sql);
  await sql.run("INSERT INTO shop.hires VALUES (1, '2024-01-01')");
  await assert.rejects(replay(server, late, await here(sql)), /shop.hires: .*"v".*5\.3/);
}, ["mariadb"]);
