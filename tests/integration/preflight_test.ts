import assert from "node:assert/strict";
import { Session } from "../../lib/mysql/session.ts";
import { binlogStatusStatement, describeServer } from "../../lib/mysql/server.ts";
import { quoteTable } from "../../lib/mysql/identifier.ts";
import { preflight, type PreflightOptions } from "../../lib/preflight/preflight.ts";
import { missingIndexes } from "../../lib/schema/create_table.ts";
import { loadTables } from "../../lib/schema/load_tables.ts";
import { parseConnectionUrl } from "../../lib/spec/connection_url.ts";
import type { FerrySpec } from "../../lib/spec/ferry_spec.ts";
import { STATE_VERSION } from "../../lib/state/schema_sql.ts";
import { startPair, type Vendor } from "../servers/mod.ts";

const OPTIONS: PreflightOptions = { stateSchema: "_pf_state", made: null, savedPosition: null };

function specFor(source: string, target: string, tables: string[], more: Partial<FerrySpec> = {}): FerrySpec {
  return {
    id: "pf",
    source,
    target,
    sourceName: null,
    targetName: null,
    tables: tables.map((t) => {
      const [table, to] = t.split(" -> ");
      return { table, where: null, through: null, to: to ?? null };
    }),
    exclude: [],
    renameSchemas: {},
    createTables: "if-missing",
    existingRows: "refuse",
    keyless: "refuse",
    objects: [],
    copy: { concurrency: 4, chunkBytes: 4194304, deferIndexes: true },
    verify: "full",
    cutover: { mode: "manual", fence: "none", timeoutSeconds: 30, keepFence: true },
    throttle: null,
    callbacks: null,
    ...more,
  };
}

async function open(url: string): Promise<Session> {
  return await Session.open(parseConnectionUrl(url), { side: "source" });
}

/** All that a write would change: the schemas, and how far the binlog has come. */
async function footprint(...sessions: Session[]): Promise<unknown> {
  return await Promise.all(sessions.map(async (session) => {
    const status = await session.query(binlogStatusStatement(await describeServer(session)));
    return [await session.query("SHOW DATABASES"), status[0].File, status[0].Position];
  }));
}

async function runAll(session: Session, statements: string[]): Promise<void> {
  for (const statement of statements) await session.run(statement);
}

const CLEAN = [
  "CREATE DATABASE pf_clean",
  `CREATE TABLE pf_clean.big (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, a VARCHAR(40) COLLATE utf8mb4_bin DEFAULT 'x''),\n KEY',
     b INT, c INT GENERATED ALWAYS AS (b + 1) STORED COMMENT 'sum, with ), KEY \`x\` (\`y\`)', d ENUM('a,b','c)') NOT NULL DEFAULT 'a,b',
     PRIMARY KEY (id), UNIQUE KEY u (a, b), KEY k (b), KEY \`odd \`\`name\` (c), FULLTEXT KEY f (a), CHECK (b < 1000000)) ENGINE=InnoDB AUTO_INCREMENT=77`,
  "INSERT INTO pf_clean.big (a, b) SELECT CONCAT('row ', n), n FROM (SELECT @n := @n + 1 AS n FROM information_schema.COLUMNS, (SELECT @n := 0) x LIMIT 400) s",
  "CREATE TABLE pf_clean.code (a CHAR(3) NOT NULL, b INT NOT NULL, c INT, n INT NOT NULL AUTO_INCREMENT, UNIQUE KEY ab (a, b), UNIQUE KEY c1 (c), UNIQUE KEY b1 (b), KEY n1 (n), KEY a1 (a)) ENGINE=InnoDB",
  "ANALYZE TABLE pf_clean.big, pf_clean.code",
];

