/**
 * Foreign keys: built after the copy, under the target's names, or refused by name.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import { preflight } from "../../lib/preflight/preflight.ts";
import type { Finding } from "../../lib/progress/resource.ts";
import { assertEqual } from "../support/equality.ts";
import { shopSpec, until } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { Sql } from "../support/sql.ts";

const OPTIONS = { stateSchema: "_ferry", made: null, savedPosition: null };

/** The constraints of a schema, in words. */
async function constraints(url: string, schema: string): Promise<string[]> {
  await using sql = await Sql.open(url);
  const rows = await sql.run(
    `SELECT r.TABLE_NAME AS t, r.CONSTRAINT_NAME AS name, r.DELETE_RULE AS d, r.UPDATE_RULE AS u,
       GROUP_CONCAT(k.COLUMN_NAME, '→', k.REFERENCED_TABLE_SCHEMA, '.', k.REFERENCED_TABLE_NAME, '.', k.REFERENCED_COLUMN_NAME
         ORDER BY k.ORDINAL_POSITION) AS cols
     FROM information_schema.REFERENTIAL_CONSTRAINTS r
     JOIN information_schema.KEY_COLUMN_USAGE k ON k.CONSTRAINT_SCHEMA = r.CONSTRAINT_SCHEMA
       AND k.CONSTRAINT_NAME = r.CONSTRAINT_NAME AND k.TABLE_NAME = r.TABLE_NAME
     WHERE r.CONSTRAINT_SCHEMA = ? GROUP BY r.TABLE_NAME, r.CONSTRAINT_NAME, r.DELETE_RULE, r.UPDATE_RULE`,
    [schema],
  );
  const plain = (rule: string) => rule === "NO ACTION" ? "RESTRICT" : rule;
  return rows.map((r) => `${r.t} ${r.name} ${r.cols} ${plain(r.d)} ${plain(r.u)}`).sort();
}

function errors(findings: readonly Finding[]): string[] {
  return findings.filter((f) => f.level === "error").map((f) => `${f.code} ${f.subject}`).sort();
}

onEachFlavour("foreign keys stand on the target at the end, under its names", async ({ source, target }) => {
  await using sql = await Sql.open(source.url);
  await sql.run(`CREATE DATABASE shop; CREATE DATABASE crm;
    CREATE TABLE crm.people (id INT NOT NULL PRIMARY KEY, email VARCHAR(50) NOT NULL, UNIQUE KEY email (email));
    CREATE TABLE shop.orders (id INT NOT NULL PRIMARY KEY, person INT, note VARCHAR(20),
      CONSTRAINT whose FOREIGN KEY (person) REFERENCES crm.people (id));
    CREATE TABLE shop.\`li,n)es\` (o INT NOT NULL, n INT NOT NULL, mail VARCHAR(50), PRIMARY KEY (o, n),
      FOREIGN KEY (o) REFERENCES shop.orders (id) ON DELETE RESTRICT, CONSTRAINT by_mail FOREIGN KEY (mail) REFERENCES crm.people (email));
    CREATE TABLE shop.tree (id INT NOT NULL PRIMARY KEY, up INT, CONSTRAINT up FOREIGN KEY (up) REFERENCES shop.tree (id));
    CREATE TABLE shop.ring_a (id INT NOT NULL PRIMARY KEY, b INT);
    CREATE TABLE shop.ring_b (id INT NOT NULL PRIMARY KEY, a INT, CONSTRAINT to_a FOREIGN KEY (a) REFERENCES shop.ring_a (id));
    ALTER TABLE shop.ring_a ADD CONSTRAINT to_b FOREIGN KEY (b) REFERENCES shop.ring_b (id);
    INSERT INTO crm.people VALUES (1, 'a@x'), (2, 'b@x');
    INSERT INTO shop.orders VALUES (10, 1, 'one'), (20, NULL, 'none'), (30, 2, 'two');
    INSERT INTO shop.\`li,n)es\` VALUES (10, 1, 'a@x'), (10, 2, NULL), (30, 1, 'b@x');
    INSERT INTO shop.tree VALUES (1, NULL), (2, 1), (3, 2);
    INSERT INTO shop.ring_a VALUES (1, NULL); INSERT INTO shop.ring_b VALUES (1, 1); UPDATE shop.ring_a SET b = 1`);
  const dock = openDock();
  try {
    const spec = shopSpec(source.url, target.url, {
      tables: ["shop.*", { table: "crm.people", to: "crm_eu.persons" }],
      renameSchemas: { shop: "shop_new" },
    });
    const ferry = await dock.start(spec);
    const done = await until(ferry, ["done"]);
    assert.equal(done.verification.state, "passed");
    await assertEqual(source.url, target.url, [
      ["shop.orders", "shop_new.orders"],
      ["shop.li,n)es", "shop_new.li,n)es"],
      ["shop.tree", "shop_new.tree"],
      ["crm.people", "crm_eu.persons"],
    ]);
    const wanted = (await constraints(source.url, "shop")).map((line) =>
      line.replaceAll("→shop.", "→shop_new.").replaceAll("→crm.people.", "→crm_eu.persons.")
    );
    assert.equal(wanted.length, 6);
    assert.deepEqual(await constraints(target.url, "shop_new"), wanted);
    await using there = await Sql.open(target.url);
    await assert.rejects(there.run("INSERT INTO shop_new.orders VALUES (99, 77, NULL)"), { errno: 1452 });
  } finally {
    await dock.close();
  }
});