const WRONG = [
  "CREATE DATABASE pf_wrong",
  "CREATE DATABASE pf_away",
  "CREATE TABLE pf_wrong.no_key (a INT, b INT, UNIQUE KEY (a)) ENGINE=InnoDB",
  "CREATE TABLE pf_wrong.prefix_key (a VARCHAR(200) NOT NULL, UNIQUE KEY (a(10))) ENGINE=InnoDB",
  "CREATE TABLE pf_wrong.old_engine (a INT PRIMARY KEY) ENGINE=MyISAM",
  "CREATE TABLE pf_wrong.floaty (a DOUBLE PRIMARY KEY) ENGINE=InnoDB",
  "CREATE TABLE pf_wrong.parent (id INT PRIMARY KEY) ENGINE=InnoDB",
  "CREATE TABLE pf_wrong.child (id INT PRIMARY KEY, p INT, CONSTRAINT to_parent FOREIGN KEY (p) REFERENCES pf_wrong.parent (id)) ENGINE=InnoDB",
  "CREATE TABLE pf_away.parent (id INT PRIMARY KEY) ENGINE=InnoDB",
  "CREATE TABLE pf_wrong.orphan (id INT PRIMARY KEY, p INT, CONSTRAINT to_away FOREIGN KEY (p) REFERENCES pf_away.parent (id)) ENGINE=InnoDB",
  "CREATE TABLE pf_wrong.differs (id INT PRIMARY KEY, a VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, b INT) ENGINE=InnoDB",
  "CREATE TABLE pf_wrong.full (id INT PRIMARY KEY, g INT AS (id + 1)) ENGINE=InnoDB",
  "CREATE TRIGGER pf_wrong.loud BEFORE INSERT ON pf_wrong.full FOR EACH ROW SET NEW.id = NEW.id",
  "CREATE TABLE pf_wrong.triggered (id INT PRIMARY KEY) ENGINE=InnoDB",
  "CREATE TABLE pf_wrong.viewed (id INT PRIMARY KEY) ENGINE=InnoDB",
];

const IN_THE_WAY = [
  "CREATE DATABASE pf_wrong",
  "CREATE TABLE pf_wrong.differs (id BIGINT PRIMARY KEY, a VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, extra INT NOT NULL) ENGINE=InnoDB",
  "CREATE TABLE pf_wrong.full (id INT PRIMARY KEY) ENGINE=InnoDB",
  "INSERT INTO pf_wrong.full VALUES (1)",
  "CREATE TABLE pf_wrong.triggered (id INT PRIMARY KEY) ENGINE=InnoDB",
  "CREATE TRIGGER pf_wrong.loud BEFORE INSERT ON pf_wrong.triggered FOR EACH ROW SET NEW.id = NEW.id",
  "CREATE VIEW pf_wrong.viewed AS SELECT 1 AS id",
  "CREATE DATABASE _pf_newer",
  "CREATE TABLE _pf_newer.meta (version INT PRIMARY KEY) ENGINE=InnoDB",
  `INSERT INTO _pf_newer.meta VALUES (1), (${STATE_VERSION + 1})`,
];

const ODD: Record<Vendor, string[]> = {
  mysql: [
    "CREATE DATABASE pf_odd",
    `CREATE TABLE pf_odd.\`a,b) (\` (id INT NOT NULL, h INT INVISIBLE DEFAULT 3, s VARCHAR(30) DEFAULT 'it''s \\\\ "x"' COMMENT 'c),\n  KEY \`z\` (\`id\`)',
       j JSON, g GEOMETRY NOT NULL SRID 4326, PRIMARY KEY (id), KEY desc_key (s DESC, id), KEY func ((LOWER(s))), KEY hidden (h) INVISIBLE,
       UNIQUE KEY uf ((CAST(j->'$.a,)' AS SIGNED))), SPATIAL KEY sp (g) COMMENT 'x''),', FULLTEXT KEY ft (s) WITH PARSER ngram,
       CONSTRAINT small CHECK (s <> '),'))`,
    `CREATE TABLE pf_odd.parts (id INT NOT NULL, d DATE NOT NULL, v VARCHAR(9), PRIMARY KEY (id, d), KEY v (v)) COMMENT 'k, (x'
       PARTITION BY LIST COLUMNS (d) (PARTITION p0 VALUES IN ('2026-01-01') COMMENT 'a),b', PARTITION p1 VALUES IN ('2026-01-02'))`,
    "CREATE TABLE pf_odd.counted (a INT NOT NULL, n INT NOT NULL AUTO_INCREMENT, PRIMARY KEY (a), UNIQUE KEY n1 (n, a), KEY n2 (n))",
  ],
  mariadb: [
    "CREATE DATABASE pf_odd",
    `CREATE TABLE pf_odd.\`a,b) (\` (id UUID NOT NULL, h INT INVISIBLE DEFAULT 3, s VARCHAR(30) DEFAULT 'it''s \\\\ "x"' COMMENT 'c),\n  KEY \`z\` (\`id\`)' CHECK (s <> '),'),
       g GEOMETRY NOT NULL, l TEXT, PRIMARY KEY (id), KEY desc_key (s DESC, id), KEY hidden (h) IGNORED, UNIQUE KEY long_hash (l),
       SPATIAL KEY sp (g) COMMENT 'x''),', FULLTEXT KEY ft (s), CONSTRAINT small CHECK (h < 9 AND s <> 'it\\'s,')) COMMENT 'x\n) y'`,
    `CREATE TABLE pf_odd.parts (id INT NOT NULL, d DATE NOT NULL, v VARCHAR(9), PRIMARY KEY (id, d), KEY v (v)) COMMENT 'k, (x'
       PARTITION BY LIST COLUMNS (d) (PARTITION p0 VALUES IN ('2026-01-01') COMMENT 'a),b', PARTITION p1 VALUES IN ('2026-01-02'))`,
    "CREATE TABLE pf_odd.counted (a INT NOT NULL, n INT NOT NULL AUTO_INCREMENT, PRIMARY KEY (a), UNIQUE KEY n1 (n, a), KEY n2 (n))",
  ],
};

/** Definitions, without the counter and without the order of indexes, which building them later changes. */
async function shown(session: Session, schema: string): Promise<string[][]> {
  const loaded = await loadTables(session, (s) => s === schema);
  return loaded.map((l) =>
    l.createSql.replace(/ AUTO_INCREMENT=\d+/, "").split("\n").map((line) => line.replace(/,$/, ""))
      .toSorted()
  );
}

async function sweep(session: Session): Promise<void> {
  await runAll(session, ["SET foreign_key_checks = 0", "DROP USER IF EXISTS pf_poor@'%'"]);
  for (const name of ["pf_clean", "pf_wrong", "pf_away", "pf_odd", "_pf_newer"]) {
    await session.run(`DROP DATABASE IF EXISTS ${name}`);
  }
}