onEachFlavour(
  "foreign keys that cannot stand on the target are refused by name",
  async ({ source, target }) => {
    await using sql = await Sql.open(source.url);
    await using there = await Sql.open(target.url);
    await sql.run(`CREATE DATABASE shop; CREATE DATABASE other;
    CREATE TABLE shop.parents (id INT NOT NULL PRIMARY KEY, v INT, KEY v (v));
    CREATE TABLE shop.children (id INT NOT NULL PRIMARY KEY, p INT, CONSTRAINT belongs FOREIGN KEY (p) REFERENCES shop.parents (id));
    CREATE TABLE other.children (id INT NOT NULL PRIMARY KEY, p INT, CONSTRAINT belongs FOREIGN KEY (p) REFERENCES shop.parents (id))`);
    const found = async (more: Record<string, unknown>) =>
      (await preflight(shopSpec(source.url, target.url, more), OPTIONS)).findings;

    const outside = await found({ tables: ["shop.children"] });
    assert.deepEqual(errors(outside), ["foreign-key-outside shop.children"]);
    const told = outside.find((f) => f.level === "error")!;
    assert.ok(
      told.detail.includes('"belongs" points at "shop.parents"') && told.hint.includes("shop.parents"),
    );

    const left = await found({ tables: ["shop.parents"] });
    assert.deepEqual(errors(left), []);
    assert.ok(
      left.some((f) =>
        f.code === "foreign-key-children" && f.level === "info" && f.detail.includes("other.children")
      ),
      "children that stay behind are told of",
    );

    const clash = await found({
      tables: ["shop.*", { table: "other.children", to: "shop.children2" }],
    });
    assert.deepEqual(errors(clash), ["foreign-key-name-taken shop.children"]);

    // Children whose parents are only partly ferried would point at nothing.
    const filtered = await found({ tables: [{ table: "shop.parents", where: "v > 1" }, "shop.children"] });
    assert.ok(
      errors(filtered).includes("foreign-key-filtered-parent shop.children"),
      errors(filtered).join(),
    );

    // What is on the target already.
    await there.run(`CREATE DATABASE shop; CREATE TABLE shop.parents (id INT NOT NULL PRIMARY KEY, v INT);
    CREATE TABLE shop.children (id INT NOT NULL PRIMARY KEY, p INT, CONSTRAINT mine FOREIGN KEY (p) REFERENCES shop.parents (id))`);
    assert.deepEqual(errors(await found({})), [], "the same foreign key under another name is fine");
    await there.run(`ALTER TABLE shop.children DROP FOREIGN KEY mine; ALTER TABLE shop.children
    ADD CONSTRAINT mine FOREIGN KEY (p) REFERENCES shop.parents (id) ON DELETE CASCADE`);
    assert.deepEqual(
      errors(await found({})),
      ["foreign-key shop.children"],
      "another rule is another foreign key",
    );
    await there.run(`DROP TABLE shop.children; CREATE TABLE shop.strange (id INT NOT NULL PRIMARY KEY,
    CONSTRAINT belongs FOREIGN KEY (id) REFERENCES shop.parents (id))`);
    assert.deepEqual(
      errors(await found({})),
      ["foreign-key shop.parents", "foreign-key-name-taken shop.children"],
      "a stranger's child would be left without its parent, and has the name",
    );
    await there.run("DROP TABLE shop.strange, shop.parents");

    // A user who may do all but what foreign keys need.
    await there.run(`CREATE USER poor@'%' IDENTIFIED BY 'Poor-1'; GRANT ALL ON _ferry.* TO poor@'%';
    GRANT SELECT, INSERT, DELETE, CREATE, ALTER, INDEX ON shop.* TO poor@'%'`);
    const poor = new URL(target.url);
    [poor.username, poor.password] = ["poor", "Poor-1"];
    const { findings } = await preflight(shopSpec(source.url, poor.href), OPTIONS);
    const denied = findings.find((f) => f.code === "target-privilege" && f.subject === "shop");
    assert.ok(denied?.detail.includes("no REFERENCES is listed"), JSON.stringify(findings));
  },
);