for (const vendor of ["mysql", "mariadb"] satisfies Vendor[]) {
  Deno.test(`preflight() on ${vendor}`, async (t) => {
    await using pair = await startPair(vendor);
    await using source = await open(pair.source.url);
    await using target = await open(pair.target.url);
    await sweep(source);
    await sweep(target);
    await runAll(source, [...CLEAN, ...WRONG, ...ODD[vendor]]);
    // MariaDB keeps long unique values by their hash: nothing that could be walked in order.
    if (vendor === "mariadb") {
      await source.run("CREATE TABLE pf_wrong.hash_key (a TEXT NOT NULL, UNIQUE KEY (a)) ENGINE=InnoDB");
    }
    await runAll(target, IN_THE_WAY);

    await t.step("plans a clean ferry, largest table first, and writes nothing", async () => {
      const before = await footprint(source, target);
      const { findings, plan } = await preflight(
        specFor(pair.source.url, pair.target.url, ["pf_clean.*"], {
          cutover: { mode: "manual", fence: "lockTables", timeoutSeconds: 30, keepFence: true },
        }),
        OPTIONS,
      );
      assert.deepEqual(await footprint(source, target), before);
      assert.deepEqual(findings.map((f) => [f.level, f.code, f.subject]), [[
        "info",
        "generated-columns",
        "pf_clean.big",
      ]]);
      assert.deepEqual(plan!.missingSchemas.map((schema) => schema.name), ["pf_clean"]);
      assert.deepEqual(plan!.tables.map((p) => p.table.name), ["big", "code"]);
      const [big, code] = plan!.tables;
      assert.deepEqual(big.deferred.map((d) => [d.name, d.unique]), [
        ["u", true],
        ["k", false],
        ["odd `name", false],
        ["f", false],
      ]);
      assert.equal(big.targetHasUnique, false);
      assert.equal(big.exists, false);
      // The fewest columns that are NOT NULL; the counter's index cannot wait.
      assert.equal(code.table.keyName, "b1");
      assert.deepEqual(code.deferred.map((d) => d.name), ["ab", "c1", "a1"]);
    });

    await t.step("gives a definition that ends as the source's", async () => {
      const spec = specFor(pair.source.url, pair.target.url, ["pf_clean.*"], {
        renameSchemas: { pf_clean: "pf_clean" },
      });
      const first = (await preflight(spec, OPTIONS)).plan!;
      await target.run("CREATE DATABASE pf_clean");
      for (const planned of first.tables) await target.run(planned.create!);
      await target.run("INSERT INTO pf_clean.big (id, b) VALUES (1, 1)");

      const made = new Set(["pf_clean.big", "pf_clean.code"]);
      const again = (await preflight(spec, { ...OPTIONS, made })).plan!;
      assert.deepEqual(again.tables.map((p) => [p.exists, p.create, p.targetHasUnique]), [
        [true, null, false],
        [true, null, false],
      ]);
      assert.deepEqual(again.tables.map((p) => p.deferred), first.tables.map((p) => p.deferred));
      for (const { target: place, deferred } of again.tables) {
        assert.deepEqual(await missingIndexes(target, place, deferred), [...deferred]);
        for (const { definition } of deferred) {
          await target.run(`ALTER TABLE pf_clean.${place.name} ADD ${definition}`);
        }
        assert.deepEqual(await missingIndexes(target, place, deferred), []);
      }
      assert.deepEqual(await shown(target, "pf_clean"), await shown(source, "pf_clean"));
      const strangers = (await preflight(spec, { ...OPTIONS, made: new Set() })).plan!;
      assert.deepEqual(strangers.tables.map((p) => [p.deferred, p.targetHasUnique]), [[[], true], [
        [],
        true,
      ]]);
      const fresh = await preflight(spec, OPTIONS);
      assert.deepEqual(codes(fresh.findings, "error"), ["target-not-empty pf_clean.big"]);
    });

    await t.step("takes odd definitions apart and together again", async () => {
      const { findings, plan } = await preflight(
        specFor(pair.source.url, pair.target.url, ["pf_odd.*"]),
        OPTIONS,
      );
      assert.deepEqual(codes(findings, "error"), []);
      await target.run("CREATE DATABASE pf_odd");
      for (const planned of plan!.tables) {
        await target.run(planned.create!);
        for (const { definition } of planned.deferred) {
          await target.run(`ALTER TABLE ${quoteTable(planned.target)} ADD ${definition}`);
        }
      }
      assert.deepEqual(await shown(target, "pf_odd"), await shown(source, "pf_odd"));
      const put = plan!.tables.map((p) =>
        `${p.table.name}: ${p.deferred.map((d) => d.name).toSorted().join(" ")}`
      );
      assert.deepEqual(put.toSorted(), [
        `a,b) (: desc_key ft ${vendor === "mysql" ? "func hidden sp uf" : "hidden long_hash sp"}`,
        "counted: n2",
        "parts: v",
      ]);
      assert.deepEqual(plan!.tables.map((p) => p.targetHasUnique && p.table.name).filter(Boolean), [
        "counted",
      ]);
    });

    await t.step("names everything that is wrong at once, and writes nothing", async () => {
      await source.run("SET GLOBAL binlog_row_image = 'MINIMAL'");
      const before = await footprint(source, target);
      const { findings, plan } = await preflight(
        specFor(pair.source.url, pair.target.url, [
          "pf_wrong.no_such",
          "pf_wrong.parent -> pf_wrong.child",
          "pf_wrong.*",
        ]),
        { stateSchema: "_pf_newer", made: null, savedPosition: { file: "binlog.999999", offset: 4 } },
      );
      assert.deepEqual(await footprint(source, target), before);
      await source.run("SET GLOBAL binlog_row_image = 'FULL'");
      assert.equal(plan, null);
      assert.deepEqual(
        codes(findings, "error"),
        [
          "binlog-purged binlog.999999:4",
          "binlog-row-image binlog_row_image",
          "engine-not-transactional pf_wrong.old_engine",
          "float-key pf_wrong.floaty",
          "foreign-key-outside pf_wrong.orphan",
          ...(vendor === "mariadb" ? ["no-key pf_wrong.hash_key"] : []),
          "no-key pf_wrong.no_key",
          "no-key pf_wrong.prefix_key",
          "no-tables pf_wrong.no_such",
          "state-schema-newer _pf_newer",
          "target-columns-differ pf_wrong.differs",
          "target-not-a-table pf_wrong.viewed",
          "target-not-empty pf_wrong.full",
          "target-table-twice pf_wrong.child",
          "target-triggers pf_wrong.triggered",
        ],
      );
      assert.deepEqual(codes(findings, "info"), [
        "generated-columns pf_wrong.full",
        "triggers pf_wrong.full",
      ]);
      const differs = findings.find((f) => f.code === "target-columns-differ")!.detail;
      for (
        const seen of ['"id" is bigint', "utf8mb4_general_ci", 'no column "b"', 'further column "extra"']
      ) {
        assert.ok(differs.includes(seen), differs);
      }
      assert.ok(
        findings.find((f) => f.code === "foreign-key-outside")!.detail.includes(
          '"to_away" points at "pf_away.parent"',
        ),
      );
      assert.equal(
        findings.find((f) => f.subject === "pf_wrong.no_key")!.detail,
        'Cannot copy table "pf_wrong.no_key": no primary or unique key',
      );
    });

    await t.step('refuses a missing target table where createTables is "never"', async () => {
      const spec = specFor(pair.source.url, pair.target.url, ["pf_wrong.parent -> pf_none.x"], {
        createTables: "never",
      });
      const { findings } = await preflight(spec, OPTIONS);
      assert.ok(codes(findings, "error").includes("target-table-missing pf_none.x"));
    });

    await t.step("refuses the source as its own target, and only warns of new names there", async () => {
      const onto = await preflight(specFor(pair.source.url, pair.source.url, ["pf_clean.code"]), OPTIONS);
      assert.ok(codes(onto.findings, "error").includes("same-server-same-table pf_clean.code"));
      const beside = await preflight(
        specFor(pair.source.url, pair.source.url, ["pf_clean.code -> pf_clean.code2"]),
        OPTIONS,
      );
      assert.deepEqual(codes(beside.findings, "error"), []);
      assert.deepEqual(codes(beside.findings, "warning"), ["same-server target"]);
    });

    await t.step("warns of a connection that is not encrypted where it may leave the machine", async () => {
      const from = new URL(pair.source.url);
      from.hostname = "0.0.0.0"; // this machine, by an address that does not say so
      const { findings, plan } = await preflight(
        specFor(from.href, pair.target.url, ["pf_clean.code"]),
        OPTIONS,
      );
      assert.notEqual(plan, null);
      assert.deepEqual(codes(findings, "warning"), ["not-encrypted source"]);
    });

    await t.step("warns of what the spec says of no table", async () => {
      const { findings, plan } = await preflight(
        specFor(pair.source.url, pair.target.url, ["pf_clean.code"], {
          exclude: ["pf_clean.big"],
          renameSchemas: { pf_clan: "elsewhere" },
        }),
        OPTIONS,
      );
      assert.notEqual(plan, null);
      assert.deepEqual(codes(findings, "warning"), [
        "exclude-unused pf_clean.big",
        "rename-unused pf_clan",
      ]);
    });

    await t.step(
      "warns of XA transactions that are prepared before the ferry begins, whatever they hold",
      async () => {
        {
          await using other = await open(pair.source.url);
          await runAll(other, [
            "XA START 'pf'",
            "INSERT INTO pf_away.parent VALUES (1)",
            "XA END 'pf'",
            "XA PREPARE 'pf'",
          ]);
        }
        const spec = specFor(pair.source.url, pair.target.url, ["pf_clean.code"]);
        const { findings, plan } = await preflight(spec, OPTIONS);
        assert.notEqual(plan, null);
        assert.deepEqual(codes(findings, "warning"), ["xa-prepared XA RECOVER"]);
        const [end] = await source.query(binlogStatusStatement(await describeServer(source)));
        const savedPosition = { file: String(end.File), offset: Number(end.Position) };
        const later = await preflight(spec, { ...OPTIONS, savedPosition });
        assert.deepEqual(codes(later.findings, "warning"), [], "whoever goes on has seen what was prepared");
        await source.run("XA ROLLBACK 'pf'");
      },
    );

    await t.step("names a wrong password on the one end and a closed port on the other", async () => {
      const denied = new URL(pair.source.url);
      denied.password = "wrong";
      const { findings, plan } = await preflight(
        specFor(denied.href, "mysql://u:p@127.0.0.1:1", ["pf_clean.*"]),
        OPTIONS,
      );
      assert.equal(plan, null);
      assert.deepEqual(codes(findings, "error"), [
        "source-access-denied source",
        "target-unreachable target",
      ]);
      assert.ok(!JSON.stringify(findings).includes('wrong"'));
    });

    await t.step("names what a poor user may not do", async () => {
      await runAll(source, [
        "CREATE USER pf_poor@'%' IDENTIFIED BY 'Pf-poor-1'",
        "GRANT SELECT ON pf_clean.code TO pf_poor@'%'",
        "GRANT SELECT (id, a) ON pf_clean.big TO pf_poor@'%'",
      ]);
      await runAll(target, ["CREATE USER pf_poor@'%' IDENTIFIED BY 'Pf-poor-1'", "SET GLOBAL read_only = 1"]);
      const [from, to] = [pair.source.url, pair.target.url].map((text) => {
        const url = new URL(text);
        [url.username, url.password] = ["pf_poor", "Pf-poor-1"];
        return url.href;
      });
      const { findings } = await preflight(
        specFor(from, to, ["pf_clean.*"], {
          cutover: { mode: "manual", fence: "lockTables", timeoutSeconds: 30, keepFence: true },
        }),
        OPTIONS,
      );
      await target.run("SET GLOBAL read_only = 0");
      const seen = codes(findings, "error");
      for (
        const code of [
          `replication-privilege ${vendor === "mysql" ? "REPLICATION CLIENT" : "BINLOG MONITOR"}`,
          "replication-privilege REPLICATION SLAVE",
          "select-denied pf_clean.big",
          "lock-tables-denied pf_clean",
          "target-privilege pf_clean",
          "target-privilege _pf_state",
          "target-read-only read_only",
        ]
      ) assert.ok(seen.includes(code), `${code} not in ${seen.join(", ")}`);
    });

    await t.step("throws the reason of its signal", async () => {
      const signal = AbortSignal.abort(new Error("enough"));
      const spec = specFor(pair.source.url, pair.target.url, ["pf_clean.*"]);
      await assert.rejects(preflight(spec, { ...OPTIONS, signal }), /enough/);
    });

    await sweep(source);
    await sweep(target);
  });
}

function codes(
  findings: readonly { level: string; code: string; subject: string }[],
  level: string,
): string[] {
  return findings.filter((f) => f.level === level).map((f) => `${f.code} ${f.subject}`).toSorted();
}
